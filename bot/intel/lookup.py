"""Asking about an address: first our own records, then the provider, within the day's quota.

Nothing is raised for a provider that is down, out of calls or unwilling: the answer says so. The only state held here
is the calls under way, so that people and alerts who ask for one address at one time share one call.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.reputation import Answer, Failure, Found, NotPublic, Outcome, QuotaExceeded, Refused
from bot.intel.ports import Denied, Kept, Ledger, Provider, ReputationStore
from bot.services.ports import Clock

Purpose = Literal["alert", "person"]

LONGEST_KEPT = timedelta(hours=24)
"""The score is recalculated daily, and a private cache of a day is the safe reading of the provider's terms."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long answers count, and how the day's calls are shared.

    `ttl`: a good answer counts as fresh. `keep`: it may still stand in when the provider cannot be asked; `ttl` and
    `keep` are 24 h at most. `failure_ttl`: a failure is not asked again, except by a person. `for_people`: part of the
    daily limit that alerts never touch. `alerts_at_once`: calls for alerts under way together. `window_days` must be
    the client's own window.
    """

    ttl: timedelta = timedelta(hours=12)
    keep: timedelta = LONGEST_KEPT
    failure_ttl: timedelta = timedelta(minutes=2)
    for_people: float = 0.2
    window_days: int = 30
    alerts_at_once: int = 4

    def __post_init__(self) -> None:
        if not timedelta(0) < self.ttl <= self.keep <= LONGEST_KEPT:
            raise ValueError("Reputation needs 0 h < ttl <= keep <= 24 h.")
        if not 0 <= self.for_people < 1:
            raise ValueError("The people's share of the AbuseIPDB quota must be at least 0 and less than 1.")


@dataclass(frozen=True, slots=True)
class _Ask:
    address: str
    purpose: Purpose
    fresh: bool


class Lookup:
    """Answers "what is known of this address?" for alerts and for people."""

    def __init__(
        self,
        client: Provider,
        store: ReputationStore,
        clock: Clock,
        policy: Policy,
        *,
        is_public: Callable[[str], bool],
    ) -> None:
        self._client, self._store, self._clock, self._policy = client, store, clock, policy
        self._is_public = is_public
        self._flights: dict[_Ask, asyncio.Task[Answer]] = {}
        self._queue: set[_Ask] = set()
        self._places = asyncio.Semaphore(policy.alerts_at_once)

    async def look_up(self, address: str, *, purpose: Purpose, fresh: bool = False) -> Answer:
        """What is known of `address`, which may be IPv4 or IPv6.

        `fresh` bypasses the records and counts for people only. An address that is not public, or no address at all, is
        answered here and costs no call.
        """
        known = _canonical(address)
        if known is None:
            return Answer(address, Refused("This is not an IP address. Give an IPv4 or IPv6 address."))
        if not self._is_public(known):
            return Answer(known, NotPublic())
        return await self._shared(_Ask(known, purpose, fresh and purpose == "person"))

    async def known(self, addresses: Iterable[str]) -> dict[str, Answer]:
        """What the records say of the addresses, without asking anybody. One that is still to be asked is absent."""
        now, ledger = self._clock.now(), await self._store.quota()
        _, denied = ledger.reserve(now, int(ledger.limit * self._policy.for_people))
        found = {address: await self._known(address, denied, now) for address in addresses}
        return {address: answer for address, answer in found.items() if answer is not None}

    async def _known(self, address: str, denied: Denied | None, now: datetime) -> Answer | None:
        name = _canonical(address)
        if name is None or not self._is_public(name):
            return Answer(address, NotPublic())
        kept = await self._store.get(name, self._policy.window_days)
        if kept.found is not None and (age := _age(kept.found, now)) <= self._policy.keep:
            return Answer(name, kept.found, age, kept.failure if age >= self._policy.ttl else None)
        if kept.failure is not None:
            return Answer(name, kept.failure)
        return Answer(name, _denied(denied)) if denied else None

    async def quota(self) -> Ledger:
        """Calls left today, as far as is known."""
        return await self._store.quota()

    async def aclose(self) -> None:
        """Give up the calls under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _shared(self, ask: _Ask) -> Answer:
        flight = self._joinable(ask)
        if flight is None:
            flight = self._flights[ask] = asyncio.create_task(self._in_turn(ask))
            flight.add_done_callback(lambda done: self._landed(ask, done))
        # Shielded, so that one caller who leaves does not take the answer from the others.
        answer = await asyncio.shield(flight)
        if ask.purpose == "person" and _was_kept_for_people(answer):
            return await self._shared(ask)
        return answer

    def _joinable(self, ask: _Ask) -> asyncio.Task[Answer] | None:
        """A call under way whose answer will do: a fresh one serves everybody, a person's one alerts too."""
        return next((flight for other, flight in self._flights.items() if self._serves(other, ask)), None)

    def _serves(self, other: _Ask, ask: _Ask) -> bool:
        waits = other in self._queue and ask.purpose == "person"
        return other.address == ask.address and (other.fresh or not ask.fresh) and not waits

    def _landed(self, ask: _Ask, done: asyncio.Task[Answer]) -> None:
        self._flights.pop(ask, None)
        if not done.cancelled():
            # Marks it as seen: those who wait get it raised, and when all have left there is nobody to tell.
            done.exception()

    async def _in_turn(self, ask: _Ask) -> Answer:
        """People go at once; alerts wait for one of a few places, so that a storm does not fill the connections."""
        if ask.purpose == "person":
            return await self._answer(ask)
        self._queue.add(ask)
        try:
            await self._places.acquire()
        finally:
            self._queue.discard(ask)
        try:
            return await self._answer(ask)
        finally:
            self._places.release()

    async def _answer(self, ask: _Ask) -> Answer:
        now, kept = self._clock.now(), await self._store.get(ask.address, self._policy.window_days)
        if not ask.fresh and (recorded := self._recorded(ask, kept, now)):
            return recorded
        outcome = await self._call(ask, now)
        if isinstance(outcome, Found | NotPublic):
            return Answer(ask.address, outcome)
        return self._instead(ask.address, kept, outcome)

    def _recorded(self, ask: _Ask, kept: Kept, now: datetime) -> Answer | None:
        if kept.found and (age := _age(kept.found, now)) < self._policy.ttl:
            return Answer(ask.address, kept.found, age)
        # A person who asks again wants to know now, and does so rarely enough.
        recent = kept.failed_at is not None and now - kept.failed_at < self._policy.failure_ttl
        if kept.failure and recent and ask.purpose == "alert":
            return self._instead(ask.address, kept, kept.failure)
        return None

    async def _call(self, ask: _Ask, now: datetime) -> Outcome:
        denied = await self._store.reserve(now, await self._kept_back(ask))
        if denied:
            return _denied(denied)
        outcome, said = await self._client.check(ask.address)
        now = self._clock.now()
        if said:
            await self._store.record(said, now)
        if isinstance(outcome, QuotaExceeded):
            await self._store.close(outcome.until)
        elif not isinstance(outcome, NotPublic):
            await self._store.put(ask.address, self._policy.window_days, outcome, now)
        return outcome

    async def _kept_back(self, ask: _Ask) -> int:
        if ask.purpose == "person":
            return 0
        return int((await self._store.quota()).limit * self._policy.for_people)

    def _instead(self, address: str, kept: Kept, failure: Failure) -> Answer:
        """The last good answer in place of the failure, while it may be kept."""
        age = _age(kept.found, self._clock.now()) if kept.found else None
        if kept.found is None or age is None or age > self._policy.keep:
            return Answer(address, failure)
        return Answer(address, kept.found, age, stale_because=failure)


def _canonical(address: str) -> str | None:
    """One spelling for each address, so that it has one record; an IPv4 address in IPv6 clothes is the IPv4 one."""
    try:
        read = ipaddress.ip_address(address.strip())
    except ValueError:
        return None
    mapped = read.ipv4_mapped if isinstance(read, ipaddress.IPv6Address) else None
    return str(mapped or read)


def _was_kept_for_people(answer: Answer) -> bool:
    why = answer.stale_because or answer.outcome
    return isinstance(why, QuotaExceeded) and why.kept_for_people


def _denied(denied: Denied) -> QuotaExceeded:
    return QuotaExceeded(denied.until, denied.kept_for_people)


def _age(found: Found, now: datetime) -> timedelta:
    """Never negative, also when the clock was set back."""
    return max(timedelta(0), now - found.reputation.fetched_at)
