"""What is known of addresses, and the ledger of the day's calls, in SQL. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.reputation import Failure, Found, NotPublic, outcome_from_dict, outcome_to_dict
from bot.intel.ports import Denied, Kept, Ledger, QuotaState
from bot.store.database import Database
from bot.store.tables import quota, reputations

_CHECK = "check"


class SqlReputations:
    """Implements `bot.intel.ports.ReputationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, address: str, window_days: int) -> Kept:
        """What is stored of the address for this window; an empty `Kept` when nothing is."""
        query = sa.select(reputations).where(reputations.c.address == address, reputations.c.window_days == window_days)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        return Kept() if row is None else _kept(row)

    async def put(self, address: str, window_days: int, outcome: Found | Failure, at: datetime) -> None:
        """Keep an outcome. A `Found` replaces what was there; a failure leaves the last `Found` beside it."""
        if isinstance(outcome, Found):
            found_at = outcome.reputation.fetched_at
            kept: dict[str, Any] = {"found": outcome_to_dict(outcome), "found_at": found_at}
            kept |= {"failure": None, "failed_at": None}
        else:
            kept = {"failure": outcome_to_dict(outcome), "failed_at": at}
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        statement = insert(reputations).values(address=address, window_days=window_days, **kept)
        statement = statement.on_conflict_do_update(index_elements=["address", "window_days"], set_=kept)
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def forget(self, before: datetime) -> int:
        """Delete answers fetched and failures met before that moment; how many addresses are gone entirely."""
        old_found, old_failure = reputations.c.found_at < before, reputations.c.failed_at < before
        empty = sa.and_(reputations.c.found_at.is_(None), reputations.c.failed_at.is_(None))
        async with self._database.write() as connection:
            await connection.execute(sa.update(reputations).where(old_found).values(found=None, found_at=None))
            await connection.execute(sa.update(reputations).where(old_failure).values(failure=None, failed_at=None))
            return (await connection.execute(sa.delete(reputations).where(empty))).rowcount

    async def quota(self) -> Ledger:
        """The ledger as it stands; a fresh `Ledger()` before the first call."""
        async with self._database.read() as connection:
            return await self._ledger(connection, lock=False)

    async def reserve(self, now: datetime, kept: int) -> Denied | None:
        """Take one call with `Ledger.reserve`, atomically; why not, when it may not be taken."""
        async with self._database.write() as connection:
            ledger, denied = (await self._ledger(connection, lock=True)).reserve(now, kept)
            if denied is None:
                await self._save(connection, ledger)
            return denied

    async def record(self, said: QuotaState, now: datetime) -> None:
        """Apply `Ledger.record`, atomically."""
        async with self._database.write() as connection:
            await self._save(connection, (await self._ledger(connection, lock=True)).record(said, now))

    async def close(self, until: datetime) -> None:
        """Apply `Ledger.close`, atomically."""
        async with self._database.write() as connection:
            await self._save(connection, (await self._ledger(connection, lock=True)).close(until))

    async def _ledger(self, connection: AsyncConnection, *, lock: bool) -> Ledger:
        """The row; locked, it is made first where it is missing, since a row that is not there cannot be locked."""
        query = sa.select(quota).where(quota.c.endpoint == _CHECK)
        if lock and not self._database.is_sqlite:
            fresh = Ledger()
            made = postgresql.insert(quota).values(_row(fresh)).on_conflict_do_nothing()
            await connection.execute(made)
            query = query.with_for_update()
        row = (await connection.execute(query)).mappings().first()
        if row is None:
            return Ledger()
        return Ledger(row["daily_limit"], row["remaining"], row["counted_at"], row["closed_until"])

    async def _save(self, connection: AsyncConnection, ledger: Ledger) -> None:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        values = _row(ledger)
        changed = {name: value for name, value in values.items() if name != "endpoint"}
        statement = insert(quota).values(values)
        await connection.execute(statement.on_conflict_do_update(index_elements=["endpoint"], set_=changed))


def _row(ledger: Ledger) -> dict[str, Any]:
    return {
        "endpoint": _CHECK,
        "daily_limit": ledger.limit,
        "remaining": ledger.remaining,
        "counted_at": ledger.counted_at,
        "closed_until": ledger.closed_until,
    }


def _kept(row: Mapping[Any, Any]) -> Kept:
    found = outcome_from_dict(row["found"]) if row["found"] else None
    failure = outcome_from_dict(row["failure"]) if row["failure"] else None
    return Kept(
        found if isinstance(found, Found) else None,
        None if failure is None or isinstance(failure, Found | NotPublic) else failure,
        row["failed_at"],
    )
