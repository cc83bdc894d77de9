from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reputation import (
    CATEGORIES,
    Caution,
    Comment,
    Count,
    Found,
    NotPublic,
    QuotaExceeded,
    Refused,
    Reports,
    Reputation,
    Thresholds,
    Tier,
    Unavailable,
    category_name,
    cautions,
    outcome_from_dict,
    outcome_to_dict,
    tier,
)

PLAIN = Reputation(
    address="192.0.2.1",
    score=50,
    total_reports=10,
    distinct_reporters=9,
    window_days=30,
    fetched_at=datetime(2026, 1, 2, tzinfo=UTC),
)

moments = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
maybe_text = st.none() | st.text()
counts = st.lists(st.builds(Count, st.text(), st.integers(min_value=0)), max_size=3).map(tuple)
digests = st.builds(
    Reports,
    categories=counts,
    countries=counts,
    newest=st.lists(st.builds(Comment, st.text(), moments, maybe_text), max_size=3).map(tuple),
)
reputations = st.builds(
    Reputation,
    fetched_at=moments,
    last_reported_at=st.none() | moments,
    isp=maybe_text,
    hostnames=st.lists(st.text(), max_size=3).map(tuple),
    is_whitelisted=st.none() | st.booleans(),
    reports=digests,
)
outcomes = st.one_of(
    st.builds(Found, reputations, st.sampled_from(["AbuseIPDB", "sandbox"])),
    st.just(NotPublic()),
    st.builds(QuotaExceeded, moments, st.booleans()),
    st.builds(Unavailable, st.text(), st.none() | st.floats(min_value=0, max_value=1e6)),
    st.builds(Refused, st.text()),
)


@given(reputations)
def test_a_reputation_survives_storage_as_json(reputation):
    assert Reputation.from_dict(json.loads(json.dumps(reputation.to_dict()))) == reputation


@given(outcomes)
def test_every_outcome_survives_storage_as_json(outcome):
    assert outcome_from_dict(json.loads(json.dumps(outcome_to_dict(outcome)))) == outcome


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"kind": "Elsewhere"},
        {"kind": "Found", "reputation": {}, "source": "AbuseIPDB"},
        {"kind": "Found", "reputation": PLAIN.to_dict(), "source": "rumour"},
        {"kind": "QuotaExceeded", "until": "soon", "kept_for_people": False},
    ],
)
def test_what_was_not_stored_by_us_is_named_as_unreadable(broken):
    with pytest.raises(ValueError, match=r"cannot be read|isoformat"):
        outcome_from_dict(broken)


@pytest.mark.parametrize(
    ("score", "reports", "expected"),
    [
        (0, 0, Tier.NO_REPORTS),
        (24, 0, Tier.NO_REPORTS),
        (0, 1, Tier.LOW),
        (24, 1, Tier.LOW),
        (25, 1, Tier.SUSPICIOUS),
        (74, 1, Tier.SUSPICIOUS),
        (75, 1, Tier.HIGH),
        (100, 900, Tier.HIGH),
        (80, 0, Tier.HIGH),
    ],
)
def test_tiers_meet_at_the_thresholds(score, reports, expected):
    assert tier(replace(PLAIN, score=score, total_reports=reports), Thresholds()) is expected


def test_thresholds_are_the_operators():
    assert tier(replace(PLAIN, score=30), Thresholds(suspicious=31, high=90)) is Tier.LOW


@pytest.mark.parametrize(("suspicious", "high"), [(75, 25), (50, 50), (0, 75), (25, 101)])
def test_thresholds_that_make_no_sense_are_refused(suspicious, high):
    with pytest.raises(ValueError, match="suspicious < high"):
        Thresholds(suspicious, high)


def test_no_word_of_ours_says_clean():
    assert not any("clean" in word or "safe" in word for word in Tier)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ()),
        ({"distinct_reporters": 3}, ()),
        ({"distinct_reporters": 2}, (Caution.FEW_REPORTERS,)),
        ({"total_reports": 0, "distinct_reporters": 0, "score": 0}, ()),
        ({"total_reports": 0, "distinct_reporters": 0, "score": 30}, (Caution.OLD_REPORTS,)),
        ({"usage_type": "Content Delivery Network"}, (Caution.CDN,)),
        ({"usage_type": "Mobile ISP"}, (Caution.MOBILE,)),
        ({"usage_type": "Fixed Line ISP"}, ()),
        ({"is_tor": True}, (Caution.TOR,)),
        ({"is_whitelisted": True}, (Caution.WHITELISTED,)),
        ({"is_whitelisted": False}, ()),
        ({"is_whitelisted": None}, ()),
        ({"is_tor": True, "distinct_reporters": 1}, (Caution.FEW_REPORTERS, Caution.TOR)),
    ],
)
def test_each_doubt_about_a_score_is_a_caution(change, expected):
    assert cautions(replace(PLAIN, **change)) == expected


def test_the_23_categories_have_names_and_an_unknown_one_keeps_its_number():
    assert sorted(CATEGORIES) == list(range(1, 24))
    assert (category_name(18), category_name(22), category_name(99)) == ("Brute-Force", "SSH", "Category 99")
