"""The ledger of one day's calls: a value, so that every store can keep it in a row and count it the same way.

The provider's headers are believed over our own count. It names the moment of its reset only when it refuses a call, so
now and then one call goes out with nothing left to spend: to learn that moment, or whether a new day has begun.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ASSUMED_DAILY_LIMIT = 1000
"""Checks a day on the provider's free plan, until its headers say otherwise: https://www.abuseipdb.com/pricing."""

PROBE_EVERY = timedelta(hours=1)
"""How often an alert may ask whether the quota has come back, out of the people's share: at worst 24 calls a day."""

LEARN_RESET_EVERY = timedelta(seconds=10)
"""How often one call may go out when nothing is left. The refusal costs nothing and names the reset."""


@dataclass(frozen=True, slots=True)
class QuotaState:
    """What the rate-limit headers of one answer said; None is unsaid."""

    limit: int | None
    remaining: int | None
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """No call now; `until` is when asking makes sense again."""

    until: datetime
    kept_for_people: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """Calls left today. `closed_until` is set by a "quota exceeded" answer and passes by itself."""

    limit: int = ASSUMED_DAILY_LIMIT
    remaining: int = ASSUMED_DAILY_LIMIT
    counted_at: datetime | None = None
    closed_until: datetime | None = None

    def is_closed(self, now: datetime) -> bool:
        """Whether the provider said that nothing is left, and its reset is still ahead."""
        return self.closed_until is not None and now < self.closed_until

    def reserve(self, now: datetime, kept: int) -> tuple[Ledger, Denied | None]:
        """The ledger with one call taken, unless that would touch the last `kept` calls."""
        if self.closed_until is not None and now < self.closed_until:
            return self, Denied(self.closed_until, kept_for_people=False)
        left = self.limit if self.closed_until is not None else self.remaining
        again = (self.counted_at or now) + (PROBE_EVERY if left > 0 else LEARN_RESET_EVERY)
        if left <= kept and now < again:
            return self, Denied(again, kept_for_people=left > 0)
        return replace(self, remaining=max(0, left - 1), counted_at=now, closed_until=None), None

    def record(self, said: QuotaState, now: datetime) -> Ledger:
        """The ledger after an answer with these headers."""
        limit = self.limit if said.limit is None else said.limit
        remaining = self.remaining if said.remaining is None else said.remaining
        return replace(self, limit=limit, remaining=remaining, counted_at=now)

    def close(self, until: datetime) -> Ledger:
        """The ledger after "quota exceeded": no call before `until`."""
        return replace(self, remaining=0, closed_until=until)
