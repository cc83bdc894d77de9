"""Puts the local workspace together: one Starlette app and the handle that tests and `tocsin demo` hold."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.demo.workspace import answers, control, methods_files, webapi
from bot.demo.workspace.acting import Acting
from bot.demo.workspace.core import Core
from bot.demo.workspace.dropped import with_droppable_connections
from bot.demo.workspace.faults import Faults
from bot.demo.workspace.outgoing import Outgoing
from bot.demo.workspace.page.detection import DemoControls
from bot.demo.workspace.page.routes import Page
from bot.demo.workspace.persistence import load_messages
from bot.demo.workspace.settings import WorkspaceSettings
from bot.demo.workspace.state import Message, WorkspaceState
from bot.demo.workspace.traffic import Traffic
from bot.services.ports import Clock

Handler = Callable[[Core, Request], Awaitable[Response]]


class Workspace:
    """A local Slack workspace. `app` is ASGI; the rest is for those who hold it in the same process.

    `act` does what people do: commands, clicks, submissions.
    """

    def __init__(self, core: Core, outgoing: Outgoing, acting: Acting, app: ASGIApp) -> None:
        self.core, self.outgoing, self.act, self.app = core, outgoing, acting, app

    @property
    def faults(self) -> Faults:
        """Order bad weather here."""
        return self.core.faults

    @property
    def traffic(self) -> Traffic:
        """Everything that went in and out."""
        return self.core.traffic

    @property
    def state(self) -> WorkspaceState:
        """The memory."""
        return self.core.state

    def messages(self, channel: str) -> list[Message]:
        """The messages of a channel that stay, oldest first, also those that history does not show yet."""
        return [m for m in self.core.state.messages if m.channel == channel and not m.seen_by]

    def ephemeral(self, user: str) -> list[Message]:
        """The messages that only this person sees, oldest first."""
        return [m for m in self.core.state.messages if m.seen_by == user]

    async def aclose(self) -> None:
        """End repeats and streams, release connections."""
        self.core.state.tell({"kind": "closing"})
        await self.outgoing.close()


def build_workspace(
    settings: WorkspaceSettings,
    *,
    clock: Clock,
    controls: DemoControls | None = None,
    http: httpx.AsyncClient | None = None,
) -> Workspace:
    """A new workspace. `controls` fills the panel "Detection", which is absent without it.

    `http` replaces the client that reaches the bot (the caller closes it).
    """
    state = WorkspaceState(clock)
    if settings.state_path is not None:
        load_messages(state, settings.state_path)
    core = Core(settings, state, Faults(), Traffic(state.now, settings.traffic_kept))
    outgoing = Outgoing(core, http)
    acting = Acting(core, outgoing)
    page = Page(core, acting, controls)
    app = Starlette(
        routes=[*_api_routes(core), *_control_routes(core), *page.routes()],
        # Names of others that point at loopback (DNS rebinding) must not reach a page without login.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )
    return Workspace(core, outgoing, acting, with_droppable_connections(app))


def _bound(core: Core, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await handler(core, request)

    return endpoint


def _local(core: Core, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if not _is_loopback(request):
            return JSONResponse({"ok": False, "error": "loopback_only"}, status_code=403)
        return await handler(core, request)

    return endpoint


def _is_loopback(request: Request) -> bool:
    return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback


def _api_routes(core: Core) -> list[Route]:
    return [
        Route("/api/{method}", _bound(core, webapi.answer_call), methods=["GET", "POST"]),
        Route("/response/{key}", _bound(core, answers.answer_response_url), methods=["POST"]),
        Route("/upload/{file_id}", _bound(core, methods_files.receive_upload), methods=["POST"]),
    ]


def _control_routes(core: Core) -> list[Route]:
    return [
        Route("/control/faults", _local(core, control.order_fault), methods=["POST"]),
        Route("/control/faults", _local(core, control.clear_faults), methods=["DELETE"]),
        Route("/control/history-delay", _local(core, control.delay_history), methods=["POST"]),
        Route("/control/traffic", _local(core, control.show_traffic)),
        Route("/control/messages", _local(core, control.show_messages)),
    ]
