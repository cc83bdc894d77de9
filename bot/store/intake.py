"""The intake: questions written down together.

A commit that survives a power cut costs milliseconds; a workspace's worst minute brings hundreds of questions. So while
one commit is under way the next questions gather, and go into the next commit together: each waits for at most two
commits, and the disk is asked once for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.services.answers import Lookup
from bot.store.database import Database
from bot.store.tables import inbox, lookups

_MOST_AT_ONCE = 500


@dataclass(slots=True)
class _Waiting:
    row: dict[str, Any]
    again: bool
    written: asyncio.Future[None] = field(repr=False)


class GroupIntake:
    """Writes look-ups in groups. Implements `bot.services.answers.Intake`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathered: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, lookup: Lookup, *, again: bool) -> None:
        """Returns once the question is committed; raises what kept it from being."""
        waiting = _Waiting(_row(lookup), again, asyncio.get_running_loop().create_future())
        self._gathered.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        await waiting.written

    async def _write_all(self) -> None:
        while self._gathered:
            group = self._gathered[:_MOST_AT_ONCE]
            del self._gathered[:_MOST_AT_ONCE]
            try:
                await self._commit(group)
            except Exception as failed:  # noqa: BLE001 - told to every one who waits
                _settle(group, failed)
            else:
                _settle(group, None)

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        repeats = [each.row for each in group if each.again]
        firsts = {each.row["id"]: each.row for each in group if not each.again}
        async with self._database.write() as connection:
            if firsts:
                await connection.execute(self._insert(ask_again=True), list(firsts.values()))
            if repeats:
                await connection.execute(self._insert(ask_again=False), repeats)

    def _insert(self, *, ask_again: bool) -> sa.Insert:
        """A question that a person asks anew is asked anew; one that the platform sends once more is not."""
        make = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = make(lookups)
        if not ask_again:
            return statement.on_conflict_do_nothing()
        fresh = {name: getattr(statement.excluded, name) for name in ("answer_at", "asked_at", "done_at")}
        return statement.on_conflict_do_update(index_elements=["id"], set_=fresh)

    async def waiting(self, since: datetime, limit: int) -> list[Lookup]:
        """Unanswered questions asked since then, oldest first."""
        query = (
            sa.select(lookups)
            .where(lookups.c.done_at.is_(None), lookups.c.asked_at >= since)
            .order_by(lookups.c.asked_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_lookup(row) for row in (await connection.execute(query)).mappings()]

    async def done(self, lookup_id: str, at: datetime) -> None:
        """The question is answered, or cannot be any more."""
        async with self._database.write() as connection:
            await connection.execute(sa.update(lookups).where(lookups.c.id == lookup_id).values(done_at=at))

    async def get(self, lookup_id: str) -> Lookup | None:
        """A question, answered or not."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(lookups).where(lookups.c.id == lookup_id))).mappings().first()
        return _lookup(row) if row is not None else None

    async def forget(self, before: datetime) -> None:
        """Delete questions, and notes of other requests, that are too old to be repeated or shared."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(lookups).where(lookups.c.asked_at < before))
            await connection.execute(sa.delete(inbox).where(inbox.c.received_at < before))


def _settle(group: Sequence[_Waiting], failed: Exception | None) -> None:
    for each in group:
        if each.written.done():
            continue
        if failed is None:
            each.written.set_result(None)
        else:
            each.written.set_exception(failed)


def _row(lookup: Lookup) -> dict[str, Any]:
    return {**asdict(lookup), "done_at": None}


def _lookup(row: Any) -> Lookup:
    return Lookup(row["id"], row["address"], row["user_id"], row["answer_at"], row["asked_at"])
