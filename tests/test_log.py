"""Logs: one line for each event, whatever is in it, and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.log import Redactor, configure, escaped

CANARY = "canary-5f1e7c'2b&9d"
"""Holds a quote and an ampersand, which repr and URLs write differently."""

LOUD = ("dbos", "uvicorn", "uvicorn.error", "slack_bolt", "slack_sdk", "aiohttp", "tocsin.detect")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in logging.Logger.manager.loggerDict)]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def started(*, json: bool = True, level: str = "INFO", secrets: tuple[str, ...] = (CANARY,)) -> io.StringIO:
    stream = io.StringIO()
    # pytest's own handlers raise what cannot be formatted.
    logging.getLogger().handlers = []
    configure(level, json=json, redactor=Redactor(map(SecretStr, secrets)), stream=stream)
    return stream


def only(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    event: dict[str, Any] = json.loads(line)
    return event


def test_a_line_says_when_how_grave_where_and_what() -> None:
    stream = started()
    logging.getLogger("tocsin.detect").warning("the rule %s is late by %d s", "keyvault", 12)
    event = only(stream)
    assert datetime.now(UTC) - datetime.fromisoformat(event.pop("time")) < timedelta(minutes=1)
    assert event == {"level": "warning", "logger": "tocsin.detect", "event": "the rule keyvault is late by 12 s"}


def test_the_time_is_utc() -> None:
    stream = started()
    logging.getLogger("tocsin").info("x")
    assert only(stream)["time"].endswith("Z")


def test_structlog_takes_the_same_way() -> None:
    stream = started()
    structlog.contextvars.bind_contextvars(request="r1")
    structlog.get_logger("tocsin.detect").info("found", rows=3, key=CANARY, inner={CANARY: [CANARY, None]})
    event = only(stream)
    assert (event["logger"], event["event"], event["rows"], event["request"]) == ("tocsin.detect", "found", 3, "r1")
    assert event["key"] == "***"
    assert event["inner"] == {"***": ["***", None]}


@pytest.mark.parametrize("name", LOUD)
def test_libraries_take_the_same_way_once(name: str) -> None:
    stream = started()
    logging.getLogger(name).warning("hello")
    assert only(stream)["logger"] == name


@pytest.mark.parametrize("name", ["dbos", "httpx", "httpcore", "azure.core", "aiosqlite"])
@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_chatter_of_libraries_is_left_out(name: str, level: str) -> None:
    stream = started(level=level)
    logging.getLogger(name).info("hello")
    if level == "ERROR":
        logging.getLogger(name).warning("hello")
    assert stream.getvalue() == ""


def test_the_engines_library_adds_no_handler_of_its_own() -> None:
    from dbos._logger import init_logger

    stream = started()
    init_logger()
    assert [handler.name for handler in logging.getLogger("dbos").handlers] == ["tocsin"]
    logging.getLogger("dbos").error("hello")
    assert only(stream)["event"] == "hello"


def test_configuring_again_replaces_what_was() -> None:
    first, second = started(), started()
    logging.getLogger("tocsin").error("hello")
    assert first.getvalue() == ""
    assert only(second)["event"] == "hello"


@pytest.mark.parametrize("json", [True, False])
def test_a_canary_shows_nowhere(json: bool) -> None:
    stream = started(json=json)
    log = logging.getLogger("tocsin")
    log.error("plain %s, repr %r, %s", CANARY, CANARY, {"token": CANARY, CANARY: 1})
    log.error("url https://x/?key=canary-5f1e7c%272b%269d&y and canary-5f1e7c%272b%269d")
    structlog.get_logger().error(CANARY, value=CANARY, raw=CANARY.encode(), secret=ValueError(CANARY), **{CANARY: 1})
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as inner:
            raise ExceptionGroup(CANARY, [ValueError(f"{CANARY}\nsecond line")]) from inner
    except ExceptionGroup:
        log.exception("it failed with %s", CANARY)
        structlog.get_logger().exception("it failed", value=CANARY)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 5
    assert "5f1e7c" not in stream.getvalue()
    assert stream.getvalue().count("Traceback (most recent call last)") >= 2
    assert "second line" in lines[-1]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("token xoxb-123-456-AbC failed", "token *** failed"),
        ("xapp-1-A0-99 xoxa-2 xoxp-3", "*** *** ***"),
        ("Authorization: Bearer abc.def-ghi_jkl=", "Authorization: Bearer ***"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("token=eyJhbGciOiJub25lIn0.eyJhdWQiOiIx.c2ln!", "token=***!"),
        ("Key: 0123456789abcdef", "Key: ***"),
        ("{'Key': 'abc', 'Accept': 'x'}", "{'Key': '***', 'Accept': 'x'}"),
        ("[(b'Key', b'abc'), (b'key', b'abc')]", "[(b'Key', b'***'), (b'key', b'***')]"),
        ("{'key': '0123456789abcdef0123456789'}", "{'key': '***'}"),
        ("postgresql://tocsin:pass@db/tocsin", "postgresql://tocsin:***@db/tocsin"),
        ("to https://hooks.slack.com/commands/T1/2/abc now", "to https://hooks.slack.com/*** now"),
        ("a bearer of bad news, the key: payroll", "a bearer of bad news, the key: payroll"),
        ("job key: 247a992b-f36d-4efe-baa6-c77d8b9220c0", "job key: 247a992b-f36d-4efe-baa6-c77d8b9220c0"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, left: str) -> None:
    assert Redactor().text(text) == left


def test_a_secret_that_begins_with_another_is_hidden_whole() -> None:
    redactor = Redactor(map(SecretStr, ("abcd", "abcdefgh")))
    assert redactor.text("abcdefgh abcd") == "*** ***"


def test_an_empty_or_tiny_secret_does_not_garble_the_log() -> None:
    assert Redactor(map(SecretStr, ("", "a"))).text("a banana") == "a banana"


SIGNS = st.text(st.sampled_from('ab=" \\\n\r\x0b\x0c\x1b\x85\x9b\u2028\u2029\u202e\x00é🙂'), max_size=30)


@given(SIGNS, SIGNS)
def test_no_value_can_end_a_line_or_steer_a_terminal(message: str, value: str) -> None:
    for as_json in (True, False):
        stream = started(json=as_json)
        structlog.get_logger("tocsin").warning(message, value=value)
        text = stream.getvalue()
        assert text.endswith("\n")
        assert text[:-1].isprintable()


@given(SIGNS, SIGNS)
def test_json_lines_hold_what_was_said(message: str, value: str) -> None:
    stream = started()
    structlog.get_logger("tocsin").warning(message, value=value)
    event = only(stream)
    assert (event["event"], event["value"]) == (message, value)


def test_text_lines_read_well_and_a_message_cannot_pose_as_a_field() -> None:
    stream = started(json=False)
    structlog.get_logger("tocsin").info("all is well", address="203.0.113.7", rows=3, words="two words")
    structlog.get_logger("tocsin").info("all is well by=admin", by="kim\nroot")
    first, second = stream.getvalue().splitlines()
    assert first.split(" ", 1)[1] == 'info tocsin all is well address=203.0.113.7 rows=3 words="two words"'
    assert second.split(" ", 1)[1] == 'info tocsin "all is well by=admin" by="kim\\nroot"'


def test_escapes_are_readable() -> None:
    assert escaped("a\tb\nc\u202ed\x9be é") == "a\\tb\\nc\\u202ed\\x9be é"


class Unsayable:
    def __str__(self) -> str:
        raise RuntimeError(CANARY)


@pytest.mark.parametrize("json", [True, False])
def test_a_line_that_cannot_be_made_is_told_without_its_arguments(
    json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = started(json=json)
    logging.getLogger("tocsin").error("%d", CANARY)
    structlog.get_logger("tocsin").error("x", value=Unsayable())
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert all(line.startswith("error tocsin a line could not be logged (") for line in lines)
    assert "canary" not in stream.getvalue() + "".join(capsys.readouterr())


def test_numbers_that_json_cannot_say_are_words() -> None:
    stream = started()
    structlog.get_logger().info("x", ratio=float("nan"), share=0.5, yes=True)
    event = only(stream)
    assert (event["ratio"], event["share"], event["yes"]) == ("nan", 0.5, True)


@pytest.mark.parametrize(
    "piece", ["eyJ-", "eyJ", "://a:", "Key ", "'key',", "xox", "bearer ", "authorization:basic", "//"]
)
def test_the_time_grows_in_step_with_the_text(piece: str) -> None:
    text = piece * (400_000 // len(piece))
    began = time.process_time()
    Redactor().text(text)
    # A fraction of a second; in step with the square of the length it would be minutes.
    assert time.process_time() - began < 20
