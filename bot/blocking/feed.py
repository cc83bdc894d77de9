"""The text feed as a blocking backend: the record is the list.

Nothing has to be done to block or to undo: `GET /blocklist.txt` reads what is in force. It needs no privileges, every
firewall reads it, and it ends by itself.
"""

from __future__ import annotations

from bot.domain.block import BlockRequest, in_force
from bot.services.contain import Plan
from bot.services.ports import Clock
from bot.services.storage import Store

_WORDS = {3600: "hour", 86_400: "day"}


class FeedBackend:
    """Blocks by being on the list that firewalls read."""

    name = "feed"

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def plan(self, request: BlockRequest) -> Plan:
        """One line more on the list."""
        return Plan(f"{request.address} joins /blocklist.txt for {_span(int(request.ttl.total_seconds()))}.")

    async def apply(self, request: BlockRequest) -> None:
        """Nothing to do: an active request is on the list."""

    async def verify(self, request: BlockRequest) -> bool:
        """Whether the list holds the address now."""
        now = self._clock.now()
        async with self._store.read() as tx:
            current = await tx.requests.get(request.id)
        return current is not None and in_force(current, now)

    async def undo(self, request: BlockRequest) -> None:
        """Nothing to do: a request that has ended is not on the list."""


def _span(seconds: int) -> str:
    for size, word in sorted(_WORDS.items(), reverse=True):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    return f"{seconds} seconds"
