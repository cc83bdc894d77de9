"""Approve and reject."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.domain.block import BlockAction
from bot.services.contain import Undecided
from bot.services.respond import Unknown
from bot.slack import sentences
from bot.slack.desk import Desk
from bot.slack.payload import Click, click


def register(app: AsyncApp, desk: Desk) -> None:
    """The two buttons of a request to block."""

    @app.action(re.compile(r"^block:(approve|reject)$"))
    async def judge(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        seen = click(body, req.headers, req.raw_body)
        sentence = await _judge(desk, seen)
        await ack()
        if sentence:
            desk.tell(seen.answer_at, sentence)


async def _judge(desk: Desk, seen: Click) -> str | None:
    if seen.target is None:
        return sentences.OLD_BUTTON
    person = await desk.respond.person(seen.user_id, seen.user_name)
    answer = await desk.contain.judge(
        seen.target.id,
        BlockAction(seen.action_id.removeprefix("block:")),
        version=seen.target.version,
        by=person,
        received=seen.received,
    )
    if isinstance(answer, Undecided):
        return sentences.undecided(answer, desk.clock.now())
    return sentences.unknown(answer) if isinstance(answer, Unknown) else None
