from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.intel.quota import Denied, Ledger, QuotaState

T0 = datetime(2026, 3, 4, tzinfo=UTC)


def test_headers_are_believed_over_our_own_count():
    ledger = Ledger(limit=1000, remaining=5, counted_at=T0)
    assert ledger.record(QuotaState(3000, 2500), T0) == Ledger(3000, 2500, T0)
    assert ledger.record(QuotaState(None, None), T0) == ledger


def test_with_nothing_left_one_call_in_ten_seconds_goes_out_to_learn_the_reset():
    ledger = Ledger(remaining=0, counted_at=T0)
    assert ledger.reserve(T0, 0)[1] == Denied(T0 + timedelta(seconds=10), kept_for_people=False)
    tried, denied = ledger.reserve(T0 + timedelta(seconds=10), 0)
    assert (denied, tried.remaining) == (None, 0)
    assert tried.reserve(T0 + timedelta(seconds=11), 0)[1] == Denied(T0 + timedelta(seconds=20), kept_for_people=False)


def test_an_alert_may_try_the_peoples_share_once_an_hour():
    ledger = Ledger(remaining=100, counted_at=T0)
    assert ledger.reserve(T0 + timedelta(minutes=59), 200)[1] == Denied(T0 + timedelta(hours=1), kept_for_people=True)
    assert ledger.reserve(T0 + timedelta(hours=1), 200) == (
        Ledger(remaining=99, counted_at=T0 + timedelta(hours=1)),
        None,
    )


@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 400))
def test_a_burst_takes_all_but_what_is_kept(left, kept, callers):
    ledger, granted = Ledger(remaining=left, counted_at=T0), 0
    for _ in range(callers):
        ledger, denied = ledger.reserve(T0, kept)
        granted += denied is None
    assert granted == min(callers, max(0, left - kept))
    assert ledger.remaining == left - granted


def test_closed_means_closed_for_everybody_until_the_moment_and_not_after():
    reset = T0 + timedelta(hours=2)
    ledger = Ledger(limit=100, remaining=3, counted_at=T0).close(reset)
    assert ledger.is_closed(reset - timedelta(seconds=1))
    assert not ledger.is_closed(reset)
    assert ledger.reserve(reset - timedelta(seconds=1), 0)[1] == Denied(reset, kept_for_people=False)
    assert ledger.reserve(reset, 20) == (Ledger(100, 99, reset, None), None)
