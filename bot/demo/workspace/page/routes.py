"""The routes of the page: whole pages, fragments, and what people do on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.demo.workspace.acting import Acting
from bot.demo.workspace.core import Core
from bot.demo.workspace.input_values import Answers, Raw
from bot.demo.workspace.methods_views import stack
from bot.demo.workspace.page.detection import DemoControls
from bot.demo.workspace.page.rendering import PageRenderer, templates_folder
from bot.demo.workspace.page.stream import stream
from bot.demo.workspace.people import ANA
from bot.demo.workspace.refusal import Refused
from bot.errors import NotFound, TocsinError

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Deed(BaseModel):
    """The body of a POST from the page."""

    model_config = ConfigDict(extra="forbid")

    user: str
    channel: str = ""
    ts: str = ""
    text: str = ""
    thread_ts: str = ""
    view_id: str = ""
    action_id: str = ""
    block_id: str = ""
    chosen: Raw = None
    answers: Answers = {}


Doing = Callable[[Deed], Awaitable[dict[str, Any]]]


class Page:
    """Answers the browser."""

    def __init__(self, core: Core, acting: Acting, controls: DemoControls | None) -> None:
        self._core, self._acting, self._controls = core, acting, controls
        self._folder = templates_folder(core.settings.templates_path)
        self._renderer = PageRenderer(core, self._folder)

    def routes(self) -> list[BaseRoute]:
        """Everything under / and /ui."""
        shown = {
            "/": self._whole,
            "/ui/messages": self._messages,
            "/ui/thread": self._thread,
            "/ui/modal": self._modal,
            "/ui/home": self._home,
            "/ui/detection": self._detection,
            "/ui/stream": self._stream,
        }
        done: dict[str, Doing] = {
            "send": self._send,
            "click": self._click,
            "submit": self._submit,
            "close": self._close,
            "open-home": self._open_home,
            "run-now": self._run_now,
            "simulate": self._simulate,
        }
        return [
            *(Route(path, endpoint) for path, endpoint in shown.items()),
            *(Route(f"/ui/{name}", self._endpoint(doing), methods=["POST"]) for name, doing in done.items()),
            Mount("/static", StaticFiles(directory=self._folder / "static")),
        ]

    def _seat(self, request: Request) -> dict[str, Any]:
        user = request.query_params.get("as", ANA.id)
        if user not in self._core.state.people:
            user = ANA.id
        channel = self._core.state.channels.get(request.query_params.get("channel", "C0SECOPS"))
        return {"me": self._core.state.people[user], "channel": channel or self._core.state.channels["C0SECOPS"]}

    def _html(self, name: str, **values: Any) -> Response:
        return HTMLResponse(self._renderer.render(name, **values), headers=SECURITY_HEADERS)

    def _list(self, seat: dict[str, Any]) -> dict[str, Any]:
        channel, me = seat["channel"].id, seat["me"].id
        return {
            "messages": self._renderer.conversation(channel, me),
            "replies": self._renderer.replies(channel, me),
            "threaded": False,
        }

    async def _whole(self, request: Request) -> Response:
        seat = self._seat(request)
        tab = "home" if request.query_params.get("tab") == "home" else "messages"
        clock = await self._controls.status() if self._controls else None
        home = self._core.state.homes.get(seat["me"].id)
        return self._html("page.html", **seat, **self._list(seat), tab=tab, clock=clock, home=home)

    async def _messages(self, request: Request) -> Response:
        seat = self._seat(request)
        return self._html("_messages.html", **seat, **self._list(seat))

    async def _thread(self, request: Request) -> Response:
        seat, ts = self._seat(request), request.query_params.get("ts", "")
        found = self._renderer.thread(seat["channel"].id, ts, seat["me"].id)
        return self._html("_thread.html", **seat, messages=found, replies={}, threaded=True, ts=ts)

    async def _modal(self, request: Request) -> Response:
        seat = self._seat(request)
        open_now = stack(self._core, seat["me"].id)
        return self._html("_modal.html", **seat, opened=open_now[-1] if open_now else None)

    async def _home(self, request: Request) -> Response:
        seat = self._seat(request)
        return self._html("_home.html", **seat, home=self._core.state.homes.get(seat["me"].id))

    async def _detection(self, _request: Request) -> Response:
        clock = await self._controls.status() if self._controls else None
        return self._html("_detection.html", clock=clock)

    async def _stream(self, request: Request) -> Response:
        return await stream(self._core, request)

    def _endpoint(self, doing: Doing) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            # A page of another site can send neither this content type nor this header without leave.
            site = request.headers.get("sec-fetch-site", "same-origin")
            if "json" not in request.headers.get("content-type", "") or site not in {"same-origin", "none"}:
                return JSONResponse({"problem": "Only the page itself may do this"}, status_code=403)
            try:
                return JSONResponse(await doing(Deed.model_validate_json(await request.body())))
            except ValidationError as error:
                return JSONResponse({"problem": str(error)}, status_code=422)
            except Refused as refusal:
                return JSONResponse({"problem": f"The app's answer was refused: {refusal.code}"}, status_code=200)
            except TocsinError as error:
                return JSONResponse({"problem": str(error)}, status_code=404 if isinstance(error, NotFound) else 200)

        return endpoint

    async def _send(self, deed: Deed) -> dict[str, Any]:
        self._check_place(deed)
        text = deed.text.strip()
        if text.startswith("/"):
            await self._acting.slash(deed.user, deed.channel, text)
        elif text:
            safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            self._acting.say(deed.user, deed.channel, safe, deed.thread_ts)
        return {}

    def _check_place(self, deed: Deed) -> None:
        if deed.user not in self._core.state.people or deed.channel not in self._core.state.channels:
            raise NotFound(f"There is no {deed.user} in {deed.channel}")

    async def _click(self, deed: Deed) -> dict[str, Any]:
        what = {"block_id": deed.block_id, "chosen": deed.chosen, "answers": deed.answers}
        if deed.view_id:
            ack = await self._acting.click_view(deed.user, deed.view_id, deed.action_id, **what)  # type: ignore[arg-type]
        else:
            ack = await self._acting.click(deed.user, deed.channel, deed.ts, deed.action_id, **what)  # type: ignore[arg-type]
        return {} if ack.is_ok else {"problem": "The app did not answer. Is it running?"}

    async def _submit(self, deed: Deed) -> dict[str, Any]:
        await self._acting.submit(deed.user, deed.view_id, deed.answers)
        opened = self._core.state.views.get(deed.view_id)
        return {"errors": opened.errors if opened else {}}

    async def _close(self, deed: Deed) -> dict[str, Any]:
        await self._acting.close(deed.user, deed.view_id)
        return {}

    async def _open_home(self, deed: Deed) -> dict[str, Any]:
        if deed.user not in self._core.state.people:
            raise NotFound(f"There is no {deed.user}")
        await self._acting.open_home(deed.user)
        return {}

    async def _run_now(self, _deed: Deed) -> dict[str, Any]:
        return {"note": await self._controls.run_now()} if self._controls else {}

    async def _simulate(self, _deed: Deed) -> dict[str, Any]:
        return {"note": await self._controls.simulate()} if self._controls else {}
