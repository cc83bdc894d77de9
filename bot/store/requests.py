"""Requests to block, in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.block import BlockRequest, BlockState
from bot.domain.incident import Person
from bot.store.statements import insert_new
from bot.store.tables import requests

_ALIVE = [BlockState.PENDING.value, BlockState.APPROVED.value, BlockState.ACTIVE.value]
_OLDEST = (requests.c.requested_at, requests.c.id)


class SqlRequests:
    """Implements `Requests` on one transaction's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, request: BlockRequest) -> bool:
        """Store a new request. False when its id is known already."""
        return await insert_new(self._connection, requests, _values(request))

    async def get(self, request_id: str) -> BlockRequest | None:
        """The request as it stands."""
        found = await self._all(sa.select(requests).where(requests.c.id == request_id))
        return found[0] if found else None

    async def save(self, before: BlockRequest, after: BlockRequest) -> bool:
        """Store a move if the version is still the one of `before`. False when it moved on."""
        same = requests.update().where(requests.c.id == before.id, requests.c.version == before.version)
        return (await self._connection.execute(same.values(**_moved(after)))).rowcount == 1

    async def of(self, incident_id: str) -> list[BlockRequest]:
        """All requests of an incident, oldest first."""
        return await self._all(sa.select(requests).where(requests.c.incident_id == incident_id).order_by(*_OLDEST))

    async def alive(self, address: str) -> BlockRequest | None:
        """The request for this address that is undecided, approved or in force.

        Until the transaction ends nobody else gets an answer about this address.
        """
        await self._hold(address)
        mine = sa.select(requests).where(requests.c.address == address, requests.c.state.in_(_ALIVE))
        found = await self._all(mine.order_by(*_OLDEST).limit(1))
        return found[0] if found else None

    async def in_force(self, now: datetime) -> list[BlockRequest]:
        """What is blocked at this moment, by address."""
        running = sa.select(requests).where(requests.c.state == BlockState.ACTIVE.value, requests.c.ends_at > now)
        return await self._all(running.order_by(requests.c.address, *_OLDEST))

    async def unfinished(self) -> list[BlockRequest]:
        """Requests that have not come to an end, oldest first."""
        return await self._all(sa.select(requests).where(requests.c.state.in_(_ALIVE)).order_by(*_OLDEST))

    async def _hold(self, address: str) -> None:
        """On PostgreSQL two people could ask at once and each see nothing; on SQLite writers are alone anyway."""
        if self._connection.dialect.name == "postgresql":
            lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("tocsin:block:" + address, 0))
            await self._connection.execute(sa.select(lock))

    async def _all(self, query: sa.Select[Any]) -> list[BlockRequest]:
        return [_request(row) for row in await self._connection.execute(query)]


def _values(request: BlockRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "incident_id": request.incident_id,
        "address": request.address,
        "ttl": request.ttl,
        "reason": request.reason,
        "requested_id": request.requested_by.id,
        "requested_name": request.requested_by.name,
        "requested_at": request.requested_at,
        "decide_by": request.decide_by,
        **_moved(request),
    }


def _moved(request: BlockRequest) -> dict[str, Any]:
    """The part that decisions and time change."""
    return {
        "state": request.state.value,
        "version": request.version,
        "decided_id": request.decided_by.id if request.decided_by else None,
        "decided_name": request.decided_by.name if request.decided_by else None,
        "decided_at": request.decided_at,
        "ends_at": request.ends_at,
    }


def _request(row: Any) -> BlockRequest:
    return BlockRequest(
        id=row.id,
        incident_id=row.incident_id,
        address=row.address,
        ttl=row.ttl,
        reason=row.reason,
        requested_by=Person(row.requested_id, row.requested_name),
        requested_at=row.requested_at,
        decide_by=row.decide_by,
        state=BlockState(row.state),
        version=row.version,
        decided_by=None if row.decided_id is None else Person(row.decided_id, row.decided_name),
        decided_at=row.decided_at,
        ends_at=row.ends_at,
    )
