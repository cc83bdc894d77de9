"""The Azure source with the real client against a Log Analytics service on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.table import Table, Window
from bot.errors import QueryRefused, SourceUnavailable
from bot.logs.azure import AzureLogs
from bot.logs.embedded import EmbeddedLogs
from tests.logs.local_log_analytics import LocalLogAnalytics, local_log_analytics

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Window(NOON - timedelta(hours=1), NOON)
ROW = {"TimeGenerated": "2026-03-01T11:30:00Z", "text": "x", "tags": {"a": [1, {"b": None}]}, "n": 1, "ok": True}


def pin(kql: str, clock: datetime) -> str:
    return kql.replace("now()", f"datetime({clock.isoformat()})")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[LocalLogAnalytics]:
    (tmp_path / "T.jsonl").write_text(json.dumps(ROW) + "\n")
    logs = EmbeddedLogs(tmp_path, timeout=timedelta(seconds=10))
    async with local_log_analytics(logs) as running:
        yield running
    await logs.aclose()


async def ask(service: LocalLogAnalytics, workspace: str, kql: str = "T", seconds: int = 9) -> Table:
    source = AzureLogs(workspace, pin=pin, credential=None, endpoint=service.url, timeout=timedelta(seconds=seconds))
    try:
        return await source.query(kql, window=HOUR, clock=NOON)
    finally:
        await source.aclose()


async def test_cells_arrive_typed(service: LocalLogAnalytics) -> None:
    answer = await ask(service, "w", "T | project TimeGenerated, text, tags, n, ok, r=1.5")
    assert answer.columns == ("TimeGenerated", "text", "tags", "n", "ok", "r")
    moment = datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
    assert tuple(answer.rows[0].values()) == (moment, "x", {"a": [1, {"b": None}]}, 1, True, 1.5)
    assert not answer.partial


async def test_window_clock_and_time_limit_are_sent(service: LocalLogAnalytics) -> None:
    await ask(service, "w", "T | where now() > ago(1d)")
    (sent,) = service.asked
    assert sent["query"] == "T | where datetime(2026-03-01T12:00:00+00:00) > ago(1d)"
    assert [datetime.fromisoformat(edge) for edge in sent["timespan"].split("/")] == [HOUR.start, HOUR.end]
    assert "wait=9" in sent["prefer"]


async def test_a_refused_query_says_where(service: LocalLogAnalytics) -> None:
    with pytest.raises(QueryRefused, match=r"^2:1: Log Analytics refuses the query"):
        await ask(service, "w", "T\n| wher x")


@pytest.mark.parametrize(
    ("workspace", "says", "retry_after"),
    [
        ("throttled", "throttling", 7.0),
        ("throttled-silently", "throttling", None),
        ("bad-gateway", "answered 502", None),
        ("time-out", "longer than 9 s", None),
        ("forbidden", "role Log Analytics Reader", None),
        ("absent", "LOG_ANALYTICS_WORKSPACE_ID", None),
        ("sign-in", "AZURE_CREDENTIAL", None),
    ],
)
async def test_trouble_is_told_once_and_not_repeated(
    service: LocalLogAnalytics, workspace: str, says: str, retry_after: float | None
) -> None:
    with pytest.raises(SourceUnavailable, match=says) as caught:
        await ask(service, workspace)
    assert caught.value.retry_after == retry_after
    assert len(service.asked) == 1


async def test_partial_answers_are_marked(service: LocalLogAnalytics) -> None:
    some = await ask(service, "partial")
    assert (some.partial, len(some.rows)) == (True, 1)
    assert "exceed the set limit" in some.note
    none = await ask(service, "partial-empty")
    assert (none.partial, none.rows) == (True, ())


async def test_a_slow_answer_is_given_up(service: LocalLogAnalytics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.logs.azure._GRACE", 0)
    with pytest.raises(SourceUnavailable, match="longer than 1 s"):
        await ask(service, "slow", seconds=1)


async def test_an_unreachable_endpoint_is_told() -> None:
    source = AzureLogs("w", pin=pin, credential=None, endpoint="http://127.0.0.1:9")
    with pytest.raises(SourceUnavailable, match="LOG_ANALYTICS_ENDPOINT"):
        await source.query("T", window=HOUR, clock=NOON)
    await source.aclose()


async def test_no_more_than_four_at_once(service: LocalLogAnalytics) -> None:
    service.delay = 0.05
    source = AzureLogs("w", pin=pin, credential=None, endpoint=service.url)
    answers = await asyncio.gather(*(source.query("T | count", window=HOUR, clock=NOON) for _ in range(12)))
    await source.aclose()
    assert service.most == 4
    assert len(answers) == 12


async def test_a_naive_window_is_refused(service: LocalLogAnalytics) -> None:
    source = AzureLogs("w", pin=pin, credential=None, endpoint=service.url)
    with pytest.raises(ValueError, match="aware"):
        await source.query("T", window=Window(datetime(2026, 1, 1), HOUR.end), clock=NOON)  # noqa: DTZ001
    await source.aclose()
