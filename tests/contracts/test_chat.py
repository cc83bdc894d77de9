"""What every Chat must hold. An adapter joins by adding its factory to FACTORIES."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import pytest
from pydantic import SecretStr

from bot.demo.workspace import Workspace, WorkspaceSettings, build_workspace, serve_workspace
from bot.domain.delivery import CannotLook, NotThere, Posted, Refused, Throttled, Unsure
from bot.services.ports import Chat, Message
from bot.slack.client import open_clients
from bot.slack.delivery import SlackChat

T0 = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


class Platform(Protocol):
    """The other side of the adapter, where a test looks at what people see and orders bad weather."""

    channel: str
    person: str
    hello: Message
    changed: Message
    unacceptable: Message

    def texts(self) -> list[str]: ...
    def private_texts(self) -> list[str]: ...
    def drop_the_next_reply(self) -> None: ...
    def throttle_the_next_post(self, seconds: int) -> None: ...
    def fail_every_look(self) -> None: ...


@dataclass(frozen=True, slots=True)
class OnSlack:
    workspace: Workspace
    channel = "C0SECOPS"
    person = "U0ANA"
    hello: Message
    changed: Message
    unacceptable: Message

    def texts(self) -> list[str]:
        return [message.text for message in self.workspace.messages(self.channel)]

    def private_texts(self) -> list[str]:
        return [message.text for message in self.workspace.ephemeral(self.person)]

    def drop_the_next_reply(self) -> None:
        self.workspace.faults.drop_reply("chat.postMessage")

    def throttle_the_next_post(self, seconds: int) -> None:
        self.workspace.faults.rate_limit("chat.postMessage", retry_after=seconds)

    def fail_every_look(self) -> None:
        self.workspace.faults.fail("conversations.history", times=100)


class StandingClock:
    def now(self) -> datetime:
        return T0


@asynccontextmanager
async def slack() -> AsyncIterator[tuple[Chat, Platform]]:
    settings = WorkspaceSettings(bot_token=SecretStr("xoxb-right"))
    running = await serve_workspace(build_workspace(settings, clock=StandingClock()))
    clients = await open_clients(SecretStr("xoxb-right"), base_url=f"{running.url}/api/")
    platform = OnSlack(
        running.workspace,
        hello={"text": "hello"},
        changed={"text": "changed"},
        unacceptable={"text": "bad", "blocks": [{"type": "no_such_block"}]},
    )
    try:
        yield SlackChat(clients), platform
    finally:
        await clients.aclose()
        await running.stop()


Factory = Callable[[], AbstractAsyncContextManager[tuple[Chat, Platform]]]
FACTORIES: list[Factory] = [slack]


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__)
async def sides(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Chat, Platform]]:
    async with request.param() as both:
        yield both


async def test_a_post_stands_once_and_is_found_by_its_key(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    posted = await chat.post(platform.channel, platform.hello, key="card:1")
    assert isinstance(posted, Posted)
    assert posted.channel == platform.channel
    assert platform.texts() == ["hello"]
    assert await chat.find(platform.channel, "card:1", since=T0) == posted


async def test_a_key_that_was_never_posted_is_not_there(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    await chat.post(platform.channel, platform.hello, key="card:1")
    assert await chat.find(platform.channel, "card:2", since=T0) == NotThere()


async def test_a_lost_reply_leaves_it_unsure_and_one_message_to_find(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    platform.drop_the_next_reply()
    assert isinstance(await chat.post(platform.channel, platform.hello, key="card:1"), Unsure)
    assert platform.texts() == ["hello"]
    assert isinstance(await chat.find(platform.channel, "card:1", since=T0), Posted)


async def test_a_rate_limit_names_its_seconds_and_posts_nothing(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    platform.throttle_the_next_post(7)
    assert await chat.post(platform.channel, platform.hello, key="card:1") == Throttled(7.0)
    assert platform.texts() == []
    assert await chat.find(platform.channel, "card:1", since=T0) == NotThere()


async def test_a_message_refused_for_what_it_holds_is_told_from_other_refusals(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    refused = await chat.post(platform.channel, platform.unacceptable, key="card:1")
    assert isinstance(refused, Refused)
    assert refused.content
    elsewhere = await chat.post("C0NOSUCH", platform.hello, key="card:1")
    assert isinstance(elsewhere, Refused)
    assert not elsewhere.content
    assert platform.texts() == []


async def test_a_reply_is_found_in_its_thread_and_nowhere_else(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    root = await chat.post(platform.channel, platform.hello, key="card:1")
    assert isinstance(root, Posted)
    reply = await chat.post(platform.channel, platform.changed, key="line:1", thread=root.ts)
    assert isinstance(reply, Posted)
    assert await chat.find(platform.channel, "line:1", since=T0, thread=root.ts) == reply
    assert await chat.find(platform.channel, "line:1", since=T0) == NotThere()


async def test_an_update_changes_the_message_where_it_stands(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    posted = await chat.post(platform.channel, platform.hello, key="card:1")
    assert isinstance(posted, Posted)
    assert await chat.update(posted.channel, posted.ts, platform.changed) == posted
    assert platform.texts() == ["changed"]
    assert await chat.find(platform.channel, "card:1", since=T0) == posted


async def test_a_whisper_is_seen_by_one_person_and_not_kept(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    assert isinstance(await chat.whisper(platform.channel, platform.person, platform.hello), Posted)
    assert platform.private_texts() == ["hello"]
    assert platform.texts() == []


async def test_a_history_that_cannot_be_read_is_not_taken_for_an_empty_one(sides: tuple[Chat, Platform]) -> None:
    chat, platform = sides
    await chat.post(platform.channel, platform.hello, key="card:1")
    platform.fail_every_look()
    assert isinstance(await chat.find(platform.channel, "card:1", since=T0), CannotLook)
