"""Answers: look-ups that people asked for, from the moment they are written down to the answer.

The intake writes the requests of many people in one transaction, so that acknowledging one costs a share of a commit. A
pump takes what waits, oldest first, a few at a time. It starts with what an earlier process left behind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from bot.services.ports import Clock
from bot.services.respond import Received

ANSWERABLE = timedelta(minutes=30)
"""How long an answer address lives: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses."""

_AT_ONCE = 8
_PAUSE = 0.3
"""Between rounds: 25 answers a second is more than any workspace asks, and leaves the processor to those who ask."""

log = logging.getLogger("tocsin.answers")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A person's question about one address. `answer_at` is sealed."""

    id: str
    address: str
    user_id: str
    answer_at: str
    asked_at: datetime


class Intake(Protocol):
    """Where questions are written down."""

    async def write(self, lookup: Lookup, *, again: bool) -> None:
        """Returns when the question is on disk. A question that comes again is not asked twice."""
        ...

    async def waiting(self, since: datetime, limit: int) -> list[Lookup]:
        """Unanswered questions asked since then, oldest first."""
        ...

    async def done(self, lookup_id: str, at: datetime) -> None:
        """The question is answered, or cannot be any more."""
        ...

    async def get(self, lookup_id: str) -> Lookup | None:
        """A question, answered or not."""
        ...


class Sealer(Protocol):
    """Keeps an answer address unreadable at rest."""

    def close(self, address: SecretStr) -> str:
        """The address, unreadable."""
        ...

    def open(self, sealed: str) -> SecretStr | None:
        """The address, if it can still be read."""
        ...


Answerer = Callable[[Lookup, SecretStr, bool], Awaitable[None]]
"""Looks up and answers at the address; the flag says whether the whole channel is to see it."""


class Answers:
    """Takes questions and answers them."""

    def __init__(self, intake: Intake, seal: Sealer, clock: Clock, answer: Answerer) -> None:
        self._intake, self._seal, self._clock, self._answer = intake, seal, clock, answer
        self._asked = asyncio.Event()

    async def take(self, address: str, user_id: str, answer_at: SecretStr, received: Received) -> None:
        """Write the question down. It is answered soon after, also by the next process if this one dies."""
        lookup = Lookup(lookup_id(received), address, user_id, self._seal.close(answer_at), self._clock.now())
        await self._intake.write(lookup, again=received.again)
        self._asked.set()

    async def find(self, request_id: str, user_id: str) -> Lookup | None:
        """A question that this person asked; None when it is not known, or somebody else asked it."""
        lookup = await self._intake.get(request_id)
        return lookup if lookup is not None and lookup.user_id == user_id else None

    async def share(self, lookup: Lookup, answer_at: SecretStr) -> None:
        """Answer a question once more, for the whole channel. Calls Slack: not before a click is acknowledged."""
        await self._give(lookup, answer_at, shared=True)

    async def pump(self) -> None:
        """Answer what waits, until cancelled."""
        while True:
            self._asked.clear()
            waiting = await self._intake.waiting(self._clock.now() - ANSWERABLE, _AT_ONCE)
            await asyncio.gather(*(self._settle(lookup) for lookup in waiting))
            if len(waiting) < _AT_ONCE:
                await self._asked.wait()
            else:
                await asyncio.sleep(_PAUSE)

    async def _settle(self, lookup: Lookup) -> None:
        address = self._seal.open(lookup.answer_at)
        if address is not None:
            await self._give(lookup, address, shared=False)
        await self._intake.done(lookup.id, self._clock.now())

    async def _give(self, lookup: Lookup, address: SecretStr, *, shared: bool) -> None:
        try:
            await self._answer(lookup, address, shared)
        except Exception:
            log.exception("the question %s could not be answered", lookup.id)


def lookup_id(received: Received) -> str:
    """`LKP-` and 20 characters, the same for a question that comes again."""
    return f"LKP-{received.key[:20].upper()}"
