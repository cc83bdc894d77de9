"""The reputation store in memory, for tests that are about something else than storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.reputation import Failure, Found
from bot.intel.ports import Denied, Kept, Ledger, QuotaState


class MemoryStore:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Kept] = {}
        self.ledger = Ledger()

    async def get(self, address: str, window_days: int) -> Kept:
        return self.rows.get((address, window_days), Kept())

    async def put(self, address: str, window_days: int, outcome: Found | Failure, at: datetime) -> None:
        kept = await self.get(address, window_days)
        new = Kept(found=outcome) if isinstance(outcome, Found) else replace(kept, failure=outcome, failed_at=at)
        self.rows[address, window_days] = new

    async def forget(self, before: datetime) -> int:
        left = {key: _without_old(kept, before) for key, kept in self.rows.items()}
        gone = [key for key, kept in left.items() if kept == Kept()]
        self.rows = {key: kept for key, kept in left.items() if key not in gone}
        return len(gone)

    async def quota(self) -> Ledger:
        return self.ledger

    async def reserve(self, now: datetime, kept: int) -> Denied | None:
        self.ledger, denied = self.ledger.reserve(now, kept)
        return denied

    async def record(self, said: QuotaState, now: datetime) -> None:
        self.ledger = self.ledger.record(said, now)

    async def close(self, until: datetime) -> None:
        self.ledger = self.ledger.close(until)


def _without_old(kept: Kept, before: datetime) -> Kept:
    found = kept.found if kept.found and kept.found.reputation.fetched_at >= before else None
    recent = kept.failed_at is not None and kept.failed_at >= before
    return Kept(found, kept.failure, kept.failed_at) if recent else Kept(found)
