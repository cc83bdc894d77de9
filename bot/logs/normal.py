"""One shape for the cells of every log source."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bot.domain.table import Cell


def cell(value: Any) -> Cell:
    """`value` as str, int, float, bool, None, aware UTC datetime, list or dict.

    A datetime without a zone is UTC. A timespan becomes Kusto's text (`1.02:03:04`). NaN and the infinities become
    None, because JSON has no place for them.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, Mapping):
        return {str(key): cell(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [cell(item) for item in value]
    return _rare(value)


def _rare(value: Any) -> Cell:
    if isinstance(value, timedelta):
        return timespan(value)
    if isinstance(value, Decimal):
        return cell(float(value))
    if isinstance(value, date):
        return datetime.combine(value, time.min, UTC)
    if isinstance(value, (UUID, time)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    raise TypeError(f"a log source answered with a {type(value).__name__}, which has no place in a table")


def dynamic(value: Any) -> Cell:
    """A `dynamic` cell: JSON text is parsed, text that is not JSON stays text."""
    if not isinstance(value, str):
        return cell(value)
    try:
        return cell(json.loads(value))
    except ValueError:
        return value


def timespan(value: timedelta) -> str:
    """Kusto's text for a timespan: `[-][d.]hh:mm:ss[.fffffff]`."""
    sign, whole = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(whole.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{whole.days}." if whole.days else ""
    fraction = f".{whole.microseconds * 10:07d}" if whole.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"
