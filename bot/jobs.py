"""Which service does which kind of durable work. Keys are what `bot/services/work.py` makes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.errors import NotFound, QueryRefused, SourceError, SourceUnavailable
from bot.services.contain import Contain
from bot.services.deliver import Deliver
from bot.services.detect import Detect
from bot.services.enrich import Enrich
from bot.services.mend import Mend
from bot.services.ports import Clock
from bot.services.storage import Store
from bot.services.work import evaluate

Handler: TypeAlias = Callable[[str], Awaitable[timedelta | None]]

_AGAIN = timedelta(seconds=30)
_AGAIN_REFUSED = timedelta(minutes=10)

log = logging.getLogger("tocsin.jobs")


@dataclass(frozen=True, slots=True)
class Jobs:
    """The services that work is handed to."""

    store: Store
    clock: Clock
    detect: Detect
    deliver: Deliver
    enrich: Enrich
    contain: Contain
    mend: Mend
    refresh_members: Callable[[], Awaitable[None]]
    tidy: Callable[[], Awaitable[None]]

    def handlers(self) -> dict[str, Handler]:
        """The handler of every kind."""
        return {
            "tick": self.tick,
            "detect": self.evaluate,
            "post": self.post,
            "post_once": self.post_once,
            "redraw": self.redraw,
            "redraw_once": self.redraw_once,
            "enrich": self.look_up,
            "block": self.block,
            "block_once": self.block_once,
            "sweep": self.sweep,
            "members": self.members,
            "tidy": self.tidy_up,
        }

    async def tick(self, _key: str) -> None:
        """Set going the evaluations that are due."""
        due = await self.detect.due()
        if due:
            async with self.store.write() as tx:
                for rule_id, end in due:
                    await tx.enqueue(evaluate(rule_id, end))

    async def evaluate(self, key: str) -> timedelta | None:
        """Evaluate a rule up to a moment, until its source answers or a later evaluation covers the same rows."""
        rule_id, _, moment = key.partition("|")
        end = datetime.fromisoformat(moment)
        try:
            if await self.detect.is_covered(rule_id, end):
                return None
            await self.detect.run(rule_id, end)
        except SourceUnavailable as down:
            log.warning("%s was not evaluated up to %s: %s", rule_id, moment, down)
            return _AGAIN if down.retry_after is None else timedelta(seconds=down.retry_after)
        except QueryRefused as refused:
            log.error("%s cannot be evaluated: %s", rule_id, refused)
            return _AGAIN_REFUSED
        except SourceError as failed:
            log.error("%s was not evaluated up to %s: %s", rule_id, moment, failed)
            return _AGAIN
        except NotFound as gone:
            log.warning("%s", gone)
        return None

    async def post(self, key: str) -> timedelta | None:
        """Bring a message into its channel."""
        return await self.deliver.post(key)

    async def post_once(self, key: str) -> None:
        """One more try for a message that has waited too long."""
        delivery_id, _, minute = key.rpartition("|")
        await self.deliver.post(delivery_id, by=minute)

    async def redraw(self, key: str) -> timedelta | None:
        """Bring posted cards up to date."""
        return await self.deliver.redraw(key.partition(":")[0])

    async def redraw_once(self, key: str) -> None:
        """One more try."""
        await self.redraw(key)

    async def look_up(self, key: str) -> timedelta | None:
        """Learn what is known of an incident's addresses."""
        return await self.enrich.run(key.partition(":")[0])

    async def block(self, key: str) -> timedelta | None:
        """Move a request to block."""
        request, version, *_ = key.split(":")
        return await self.contain.move(request, int(version))

    async def block_once(self, key: str) -> None:
        """One more try."""
        await self.block(key)

    async def sweep(self, _key: str) -> None:
        """Find what was lost."""
        count = await self.mend.sweep()
        if count:
            log.warning("%d pieces of work were unfinished for too long and are set going again", count)

    async def members(self, _key: str) -> None:
        """Learn who is in which group."""
        await self.refresh_members()

    async def tidy_up(self, _key: str) -> None:
        """Forget what nobody needs any more."""
        await self.tidy()
