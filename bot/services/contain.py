"""Contain: from a request to block an address to the end of the block.

Asking and deciding are transactions on the request, by compare-and-set. What follows an approval (plan, apply, verify)
and what time brings (a request lapses, a block ends) is durable work that moves the request one step at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from bot.domain.access import Access
from bot.domain.addresses import is_public, why_not_public
from bot.domain.alert import Delivery, DeliveryKind
from bot.domain.audit import Entry
from bot.domain.block import (
    BlockAction,
    BlockRequest,
    BlockState,
    NotDone,
    advance,
    judge,
    protected_by,
)
from bot.domain.incident import Person
from bot.services.detect import OURSELVES
from bot.services.outbox import add, add_line
from bot.services.ports import Clock, Rooms
from bot.services.respond import NotAllowed, Received, Repeat, Unknown, already_taken
from bot.services.storage import Store, Transaction
from bot.services.work import block, redraw


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backend would change, in a sentence for the approver. `possible` is false when it cannot be done there."""

    sentence: str
    possible: bool = True


class Backend(Protocol):
    """One place where an address can be blocked. Every method may be run again; the record is ours, not its own."""

    @property
    def name(self) -> str:
        """The name in policy, cards and audit."""
        ...

    async def plan(self, request: BlockRequest) -> Plan:
        """What applying would change. Changes nothing."""
        ...

    async def apply(self, request: BlockRequest) -> None:
        """Block. Raises TocsinError with a sentence when it could not be done."""
        ...

    async def verify(self, request: BlockRequest) -> bool:
        """Whether the block is there, read back from the backend."""
        ...

    async def undo(self, request: BlockRequest) -> None:
        """Take the block away."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be asked for."""

    max_ttl: timedelta
    decide_within: timedelta
    protected: Sequence[str]
    known: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for in the form."""

    id: str
    incident_id: str
    address: str
    ttl: timedelta
    reason: str
    by: Person


@dataclass(frozen=True, slots=True)
class Asked:
    """The request stands and waits for an approver."""

    request: BlockRequest


@dataclass(frozen=True, slots=True)
class Invalid:
    """The form cannot be taken: a sentence for each field that is wrong."""

    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """The request after an approver's decision."""

    request: BlockRequest


@dataclass(frozen=True, slots=True)
class Undecided:
    """The decision does not count, and why."""

    why: NotDone
    request: BlockRequest


Judged: TypeAlias = Decided | Undecided | Unknown | Repeat


def request_id(form: str) -> str:
    """`BLK-` and ten characters, the same for the same form: a form that is sent twice is one request."""
    return "BLK-" + hashlib.sha256(form.encode()).hexdigest()[:10].upper()


class Contain:
    """Requests to block, their approval and their end."""

    def __init__(
        self, store: Store, clock: Clock, access: Access, rooms: Rooms, terms: Terms, backends: Sequence[Backend]
    ) -> None:
        self._store, self._clock, self._access = store, clock, access
        self._rooms, self._terms, self._backends = rooms, terms, backends

    def refusal(self, address: str) -> str | None:
        """Why this address may not be blocked, in a sentence; None when it may be asked for."""
        network = protected_by(address, self._terms.protected)
        if network is not None:
            return f"{address} is in the protected network {network}. Nobody can block it from here."
        if not is_public(address) and protected_by(address, self._terms.known) is None:
            why = why_not_public(address)
            return f"{address} is not a public address ({why}): blocking it would not keep anybody out."
        return None

    async def ask(self, wish: Wish, received: Received) -> Asked | Invalid | NotAllowed | Unknown | Repeat:
        """Take a request, or say what is wrong with it."""
        problems = self._problems(wish)
        if problems:
            return Invalid(problems)
        now = self._clock.now()
        async with self._store.write() as tx:
            if await already_taken(tx, received, now):
                return Repeat()
            return await self._ask(tx, wish, now)

    def _problems(self, wish: Wish) -> dict[str, str]:
        problems: dict[str, str] = {}
        try:
            refused = self.refusal(wish.address)
        except ValueError:
            refused = f"{wish.address!r} is not an address."
        if refused:
            problems["address"] = refused
        if not timedelta(0) < wish.ttl <= self._terms.max_ttl:
            problems["ttl"] = f"A block lasts at most {self._terms.max_ttl.days} days."
        if not wish.reason.strip():
            problems["reason"] = "Say why, for the approver and for the record."
        return problems

    async def _ask(self, tx: Transaction, wish: Wish, now: datetime) -> Asked | Invalid | NotAllowed | Unknown:
        alert = await tx.incidents.get(wish.incident_id)
        if alert is None:
            return Unknown(wish.incident_id)
        if not self._access.may_respond(wish.by.id, await tx.directory.groups_of(wish.by.id)):
            return NotAllowed("analyst")
        alive = await tx.requests.alive(wish.address)
        if alive is not None and alive.id != wish.id:
            return Invalid({"address": _already(alive, now)})
        request = BlockRequest(
            wish.id,
            wish.incident_id,
            wish.address,
            wish.ttl,
            wish.reason.strip(),
            wish.by,
            now,
            now + self._terms.decide_within,
        )
        if await tx.requests.add(request):
            await self._follow(tx, None, request, wish.by.id, now)
            approval = Delivery(f"approval:{request.id}", DeliveryKind.APPROVAL, request.id, self._rooms.approvals, now)
            await add(tx, approval)
        return Asked(request)

    async def judge(self, request: str, action: BlockAction, *, version: int, by: Person, received: Received) -> Judged:
        """Approve or reject."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if await already_taken(tx, received, now):
                return Repeat()
            before = await tx.requests.get(request)
            if before is None:
                return Unknown(request)
            approver = self._access.may_approve(by.id, await tx.directory.groups_of(by.id))
            after = judge(before, action, version=version, by=by, approver=approver, at=now)
            if isinstance(after, NotDone):
                return Undecided(after, before)
            if not await tx.requests.save(before, after):
                return Undecided(NotDone.MOVED_ON, before)
            await self._follow(tx, before, after, by.id, now)
            return Decided(after)

    async def undo(self, request: str, by: Person) -> Judged:
        """End a block before its time. An approver's decision, too."""
        now = self._clock.now()
        async with self._store.write() as tx:
            before = await tx.requests.get(request)
            if before is None:
                return Unknown(request)
            if not self._access.may_approve(by.id, await tx.directory.groups_of(by.id)):
                return Undecided(NotDone.NOT_AN_APPROVER, before)
            after = advance(before, BlockAction.UNDO, at=now)
            if isinstance(after, NotDone):
                return Undecided(after, before)
            if not await tx.requests.save(before, after):
                return Undecided(NotDone.MOVED_ON, before)
            await self._follow(tx, before, after, by.id, now)
            return Decided(after)

    async def move(self, request: str, version: int) -> timedelta | None:
        """Do what time and the last decision ask of this version of a request.

        Answers how long until something is due; None when nothing is, or a newer version has work of its own.
        """
        async with self._store.read() as tx:
            current = await tx.requests.get(request)
        if current is None or current.version != version:
            return None
        now = self._clock.now()
        if current.state is BlockState.PENDING:
            return await self._when(current, current.decide_by, BlockAction.LAPSE, now)
        if current.state is BlockState.APPROVED:
            await self._apply(current)
            await self._advance(current, BlockAction.APPLY)
            return timedelta(0)
        if current.state is BlockState.ACTIVE and current.ends_at is not None:
            return await self._when(current, current.ends_at, BlockAction.EXPIRE, now)
        if current.state in (BlockState.EXPIRED, BlockState.UNDONE):
            for backend in self._backends:
                await backend.undo(current)
        return None

    async def _when(self, current: BlockRequest, due: datetime, action: BlockAction, now: datetime) -> timedelta | None:
        if now < due:
            return due - now
        await self._advance(current, action)
        return timedelta(0)

    async def _apply(self, request: BlockRequest) -> None:
        for backend in self._backends:
            await backend.apply(request)

    async def _advance(self, before: BlockRequest, action: BlockAction) -> None:
        now = self._clock.now()
        after = advance(before, action, at=now)
        if isinstance(after, NotDone):
            return
        async with self._store.write() as tx:
            if await tx.requests.save(before, after):
                await self._follow(tx, before, after, OURSELVES, now)

    async def _follow(
        self, tx: Transaction, before: BlockRequest | None, after: BlockRequest, actor: str, now: datetime
    ) -> None:
        """The audit entry, the line under the card, both cards and the next piece of work: all in the transaction."""
        state = after.state.value
        was = {"state": before.state.value} if before else {}
        became = {"state": state, "address": after.address, "reason": after.reason}
        await tx.audit.append(Entry(now, actor, f"block.{state}", after.id, was, became))
        await add_line(tx, after.incident_id, f"block:{after.id}:{after.version}", _line(after), now)
        await tx.incidents.redraw(after.incident_id)
        alert = await tx.incidents.get(after.incident_id)
        if alert is not None:
            await tx.enqueue(redraw(after.incident_id, alert.revision, by_person=True))
        await tx.enqueue(redraw(after.id, after.version, by_person=True))
        await tx.enqueue(block(after.id, after.version))


def _line(request: BlockRequest) -> dict[str, Any]:
    return {"kind": f"block_{request.state.value}", "request": request.id}


def _already(alive: BlockRequest, now: datetime) -> str:
    if alive.state is BlockState.PENDING:
        return f"{alive.requested_by.name} has asked to block {alive.address} already; it waits for an approver."
    ends = alive.ends_at or now
    return f"{alive.address} is blocked already, until {ends:%Y-%m-%d %H:%M} UTC."
