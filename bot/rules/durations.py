"""The three ways in which rule files write a duration."""

from __future__ import annotations

import re
from datetime import timedelta

_SHORT = re.compile(r"([0-9]{1,6})\s?([smhd])", re.IGNORECASE)
_DOTNET = re.compile(r"(?:([0-9]{1,5})\.)?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.0{1,7})?)?")
_ISO = re.compile(
    r"P(?=.)(?:([0-9]{1,5})W)?(?:([0-9]{1,5})D)?(?:T(?=.)(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,6})(?:\.0+)?S)?)?",
    re.IGNORECASE,
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta:
    """`1h`, `1.00:00:00` or `PT1H`. Raises ValueError with a sentence."""
    bare = text.strip()
    if match := _SHORT.fullmatch(bare):
        return timedelta(**{_UNITS[match[2].lower()]: int(match[1])})
    if match := _DOTNET.fullmatch(bare):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if match := _ISO.fullmatch(bare):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    raise ValueError(f"“{bare[:40]}” is not a duration: write it as 5m, 1h, 14d, 1.00:00:00 or PT1H")


def write_duration(duration: timedelta) -> str:
    """The shortest of `5m`, `1h`, `14d` that means `duration`, for messages."""
    seconds = int(duration.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
