"""The page without a browser: what is served, to whom, and what it refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from bot.demo.workspace import DetectionClock, WorkspaceSettings, build_workspace, serve_workspace

EVIL = '"><script>alert(1)</script>'


class Controls:
    async def status(self) -> DetectionClock:
        return DetectionClock(datetime(2026, 3, 2, 2, tzinfo=UTC), None, "one alert")

    async def run_now(self) -> str:
        return "ran"

    async def simulate(self) -> str:
        return "purged"


@pytest.fixture
async def http(running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.url) as client:
        yield client


async def test_the_page_forbids_foreign_and_inline_scripts(http):
    page = await http.get("/")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "<script>" not in page.text
    for path in ("/static/app.js", "/static/style.css", "/static/bell.svg"):
        assert (await http.get(path)).status_code == 200


async def test_hostile_words_stay_words_in_every_place(http, running, slack):
    button = {"type": "button", "action_id": EVIL, "text": {"type": "plain_text", "text": EVIL}, "value": EVIL}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": EVIL}},
        {"type": "section", "text": {"type": "mrkdwn", "text": EVIL}, "accessory": button},
        {"type": "actions", "elements": [button]},
    ]
    await slack.chat_postMessage(channel="C0SECOPS", text=EVIL, blocks=blocks)
    running.workspace.act.say("U0ANA", "C0SECOPS", EVIL)
    assert "<script>" not in (await http.get("/ui/messages")).text


async def test_an_ephemeral_message_is_shown_to_its_reader_only(http, slack):
    await slack.chat_postEphemeral(channel="C0SECOPS", user="U0BO", text="psst")
    assert "Only visible to you" in (await http.get("/ui/messages?as=U0BO")).text
    assert "psst" not in (await http.get("/ui/messages?as=U0ANA")).text


async def test_messages_carry_the_marks_that_browser_tests_need(http, slack):
    button = {"type": "button", "action_id": "incident:acknowledge", "text": {"type": "plain_text", "text": "Ack"}}
    blocks = [{"type": "actions", "block_id": "row", "elements": [button]}]
    ts = (await slack.chat_postMessage(channel="C0SECOPS", text="x", blocks=blocks))["ts"]
    text = (await http.get("/")).text
    for mark in (f'data-ts="{ts}"', 'data-block-id="row"', 'data-action-id="incident:acknowledge"', 'id="composer"'):
        assert mark in text


async def test_a_plain_message_is_escaped_as_slack_does(http, running):
    deed = {"user": "U0SAM", "channel": "C0SECOPS", "text": "<!channel> & more"}
    assert (await http.post("/ui/send", json=deed)).status_code == 200
    assert running.workspace.messages("C0SECOPS")[0].text == "&lt;!channel&gt; &amp; more"


async def test_other_sites_and_other_names_are_refused(http):
    deed = {"user": "U0ANA", "channel": "C0SECOPS", "text": "hi"}
    foreign = await http.post("/ui/send", json=deed, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    assert (await http.post("/ui/send", data=deed)).status_code == 403
    assert (await http.get("/", headers={"host": "evil.example"})).status_code == 400


async def test_the_panel_is_there_only_with_controls(http, clock):
    assert 'id="detection"' not in (await http.get("/")).text
    workspace = build_workspace(WorkspaceSettings(), clock=clock, controls=Controls())
    running = await serve_workspace(workspace)
    async with httpx.AsyncClient(base_url=running.url) as other:
        assert "one alert" in (await other.get("/")).text
        assert (await other.post("/ui/simulate", json={"user": "U0ANA"})).json() == {"note": "purged"}
    await running.stop()


async def test_a_change_arrives_on_the_stream(http, slack):
    async with http.stream("GET", "/ui/stream?as=U0ANA") as answer:
        lines = answer.aiter_lines()
        opening = [await anext(lines) for _ in range(3)]
        assert opening == ["retry: 1000", 'data: {"kind": "ready"}', ""]
        await slack.chat_postEphemeral(channel="C0SECOPS", user="U0BO", text="not for Ana")
        ts = (await slack.chat_postMessage(channel="C0SECOPS", text="x"))["ts"]
        assert ts in await anext(lines)
