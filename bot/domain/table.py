"""The answer to a query, the same from every log source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

Cell: TypeAlias = Any
"""str, int, float, bool, None, an aware UTC datetime, or a list or dict from a `dynamic` column."""

Row: TypeAlias = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the order of the answer. `partial` is true when the source says that rows are missing."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    partial: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span [start, end) of event times, aware UTC."""

    start: datetime
    end: datetime
