"""`/ipcheck 1.2.3.4`: what is known of an address, for the person who asks."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.services.check import Ask
from bot.slack.desk import Desk
from bot.slack.payload import command


def register(app: AsyncApp, desk: Desk) -> None:
    """One command."""

    @app.command("/ipcheck")
    async def ipcheck(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        seen = command(body, req.headers, req.raw_body)
        what = desk.check.understand(seen.text)
        if isinstance(what, Ask):
            await desk.answers.take(what.address, seen.user_id, seen.answer_at, seen.received)
        await ack({**desk.forms.understood(what), "response_type": "ephemeral"})
