"""The embedded log source against answers worked out in plain Python."""

from __future__ import annotations

import asyncio
import json
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.table import Window
from bot.errors import QueryRefused, SourceUnavailable, UnreadableLog
from bot.logs.embedded import EmbeddedLogs

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = Window(NOON - timedelta(hours=1), NOON)
UPN = "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s"
OPERATIONS = [
    *("VaultDelete", "KeyDelete", "SecretDelete", "SecretPurge"),
    *("KeyPurge", "SecretListDeleted", "CertificateDelete", "CertificatePurge"),
]
QUOTED = json.dumps(OPERATIONS)
REFERENCE = f"""let operationlist = dynamic(
{QUOTED});
AzureDiagnostics
| where ResourceType == "VAULTS" and ResultType == "Success"
| where OperationName in (operationlist)
| project TimeGenerated,
ResourceGroup,
SubscriptionId,
KeyVaultName=Resource,
KeyVaultTarget=id_s,
Actor={UPN},
IPAddressofActor=CallerIPAddress,
OperationName"""

RUNAWAY = """range a from 1 to 3000000 step 1 | extend k=1
| join kind=inner (range b from 1 to 3000000 step 1 | extend k=1) on k | summarize sum(a*b)"""


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def made_row(chance: random.Random, number: int) -> dict[str, Any]:
    row = {
        "TimeGenerated": stamp(NOON - timedelta(seconds=chance.randrange(-600, 3 * 3600))),
        "ResourceType": chance.choice(["VAULTS", "VAULTS", "vaults", "WORKFLOWS"]),
        "ResultType": chance.choice(["Success", "Success", "Failed", None]),
        "OperationName": chance.choice([*OPERATIONS, "SecretGet", "secretdelete"]),
        "ResourceGroup": "rg-" + str(number % 3),
        "SubscriptionId": f"00000000-0000-0000-0000-00000000000{number % 7}",
        "Resource": "KV-" + str(number % 5),
        "id_s": f"https://kv.vault.azure.net/secrets/{number}",
        "CallerIPAddress": f"192.0.2.{number % 250}",
        "httpStatusCode_d": 200,
    }
    if number % 4:
        row[UPN] = f"user{number % 9}@contoso.example"
    return row


def write(path: Path, rows: list[dict[str, Any]], mode: str = "w") -> None:
    with path.open(mode) as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def oracle(rows: list[dict[str, Any]], window: Window) -> list[tuple[Any, ...]]:
    answer = []
    for row in rows:
        moment = datetime.fromisoformat(row["TimeGenerated"])
        if not window.start <= moment < window.end:
            continue
        if row["ResourceType"] != "VAULTS" or row["ResultType"] != "Success" or row["OperationName"] not in OPERATIONS:
            continue
        named = ("ResourceGroup", "SubscriptionId", "Resource", "id_s", UPN, "CallerIPAddress", "OperationName")
        answer.append((moment, *(row.get(name) or "" for name in named)))
    return sorted(answer)


@pytest.fixture
async def logs(tmp_path: Path):
    source = EmbeddedLogs(tmp_path, timeout=timedelta(seconds=20))
    yield source
    await source.aclose()


async def ask(source: EmbeddedLogs, kql: str, window: Window = HOUR, clock: datetime = NOON) -> list[tuple[Any, ...]]:
    answer = await source.query(kql, window=window, clock=clock)
    return [tuple(row[name] for name in answer.columns) for row in answer.rows]


async def test_the_reference_query_equals_plain_python(logs: EmbeddedLogs, tmp_path: Path) -> None:
    chance = random.Random(7)
    rows = [made_row(chance, number) for number in range(4000)]
    rows += [made_row(chance, 1) | {"TimeGenerated": stamp(edge)} for edge in (HOUR.start, HOUR.end)]
    write(tmp_path / "AzureDiagnostics.jsonl", rows)
    expected = oracle(rows, HOUR)
    assert len(expected) > 200
    assert sorted(await ask(logs, REFERENCE)) == expected


async def test_twenty_at_once_equal_twenty_in_turn(logs: EmbeddedLogs, tmp_path: Path) -> None:
    chance = random.Random(8)
    write(tmp_path / "AzureDiagnostics.jsonl", [made_row(chance, number) for number in range(3000)])
    windows = [Window(NOON - timedelta(minutes=9 * n + 9), NOON - timedelta(minutes=9 * n)) for n in range(20)]
    at_once = await asyncio.gather(*(ask(logs, REFERENCE, window) for window in windows))
    assert at_once == [await ask(logs, REFERENCE, window) for window in windows]
    assert sum(map(len, at_once)) > 100


async def test_appended_rows_are_seen_and_a_half_written_line_waits(logs: EmbeddedLogs, tmp_path: Path) -> None:
    path = tmp_path / "AzureDiagnostics.jsonl"
    row = {"TimeGenerated": stamp(HOUR.start), "OperationName": "VaultDelete"}
    write(path, [row])
    count = "AzureDiagnostics | count"
    assert await ask(logs, count) == [(1,)]
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n" + json.dumps(row)[:30])
    assert await ask(logs, count) == [(2,)]
    with path.open("a") as file:
        file.write(json.dumps(row)[30:] + "\n")
    assert await ask(logs, count) == [(3,)]
    write(path, [row])
    assert await ask(logs, count) == [(1,)]
    path.unlink()
    assert await ask(logs, count) == [(0,)]


async def test_a_whole_last_line_without_newline_counts(logs: EmbeddedLogs, tmp_path: Path) -> None:
    path = tmp_path / "AzureDiagnostics.jsonl"
    path.write_text(json.dumps({"TimeGenerated": stamp(HOUR.start)}))
    assert await ask(logs, "AzureDiagnostics | count") == [(1,)]
    with path.open("a") as file:
        file.write("\n{broken\n")
    with pytest.raises(UnreadableLog, match=r"AzureDiagnostics\.jsonl:2: not valid JSON"):
        await ask(logs, "AzureDiagnostics | count")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"TimeGenerated":"2026-03-01T11:00:00Z"}\n{oops\n', r"T\.jsonl:2: not valid JSON"),
        ('{"TimeGenerated":"2026-03-01T11:00:00Z"}\n\n[1]\n', r"T\.jsonl:3: not a JSON object"),
        ('{"TimeGenerated":"2026-03-01T11:00:00Z"}\n{"a":1}\n', r"T\.jsonl:2: TimeGenerated is missing"),
        ('{"TimeGenerated":"yesterday"}\n', r"T\.jsonl:1: TimeGenerated is missing"),
        ('{"TimeGenerated":"2026-03-01T11:00:00Z","Ip":1,"IP":2}\n', "differ only in case"),
    ],
)
async def test_a_bad_file_is_named_with_its_line(logs: EmbeddedLogs, tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "T.jsonl").write_text(text)
    for _ in range(2):
        with pytest.raises(UnreadableLog, match=says):
            await ask(logs, "T | count")


async def test_bytes_that_are_not_text_are_named(logs: EmbeddedLogs, tmp_path: Path) -> None:
    (tmp_path / "T.jsonl").write_bytes(b'{"TimeGenerated":"2026-03-01T11:00:00Z"}\n{"a":"\xff"}\n')
    with pytest.raises(UnreadableLog, match=r"T\.jsonl:2: not UTF-8"):
        await ask(logs, "T | count")


@pytest.mark.parametrize(
    ("kql", "says"),
    [
        ("Nowhere | take 1", r"1:1: there is no table Nowhere\. .*Nowhere\.jsonl"),
        ("AzureDiagnostics\n| where Nothing == 1", r"2:9: there is no column Nothing"),
        ("AzureDiagnostics | wher x", r"1:18: the query cannot be parsed"),
        ("AzureDiagnostics | evaluate bag_unpack(a)", "not supported by the embedded log source"),
        ("// hm\n .drop table AzureDiagnostics", r"2:2: commands that begin with a dot"),
        ("AzureDiagnostics; .drop table AzureDiagnostics", "parsed"),
        ("externaldata(a:string)['https://192.0.2.1/x']", "not supported"),
        ("externaldata(a:string)['/etc/passwd']", "not supported"),
        ("['/etc/passwd'] | take 1", "no table /etc/passwd"),
        ("read_text('/etc/passwd')", "not supported"),
        ("", "parsed"),
        ("let some = Nowhere | take 1;\nAzureDiagnostics | join some on Category", r"1:5: some reads a table"),
    ],
)
async def test_refusals_say_where_and_what(logs: EmbeddedLogs, kql: str, says: str) -> None:
    with pytest.raises(QueryRefused, match=says):
        await ask(logs, kql)


async def test_a_runaway_query_is_stopped(tmp_path: Path) -> None:
    source = EmbeddedLogs(tmp_path, timeout=timedelta(seconds=0.3))
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"longer than 0\.3 s"):
        await ask(source, RUNAWAY)
    # Run to its end it would take hours; the rest is room for a busy machine.
    assert time.monotonic() - began < 60
    assert await ask(source, "print 1") == [(1,)]
    await source.aclose()


async def test_the_clock_is_the_one_given(logs: EmbeddedLogs) -> None:
    assert await ask(logs, "print now(), ago(1h)") == [(NOON, NOON - timedelta(hours=1))]


async def test_unknown_keys_are_kept_and_typed(logs: EmbeddedLogs, tmp_path: Path) -> None:
    rows = [
        {"TimeGenerated": "2026-03-01T11:30:00Z", "n": 1, "tags": {"a": [1, None]}, "at": "2026-01-01T00:00:00+02:00"},
        {"TimeGenerated": "2026-03-01T11:31:00Z", "n": 2.5, "text": "x"},
    ]
    write(tmp_path / "Custom_CL.jsonl", rows)
    answer = await ask(logs, "Custom_CL | sort by TimeGenerated asc | project n, tags, at, text, isempty(text)")
    assert answer == [
        (1.0, {"a": [1, None]}, datetime(2025, 12, 31, 22, tzinfo=UTC), "", True),
        (2.5, None, None, "x", False),
    ]
    write(tmp_path / "Custom_CL.jsonl", [{"TimeGenerated": "2026-03-01T11:32:00Z", "n": "many", "new": True}], "a")
    answer = await ask(logs, "Custom_CL | where n == 'many' | project n, new")
    assert answer == [("many", True)]


async def test_csv_and_parquet_answer_alike(logs: EmbeddedLogs, tmp_path: Path) -> None:
    import duckdb

    (tmp_path / "A.csv").write_text('TimeGenerated,n,word\n2026-03-01T11:30:00Z,5,"a, b"\n2026-03-01T12:30:00Z,6,c\n')
    path = str(tmp_path / "B.parquet").replace("'", "")
    with duckdb.connect() as writer:
        writer.execute(
            "COPY (SELECT TIMESTAMP '2026-03-01 11:30:00' AS TimeGenerated, 5 AS n, 'a, b' AS word) "
            f"TO '{path}' (FORMAT parquet)"
        )
    assert await ask(logs, "A | project n, word") == [(5, "a, b")] == await ask(logs, "B | project n, word")
    (tmp_path / "B.parquet").write_bytes(b"no parquet")
    with pytest.raises(UnreadableLog, match=r"B\.parquet: cannot be read"):
        await ask(logs, "B | count")
    (tmp_path / "A.csv").write_text("TimeGenerated,n\n2026-03-01T11:30:00Z,5\n2026-03-01T11:30:00Z,5,6\n")
    with pytest.raises(UnreadableLog, match=r"A\.csv:3: more cells"):
        await ask(logs, "A | count")


async def test_two_files_for_one_table_are_refused(logs: EmbeddedLogs, tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("TimeGenerated\n")
    (tmp_path / "A.jsonl").write_text("")
    with pytest.raises(UnreadableLog, match="the same table"):
        await ask(logs, "A | count")


async def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    source = EmbeddedLogs(tmp_path / "none", timeout=timedelta(seconds=5))
    with pytest.raises(UnreadableLog, match="LOGS_PATH"):
        await ask(source, "AzureDiagnostics | count")
    await source.aclose()


async def test_strange_but_valid_json_is_kept(logs: EmbeddedLogs, tmp_path: Path) -> None:
    strange = {
        "TimeGenerated": "2026-03-01T11:30:00.1234567Z",
        "quote\"d 'name'; --": 1,
        "control": "a\u0000b\x1b[31m",
        "emoji": "🔔 <!channel>",
        "huge": 2**70,
        "": "nameless",
        "nested": json.loads("[" * 60 + "]" * 60),
        "jsonText": '{"a": 1}',
    }
    write(tmp_path / "T.jsonl", [strange])
    answer = await logs.query("T", window=HOUR, clock=NOON)
    (row,) = answer.rows
    assert row["TimeGenerated"] == datetime(2026, 3, 1, 11, 30, 0, 123456, tzinfo=UTC)
    for name in ("quote\"d 'name'; --", "control", "emoji", "nested", "jsonText"):
        assert row[name] == strange[name]


async def test_a_cancelled_question_lets_go(logs: EmbeddedLogs) -> None:
    asking = asyncio.create_task(ask(logs, RUNAWAY))
    await asyncio.sleep(0.3)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await ask(logs, "print 1") == [(1,)]


async def test_a_broken_csv_is_named_with_its_line(logs: EmbeddedLogs, tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text('TimeGenerated,n\n2026-03-01T11:30:00Z,5\n2026-03-01T11:30:00Z,"5\n')
    with pytest.raises(UnreadableLog, match=r"A\.csv:3: not a row of CSV"):
        await ask(logs, "A | count")
