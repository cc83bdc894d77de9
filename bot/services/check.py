"""Check: the answer to `/ipcheck`.

The command is acknowledged from what is at hand: what was understood, and the whole answer where none needs the
provider. The rest is durable: the command is written down before it is acknowledged, and answered at the address that
came with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.domain.addresses import extract, why_not_public
from bot.domain.alert import Alert
from bot.domain.block import BlockRequest
from bot.domain.reputation import Answer
from bot.services.enrich import LookUp
from bot.services.ports import Clock
from bot.services.storage import Store

_LATEST = 5


@dataclass(frozen=True, slots=True)
class NothingUnderstood:
    """No address in the text, and why."""

    text: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OnlyOne:
    """More than one address, or a network: this form of the command answers for one address at a time."""

    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Local:
    """An address that is answered without asking anybody."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Ask:
    """An address to look up."""

    address: str


Understood: TypeAlias = NothingUnderstood | OnlyOne | Local | Ask


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is known of an address."""

    address: str
    answer: Answer
    seen_in: tuple[Alert, ...]
    block: BlockRequest | None
    at: datetime


class Check:
    """Understands the command and makes its answer."""

    def __init__(self, store: Store, reputation: LookUp, clock: Clock, may_look_up: Callable[[str], bool]) -> None:
        self._store, self._reputation, self._clock = store, reputation, clock
        self._may_look_up = may_look_up

    def understand(self, text: str) -> Understood:
        """What the text asks for. Asks nobody and reads nothing."""
        extraction = extract(text)
        if not extraction.found:
            return NothingUnderstood(text, tuple(extraction.reasons))
        if len(extraction.found) > 1 or extraction.networks:
            return OnlyOne(tuple(map(str, extraction.found)))
        address = str(extraction.found[0])
        if self._may_look_up(address):
            return Ask(address)
        return Local(address, why_not_public(address) or "not a public address")

    async def report(self, address: str, *, fresh: bool = False) -> Report:
        """Look the address up for a person, with what we know of it ourselves."""
        answer = await self._reputation.look_up(address, purpose="person", fresh=fresh)
        async with self._store.read() as tx:
            seen = await tx.incidents.seen_with(address, _LATEST)
            block = await tx.requests.alive(address)
        return Report(address, answer, tuple(seen), block, self._clock.now())
