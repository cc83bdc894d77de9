from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from bot.demo.workspace import RunningWorkspace, WorkspaceSettings, build_workspace, serve_workspace
from bot.errors import TocsinError
from bot.slack.client import SlackClients, open_clients
from bot.slack.identity import BotIdentity, SlackIdentity

TOKEN = SecretStr("xoxb-right")


class StandingClock:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@pytest.fixture
async def running() -> AsyncIterator[RunningWorkspace]:
    running = await serve_workspace(build_workspace(WorkspaceSettings(bot_token=TOKEN), clock=StandingClock()))
    yield running
    await running.stop()


@pytest.fixture
async def clients(running: RunningWorkspace) -> AsyncIterator[SlackClients]:
    clients = await open_clients(TOKEN, base_url=f"{running.url}/api/")
    yield clients
    await clients.aclose()


@pytest.fixture
def identity(clients: SlackClients) -> SlackIdentity:
    return SlackIdentity(clients)


async def test_each_group_is_asked_once_and_gives_its_members(
    running: RunningWorkspace, identity: SlackIdentity
) -> None:
    members = await identity.members_of(["S0ANALYST", "S0APPROVER", "S0ANALYST"])
    assert members == {"S0ANALYST": frozenset({"U0ANA"}), "S0APPROVER": frozenset({"U0BO"})}
    assert len(running.workspace.traffic.calls("usergroups.users.list")) == 2


async def test_an_unknown_group_is_empty_and_logged(identity: SlackIdentity, caplog: pytest.LogCaptureFixture) -> None:
    assert await identity.members_of(["S0GONE", "S0ANALYST"]) == {
        "S0GONE": frozenset(),
        "S0ANALYST": frozenset({"U0ANA"}),
    }
    assert "S0GONE" in caplog.text


async def test_a_group_that_cannot_be_read_is_not_taken_for_an_empty_one(
    running: RunningWorkspace, identity: SlackIdentity
) -> None:
    running.workspace.faults.fail("usergroups.users.list")
    with pytest.raises(TocsinError, match="S0ANALYST"):
        await identity.members_of(["S0ANALYST"])


async def test_a_read_waits_once_when_slack_asks_for_it(running: RunningWorkspace, identity: SlackIdentity) -> None:
    running.workspace.faults.rate_limit("users.info", retry_after=0)
    assert await identity.name_of("U0ANA") == "Ana Torres"
    assert len(running.workspace.traffic.calls("users.info")) == 2


async def test_a_name_is_the_display_name_cleaned(running: RunningWorkspace, identity: SlackIdentity) -> None:
    people = running.workspace.state.people
    people["U0ANA"] = replace(people["U0ANA"], display_name="ana\n\u202e<!channel>\u200b")
    assert await identity.name_of("U0ANA") == "ana <!channel>"


async def test_without_a_display_name_the_real_name_stands(running: RunningWorkspace, identity: SlackIdentity) -> None:
    people = running.workspace.state.people
    people["U0ANA"] = replace(people["U0ANA"], display_name="\u200b")
    assert await identity.name_of("U0ANA") == "Ana Torres"


async def test_a_person_without_any_name_goes_by_the_id(running: RunningWorkspace, identity: SlackIdentity) -> None:
    people = running.workspace.state.people
    people["U0ANA"] = replace(people["U0ANA"], handle="", name=" ")
    assert await identity.name_of("U0ANA") == "U0ANA"
    assert await identity.name_of("U0NOBODY") == "U0NOBODY"


async def test_tocsin_knows_itself(running: RunningWorkspace, identity: SlackIdentity) -> None:
    assert await identity.who_am_i() == BotIdentity(
        user_id="U0TOCSIN",
        bot_id="B0TOCSIN",
        name="tocsin",
        team_id="T0TOCSIN",
        team="Northwind Security",
        url=f"{running.url}/",
        scopes=frozenset(),
    )


async def test_a_wrong_token_says_what_to_do(running: RunningWorkspace) -> None:
    clients = await open_clients(SecretStr("xoxb-wrong"), base_url=f"{running.url}/api/")
    with pytest.raises(TocsinError, match="SLACK_BOT_TOKEN"):
        await SlackIdentity(clients).who_am_i()
    await clients.aclose()


async def test_the_scopes_of_the_token_are_those_that_slack_names() -> None:
    body = b'{"ok":true,"user_id":"U1","bot_id":"B1","user":"tocsin","team_id":"T1","team":"N","url":"https://n.slack.com/"}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    reply = f"{head}X-OAuth-Scopes: chat:write,commands, users:read\r\n\r\n".encode() + body

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        clients = await open_clients(TOKEN, base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        me = await SlackIdentity(clients).who_am_i()
        await clients.aclose()
    assert me.scopes == {"chat:write", "commands", "users:read"}
