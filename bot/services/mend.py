"""Mend: the backstop. Whatever our tables say is not finished is set going again.

The engine drives work from the transaction that made it; this sweep is for what it lost or gave up. What the sweep sets
going runs once and is not driven on: while a platform is down, tries must not pile up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.alert import Delivery
from bot.domain.work import Job
from bot.services.ports import Clock
from bot.services.storage import Store
from bot.services.work import CHAT, MACHINE

PATIENCE = timedelta(minutes=2)
"""How long work may be unfinished before the sweep takes it for lost."""

_CARDS_AT_ONCE = 50


class Mend:
    """Sweeps the outbox, the cards and the requests to block."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def sweep(self) -> int:
        """Set going again what has been unfinished for too long; how many jobs that took."""
        now = self._clock.now()
        async with self._store.read() as tx:
            undone = await tx.deliveries.undone(now - PATIENCE)
            stale = await tx.deliveries.stale(_CARDS_AT_ONCE)
            requests = await tx.requests.unfinished()
        jobs = [_post_again(delivery, now) for delivery in undone]
        jobs += [Job("redraw_once", f"{card.subject}:{_minute(now)}", MACHINE) for card in stale]
        jobs += [
            Job("block_once", f"{request.id}:{request.version}:{_minute(now)}", MACHINE)
            for request in requests
            if (request.ends_at or request.decide_by) < now - PATIENCE
        ]
        if jobs:
            async with self._store.write() as tx:
                for job in jobs:
                    await tx.enqueue(job)
        return len(jobs)


def _post_again(delivery: Delivery, now: datetime) -> Job:
    return Job("post_once", f"{delivery.id}|{_minute(now)}", CHAT, partition=delivery.channel)


def _minute(now: datetime) -> str:
    """Part of a job's id: within a few minutes the sweep's jobs for one thing are one job."""
    return str(int(now.timestamp() // PATIENCE.total_seconds()))
