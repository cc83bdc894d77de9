"""Acknowledge, un-acknowledge and reopen: one click, one decision."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.domain.incident import Action, Command
from bot.services.respond import Late, NotAllowed, Unknown
from bot.slack import sentences
from bot.slack.desk import Desk
from bot.slack.payload import Click, click

_ACTIONS = re.compile(r"^incident:(acknowledge|unacknowledge|reopen)$")


def register(app: AsyncApp, desk: Desk) -> None:
    """Three buttons that decide at once."""

    @app.action(_ACTIONS)
    async def decide(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        seen = click(body, req.headers, req.raw_body)
        sentence = await _decide(desk, seen)
        await ack()
        if sentence:
            desk.tell(seen.answer_at, sentence)


async def _decide(desk: Desk, seen: Click) -> str | None:
    """The decision; what to tell the person when it does not stand."""
    if seen.target is None:
        return sentences.OLD_BUTTON
    now = desk.clock.now()
    person = await desk.respond.person(seen.user_id, seen.user_name)
    action = Action(seen.action_id.removeprefix("incident:"))
    answer = await desk.respond.act(seen.target.id, Command(action, seen.target.version, person, now), seen.received)
    match answer:
        case Late():
            return sentences.late(answer, seen.user_id, now)
        case NotAllowed():
            return sentences.not_allowed(answer)
        case Unknown():
            return sentences.unknown(answer)
        case _:
            return None
