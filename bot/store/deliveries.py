"""The outbox, in SQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.alert import Delivery, DeliveryKind, DeliveryState
from bot.store.statements import insert_new
from bot.store.tables import deliveries, incidents

_OLDEST = (deliveries.c.created_at, deliveries.c.id)
_UNCLAIMED = {"claimed_by": None, "claimed_until": None}


class SqlDeliveries:
    """Implements `Deliveries` on one transaction's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, delivery: Delivery) -> bool:
        """Store a message to be posted. False when its id is known already."""
        return await insert_new(self._connection, deliveries, _values(delivery))

    async def get(self, delivery_id: str) -> Delivery | None:
        """The message as it stands."""
        row = (await self._connection.execute(_one(delivery_id))).first()
        return None if row is None else _delivery(row)

    async def claim(self, delivery_id: str, *, by: str, now: datetime, until: datetime) -> Delivery | None:
        """Take a waiting message for one attempt; a claim holds up to, not including, its `until`."""
        row = (await self._connection.execute(_one(delivery_id).with_for_update())).first()
        if row is None or row.state != DeliveryState.WAITING.value:
            return None
        if row.claimed_by not in (None, by) and now < row.claimed_until:
            return None
        before = _delivery(row)
        tried = replace(before, attempts=before.attempts + 1, first_tried_at=before.first_tried_at or now)
        await self._set(
            delivery_id,
            unsure=True,
            attempts=tried.attempts,
            first_tried_at=tried.first_tried_at,
            claimed_by=by,
            claimed_until=until,
        )
        return tried

    async def posted(self, delivery_id: str, *, channel: str, ts: str, at: datetime, drawn: int) -> None:
        """The message is in the channel. Where it was first posted stays."""
        await self._set(
            delivery_id,
            deliveries.c.state != DeliveryState.POSTED.value,
            state=DeliveryState.POSTED.value,
            unsure=False,
            posted_channel=channel,
            posted_ts=ts,
            posted_at=at,
            drawn=drawn,
            problem="",
            **_UNCLAIMED,
        )

    async def not_posted(self, delivery_id: str, *, unsure: bool, problem: str) -> None:
        """The attempt ended without the message being known to be there; one that is posted stays so."""
        still_waits = deliveries.c.state == DeliveryState.WAITING.value
        await self._set(delivery_id, still_waits, unsure=unsure, problem=problem, **_UNCLAIMED)

    async def refused(self, delivery_id: str, *, problem: str) -> None:
        """The message will not pass until somebody acts; one that is posted stays so."""
        await self._set(
            delivery_id,
            deliveries.c.state != DeliveryState.POSTED.value,
            state=DeliveryState.REFUSED.value,
            unsure=False,
            problem=problem,
            **_UNCLAIMED,
        )

    async def drawn(self, delivery_id: str, revision: int) -> None:
        """The posted message now shows that revision.

        Of two that draw at once the last word counts, also when it is the lower: drawing once more mends what it says.
        """
        await self._set(delivery_id, drawn=revision)

    async def of(self, subject: str) -> list[Delivery]:
        """All messages of an incident or request, oldest first."""
        return await self._all(sa.select(deliveries).where(deliveries.c.subject == subject).order_by(*_OLDEST))

    async def undone(self, before: datetime) -> list[Delivery]:
        """Messages that wait, or were refused, since before that moment, oldest first."""
        states = deliveries.c.state.in_([DeliveryState.WAITING.value, DeliveryState.REFUSED.value])
        return await self._all(sa.select(deliveries).where(states, deliveries.c.created_at < before).order_by(*_OLDEST))

    async def stale(self, limit: int) -> list[Delivery]:
        """Posted cards that show an older revision than their incident has, oldest first."""
        cards = sa.select(deliveries).join(incidents, incidents.c.id == deliveries.c.subject)
        old = cards.where(
            deliveries.c.state == DeliveryState.POSTED.value,
            deliveries.c.kind == DeliveryKind.CARD.value,
            deliveries.c.drawn < incidents.c.revision,
        )
        return await self._all(old.order_by(*_OLDEST).limit(limit))

    async def _set(self, delivery_id: str, *only_if: sa.ColumnElement[bool], **values: Any) -> None:
        mine = deliveries.update().where(deliveries.c.id == delivery_id, *only_if)
        await self._connection.execute(mine.values(**values))

    async def _all(self, query: sa.Select[Any]) -> list[Delivery]:
        return [_delivery(row) for row in await self._connection.execute(query)]


def _one(delivery_id: str) -> sa.Select[Any]:
    return sa.select(deliveries).where(deliveries.c.id == delivery_id)


def _values(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "kind": delivery.kind.value,
        "subject": delivery.subject,
        "channel": delivery.channel,
        "thread": delivery.thread,
        "body": dict(delivery.body),
        "state": delivery.state.value,
        "unsure": delivery.unsure,
        "attempts": delivery.attempts,
        "first_tried_at": delivery.first_tried_at,
        "posted_channel": delivery.posted_channel,
        "posted_ts": delivery.posted_ts,
        "posted_at": delivery.posted_at,
        "drawn": delivery.drawn,
        "problem": delivery.problem,
        "created_at": delivery.created_at,
    }


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        kind=DeliveryKind(row.kind),
        subject=row.subject,
        channel=row.channel,
        created_at=row.created_at,
        thread=row.thread,
        body=row.body,
        state=DeliveryState(row.state),
        unsure=row.unsure,
        attempts=row.attempts,
        first_tried_at=row.first_tried_at,
        posted_channel=row.posted_channel,
        posted_ts=row.posted_ts,
        posted_at=row.posted_at,
        drawn=row.drawn,
        problem=row.problem,
    )
