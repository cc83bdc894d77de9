"""What the workspace sends to a bot, received by a small server that checks signatures with slack_sdk."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.workspace import RunningWorkspace, WorkspaceSettings, build_workspace, serve_workspace
from bot.errors import NotFound

SECRET = "the-signing-secret"
CARD = [
    {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "card"}},
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {
                "type": "button",
                "action_id": "incident:acknowledge",
                "value": "7.1",
                "style": "primary",
                "text": {"type": "plain_text", "text": "Acknowledge"},
            },
            {
                "type": "overflow",
                "action_id": "incident:more",
                "options": [
                    {"text": {"type": "plain_text", "text": "One"}, "value": "1"},
                    {"text": {"type": "plain_text", "text": "Two"}, "value": "2"},
                ],
            },
        ],
    },
]
MODAL = {
    "type": "modal",
    "callback_id": "incident:close",
    "private_metadata": "7.1",
    "title": {"type": "plain_text", "text": "Close"},
    "submit": {"type": "plain_text", "text": "Close"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


class Bot:
    """Keeps what it gets; answers with `reply`."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self._arrived = asyncio.Condition()
        self.reply: Callable[[], Response] = Response
        self.pause = 0.0

    async def events(self, request: Request) -> Response:
        async with self._arrived:
            self.requests.append((dict(request.headers), await request.body()))
            self._arrived.notify_all()
        await asyncio.sleep(self.pause)
        return self.reply()

    async def received(self, number: int) -> None:
        async with asyncio.timeout(3), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= number)

    def payload(self) -> dict[str, Any]:
        fields = dict(parse_qsl(self.requests[-1][1].decode()))
        return json.loads(fields["payload"]) if "payload" in fields else fields


@pytest.fixture
async def bot() -> AsyncIterator[tuple[Bot, str]]:
    listener = socket.create_server(("127.0.0.1", 0))
    received = Bot()
    app = Starlette(routes=[Route("/slack/events", received.events, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield received, f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
    server.should_exit = True
    await task


@pytest.fixture
async def running(clock, bot) -> AsyncIterator[RunningWorkspace]:
    settings = WorkspaceSettings(
        bot_url=bot[1],
        bot_token=SecretStr("xoxb-right"),
        signing_secret=SecretStr(SECRET),
        ack_seconds=0.3,
        retry_delays=(0.01, 0.01, 0.01),
    )
    running = await serve_workspace(build_workspace(settings, clock=clock))
    yield running
    await running.stop()


async def post_card(slack) -> str:
    return (await slack.chat_postMessage(channel="C0SECOPS", text="card", blocks=CARD))["ts"]


async def test_a_command_is_signed_and_its_answer_is_private(running, bot, clock):
    bot[0].reply = lambda: JSONResponse({"text": "looking"})
    await running.workspace.act.slash("U0ANA", "C0SECOPS", "/ipcheck 192.0.2.1 ")
    headers, body = bot[0].requests[0]
    at = headers["x-slack-request-timestamp"]
    assert SignatureVerifier(SECRET).generate_signature(timestamp=at, body=body) == headers["x-slack-signature"]
    assert int(at) == int(clock.now().timestamp())
    form = bot[0].payload()
    assert (form["command"], form["text"]) == ("/ipcheck", "192.0.2.1")
    assert (form["user_id"], form["channel_id"], form["channel_name"]) == ("U0ANA", "C0SECOPS", "secops")
    assert [m.text for m in running.workspace.ephemeral("U0ANA")] == ["looking"]
    assert running.workspace.messages("C0SECOPS") == []


async def test_an_in_channel_answer_is_for_all(running, bot):
    bot[0].reply = lambda: JSONResponse({"text": "all see", "response_type": "in_channel"})
    await running.workspace.act.slash("U0ANA", "C0SECOPS", "/secops status")
    assert [m.text for m in running.workspace.messages("C0SECOPS")] == ["all see"]


async def test_a_command_without_answer_says_so_to_the_person(running, bot):
    bot[0].reply = lambda: Response(status_code=500)
    await running.workspace.act.slash("U0ANA", "C0SECOPS", "/secops")
    assert "dispatch_unknown_error" in running.workspace.ephemeral("U0ANA")[0].text
    bot[0].pause = 0.5
    await running.workspace.act.slash("U0BO", "C0SECOPS", "/secops")
    assert "operation_timeout" in running.workspace.ephemeral("U0BO")[0].text


async def test_a_click_carries_what_slack_sends(running, bot, slack):
    ts = await post_card(slack)
    await running.workspace.act.click("U0ANA", "C0SECOPS", ts, "incident:acknowledge")
    payload = bot[0].payload()
    assert payload["type"] == "block_actions"
    assert payload["user"]["id"] == "U0ANA"
    assert payload["team"]["id"] == "T0TOCSIN"
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0SECOPS",
        "is_ephemeral": False,
    }
    assert payload["channel"] == {"id": "C0SECOPS", "name": "secops"}
    assert payload["message"]["ts"] == ts
    action = payload["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"]) == ("incident:acknowledge", "row", "7.1")
    assert action["text"]["text"] == "Acknowledge"
    assert float(action["action_ts"]) > float(ts)


async def test_an_overflow_menu_sends_the_chosen_option(running, bot, slack):
    ts = await post_card(slack)
    await running.workspace.act.click("U0ANA", "C0SECOPS", ts, "incident:more", chosen="2")
    assert bot[0].payload()["actions"][0]["selected_option"]["text"]["text"] == "Two"


async def test_nobody_clicks_what_is_not_there(running, slack):
    ts = await post_card(slack)
    with pytest.raises(NotFound):
        await running.workspace.act.click("U0ANA", "C0SECOPS", ts, "incident:nothing")


async def test_a_response_url_replaces_answers_and_wears_out(running, bot, slack, clock):
    ts = await post_card(slack)
    await running.workspace.act.click("U0ANA", "C0SECOPS", ts, "incident:acknowledge")
    url = bot[0].payload()["response_url"]
    async with httpx.AsyncClient() as http:
        await http.post(url, json={"text": "acknowledged", "replace_original": True})
        assert [m.text for m in running.workspace.messages("C0SECOPS")] == ["acknowledged"]
        await http.post(url, json={"text": "for you"})
        assert [m.text for m in running.workspace.ephemeral("U0ANA")] == ["for you"]
        for _ in range(3):
            assert (await http.post(url, json={"text": "x"})).text == "ok"
        assert (await http.post(url, json={"text": "x"})).json()["error"] == "used_url"


async def test_a_response_url_ends_after_half_an_hour(running, bot, clock):
    await running.workspace.act.slash("U0ANA", "C0SECOPS", "/secops")
    clock.forward(1801)
    async with httpx.AsyncClient() as http:
        late = await http.post(bot[0].payload()["response_url"], json={"text": "x"})
    assert (late.status_code, late.json()["error"]) == (404, "expired_url")


async def test_the_answer_replaces_the_acknowledgement_of_a_command(running, bot):
    bot[0].reply = lambda: JSONResponse({"text": "looking"})
    await running.workspace.act.slash("U0ANA", "C0SECOPS", "/ipcheck 192.0.2.1")
    async with httpx.AsyncClient() as http:
        await http.post(bot[0].payload()["response_url"], json={"text": "found", "replace_original": True})
    assert [m.text for m in running.workspace.ephemeral("U0ANA")] == ["found"]


async def open_modal(running, slack, **more) -> str:
    trigger = running.workspace.core.new_trigger("U0ANA")
    return (await slack.views_open(trigger_id=trigger, view=MODAL | more))["view"]["id"]


async def test_a_submission_carries_the_values_and_closes_the_view(running, bot, slack):
    view_id = await open_modal(running, slack)
    await running.workspace.act.submit("U0ANA", view_id, {"why": {"text": "false alarm"}})
    view = bot[0].payload()["view"]
    assert view["state"]["values"] == {"why": {"text": {"type": "plain_text_input", "value": "false alarm"}}}
    assert (view["callback_id"], view["private_metadata"]) == ("incident:close", "7.1")
    assert running.workspace.state.views == {}


async def test_an_empty_required_field_is_not_sent(running, bot, slack):
    view_id = await open_modal(running, slack)
    await running.workspace.act.submit("U0ANA", view_id, {})
    assert bot[0].requests == []
    assert "why" in running.workspace.state.views[view_id].errors


async def test_the_response_actions_of_a_submission(running, bot, slack):
    view_id, act = await open_modal(running, slack), running.workspace.act
    bot[0].reply = lambda: JSONResponse({"response_action": "errors", "errors": {"why": "too short"}})
    await act.submit("U0ANA", view_id, {"why": {"text": "x"}})
    assert running.workspace.state.views[view_id].errors == {"why": "too short"}
    changed = MODAL | {"title": {"type": "plain_text", "text": "Sure?"}}
    bot[0].reply = lambda: JSONResponse({"response_action": "update", "view": changed})
    await act.submit("U0ANA", view_id, {"why": {"text": "x"}})
    assert running.workspace.state.views[view_id].view["title"]["text"] == "Sure?"
    bot[0].reply = lambda: JSONResponse({"response_action": "clear"})
    await act.submit("U0ANA", view_id, {"why": {"text": "x"}})
    assert running.workspace.state.views == {}


async def test_closing_tells_the_bot_only_when_it_asked(running, bot, slack):
    await running.workspace.act.close("U0ANA", await open_modal(running, slack))
    assert bot[0].requests == []
    await running.workspace.act.close("U0ANA", await open_modal(running, slack, notify_on_close=True))
    assert bot[0].payload()["type"] == "view_closed"


async def test_an_unacknowledged_event_comes_three_more_times_and_says_why(running, bot):
    bot[0].reply = lambda: Response(status_code=503)
    await running.workspace.act.open_home("U0ANA")
    await bot[0].received(4)
    await asyncio.sleep(0.05)
    numbers = [headers.get("x-slack-retry-num") for headers, _ in bot[0].requests]
    assert numbers == [None, "1", "2", "3"]
    assert bot[0].requests[1][0]["x-slack-retry-reason"] == "http_error"
    assert len({json.loads(body)["event_id"] for _, body in bot[0].requests}) == 1


async def test_a_late_acknowledgement_is_repeated_as_a_timeout(running, bot):
    bot[0].pause = 0.4
    await running.workspace.act.open_home("U0ANA")
    bot[0].pause = 0.0
    await bot[0].received(2)
    assert bot[0].requests[1][0]["x-slack-retry-reason"] == "http_timeout"
    event = json.loads(bot[0].requests[1][1])["event"]
    assert (event["type"], event["user"], event["tab"]) == ("app_home_opened", "U0ANA", "home")
