"""When a rule is evaluated, and over which event times.

A rule of frequency F has slots [k x F, (k + 1) x F) counted from the Unix epoch in UTC, so every replica and every
restart agrees on them without a stored schedule. All moments are aware; what comes back is UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.table import Window

SETTLE = timedelta(minutes=5)
"""How long after its end a slot is evaluated: Sentinel's own delay for scheduled rules
(https://learn.microsoft.com/azure/sentinel/scheduled-rules-overview)."""

LOOKBACK = timedelta(hours=24)
"""How late a row may arrive and still be found by a row rule."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """The half-open span [start, end) that one evaluation answers for."""

    start: datetime
    end: datetime


def slot_of(moment: datetime, frequency: timedelta) -> Slot:
    """The slot that `moment` lies in."""
    if frequency <= timedelta(0):
        raise ValueError(f"a rule's frequency must be positive, not {frequency}")
    start = EPOCH + (moment - EPOCH) // frequency * frequency
    return Slot(start, start + frequency)


def bucket(event_time: datetime, frequency: timedelta) -> datetime:
    """The start of the slot that an event falls in: with an hourly rule, the event's hour."""
    return slot_of(event_time, frequency).start


def last_finished_slot(now: datetime, frequency: timedelta, settle: timedelta = SETTLE) -> Slot:
    """The latest slot whose end is at least `settle` ago."""
    return slot_of(slot_of(now - settle, frequency).start - frequency, frequency)


def due_slots(
    watermark: datetime | None,
    now: datetime,
    frequency: timedelta,
    settle: timedelta = SETTLE,
    cap: int = 24,
) -> tuple[Slot, ...]:
    """The finished slots that end after `watermark`, oldest first, at most `cap` of them.

    The watermark is the end of the last committed slot. Without one only the last finished slot is due. Slots beyond
    the cap are not lost: they are due again once the watermark has moved. A watermark that is not on a slot's edge, as
    after a change of frequency, makes the slot that it lies in due again.
    """
    last = last_finished_slot(now, frequency, settle)
    if watermark is None:
        return (last,)[:cap]
    first = slot_of(watermark, frequency)
    count = min(cap, (last.end - first.start) // frequency)
    return tuple(Slot(first.start + n * frequency, first.end + n * frequency) for n in range(max(0, count)))


def row_window(watermark: datetime | None, slot: Slot, frequency: timedelta, lookback: timedelta = LOOKBACK) -> Window:
    """The event times that a row rule reads: back to `lookback` before what was last read, and never past the slot."""
    read_up_to = slot.end - frequency if watermark is None else min(watermark, slot.end - frequency)
    return Window((read_up_to - lookback).astimezone(UTC), slot.end)


def period_window(slot: Slot, period: timedelta) -> Window:
    """The event times that a window rule reads: its query period, up to the end of the slot."""
    return Window(slot.end - period, slot.end)
