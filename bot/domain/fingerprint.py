"""The identity of an alerting row, so that overlapping windows alert once.

Two rows that are equal in every projected column are told apart by their ordinal in the answer: three equal rows now
and three equal rows in the next, overlapping answer are the same three.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from bot.domain.table import Cell, Row


def fingerprints(rule_id: str, rows: Iterable[Row]) -> list[str]:
    """One SHA-256 hex digest for each row, in the order of `rows`.

    The digests of an answer, as a multiset, depend on the rule and on the multiset of rows alone: neither the order of
    rows nor of columns matters. Within one answer they are distinct.
    """
    seen: Counter[str] = Counter()
    digests = []
    for row in rows:
        text = canonical_json(row)
        digests.append(_digest(rule_id, text, seen[text]))
        seen[text] += 1
    return digests


def canonical_json(value: Cell) -> str:
    """The one JSON text of a cell or row, whichever source it came from.

    Keys are sorted, moments are UTC ISO 8601 with microseconds (a naive one is taken as UTC), a whole float reads as
    an integer because Azure and DuckDB differ in which of the two a number arrives as. The order of a list is kept.
    """
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def _digest(rule_id: str, text: str, ordinal: int) -> str:
    return hashlib.sha256(json.dumps([rule_id, text, ordinal]).encode()).hexdigest()


def _plain(value: Cell) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, float | Decimal):
        return _number(float(value))
    if value is None or isinstance(value, str | int):
        return value
    return _scalar(value)


def _number(value: float) -> float | int | str:
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _scalar(value: object) -> str:
    """The kinds that a source may pass through. Any other would have no stable text, so it is refused."""
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1)}us"
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be part of a row")
