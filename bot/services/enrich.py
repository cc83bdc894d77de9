"""Enrich: what is known of every address of an incident.

The card never waits for it: it is posted at once and drawn again when an answer is there. What could not be learnt is
asked again, when the provider's quota comes back or the provider does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, Protocol

from bot.domain.reputation import Answer, QuotaExceeded, Unavailable
from bot.services.ports import Clock
from bot.services.storage import Store
from bot.services.work import redraw

_AGAIN = timedelta(minutes=2)
_LONGEST = timedelta(hours=6)
_GIVE_UP = timedelta(days=2)


class LookUp(Protocol):
    """Answers what is known of an address."""

    async def look_up(self, address: str, *, purpose: Literal["alert", "person"], fresh: bool = False) -> Answer:
        """The answer, from the cache or from the provider. Failures are values."""
        ...


class Enrich:
    """Looks up an incident's addresses and has its card drawn again."""

    def __init__(self, store: Store, reputation: LookUp, clock: Clock) -> None:
        self._store, self._reputation, self._clock = store, reputation, clock

    async def run(self, incident_id: str) -> timedelta | None:
        """Look up what is not known; how long until asking again makes sense, None when nothing is left to ask."""
        async with self._store.read() as tx:
            alert = await tx.incidents.get(incident_id)
            addresses = await tx.incidents.addresses(incident_id)
        if alert is None or not addresses:
            return None
        answers = await asyncio.gather(*(self._reputation.look_up(address, purpose="alert") for address in addresses))
        await self._draw_again(incident_id)
        if self._clock.now() - alert.created_at > _GIVE_UP:
            return None
        return self._when(answers)

    async def _draw_again(self, incident_id: str) -> None:
        async with self._store.write() as tx:
            await tx.incidents.redraw(incident_id)
            alert = await tx.incidents.get(incident_id)
            if alert is not None:
                await tx.enqueue(redraw(incident_id, alert.revision, by_person=False))

    def _when(self, answers: Sequence[Answer]) -> timedelta | None:
        waits = [wait for wait in map(self._wait, answers) if wait is not None]
        return min(max(min(waits), timedelta(seconds=1)), _LONGEST) if waits else None

    def _wait(self, answer: Answer) -> timedelta | None:
        outcome = answer.outcome
        if isinstance(outcome, QuotaExceeded):
            return outcome.until - self._clock.now()
        if isinstance(outcome, Unavailable):
            return _AGAIN if outcome.retry_after is None else timedelta(seconds=outcome.retry_after)
        return None
