"""The page in a real Chromium, against a bot that opens a modal and answers commands."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import uvicorn
from playwright.async_api import Page, expect
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.demo.workspace import RunningWorkspace, WorkspaceSettings, build_workspace, serve_workspace
from tests.browser.chromium import chromium, needs_chromium

pytestmark = needs_chromium


def plain(text: str) -> dict:
    return {"type": "plain_text", "text": text}


def button(action_id: str, **more) -> dict:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), **more}


CONFIRM = {"title": plain("Sure?"), "text": plain("It goes to the approvers."), "confirm": plain("Yes, ask")}
CARD = [
    {"type": "header", "text": plain("Secret purged")},
    {"type": "actions", "elements": [button("incident:close:open"), button("incident:escalate", confirm=CONFIRM)]},
]
MODAL = {
    "type": "modal",
    "title": plain("Close"),
    "submit": plain("Close it"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


class SystemTime:
    def now(self) -> datetime:
        return datetime.now(UTC)


class ModalBot:
    """Opens a modal on a click, answers a command, finds the first submission too short."""

    def __init__(self) -> None:
        self.slack: AsyncWebClient | None = None
        self.payloads: list[dict] = []

    async def events(self, request: Request) -> Response:
        form = await request.form()
        if "command" in form:
            return JSONResponse({"text": f"*clean*: {form['text']}"})
        payload = json.loads(str(form["payload"]))
        self.payloads.append(payload)
        if payload["type"] == "view_submission" and len(self.payloads) == 2:
            return JSONResponse({"response_action": "errors", "errors": {"why": "Say more"}})
        if payload["type"] == "block_actions" and payload["actions"][0]["action_id"] == "incident:close:open":
            await self.slack.views_open(trigger_id=payload["trigger_id"], view=MODAL)
        return Response()


@pytest.fixture
async def bot() -> AsyncIterator[tuple[ModalBot, str]]:
    listener, heard = socket.create_server(("127.0.0.1", 0)), ModalBot()
    app = Starlette(routes=[Route("/slack/events", heard.events, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield heard, f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
    server.should_exit = True
    await task


@pytest.fixture
async def workspace(bot) -> AsyncIterator[RunningWorkspace]:
    settings = WorkspaceSettings(bot_url=bot[1], bot_token=SecretStr("xoxb-right"))
    running = await serve_workspace(build_workspace(settings, clock=SystemTime()))
    bot[0].slack = AsyncWebClient("xoxb-right", base_url=f"{running.url}/api/", retry_handlers=[])
    yield running
    await running.stop()


@pytest.fixture
def width() -> int:
    return 1280


@pytest.fixture
async def page(workspace, width) -> AsyncIterator[Page]:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 800})
        mistakes: list[str] = []
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.on("console", lambda line: mistakes.append(line.text) if line.type == "error" else None)
        await page.goto(workspace.url)
        yield page
    assert mistakes == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_from_a_card_that_arrives_to_a_submitted_modal(page, bot, workspace):
    posted = await bot[0].slack.chat_postMessage(channel="C0SECOPS", text="alert", blocks=CARD)
    card = page.locator(f'[data-ts="{posted["ts"]}"]')
    await expect(card).to_contain_text("Secret purged")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await card.locator('[data-action-id="incident:close:open"]').click()
    dialog = page.locator("[role=dialog]")
    await dialog.locator("input").fill("short")
    await dialog.get_by_text("Close it").click()
    await expect(dialog).to_contain_text("Say more")
    assert await dialog.locator("input").input_value() == "short"
    await dialog.get_by_text("Close it").click()
    await expect(dialog).to_have_count(0)
    assert bot[0].payloads[-1]["view"]["state"]["values"]["why"]["text"]["value"] == "short"


async def test_a_confirmation_is_asked_before_the_click_is_sent(page, bot):
    await bot[0].slack.chat_postMessage(channel="C0SECOPS", text="alert", blocks=CARD)
    await page.locator('[data-action-id="incident:escalate"]').click()
    assert bot[0].payloads == []
    await page.get_by_text("Yes, ask").click()
    await expect(page.locator("[role=dialog]")).to_have_count(0)
    await expect(page.locator(".busy")).to_have_count(0)
    assert [p["actions"][0]["action_id"] for p in bot[0].payloads] == ["incident:escalate"]


async def test_a_command_is_answered_to_the_acting_person_only(page):
    await page.fill("#composer", "/ipcheck 192.0.2.1")
    await page.press("#composer", "Enter")
    private = page.locator(".message.private")
    await expect(private).to_contain_text("clean: 192.0.2.1")
    await page.select_option("#acting-person", "U0BO")
    await expect(page.locator("body")).to_have_attribute("data-user", "U0BO")
    await expect(private).to_have_count(0)
