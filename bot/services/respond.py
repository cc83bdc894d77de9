"""Respond: what people decide about an incident.

A decision is one transaction: the incident by compare-and-set on its version, the audit entry, the line under the card
and the work of drawing the card again. Who clicked second is told who was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from bot.domain.access import Access
from bot.domain.alert import Alert
from bot.domain.audit import Entry
from bot.domain.incident import Action, Command, Incident, Person, Refusal, Why, decide
from bot.services.outbox import add_line
from bot.services.ports import Clock
from bot.services.storage import Store, Transaction
from bot.services.work import redraw


@dataclass(frozen=True, slots=True)
class Received:
    """A request from the chat platform. `again` is true when the platform says that it sends it once more."""

    key: str
    again: bool = False


async def already_taken(tx: Transaction, received: Received, at: datetime) -> bool:
    """Note the request; true when it is a repeat of one that was taken.

    A repeat of a request that was lost on the way is taken like a first one: it may be the only delivery.
    """
    is_new = await tx.inbox.take(received.key, at)
    return received.again and not is_new


@dataclass(frozen=True, slots=True)
class Done:
    """The decision stands."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class Repeat:
    """This very request was taken before; nothing is to be said."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such incident or request."""

    id: str


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The person does not hold the role that this needs."""

    role: str


@dataclass(frozen=True, slots=True)
class Late:
    """Nothing changed; the alert as it stands says why."""

    refusal: Refusal
    alert: Alert


Answer: TypeAlias = Done | Repeat | Unknown | NotAllowed | Late


class Respond:
    """Takes decisions on incidents."""

    def __init__(self, store: Store, clock: Clock, access: Access) -> None:
        self._store, self._clock, self._access = store, clock, access

    async def act(self, incident_id: str, command: Command, received: Received) -> Answer:
        """Decide."""
        async with self._store.write() as tx:
            if await already_taken(tx, received, command.at):
                return Repeat()
            return await self._act(tx, incident_id, command)

    async def _act(self, tx: Transaction, incident_id: str, command: Command) -> Answer:
        alert = await tx.incidents.get(incident_id)
        if alert is None:
            return Unknown(incident_id)
        if not self._access.may_respond(command.by.id, await tx.directory.groups_of(command.by.id)):
            return NotAllowed("analyst")
        after = decide(alert.incident, command)
        if isinstance(after, Refusal):
            return Late(after, alert)
        if not await tx.incidents.decide(alert.incident, after):
            return Late(Refusal(Why.MOVED_ON, alert.incident.last), alert)
        await self._follow(tx, alert, after, command)
        now_standing = await tx.incidents.get(incident_id)
        return Done(now_standing or alert)

    async def _follow(self, tx: Transaction, alert: Alert, after: Incident, command: Command) -> None:
        incident_id = after.id
        await tx.audit.append(
            Entry(
                command.at,
                command.by.id,
                f"incident.{command.action}",
                incident_id,
                _facts(alert.incident),
                _facts(after),
            )
        )
        body: dict[str, Any] = {
            "kind": command.action.value,
            "by": command.by.id,
            "name": command.by.name,
            "classification": after.classification,
            "comment": after.comment,
        }
        await add_line(tx, incident_id, f"decision:{after.version}", body, command.at)
        await tx.enqueue(redraw(incident_id, alert.revision + 1, by_person=True))

    async def person(self, user_id: str, name: str) -> Person:
        """The person who clicked, with the best name known. The name that came with the click is remembered."""
        async with self._store.read() as tx:
            known = await tx.directory.name(user_id)
        return Person(user_id, known or name or user_id)

    async def may(self, user_id: str, action: Action) -> bool:
        """Whether the person may open the form of this action."""
        async with self._store.read() as tx:
            groups = await tx.directory.groups_of(user_id)
        return action in tuple(Action) and self._access.may_respond(user_id, groups)

    async def show(self, incident_id: str) -> Alert | None:
        """The incident as it stands."""
        async with self._store.read() as tx:
            return await tx.incidents.get(incident_id)

    async def recent(self, limit: int, states: Sequence[str] = ()) -> list[Alert]:
        """The newest incidents."""
        async with self._store.read() as tx:
            return await tx.incidents.recent(limit, states=states)


def _facts(incident: Incident) -> dict[str, Any]:
    return {
        "state": incident.state.value,
        "version": incident.version,
        "owner": incident.owner.id if incident.owner else None,
        "classification": incident.classification.value if incident.classification else None,
        "comment": incident.comment,
    }
