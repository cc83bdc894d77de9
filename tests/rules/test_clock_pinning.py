"""Pinning the clock of a query, and telling row rules from window rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import duckdb_kql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.clock import classify, pin_clock

CLOCK = datetime(2026, 3, 1, 11, tzinfo=UTC)
S = "datetime(2026-03-01T11:00:00.000000Z)"

PINNED = [
    ("now()", S),
    ("now( )", S),
    ("now( // here\n)", S),
    ("now(-1d)", f"({S} + (-1d))"),
    ("ago(1h)", f"({S} - (1h))"),
    ("ago (1h)", f"({S} - (1h))"),
    ("ago\n\t(1h)", f"({S} - (1h))"),
    ("ago((1h + 5m) * 2)", f"({S} - ((1h + 5m) * 2))"),
    ("ago(iff(a, ago(1d) - now(), 1h))", f"({S} - (iff(a, ({S} - (1d)) - {S}, 1h)))"),
    ("t between (ago(2h)..ago(1h))", f"t between (({S} - (2h))..({S} - (1h)))"),
    ("t between (ago(2h) .. now())", f"t between (({S} - (2h)) .. {S})"),
    ("max_of(now(),ago(1h))", f"max_of({S},({S} - (1h)))"),
]

UNTOUCHED = [
    "xago(1h)",
    "x_now()",
    "a.ago(1h)",
    "ago",
    "now",
    "ago()",
    "ago(1h",
    "ago_(1h)",
    "Ago(1h)",
    "'ago(1h)'",
    '"now()"',
    r"'it\'s ago(1h)'",
    r'"say \"now()\""',
    "@'c:\\ago(1h)\\'",
    "@'it''s ago(1h)'",
    '@"now()\\"',
    "h'ago(1h)'",
    "h@'ago(1h)'",
    'H"now()"',
    "```multi\nago(1h) ' \n```",
    "~~~now()~~~",
    "// ago(1h) it's",
    "T // where now()",
    "a.b['ago(1h)']",
]


@pytest.mark.parametrize(("kql", "expected"), PINNED)
def test_pinned(kql, expected):
    assert pin_clock(kql, CLOCK) == expected


@pytest.mark.parametrize("kql", UNTOUCHED)
def test_untouched(kql):
    assert pin_clock(kql, CLOCK) == kql


@pytest.mark.parametrize("quoted", [text for text in UNTOUCHED if text[-1] in "'\"`~"])
def test_a_call_after_a_string_is_pinned(quoted):
    assert pin_clock(f"{quoted}, now()", CLOCK) == f"{quoted}, {S}"


def test_a_comment_ends_with_its_line():
    assert pin_clock("// it's now()\nago(1h) // now()\nnow()", CLOCK) == f"// it's now()\n({S} - (1h)) // now()\n{S}"


def test_a_parenthesis_in_a_string_does_not_close_a_call():
    assert pin_clock("ago(totimespan(strcat('1', ')h')))", CLOCK) == f"({S} - (totimespan(strcat('1', ')h'))))"


def test_the_clock_is_written_in_utc():
    there = CLOCK.astimezone(timezone(timedelta(hours=9)))
    assert pin_clock("now()", there) == S


def test_a_naive_clock_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        pin_clock("now()", datetime(2026, 3, 1))  # noqa: DTZ001


def test_deep_nesting_is_survived():
    kql = "ago(" * 3000 + "1h" + ")" * 3000
    assert pin_clock(kql, CLOCK).count(S) == 3000


@given(st.text(alphabet="agonw() .'\"@`~/\\\n1h", max_size=60))
def test_pinning_twice_changes_nothing_more(kql):
    once = pin_clock(kql, CLOCK)
    assert pin_clock(once, CLOCK) == once


SAMPLES = [
    "SigninLogs | where TimeGenerated > ago(1d) | summarize count() by UserPrincipalName",
    "let t = ago(2h); AuditLogs | where TimeGenerated between (t..now()) | project Actor",
    "AzureActivity | where TimeGenerated between (ago(2h)..ago(1h)) | extend Age = now() - TimeGenerated",
    "AzureActivity | extend Day = startofday(now(-1d)), Text = 'ago(1h)' // ago(1h)\n| take 5",
    "Heartbeat | where TimeGenerated > ago (1h * 2) | summarize arg_max(TimeGenerated, *) by Computer",
    "T | join kind=inner (U | where TimeGenerated >= ago(14d)) on Id | where A > ago(totimespan('1h'))",
]


@pytest.mark.parametrize("kql", SAMPLES)
def test_a_pinned_query_is_still_kql(kql):
    assert duckdb_kql.validate(kql) == []
    pinned = pin_clock(kql, CLOCK)
    assert S in pinned
    assert duckdb_kql.validate(pinned) == []


@pytest.mark.parametrize(
    "kql",
    [
        "AzureDiagnostics | where ResultType == 'Success' | project TimeGenerated, Actor",
        "let ops = dynamic(['a|b;c', 'd']);\nT\n| where Op in (ops) // | summarize\n| extend X = 1, Y = tostring(Z)",
        "T | where a has 'ago(1h)' | mv-expand b | parse c with * 'x' d | project-away e | project-rename f = g",
        "let a = 1; let b = a + 1; T | where x > b;",
        "T\n|where(a == 1)\n|extend b=1",
        "T",
    ],
)
def test_row_queries(kql):
    assert classify(kql) == "row"


@pytest.mark.parametrize(
    "kql",
    [
        "T | summarize count() by a",
        "T | where TimeGenerated > ago(1h)",
        "T | extend age = now() - TimeGenerated",
        "T | where ingestion_time() > datetime(2026-01-01)",
        "let U = T | where a; U | project b",
        "let f = (x:string) { T | where a == x }; T | where b",
        "T | join (U | where a) on b",
        "T | where a in ((U | project a))",
        "union T, U | where a",
        "T | distinct a",
        "T | top 5 by a",
        "T | take 5",
        "search 'x'",
        "print 1",
        "T | where a in (externaldata(x:string)['https://example.org/x'])",
        "T | order by a | extend b = prev(a)",
        "",
        "   // nothing",
    ],
)
def test_window_queries(kql):
    assert classify(kql) == "window"
