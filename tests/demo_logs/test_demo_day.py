"""The demo's day of logs, counted without the query engine and then asked with it."""

from __future__ import annotations

import ipaddress
import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.demo.logs import append_purge, write_day
from bot.domain.table import Window
from bot.logs.embedded import EmbeddedLogs

UNTIL = datetime(2026, 3, 1, 12, 17, 40, tzinfo=UTC)
HOUR = datetime(2026, 3, 1, 12, tzinfo=UTC)
UPN = "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s"
REPORTED = {"VaultDelete", "KeyDelete", "SecretDelete", "SecretPurge", "KeyPurge"} | {
    "SecretListDeleted",
    "CertificateDelete",
    "CertificatePurge",
}
DOCUMENTATION = [
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
PRIVATE = [ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def moment(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["TimeGenerated"])


def reported(rows: list[dict[str, Any]], start: datetime, end: datetime) -> list[dict[str, Any]]:
    return [
        row
        for row in rows
        if start <= moment(row) < end and row["ResultType"] == "Success" and row["OperationName"] in REPORTED
    ]


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    return read(write_day(tmp_path, until=UNTIL))


def test_the_last_finished_hour_holds_the_break_in_and_two_ordinary_deletions(rows: list[dict[str, Any]]) -> None:
    hour = reported(rows, HOUR - timedelta(hours=1), HOUR)
    actors = Counter((row.get(UPN), row["Resource"]) for row in hour)
    (chief, many), *others = actors.most_common()
    assert chief == ("dana.reyes@contoso.example", "KV-PAYMENTS-PROD")
    assert many == 13
    assert [count for _, count in others] == [1, 1]
    addresses = Counter(row["CallerIPAddress"] for row in hour if row.get(UPN) == chief[0])
    assert addresses == {"203.0.113.66": 9, "198.51.100.23": 4}
    assert any(row["id_s"].endswith("/<!channel>") for row in hour)


def test_earlier_hours_have_a_few(rows: list[dict[str, Any]]) -> None:
    assert len(reported(rows, HOUR - timedelta(hours=24), HOUR - timedelta(hours=1))) == 7


def test_the_day_looks_like_a_day(rows: list[dict[str, Any]]) -> None:
    assert 3000 < len(rows) < 5000
    assert HOUR - timedelta(hours=24) <= min(map(moment, rows))
    assert HOUR < max(map(moment, rows)) < UNTIL
    assert len({row["SubscriptionId"] for row in rows}) == 3
    assert len({row["CorrelationId"] for row in rows}) == len(rows)
    assert all(row["Resource"] == row["Resource"].upper() for row in rows)
    assert {row.get(UPN) is None for row in rows} == {True, False}
    late = sum(moment(after) < moment(before) - timedelta(minutes=9) for before, after in itertools.pairwise(rows))
    assert late > 50


def test_no_address_belongs_to_anybody(rows: list[dict[str, Any]]) -> None:
    seen = {ipaddress.ip_address(row["CallerIPAddress"]) for row in rows}
    assert {address.version for address in seen} == {4, 6}
    for address in seen:
        nets = DOCUMENTATION + PRIVATE
        assert any(address in net for net in nets if net.version == address.version), address


def test_everyone_sees_the_same_story(tmp_path: Path) -> None:
    first = write_day(tmp_path / "a", until=UNTIL).read_bytes()
    assert write_day(tmp_path / "b", until=UNTIL).read_bytes() == first
    assert write_day(tmp_path / "c", until=UNTIL, seed=1).read_bytes() != first
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["AzureDiagnostics.jsonl"]


async def test_the_engine_sees_the_break_in_and_then_the_fresh_purges(tmp_path: Path) -> None:
    write_day(tmp_path, until=UNTIL)
    logs = EmbeddedLogs(tmp_path, timeout=timedelta(seconds=10))
    kql = (
        'AzureDiagnostics | where OperationName == "SecretPurge" and CallerIPAddress == "203.0.113.66" '
        f"and {UPN} has 'dana' | count"
    )

    async def count(start: datetime, end: datetime) -> int:
        answer = await logs.query(kql, window=Window(start, end), clock=end)
        return int(answer.rows[0][answer.columns[0]])

    assert await count(HOUR - timedelta(hours=1), HOUR) == 4
    assert await count(HOUR, UNTIL) == 0
    append_purge(tmp_path, now=UNTIL, n=5)
    append_purge(tmp_path, now=UNTIL - timedelta(minutes=1), n=2)
    assert await count(HOUR, UNTIL) == 7
    await logs.aclose()
