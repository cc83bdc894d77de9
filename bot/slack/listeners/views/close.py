"""The form that closes an incident."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.domain.incident import Action, Classification, Command
from bot.services.respond import Late, NotAllowed, Unknown
from bot.slack import sentences
from bot.slack.desk import Desk
from bot.slack.payload import Submission, submission

FORM = "incident:close"
CLASSIFICATION, COMMENT = "classification", "comment"
"""The form's block ids."""


def register(app: AsyncApp, desk: Desk) -> None:
    """One form."""

    @app.view(FORM)
    async def close(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        seen = submission(body, req.headers, req.raw_body)
        problem = await _close(desk, seen)
        if problem:
            await ack(response_action="errors", errors={CLASSIFICATION: problem})
        else:
            await ack()


async def _close(desk: Desk, seen: Submission) -> str | None:
    if seen.target is None:
        return sentences.OLD_BUTTON
    chosen = seen.answers.get(CLASSIFICATION, "")
    if chosen not in tuple(Classification):
        return "Choose what it turned out to be."
    now = desk.clock.now()
    person = await desk.respond.person(seen.user_id, seen.user_name)
    command = Command(
        Action.CLOSE,
        seen.target.version,
        person,
        now,
        Classification(chosen),
        seen.answers.get(COMMENT, "").strip(),
    )
    answer = await desk.respond.act(seen.target.id, command, seen.received)
    match answer:
        case Late():
            return sentences.late(answer, seen.user_id, now)
        case NotAllowed():
            return sentences.not_allowed(answer)
        case Unknown():
            return sentences.unknown(answer)
        case _:
            return None
