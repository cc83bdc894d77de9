"""What the services need to remember, as Protocols. The contract suite is tests/contracts/test_store.py."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from bot.domain.alert import Alert, Delivery, Event, RuleState
from bot.domain.audit import Entry
from bot.domain.block import BlockRequest
from bot.domain.finding import Finding
from bot.domain.incident import Incident
from bot.domain.work import Job


class Detections(Protocol):
    """How far each rule is, and which rows are known."""

    async def state(self, rule_id: str) -> RuleState:
        """The rule's state; a fresh one for a rule that never ran."""
        ...

    async def unseen(self, rule_id: str, findings: Sequence[Finding]) -> list[Finding]:
        """Those of the findings that are new. From now on they are known."""
        ...

    async def advance(self, rule_id: str, *, watermark: datetime | None, at: datetime, rows: int) -> None:
        """Note a good evaluation. A watermark never moves back; None leaves it."""
        ...

    async def fail(self, rule_id: str, *, at: datetime, problem: str) -> None:
        """Note a failed evaluation; the watermark stays."""
        ...

    async def forget(self, rule_id: str, before: datetime) -> None:
        """Drop the fingerprints of rows whose event time lies before that moment."""
        ...


class Incidents(Protocol):
    """Incidents with their rows and addresses."""

    async def get(self, incident_id: str) -> Alert | None:
        """The incident as it stands."""
        ...

    async def latest(self, group: str) -> Alert | None:
        """The last generation of a group."""
        ...

    async def add(self, alert: Alert) -> None:
        """Store a new incident, without rows."""
        ...

    async def join(self, incident_id: str, findings: Sequence[Finding], at: datetime) -> None:
        """Add rows: events, times and addresses follow, and the revision grows."""
        ...

    async def decide(self, before: Incident, after: Incident) -> bool:
        """Store a decision if the version is still the one of `before`; the revision grows. False when it moved on."""
        ...

    async def redraw(self, incident_id: str) -> None:
        """Say that what the card shows has changed: the revision grows."""
        ...

    async def events(self, incident_id: str, limit: int) -> list[Event]:
        """The first rows by event time."""
        ...

    async def addresses(self, incident_id: str) -> list[str]:
        """All addresses, in the order in which they were seen."""
        ...

    async def recent(self, limit: int, *, states: Sequence[str] = ()) -> list[Alert]:
        """The newest incidents first."""
        ...

    async def seen_with(self, address: str, limit: int) -> list[Alert]:
        """The newest incidents that the address is part of."""
        ...


class Deliveries(Protocol):
    """The outbox: every message that is to be, or is, in a channel."""

    async def add(self, delivery: Delivery) -> bool:
        """Store a message to be posted. False when its id is known already."""
        ...

    async def get(self, delivery_id: str) -> Delivery | None:
        """The message as it stands."""
        ...

    async def claim(self, delivery_id: str, *, by: str, now: datetime, until: datetime) -> Delivery | None:
        """Take a waiting message for one attempt to post it; what comes back is as it was before, but for the attempt.

        None when it is not waiting, or somebody else's claim still holds. From now on the message counts as unsure.
        """
        ...

    async def posted(self, delivery_id: str, *, channel: str, ts: str, at: datetime, drawn: int) -> None:
        """The message is in the channel."""
        ...

    async def not_posted(self, delivery_id: str, *, unsure: bool, problem: str) -> None:
        """The attempt ended without the message being known to be there; it waits for another."""
        ...

    async def refused(self, delivery_id: str, *, problem: str) -> None:
        """The message will not pass until somebody acts."""
        ...

    async def drawn(self, delivery_id: str, revision: int) -> None:
        """The posted message now shows that revision."""
        ...

    async def of(self, subject: str) -> list[Delivery]:
        """All messages of an incident or request, oldest first."""
        ...

    async def undone(self, before: datetime) -> list[Delivery]:
        """Messages that wait, or were refused, since before that moment."""
        ...

    async def stale(self, limit: int) -> list[Delivery]:
        """Posted cards that show an older revision than their incident has."""
        ...


class Requests(Protocol):
    """Requests to block, decided and not."""

    async def add(self, request: BlockRequest) -> bool:
        """Store a new request. False when its id is known already."""
        ...

    async def get(self, request_id: str) -> BlockRequest | None:
        """The request as it stands."""
        ...

    async def save(self, before: BlockRequest, after: BlockRequest) -> bool:
        """Store a move if the version is still the one of `before`. False when it moved on."""
        ...

    async def of(self, incident_id: str) -> list[BlockRequest]:
        """All requests of an incident, oldest first."""
        ...

    async def alive(self, address: str) -> BlockRequest | None:
        """The request for this address that is undecided, approved or in force."""
        ...

    async def in_force(self, now: datetime) -> list[BlockRequest]:
        """What is blocked at this moment, by address."""
        ...

    async def unfinished(self) -> list[BlockRequest]:
        """Requests that have not come to an end."""
        ...


class Directory(Protocol):
    """Who belongs to which group of the chat platform, and how people are called."""

    async def groups_of(self, user_id: str) -> frozenset[str]:
        """The groups that the person was last seen in."""
        ...

    async def set_group(self, group_id: str, user_ids: Sequence[str]) -> None:
        """Replace a group's members."""
        ...

    async def name(self, user_id: str) -> str | None:
        """The name that the person was last seen with."""
        ...

    async def set_name(self, user_id: str, name: str) -> None:
        """Remember a person's name."""
        ...


class Inbox(Protocol):
    """Requests from the chat platform that were taken: so that a repeat does nothing twice."""

    async def take(self, key: str, at: datetime) -> bool:
        """Note a request. False when it is known already."""
        ...


class Audit(Protocol):
    """The sealed record of decisions."""

    async def append(self, entry: Entry) -> None:
        """Seal an entry behind the last one, in this transaction."""
        ...

    async def of(self, subjects: Sequence[str]) -> list[Entry]:
        """The entries about these things, oldest first."""
        ...


class Transaction(Protocol):
    """One transaction over everything. It commits when its block ends, and leaves nothing when that raises."""

    detections: Detections
    incidents: Incidents
    deliveries: Deliveries
    requests: Requests
    directory: Directory
    inbox: Inbox
    audit: Audit

    async def enqueue(self, job: Job) -> None:
        """Add durable work: it runs if, and only if, this transaction commits."""
        ...


class Store(Protocol):
    """Opens transactions."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that may change things. Nothing outside the database may happen inside it."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that only reads."""
        ...
