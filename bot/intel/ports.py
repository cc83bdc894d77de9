"""What the look-up needs from outside. The contract suite is tests/contracts/test_reputation_store.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.reputation import Failure, Found, Outcome
from bot.intel.quota import Denied, Ledger, QuotaState

__all__ = ["Denied", "Kept", "Ledger", "Provider", "QuotaState", "ReputationStore"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored of an address: the last good answer, and a failure that came after it, if one did."""

    found: Found | None = None
    failure: Failure | None = None
    failed_at: datetime | None = None


class Provider(Protocol):
    """Asks the provider once, without any cache."""

    async def check(self, address: str) -> tuple[Outcome, QuotaState | None]:
        """The outcome, and what the rate-limit headers said. Failures are values; nothing is raised for them."""
        ...


class ReputationStore(Protocol):
    """Keeps answers and the quota ledger. Each method is one transaction, safe among many processes."""

    async def get(self, address: str, window_days: int) -> Kept:
        """What is stored of the address for this window; an empty `Kept` when nothing is."""
        ...

    async def put(self, address: str, window_days: int, outcome: Found | Failure, at: datetime) -> None:
        """Keep an outcome. A `Found` replaces what was there; a failure leaves the last `Found` beside it."""
        ...

    async def forget(self, before: datetime) -> int:
        """Delete answers fetched and failures met before that moment; how many addresses are gone entirely."""
        ...

    async def quota(self) -> Ledger:
        """The ledger as it stands; a fresh `Ledger()` before the first call."""
        ...

    async def reserve(self, now: datetime, kept: int) -> Denied | None:
        """Take one call with `Ledger.reserve`, atomically; why not, when it may not be taken."""
        ...

    async def record(self, said: QuotaState, now: datetime) -> None:
        """Apply `Ledger.record`, atomically."""
        ...

    async def close(self, until: datetime) -> None:
        """Apply `Ledger.close`, atomically."""
        ...
