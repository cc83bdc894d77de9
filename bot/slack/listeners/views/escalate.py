"""The form that asks for a block."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.services.contain import Invalid, Wish, request_id
from bot.services.respond import NotAllowed, Unknown
from bot.slack import sentences
from bot.slack.desk import Desk
from bot.slack.payload import Submission, submission

FORM = "incident:escalate"
ADDRESS, TTL, REASON = "address", "ttl", "reason"
"""The form's block ids. The time to live is in seconds."""


def register(app: AsyncApp, desk: Desk) -> None:
    """One form."""

    @app.view(FORM)
    async def escalate(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        errors = await _escalate(desk, submission(body, req.headers, req.raw_body))
        if errors:
            await ack(response_action="errors", errors=errors)
        else:
            await ack()


async def _escalate(desk: Desk, seen: Submission) -> dict[str, str]:
    if seen.target is None:
        return {ADDRESS: sentences.OLD_BUTTON}
    ttl = seen.answers.get(TTL, "")
    if not (ttl.isascii() and ttl.isdigit() and len(ttl) < 10):
        return {TTL: "Choose how long the address is to be blocked."}
    wish = Wish(
        id=request_id(seen.view_id),
        incident_id=seen.target.id,
        address=seen.answers.get(ADDRESS, ""),
        ttl=timedelta(seconds=int(ttl)),
        reason=seen.answers.get(REASON, ""),
        by=await desk.respond.person(seen.user_id, seen.user_name),
    )
    answer = await desk.contain.ask(wish, seen.received)
    match answer:
        case Invalid(problems):
            return dict(problems)
        case NotAllowed():
            return {ADDRESS: sentences.not_allowed(answer)}
        case Unknown():
            return {ADDRESS: sentences.unknown(answer)}
        case _:
            return {}
