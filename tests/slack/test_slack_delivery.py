from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot import __version__
from bot.demo.workspace import RunningWorkspace, WorkspaceSettings, build_workspace, serve_workspace
from bot.domain.delivery import CannotLook, NotThere, Posted, Refused, Throttled, Unsure
from bot.errors import ConfigError
from bot.slack import delivery
from bot.slack.client import SlackClients, keeps_secrets, open_clients
from bot.slack.delivery import SlackChat
from bot.slack.errors import ADVICE, failure

T0 = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TOKEN = SecretStr("xoxb-right")
ROOM = "C0SECOPS"
HELLO = {"text": "hello"}


class MovableClock:
    def __init__(self) -> None:
        self.moment = T0

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def running(clock: MovableClock) -> AsyncIterator[RunningWorkspace]:
    running = await serve_workspace(build_workspace(WorkspaceSettings(bot_token=TOKEN), clock=clock))
    yield running
    await running.stop()


@pytest.fixture
async def clients(running: RunningWorkspace) -> AsyncIterator[SlackClients]:
    clients = await open_clients(TOKEN, base_url=f"{running.url}/api/")
    yield clients
    await clients.aclose()


@pytest.fixture
def chat(clients: SlackClients) -> SlackChat:
    return SlackChat(clients)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(handler: Handler, heads: list[bytes] | None = None) -> AsyncIterator[str]:
    """A server that says exactly what the test wants, at the address given; it notes what it was asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if heads is not None:
                heads.append(head)
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def saying(raw: bytes) -> Handler:
    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return handler


def http(status: str, kind: str, body: bytes, *extra: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", *extra]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def chat_at(url: str, *, call_seconds: float = 15.0) -> AsyncIterator[SlackChat]:
    clients = await open_clients(TOKEN, base_url=url, call_seconds=call_seconds)
    try:
        yield SlackChat(clients)
    finally:
        await clients.aclose()


async def test_a_post_carries_its_key_and_neither_unfurls_nor_links_names(
    running: RunningWorkspace, chat: SlackChat
) -> None:
    await chat.post(ROOM, HELLO | {"link_names": True, "channel": "C0GENERAL"}, key="card:7")
    (call,) = running.workspace.traffic.calls("chat.postMessage")
    assert call.arguments == {
        "text": "hello",
        "channel": ROOM,
        "metadata": {"event_type": "tocsin_delivery", "event_payload": {"key": "card:7"}},
        "unfurl_links": False,
        "unfurl_media": False,
        "link_names": False,
    }


@pytest.mark.parametrize("weather", ["drop_reply", "fail", "rate_limit"])
async def test_a_post_is_tried_once_whatever_happens(running: RunningWorkspace, chat: SlackChat, weather: str) -> None:
    getattr(running.workspace.faults, weather)("chat.postMessage")
    assert not isinstance(await chat.post(ROOM, HELLO, key="card:1"), Posted)
    assert len(running.workspace.traffic.calls("chat.postMessage")) == 1


async def test_a_server_error_leaves_it_unsure(running: RunningWorkspace, chat: SlackChat) -> None:
    running.workspace.faults.fail("chat.postMessage", status=502)
    answer = await chat.post(ROOM, HELLO, key="card:1")
    assert isinstance(answer, Unsure)
    assert "502" in answer.sentence


async def test_a_reply_that_is_too_late_leaves_it_unsure(running: RunningWorkspace) -> None:
    running.workspace.faults.slow("chat.postMessage", 1.0)
    async with chat_at(f"{running.url}/api/", call_seconds=0.2) as chat:
        assert isinstance(await chat.post(ROOM, HELLO, key="card:1"), Unsure)


async def test_a_connection_that_never_stood_is_not_taken() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        async with chat_at(f"http://127.0.0.1:{unheard.getsockname()[1]}/") as chat:
            assert await chat.post(ROOM, HELLO, key="card:1") == Throttled(5.0)
            assert isinstance(await chat.find(ROOM, "card:1", since=T0), CannotLook)


@pytest.mark.parametrize(
    "raw",
    [
        http("200 OK", "text/html", b"<html>Sign in to the guest network</html>"),
        http("200 OK", "text/plain", b"welcome"),
        http("200 OK", "application/json", b"{not json"),
        http("200 OK", "application/json", b"[1, 2]"),
        http("200 OK", "application/json", b'"ok"'),
        http("200 OK", "application/json", b"\xff\xfe"),
        http("200 OK", "application/json", b'{"ok": true}'),
        http("200 OK", "application/json", b""),
        http("403 Forbidden", "text/html", b"<html>blocked</html>"),
        http("503 Service Unavailable", "application/json", b'{"ok": false, "error": "service_unavailable"}'),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
)
async def test_an_answer_without_a_clear_word_leaves_it_unsure(raw: bytes) -> None:
    async with answering(saying(raw)) as url, chat_at(url) as chat:
        assert isinstance(await chat.post(ROOM, HELLO, key="card:1"), Unsure)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (("Retry-After: 30",), 30.0),
        (("retry-after: 0",), 1.0),
        (("Retry-After: 999999",), 3600.0),
        (("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT",), 10.0),
        (("Retry-After: -3",), 10.0),
        ((), 10.0),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
async def test_a_rate_limit_is_believed_within_reason(headers: tuple[str, ...], seconds: float, kind: str) -> None:
    raw = http("429 Too Many Requests", kind, b"{", *headers)
    async with answering(saying(raw)) as url, chat_at(url) as chat:
        assert await chat.post(ROOM, HELLO, key="card:1") == Throttled(seconds)


async def test_a_channel_without_tocsin_gets_the_exact_invitation(chat: SlackChat) -> None:
    answer = await chat.post("C0GENERAL", HELLO, key="card:1")
    assert isinstance(answer, Refused)
    assert answer.code == "not_in_channel"
    assert "C0GENERAL" in answer.sentence
    assert "`/invite @tocsin`" in answer.sentence


async def test_a_wrong_token_is_refused_with_where_to_find_the_right_one(running: RunningWorkspace) -> None:
    clients = await open_clients(SecretStr("xoxb-wrong"), base_url=f"{running.url}/api/")
    answer = await SlackChat(clients).post(ROOM, HELLO, key="card:1")
    await clients.aclose()
    assert isinstance(answer, Refused)
    assert answer.code == "invalid_auth"
    assert "SLACK_BOT_TOKEN" in answer.sentence
    assert "xoxb-wrong" not in answer.sentence


async def test_refused_blocks_are_named(chat: SlackChat) -> None:
    answer = await chat.post(ROOM, HELLO | {"blocks": [{"type": "confetti"}]}, key="card:1")
    assert isinstance(answer, Refused)
    assert answer.content
    assert "/blocks/0/type" in answer.sentence


async def test_a_missing_scope_is_named() -> None:
    body = {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "commands"}
    answer = failure(200, {}, body)
    assert isinstance(answer, Refused)
    assert "chat:write" in answer.sentence


async def test_an_unknown_code_is_named_and_is_no_fault_of_the_message() -> None:
    answer = failure(200, {}, {"ok": False, "error": "brand_new_reason"}, channel=ROOM)
    assert isinstance(answer, Refused)
    assert answer.code == "brand_new_reason"
    assert not answer.content
    assert "brand_new_reason" in answer.sentence
    assert ROOM in answer.sentence


async def test_a_code_with_a_line_break_stays_on_one_line() -> None:
    answer = failure(200, {}, {"ok": False, "error": "x\n2026-03-02 forged line"})
    assert isinstance(answer, Refused)
    assert "\n" not in answer.code + answer.sentence


@pytest.mark.parametrize("code", ["internal_error", "fatal_error"])
async def test_a_fault_of_slack_may_have_posted(code: str) -> None:
    assert isinstance(failure(200, {}, {"ok": False, "error": code}), Unsure)


async def test_a_rate_limit_without_429_is_one_all_the_same() -> None:
    assert failure(200, {"Retry-After": "4"}, {"ok": False, "error": "ratelimited"}) == Throttled(4.0)


@pytest.mark.parametrize("code", sorted(ADVICE))
async def test_every_known_code_says_what_to_do(code: str) -> None:
    answer = failure(200, {}, {"ok": False, "error": code}, channel=ROOM)
    assert isinstance(answer, Refused)
    assert answer.code == code
    assert "{" not in answer.sentence
    assert answer.sentence.endswith(".")


async def test_an_update_takes_away_the_blocks_that_the_new_message_lacks(
    running: RunningWorkspace, chat: SlackChat
) -> None:
    posted = await chat.post(ROOM, HELLO | {"blocks": [{"type": "divider"}]}, key="card:1")
    assert isinstance(posted, Posted)
    await chat.update(posted.channel, posted.ts, {"text": "plain"})
    (call,) = running.workspace.traffic.calls("chat.update")
    assert call.arguments["blocks"] == []


async def test_a_deleted_message_cannot_be_updated(running: RunningWorkspace, chat: SlackChat) -> None:
    answer = await chat.update(ROOM, "1700000000.000100", HELLO)
    assert isinstance(answer, Refused)
    assert answer.code == "message_not_found"
    assert not answer.content


async def test_a_channel_by_name_is_posted_to_and_then_read_by_its_id(
    running: RunningWorkspace, chat: SlackChat
) -> None:
    assert isinstance(await chat.find("#secops", "card:1", since=T0), CannotLook)
    posted = await chat.post("#secops", HELLO, key="card:1")
    assert isinstance(posted, Posted)
    assert posted.channel == ROOM
    assert await chat.find("#secops", "card:1", since=T0) == posted
    assert [call.arguments["channel"] for call in running.workspace.traffic.calls("conversations.history")] == [ROOM]


async def test_a_look_begins_a_minute_early(running: RunningWorkspace, chat: SlackChat, clock: MovableClock) -> None:
    posted = await chat.post(ROOM, HELLO, key="card:1")
    assert await chat.find(ROOM, "card:1", since=T0 + timedelta(seconds=59)) == posted
    assert await chat.find(ROOM, "card:1", since=T0 + timedelta(seconds=61)) == NotThere()


async def test_a_look_turns_pages(chat: SlackChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PAGE", 2)
    first = await chat.post(ROOM, HELLO, key="card:first")
    for number in range(5):
        await chat.post(ROOM, HELLO, key=f"card:{number}")
    assert await chat.find(ROOM, "card:first", since=T0) == first


async def test_a_look_that_is_cut_short_does_not_say_not_there(
    chat: SlackChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "PAGE", 1)
    monkeypatch.setattr(delivery, "MOST_PAGES", 2)
    for number in range(3):
        await chat.post(ROOM, HELLO, key=f"card:{number}")
    assert isinstance(await chat.find(ROOM, "card:0", since=T0), CannotLook)


async def test_a_look_waits_for_no_one_too_long(
    running: RunningWorkspace, chat: SlackChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "LOOK_SECONDS", 0.2)
    running.workspace.faults.rate_limit("conversations.history", retry_after=30)
    assert isinstance(await chat.find(ROOM, "card:1", since=T0), CannotLook)


async def test_a_key_under_the_message_of_another_is_not_believed(running: RunningWorkspace, chat: SlackChat) -> None:
    await chat.post(ROOM, HELLO, key="card:1")
    (forged,) = running.workspace.messages(ROOM)
    forged.user = "U0SAM"
    assert await chat.find(ROOM, "card:1", since=T0) == NotThere()


async def test_a_message_that_history_does_not_show_yet_is_not_there_until_it_is(
    running: RunningWorkspace, chat: SlackChat, clock: MovableClock
) -> None:
    running.workspace.faults.history_delay = 3
    posted = await chat.post(ROOM, HELLO, key="card:1")
    assert await chat.find(ROOM, "card:1", since=T0) == NotThere()
    clock.moment += timedelta(seconds=4)
    assert await chat.find(ROOM, "card:1", since=T0) == posted


async def test_a_whisper_to_somebody_outside_is_refused(chat: SlackChat) -> None:
    answer = await chat.whisper(ROOM, "U0NOBODY", HELLO)
    assert isinstance(answer, Refused)
    assert answer.code == "user_not_in_channel"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (http("200 OK", "text/plain", b"ok"), Posted("", "")),
        (http("200 OK", "application/json", b'{"ok":true}'), Posted("", "")),
        (http("429 Too Many Requests", "text/plain", b"slow down", "Retry-After: 3"), Throttled(3.0)),
    ],
)
async def test_an_answer_at_a_response_url(raw: bytes, expected: Posted | Throttled, chat: SlackChat) -> None:
    async with answering(saying(raw)) as url:
        assert await chat.respond(SecretStr(url), HELLO) == expected


@pytest.mark.parametrize("raw", [b"", http("500 Oops", "text/plain", b"oops"), http("302 Found", "text/html", b"<a>")])
async def test_a_response_url_that_does_not_answer_leaves_it_unsure(raw: bytes, chat: SlackChat) -> None:
    async with answering(saying(raw)) as url:
        assert isinstance(await chat.respond(SecretStr(url), HELLO), Unsure)


@pytest.mark.parametrize("body", [b"used_url", b'{"ok":false,"error":"used_url"}'])
async def test_a_used_response_url_is_refused(body: bytes, chat: SlackChat) -> None:
    async with answering(saying(http("404 Not Found", "text/plain", body))) as url:
        answer = await chat.respond(SecretStr(url), HELLO)
    assert isinstance(answer, Refused)
    assert answer.code == "used_url"
    assert url not in answer.sentence


async def test_a_response_url_in_the_clear_is_refused_unseen(chat: SlackChat) -> None:
    answer = await chat.respond(SecretStr("http://hooks.example.org/secret-part"), HELLO)
    assert isinstance(answer, Refused)
    assert "secret-part" not in answer.sentence


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://slack.com/api/", True),
        ("http://127.0.0.1:8080/api/", True),
        ("http://[::1]:8080/api/", True),
        ("http://localhost/api/", True),
        ("http://slack.com/api/", False),
        ("http://127.0.0.1@slack.example/", False),
        ("http://localhost.example/", False),
        ("ftp://127.0.0.1/", False),
        ("https:///api/", False),
        ("slack.com/api", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_where_a_secret_may_be_sent(address: str, kept: bool) -> None:
    assert keeps_secrets(address) is kept


async def test_all_mistakes_in_the_settings_are_named_without_the_token() -> None:
    with pytest.raises(ConfigError) as raised:
        await open_clients(SecretStr("xoxb-a b"), base_url="http://slack.example/api/")
    assert len(raised.value.mistakes) == 2
    assert "xoxb-a b" not in str(raised.value)


async def test_calls_name_tocsin_and_use_no_proxy_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    reply = http("200 OK", "application/json", b'{"ok":true,"channel":"C1","ts":"1.2"}')
    heads: list[bytes] = []
    async with answering(saying(reply), heads) as url, chat_at(url) as chat:
        assert await chat.post("C1", HELLO, key="card:1") == Posted("C1", "1.2")
    assert f"User-Agent: tocsin/{__version__}".encode() in heads[0]


async def test_a_proxy_that_lets_nothing_through_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(saying(http("407 Proxy Authentication Required", "text/html", b"who are you"))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        async with chat_at("https://slack.example/api/") as chat:
            answers = [
                await chat.post(ROOM, HELLO, key="card:1"),
                await chat.respond(SecretStr("https://hooks.slack.example/x"), HELLO),
            ]
    for answer in answers:
        assert isinstance(answer, Refused)
        assert "407" in answer.sentence
        assert "HTTPS_PROXY" in answer.sentence


async def test_a_server_that_speaks_no_tls_is_named() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with chat_at(f"https://127.0.0.1:{port}/api/") as chat:
            answer = await chat.post(ROOM, HELLO, key="card:1")
    assert isinstance(answer, Refused)
    assert answer.code == "tls"


async def test_closing_the_clients_closes_their_session(running: RunningWorkspace) -> None:
    clients = await open_clients(TOKEN, base_url=f"{running.url}/api/")
    assert clients.posting.retry_handlers == []
    await clients.aclose()
    assert clients.session.closed
