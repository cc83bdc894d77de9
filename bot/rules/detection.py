"""A Sentinel rule as the detect service sees it: a query, a schedule, and findings out of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot.domain.finding import Finding, group_key
from bot.domain.fingerprint import canonical_json, fingerprints
from bot.domain.schedule import Slot, bucket
from bot.domain.table import Cell, Row
from bot.rules.model import Rule
from bot.rules.reading import alert_name, alert_severity, entities, grouping_key

_TIME = "TimeGenerated"


@dataclass(frozen=True, slots=True)
class RuleDetection:
    """Adapts one rule."""

    rule: Rule

    @property
    def id(self) -> str:
        """The rule's GUID."""
        return self.rule.id

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.rule.name

    @property
    def description(self) -> str:
        """What the rule's author says of it."""
        return self.rule.description

    @property
    def query(self) -> str:
        """The KQL text, to the letter."""
        return self.rule.query

    @property
    def frequency(self) -> timedelta:
        """How long a slot is."""
        return self.rule.query_frequency

    @property
    def period(self) -> timedelta:
        """How far back one evaluation of a window rule looks."""
        return self.rule.query_period

    @property
    def lookback(self) -> timedelta:
        """How late a row may come and still be found by a row rule."""
        return self.rule.extension.lookback

    @property
    def mode(self) -> Literal["row", "window"]:
        """Whether rows stand for themselves. A threshold above "any" counts rows of one window, so it needs one."""
        any_row = self.rule.trigger_operator == "gt" and self.rule.trigger_threshold == 0
        return "row" if self.rule.rule_class == "row" and any_row else "window"

    def fires(self, rows: int) -> bool:
        """Whether so many rows raise an alert."""
        return self.rule.fires(rows)

    def findings(self, rows: Sequence[Row], slot: Slot) -> list[Finding]:
        """One finding for each row.

        A row of a row rule is known again by its content. A row of a window rule is known again by its slot and what it
        is grouped by, because late events change its counts.
        """
        by_content = self.mode == "row"
        marks = fingerprints(self.rule.id, rows) if by_content else [self._mark(row, slot) for row in rows]
        return [self._finding(row, mark, slot) for row, mark in zip(rows, marks, strict=True)]

    def _mark(self, row: Row, slot: Slot) -> str:
        body = canonical_json([self.rule.id, slot.end, grouping_key(self.rule, row)])
        return hashlib.sha256(body.encode()).hexdigest()

    def _finding(self, row: Row, mark: str, slot: Slot) -> Finding:
        named, extension = entities(self.rule, row), self.rule.extension
        at = _moment(row.get(_TIME), slot)
        hour = bucket(at, self.frequency) if self.mode == "row" else slot.start
        return Finding(
            fingerprint=mark,
            at=at,
            group=group_key(self.rule.id, grouping_key(self.rule, row), hour),
            title=alert_name(self.rule, row),
            severity=alert_severity(self.rule, row),
            who=named.who,
            what=_text(row, extension.what) or self.rule.name,
            where=_text(row, extension.where),
            target=_text(row, extension.target),
            addresses=named.addresses,
            row=row,
        )


def _moment(cell: Cell, slot: Slot) -> datetime:
    """The event's time; the slot's last instant for rows that have lost it."""
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=UTC)
    return slot.end - timedelta(microseconds=1)


def _text(row: Row, column: str) -> str:
    cell = row.get(column) if column else None
    return cell.strip() if isinstance(cell, str) else "" if cell is None else canonical_json(cell)
