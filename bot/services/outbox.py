"""Puts messages into the outbox, in the transaction that gives rise to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.domain.alert import Delivery, DeliveryKind
from bot.services.storage import Transaction
from bot.services.work import post


def card_id(incident_id: str) -> str:
    """The id of an incident's card among the deliveries."""
    return f"card:{incident_id}"


async def add_card(tx: Transaction, incident_id: str, channel: str, now: datetime) -> None:
    """An incident's card: the one message that changes with it."""
    await add(tx, Delivery(card_id(incident_id), DeliveryKind.CARD, incident_id, channel, now))


async def add_line(tx: Transaction, incident_id: str, name: str, body: Mapping[str, Any], now: datetime) -> None:
    """A quiet line under an incident's card. `name` tells this line from the incident's others, for ever."""
    card = await tx.deliveries.get(card_id(incident_id))
    if card is None:
        return
    await add(
        tx,
        Delivery(
            f"line:{incident_id}:{name}",
            DeliveryKind.LINE,
            incident_id,
            card.channel,
            now,
            thread=card.id,
            body=body,
        ),
    )


async def add(tx: Transaction, delivery: Delivery) -> None:
    """A message to be posted once, and the work of posting it."""
    if await tx.deliveries.add(delivery):
        await tx.enqueue(post(delivery))
