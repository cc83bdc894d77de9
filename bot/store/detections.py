"""How far each rule is, and which rows are known, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.alert import RuleState
from bot.domain.finding import Finding
from bot.store.statements import insert_new, insert_new_rows
from bot.store.tables import fingerprints, rules


class SqlDetections:
    """Implements `Detections` on one transaction's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def state(self, rule_id: str) -> RuleState:
        """The rule's state; a fresh one for a rule that never ran."""
        row = (await self._connection.execute(sa.select(rules).where(rules.c.rule_id == rule_id))).first()
        if row is None:
            return RuleState()
        return RuleState(row.watermark, row.looked_at, row.rows, row.failures, row.problem)

    async def unseen(self, rule_id: str, findings: Sequence[Finding]) -> list[Finding]:
        """Those of the findings that are new, in their order. From now on they are known.

        Evaluations of one rule go one after the other from here on, so that two of them cannot raise one incident.
        """
        await self._hold(rule_id)
        by_key = {each.fingerprint: each for each in findings}
        rows = [{"rule_id": rule_id, "fingerprint": key, "event_at": each.at} for key, each in sorted(by_key.items())]
        new = set(await insert_new_rows(self._connection, fingerprints, rows, fingerprints.c.fingerprint))
        return [each for key, each in by_key.items() if key in new]

    async def advance(self, rule_id: str, *, watermark: datetime | None, at: datetime, rows: int) -> None:
        """Note a good evaluation. A watermark never moves back; None leaves it."""
        known = await self._hold(rule_id)
        highest = max((each for each in (known, watermark) if each is not None), default=None)
        await self._connection.execute(
            rules.update()
            .where(rules.c.rule_id == rule_id)
            .values(watermark=highest, looked_at=at, rows=rows, failures=0, problem="")
        )

    async def fail(self, rule_id: str, *, at: datetime, problem: str) -> None:
        """Note a failed evaluation; the watermark and the last good look stay."""
        await self._hold(rule_id)
        await self._connection.execute(
            rules.update()
            .where(rules.c.rule_id == rule_id)
            .values(failures=rules.c.failures + 1, problem=problem, failed_at=at)
        )

    async def forget(self, rule_id: str, before: datetime) -> None:
        """Drop the fingerprints of rows whose event time lies before that moment."""
        await self._connection.execute(
            fingerprints.delete().where(fingerprints.c.rule_id == rule_id, fingerprints.c.event_at < before)
        )

    async def _hold(self, rule_id: str) -> datetime | None:
        """Lock the rule's row until the transaction ends; its watermark."""
        await insert_new(self._connection, rules, {"rule_id": rule_id, "rows": 0, "failures": 0, "problem": ""})
        row = sa.select(rules.c.watermark).where(rules.c.rule_id == rule_id).with_for_update()
        watermark: datetime | None = (await self._connection.execute(row)).scalar_one()
        return watermark
