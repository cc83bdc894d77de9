"""What every log source promises, held against each of them on the same rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.demo.logs import write_day
from bot.domain.table import Window
from bot.errors import QueryRefused, SourceUnavailable
from bot.logs.azure import AzureLogs
from bot.logs.embedded import EmbeddedLogs
from bot.services.ports import LogSource
from tests.logs.local_log_analytics import local_log_analytics

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Window(NOON - timedelta(hours=1), NOON)
RUNAWAY = """range a from 1 to 3000000 step 1 | extend k=1
| join kind=inner (range b from 1 to 3000000 step 1 | extend k=1) on k | summarize sum(a*b)"""
EDGES = [
    {"TimeGenerated": "2026-03-01T10:59:59.999Z", "name": "before"},
    {"TimeGenerated": "2026-03-01T11:00:00Z", "name": "first", "tags": {"deep": [1, "two", None]}, "n": 3},
    {"TimeGenerated": "2026-03-01T11:59:59.999Z", "name": "last", "when": "2026-01-01T00:00:00Z"},
    {"TimeGenerated": "2026-03-01T12:00:00Z", "name": "after"},
]


def pin(kql: str, clock: datetime) -> str:
    return kql.replace("now()", f"datetime({clock.isoformat()})")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_day(tmp_path, until=NOON)
    (tmp_path / "Edges_CL.jsonl").write_text("".join(json.dumps(row) + "\n" for row in EDGES))
    return tmp_path


@pytest.fixture(params=["embedded", "azure"])
async def source(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[LogSource]:
    embedded = EmbeddedLogs(folder, timeout=timedelta(seconds=1))
    if request.param == "embedded":
        yield embedded
    else:
        async with local_log_analytics(embedded) as service:
            azure = AzureLogs("w", pin=pin, credential=None, endpoint=service.url, timeout=timedelta(seconds=1))
            yield azure
            await azure.aclose()
    await embedded.aclose()


async def column(source: LogSource, kql: str, window: Window = HOUR) -> list[Any]:
    answer = await source.query(kql, window=window, clock=NOON)
    return [row[answer.columns[0]] for row in answer.rows]


async def test_the_window_is_half_open(source: LogSource) -> None:
    assert await column(source, "Edges_CL | project name | sort by name asc") == ["first", "last"]


async def test_cells_have_the_promised_types(source: LogSource) -> None:
    answer = await source.query(
        "Edges_CL | where name == 'first' | project TimeGenerated, name, tags, n, when, yes=true",
        window=HOUR,
        clock=NOON,
    )
    assert answer.columns == ("TimeGenerated", "name", "tags", "n", "when", "yes")
    assert [dict(row) for row in answer.rows] == [
        {
            "TimeGenerated": HOUR.start,
            "name": "first",
            "tags": {"deep": [1, "two", None]},
            "n": 3,
            "when": None,
            "yes": True,
        }
    ]
    assert answer.rows[0]["TimeGenerated"].utcoffset() == timedelta(0)
    assert (answer.partial, answer.note) == (False, "")


async def test_strings_are_never_null(source: LogSource) -> None:
    upn = "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s"
    assert await column(source, f"AzureDiagnostics | where isempty({upn}) | distinct {upn}") == [""]


async def test_order_is_that_of_the_answer(source: LogSource) -> None:
    found = await column(source, "AzureDiagnostics | project TimeGenerated | sort by TimeGenerated desc")
    assert found == sorted(found, reverse=True)
    assert len(found) > 100


async def test_now_is_the_clock(source: LogSource) -> None:
    assert await column(source, "print now()") == [NOON]


async def test_no_row_is_no_error(source: LogSource) -> None:
    answer = await source.query("Edges_CL | where name == 'x'", window=HOUR, clock=NOON)
    assert answer.rows == ()
    assert "name" in answer.columns


@pytest.mark.parametrize(
    "kql", ["Edges_CL | wher x", "Nowhere_CL | take 1", "Edges_CL | where nothing == 1", ".show tables"]
)
async def test_a_wrong_query_is_refused(source: LogSource, kql: str) -> None:
    with pytest.raises(QueryRefused):
        await source.query(kql, window=HOUR, clock=NOON)


async def test_a_runaway_query_ends_as_unavailable(source: LogSource) -> None:
    with pytest.raises(SourceUnavailable):
        await source.query(RUNAWAY, window=HOUR, clock=NOON)
    assert await column(source, "print 1") == [1]


async def test_many_at_once_equal_one_after_another(source: LogSource) -> None:
    windows = [Window(NOON - timedelta(hours=n + 1), NOON - timedelta(hours=n)) for n in range(20)]
    kql = "AzureDiagnostics | summarize n=count() by CallerIPAddress | sort by n desc, CallerIPAddress asc"
    at_once = await asyncio.gather(*(source.query(kql, window=window, clock=NOON) for window in windows))
    assert list(at_once) == [await source.query(kql, window=window, clock=NOON) for window in windows]
    assert all(len(answer.rows) > 3 for answer in at_once)
