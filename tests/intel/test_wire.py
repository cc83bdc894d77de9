from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reputation import Reputation
from bot.intel import wire
from bot.intel.quota import QuotaState

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ADDRESS = "203.0.113.7"

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
report_fields = ["reportedAt", "comment", "categories", "reporterId", "reporterCountryCode"]
check_fields = [
    *["isWhitelisted", "countryCode", "countryName", "usageType", "isp", "domain", "hostnames", "isTor"],
    *["totalReports", "numDistinctUsers", "lastReportedAt"],
]
reports = st.lists(st.dictionaries(st.sampled_from(report_fields), anything) | anything, max_size=3)
bodies = st.fixed_dictionaries(
    {"abuseConfidenceScore": st.integers(0, 100), "reports": reports | anything},
    optional=dict.fromkeys(check_fields, anything),
)


@given(bodies)
def test_whatever_stands_in_the_other_fields_a_score_is_read_and_can_be_stored(data):
    known = wire.reputation({"data": data}, ADDRESS, 30, NOW)
    assert known.score == data["abuseConfidenceScore"]
    assert Reputation.from_dict(json.loads(json.dumps(known.to_dict()))) == known


@given(anything)
def test_what_is_no_answer_is_a_value_error_and_nothing_else(body):
    with pytest.raises(ValueError, match="the answer"):
        wire.reputation(body, ADDRESS, 30, NOW)
    assert isinstance(wire.errors(body), list)
    assert not wire.says_not_public(body)


@given(anything)
def test_a_strange_address_or_score_is_a_value_error(strange):
    with pytest.raises(ValueError, match="the answer"):
        wire.reputation({"data": {"ipAddress": [strange], "abuseConfidenceScore": 1}}, ADDRESS, 30, NOW)
    with pytest.raises(ValueError, match="the answer"):
        wire.reputation({"data": {"abuseConfidenceScore": [strange]}}, ADDRESS, 30, NOW)


def test_the_same_address_in_another_spelling_is_the_same():
    body = {"data": {"ipAddress": "2001:0DB8::0001", "abuseConfidenceScore": 1}}
    assert wire.reputation(body, "2001:db8::1", 30, NOW).address == "2001:db8::1"


def test_freshness_counts_back_from_now():
    ages = [
        timedelta(minutes=1),
        timedelta(hours=24),
        timedelta(hours=24, seconds=1),
        timedelta(days=7),
        timedelta(days=8),
    ]
    digest = wire.digest([{"reportedAt": (NOW - age).isoformat(), "categories": [14]} for age in ages], NOW)
    assert (digest.last_day, digest.last_week) == (2, 4)
    assert [(count.name, count.count) for count in digest.categories] == [("Port Scan", 5)]


def test_the_three_newest_comments_newest_first_whatever_the_order_and_without_empty_ones():
    listed = [
        {"reportedAt": (NOW - timedelta(hours=hours)).isoformat(), "comment": comment}
        for hours, comment in [(5, "five"), (1, " \u200b"), (2, "two"), (9, "nine"), (3, "three")]
    ]
    assert [comment.text for comment in wire.digest(listed, NOW).newest] == ["two", "three", "five"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-20T20:55:14+00:00", datetime(2026, 1, 20, 20, 55, 14, tzinfo=UTC)),
        ("2026-01-20T20:55:14Z", datetime(2026, 1, 20, 20, 55, 14, tzinfo=UTC)),
        ("2026-01-20T22:55:14+02:00", datetime(2026, 1, 20, 20, 55, 14, tzinfo=UTC)),
        ("2026-01-20 20:55:14", datetime(2026, 1, 20, 20, 55, 14, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (1768942514, None),
    ],
)
def test_moments(text, expected):
    assert wire.moment(text) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-ratelimit-limit": "x", "x-ratelimit-remaining": "-1"}, None),
        ({"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "0"}, QuotaState(1000, 0, None)),
        ({"x-ratelimit-remaining": " 7 "}, QuotaState(None, 7, None)),
        ({"x-ratelimit-remaining": "9" * 400}, None),
    ],
)
def test_rate_limit_headers(headers, expected):
    assert wire.quota(headers, NOW) == expected
