"""Numbers and times as words, for what people read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"))
_LENGTHS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def counted(number: int, word: str) -> str:
    """`1 report`, `1,200 reports`. For words that take an s."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def age(span: timedelta) -> str:
    """A span in its largest whole unit, as people say it: `3 h`, `2 d`, `12 s`. A negative span is `0 s`."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in _AGES:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def length(span: timedelta) -> str:
    """A time to live in full: `1 hour`, `7 days`, `1 day 12 hours`."""
    seconds = max(0, int(span.total_seconds()))
    words = []
    for size, unit in _LENGTHS:
        if seconds >= size:
            words.append(counted(seconds // size, unit))
            seconds %= size
    return " ".join(words) or "less than a minute"


def clock_time(moment: datetime, now: datetime) -> str:
    """`00:00 UTC` when it is less than a day away, else with the date."""
    utc = moment.astimezone(UTC)
    near = abs(moment - now) < timedelta(days=1)
    return f"{utc:%H:%M} UTC" if near else f"{utc:%Y-%m-%d %H:%M} UTC"


def utc(moment: datetime) -> str:
    """`2026-03-02 03:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def one_line(text: str, most: int = 500) -> str:
    """Text that a person or a stranger wrote, as one line of at most `most` characters."""
    words = " ".join(text[: most * 4].split())
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def unfinished(text: str) -> str:
    """A sentence without its full stop, to be continued."""
    return one_line(text).rstrip(".")


def listed(words: Iterable[str]) -> str:
    """`a, b`, without the empty ones."""
    return ", ".join(word for word in words if word)
