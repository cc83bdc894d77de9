"""Slots and windows, held against a count in whole minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.schedule import (
    Slot,
    bucket,
    due_slots,
    last_finished_slot,
    period_window,
    row_window,
    slot_of,
)

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

minutes = st.integers(0, 3000)
frequencies = st.integers(5, 600)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def moment(count: int) -> datetime:
    return EPOCH + count * MINUTE


def ends_by_counting(after: int, until: int, frequency: int) -> list[datetime]:
    return [moment(m) for m in range(after + 1, until + 1) if m % frequency == 0]


def test_an_hourly_slot():
    assert slot_of(at("2026-03-01T10:59:59.999999"), HOUR) == Slot(at("2026-03-01T10:00"), at("2026-03-01T11:00"))
    assert slot_of(at("2026-03-01T11:00"), HOUR) == Slot(at("2026-03-01T11:00"), at("2026-03-01T12:00"))


def test_a_slot_waits_until_late_rows_have_settled():
    assert last_finished_slot(at("2026-03-01T11:04:59"), HOUR).end == at("2026-03-01T10:00")
    assert last_finished_slot(at("2026-03-01T11:05:00"), HOUR).end == at("2026-03-01T11:00")


def test_other_time_zones_mean_the_same_moment():
    there = datetime(2026, 3, 1, 16, 40, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    slot = slot_of(there, HOUR)
    assert slot == Slot(at("2026-03-01T11:00"), at("2026-03-01T12:00"))
    assert slot.start.tzinfo is UTC
    assert row_window(there - timedelta(days=1), slot, HOUR).start.tzinfo is UTC


def test_daily_slots_end_at_midnight():
    assert slot_of(at("2026-03-01T13:00"), timedelta(days=1)).end == at("2026-03-02T00:00")


def test_first_run_takes_the_last_finished_slot_only():
    assert due_slots(None, at("2026-03-01T11:30"), HOUR) == (Slot(at("2026-03-01T10:00"), at("2026-03-01T11:00")),)


def test_the_cap_keeps_the_oldest_and_loses_nothing():
    now, watermark, seen = at("2026-03-03T11:30"), at("2026-03-01T10:00"), []
    while due := due_slots(watermark, now, HOUR, cap=5):
        assert len(due) <= 5
        seen += [slot.end for slot in due]
        watermark = due[-1].end
    assert seen == [at("2026-03-01T10:00") + n * HOUR for n in range(1, 50)]


def test_a_clock_that_went_back_makes_nothing_due():
    assert due_slots(at("2026-03-01T11:00"), at("2026-03-01T09:00"), HOUR) == ()


def test_row_window_by_hand():
    slot = Slot(at("2026-03-02T10:00"), at("2026-03-02T11:00"))
    assert row_window(slot.start, slot, HOUR).start == at("2026-03-01T10:00")
    assert row_window(at("2026-03-02T04:00"), slot, HOUR).start == at("2026-03-01T04:00")
    assert row_window(at("2026-03-02T11:00"), slot, HOUR).start == at("2026-03-01T10:00")
    assert row_window(None, slot, HOUR, timedelta(0)).start == slot.start
    assert row_window(None, slot, HOUR).end == slot.end


def test_period_window_looks_back_from_the_end():
    window = period_window(Slot(at("2026-03-02T10:00"), at("2026-03-02T11:00")), timedelta(days=14))
    assert (window.start, window.end) == (at("2026-02-16T11:00"), at("2026-03-02T11:00"))


@pytest.mark.parametrize("frequency", [timedelta(0), -HOUR])
def test_a_frequency_must_be_positive(frequency):
    with pytest.raises(ValueError, match="must be positive"):
        slot_of(EPOCH, frequency)


@given(minutes, frequencies)
def test_bucket_is_the_last_edge_at_or_before(count, frequency):
    edge = max(m for m in range(count + 1) if m % frequency == 0)
    assert bucket(moment(count), frequency * MINUTE) == moment(edge)


@given(minutes, frequencies, st.integers(0, 30))
def test_last_finished_slot_by_counting(count, frequency, settle):
    edges = [m for m in range(-700, count + 1) if m % frequency == 0 and m + settle <= count]
    assert last_finished_slot(moment(count), frequency * MINUTE, settle * MINUTE).end == moment(edges[-1])


@given(st.integers(0, 100), minutes, frequencies, st.integers(0, 30), st.integers(0, 40))
def test_due_slots_by_counting(watermark, count, frequency, settle, cap):
    due = due_slots(moment(watermark), moment(count), frequency * MINUTE, settle * MINUTE, cap)
    assert [slot.end for slot in due] == ends_by_counting(watermark, count - settle, frequency)[:cap]
    assert all(slot.end - slot.start == frequency * MINUTE for slot in due)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12), st.integers(5, 90))
def test_every_moment_up_to_the_last_slot_is_read_once_as_its_own_slot(waits, frequency):
    step, now, watermark, ends = frequency * MINUTE, EPOCH + 10 * HOUR, EPOCH + 10 * HOUR, []
    watermark = slot_of(watermark, step).start
    first = watermark
    for wait in waits:
        now += wait * MINUTE
        for slot in due_slots(watermark, now, step, cap=1000):
            assert row_window(watermark, slot, step, timedelta(0)).start <= slot.start
            ends.append(slot.end)
            watermark = slot.end
    assert ends == [first + n * step for n in range(1, len(ends) + 1)]
