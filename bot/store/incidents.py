"""Incidents with their rows and addresses, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.alert import Alert, Event
from bot.domain.finding import Finding
from bot.domain.incident import Action, Classification, Deed, Incident, Person, State
from bot.errors import NotFound
from bot.store.statements import insert_new_rows
from bot.store.tables import findings as rows_of
from bot.store.tables import incidents, sightings

_NEWEST = (incidents.c.created_at.desc(), incidents.c.last_seen.desc(), incidents.c.id)


class SqlIncidents:
    """Implements `Incidents` on one transaction's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, incident_id: str) -> Alert | None:
        """The incident as it stands."""
        return await self._first(sa.select(incidents).where(incidents.c.id == incident_id))

    async def latest(self, group: str) -> Alert | None:
        """The last generation of a group."""
        mine = sa.select(incidents).where(incidents.c.group_key == group)
        return await self._first(mine.order_by(incidents.c.generation.desc()).limit(1))

    async def add(self, alert: Alert) -> None:
        """Store a new incident, without rows."""
        await self._connection.execute(incidents.insert().values(**_values(alert)))

    async def join(self, incident_id: str, findings: Sequence[Finding], at: datetime) -> None:
        """Add rows; one that the incident has already is not counted again. Raises NotFound."""
        held = sa.select(incidents).where(incidents.c.id == incident_id).with_for_update()
        alert = await self._first(held)
        if alert is None:
            raise NotFound(f"There is no incident {incident_id} to add rows to.")
        rows = [_row(incident_id, each, at) for each in findings]
        added = await insert_new_rows(self._connection, rows_of, rows, rows_of.c.fingerprint)
        times = [each.at for each in findings]
        await self._connection.execute(
            incidents.update()
            .where(incidents.c.id == incident_id)
            .values(
                events=alert.events + len(added),
                first_seen=min([alert.first_seen, *times]),
                last_seen=max([alert.last_seen, *times]),
                revision=alert.revision + 1,
            )
        )
        await self._sight(incident_id, [address for each in findings for address in each.addresses])

    async def _sight(self, incident_id: str, addresses: Sequence[str]) -> None:
        known = len(await self.addresses(incident_id))
        seen = [
            {"incident_id": incident_id, "address": address, "position": known + place}
            for place, address in enumerate(dict.fromkeys(addresses))
        ]
        await insert_new_rows(self._connection, sightings, seen, sightings.c.address)

    async def decide(self, before: Incident, after: Incident) -> bool:
        """Store a decision if the version is still the one of `before`; False when it moved on."""
        changed = await self._connection.execute(
            incidents.update()
            .where(incidents.c.id == before.id, incidents.c.version == before.version)
            .values(**_decided(after), revision=incidents.c.revision + 1)
        )
        return changed.rowcount == 1

    async def redraw(self, incident_id: str) -> None:
        """Say that what the card shows has changed."""
        grown = incidents.update().where(incidents.c.id == incident_id).values(revision=incidents.c.revision + 1)
        await self._connection.execute(grown)

    async def events(self, incident_id: str, limit: int) -> list[Event]:
        """The first rows by event time."""
        mine = sa.select(rows_of).where(rows_of.c.incident_id == incident_id)
        found = await self._connection.execute(mine.order_by(rows_of.c.at, rows_of.c.fingerprint).limit(limit))
        return [_event(row) for row in found]

    async def addresses(self, incident_id: str) -> list[str]:
        """All addresses, in the order in which they were seen."""
        mine = sa.select(sightings.c.address).where(sightings.c.incident_id == incident_id)
        found = await self._connection.execute(mine.order_by(sightings.c.position))
        return list(found.scalars())

    async def recent(self, limit: int, *, states: Sequence[str] = ()) -> list[Alert]:
        """The newest incidents first; of these states only, when any are named."""
        wanted = sa.select(incidents)
        if states:
            wanted = wanted.where(incidents.c.state.in_(states))
        return await self._all(wanted.order_by(*_NEWEST).limit(limit))

    async def seen_with(self, address: str, limit: int) -> list[Alert]:
        """The newest incidents that the address is part of."""
        with_it = sa.select(incidents).join(sightings, sightings.c.incident_id == incidents.c.id)
        return await self._all(with_it.where(sightings.c.address == address).order_by(*_NEWEST).limit(limit))

    async def _first(self, query: sa.Select[Any]) -> Alert | None:
        row = (await self._connection.execute(query)).first()
        return None if row is None else _alert(row)

    async def _all(self, query: sa.Select[Any]) -> list[Alert]:
        return [_alert(row) for row in await self._connection.execute(query)]


def _values(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.incident.id,
        "group_key": alert.group,
        "generation": alert.generation,
        "rule_id": alert.rule_id,
        "rule_name": alert.rule_name,
        "description": alert.description,
        "severity": alert.severity,
        "title": alert.title,
        "who": alert.who,
        "place": alert.place,
        "revision": alert.revision,
        "first_seen": alert.first_seen,
        "last_seen": alert.last_seen,
        "events": alert.events,
        "created_at": alert.created_at,
        **_decided(alert.incident),
    }


def _decided(incident: Incident) -> dict[str, Any]:
    owner, last = incident.owner, incident.last
    return {
        "state": incident.state.value,
        "version": incident.version,
        "owner_id": owner.id if owner else None,
        "owner_name": owner.name if owner else None,
        "classification": incident.classification.value if incident.classification else None,
        "comment": incident.comment,
        "last_action": last.action.value if last else None,
        "last_id": last.by.id if last else None,
        "last_name": last.by.name if last else None,
        "last_at": last.at if last else None,
    }


def _row(incident_id: str, finding: Finding, at: datetime) -> dict[str, Any]:
    return {
        "incident_id": incident_id,
        "fingerprint": finding.fingerprint,
        "at": finding.at,
        "found_at": at,
        "what": finding.what,
        "target": finding.target,
        "addresses": list(finding.addresses),
        "row": dict(finding.row),
    }


def _alert(row: Any) -> Alert:
    return Alert(
        incident=_incident(row),
        group=row.group_key,
        generation=row.generation,
        rule_id=row.rule_id,
        rule_name=row.rule_name,
        description=row.description,
        severity=row.severity,
        title=row.title,
        who=row.who,
        place=row.place,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        events=row.events,
        created_at=row.created_at,
        revision=row.revision,
    )


def _incident(row: Any) -> Incident:
    return Incident(
        id=row.id,
        state=State(row.state),
        version=row.version,
        owner=None if row.owner_id is None else Person(row.owner_id, row.owner_name),
        classification=None if row.classification is None else Classification(row.classification),
        comment=row.comment,
        last=None if row.last_at is None else Deed(Action(row.last_action), _last_by(row), row.last_at),
    )


def _last_by(row: Any) -> Person:
    return Person(row.last_id, row.last_name)


def _event(row: Any) -> Event:
    return Event(
        fingerprint=row.fingerprint,
        at=row.at,
        found_at=row.found_at,
        what=row.what,
        target=row.target,
        addresses=tuple(row.addresses),
        row=row.row,
    )
