"""Deliver: put each message into its channel once, and keep posted cards true.

A post cannot be made exactly once by the platform's API alone. So the outbox row is claimed, and marked unsure, before
the call; only a clear answer takes the mark away. A message that is unsure is looked for in the channel, by the id that
travels with it, before it is posted again. What was refused is kept and tried again: an alert is never dropped.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from weakref import WeakValueDictionary

from bot.domain.alert import Delivery, DeliveryKind, DeliveryState
from bot.domain.delivery import CannotLook, NotThere, Outcome, Posted, Refused, Throttled, Unsure
from bot.services.ports import Chat, Clock, Message
from bot.services.storage import Store

LEASE = timedelta(seconds=60)
"""How long one attempt may take before another process may try."""

VISIBLE_AFTER = timedelta(seconds=5)
"""How long an accepted message may stay invisible in the channel's history."""

_AGAIN_UNSURE = timedelta(seconds=1)
_AGAIN_REFUSED = timedelta(seconds=60)
_AGAIN_BLIND = timedelta(seconds=15)
_BLIND_ATTEMPTS = 4

log = logging.getLogger("tocsin.deliver")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A message as it stands now. `plain` says the same without any layout; `revision` is what it shows."""

    message: Message
    plain: Message
    revision: int


class Studio(Protocol):
    """Makes messages from the record."""

    async def draw(self, delivery: Delivery, *, repeated: bool = False) -> Drawing:
        """The message of this delivery. `repeated` marks it as one that may stand in the channel twice."""
        ...


class Deliver:
    """Posts and redraws. Both are safe to run again at any time."""

    def __init__(self, store: Store, chat: Chat, studio: Studio, clock: Clock) -> None:
        self._store, self._chat, self._studio, self._clock = store, chat, studio, clock
        self._redrawing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def post(self, delivery_id: str, *, by: str = "") -> timedelta | None:
        """Try to bring a message into its channel; how long to wait for the next try, or None when that is settled."""
        async with self._store.read() as tx:
            delivery = await tx.deliveries.get(delivery_id)
            parent = await tx.deliveries.get(delivery.thread) if delivery is not None and delivery.thread else None
        if delivery is None or delivery.state is DeliveryState.POSTED:
            return None
        if delivery.thread and (parent is None or parent.posted_ts is None):
            return _AGAIN_UNSURE
        now = self._clock.now()
        async with self._store.write() as tx:
            claimed = await tx.deliveries.claim(delivery_id, by=by or delivery_id, now=now, until=now + LEASE)
        if claimed is None:
            return _AGAIN_UNSURE
        return await self._attempt(claimed, parent)

    async def _attempt(self, delivery: Delivery, parent: Delivery | None) -> timedelta | None:
        channel = (parent.posted_channel if parent else None) or delivery.channel
        thread = parent.posted_ts if parent else None
        repeated = False
        if delivery.unsure:
            found = await self._look(delivery, channel, thread)
            if isinstance(found, Posted):
                return await self._settled(delivery, found, revision=0)
            repeated = isinstance(found, CannotLook)
            if repeated and delivery.attempts < _BLIND_ATTEMPTS:
                return await self._unsettled(delivery, True, "the channel's history cannot be read", _AGAIN_BLIND)
        drawing = await self._studio.draw(delivery, repeated=repeated)
        answer = await self._chat.post(channel, drawing.message, key=delivery.id, thread=thread)
        if isinstance(answer, Refused) and answer.content:
            log.error("the card of %s was refused and goes out plain: %s", delivery.id, answer.sentence)
            answer = await self._chat.post(channel, drawing.plain, key=delivery.id, thread=thread)
        return await self._after(delivery, answer, drawing.revision)

    async def _look(self, delivery: Delivery, channel: str, thread: str | None) -> Posted | NotThere | CannotLook:
        since = delivery.first_tried_at or delivery.created_at
        found = await self._chat.find(channel, delivery.id, since=since, thread=thread)
        if isinstance(found, NotThere):
            await asyncio.sleep(VISIBLE_AFTER.total_seconds())
            found = await self._chat.find(channel, delivery.id, since=since, thread=thread)
        return found

    async def _after(self, delivery: Delivery, answer: Outcome, revision: int) -> timedelta | None:
        match answer:
            case Posted():
                return await self._settled(delivery, answer, revision)
            case Throttled(retry_after):
                return await self._unsettled(delivery, False, "", timedelta(seconds=retry_after))
            case Unsure(sentence):
                return await self._unsettled(delivery, True, sentence, _AGAIN_UNSURE)
            case Refused(code, sentence):
                log.error("%s cannot be posted to %s (%s): %s", delivery.id, delivery.channel, code, sentence)
                return await self._unsettled(delivery, False, sentence, _AGAIN_REFUSED)

    async def _settled(self, delivery: Delivery, posted: Posted, revision: int) -> timedelta | None:
        async with self._store.write() as tx:
            await tx.deliveries.posted(
                delivery.id, channel=posted.channel, ts=posted.ts, at=self._clock.now(), drawn=revision
            )
        if delivery.kind in (DeliveryKind.CARD, DeliveryKind.APPROVAL):
            # The record may have moved on while the message was on its way.
            return await self.redraw(delivery.subject)
        return None

    async def _unsettled(self, delivery: Delivery, unsure: bool, problem: str, pause: timedelta) -> timedelta | None:
        async with self._store.write() as tx:
            await tx.deliveries.not_posted(delivery.id, unsure=unsure, problem=problem)
        return pause

    async def redraw(self, subject: str) -> timedelta | None:
        """Bring every posted card of an incident or request up to what is true now."""
        lock = self._redrawing.setdefault(subject, asyncio.Lock())
        async with lock:
            async with self._store.read() as tx:
                cards = [each for each in await tx.deliveries.of(subject) if _is_card(each)]
            pauses = [await self._redraw_card(card) for card in cards]
        return max((pause for pause in pauses if pause is not None), default=None)

    async def _redraw_card(self, card: Delivery) -> timedelta | None:
        drawing = await self._studio.draw(card)
        if card.posted_channel is None or card.posted_ts is None or drawing.revision <= card.drawn:
            return None
        answer = await self._chat.update(card.posted_channel, card.posted_ts, drawing.message)
        if isinstance(answer, Refused) and answer.content:
            log.error("the card %s was refused and goes out plain: %s", card.id, answer.sentence)
            answer = await self._chat.update(card.posted_channel, card.posted_ts, drawing.plain)
        match answer:
            case Throttled(retry_after):
                return timedelta(seconds=retry_after)
            case Unsure():
                return _AGAIN_UNSURE
            case Refused(code, sentence):
                # Somebody deleted the message, or may do so: nothing is gained by trying for ever.
                log.error("the card %s cannot be changed (%s): %s", card.id, code, sentence)
            case Posted():
                pass
        async with self._store.write() as tx:
            await tx.deliveries.drawn(card.id, drawing.revision)
        return None


def _is_card(delivery: Delivery) -> bool:
    posted = delivery.state is DeliveryState.POSTED
    return posted and delivery.kind in (DeliveryKind.CARD, DeliveryKind.APPROVAL)
