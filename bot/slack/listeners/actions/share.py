"""Share a private look-up with the channel."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.slack import sentences
from bot.slack.desk import Desk
from bot.slack.payload import click


def register(app: AsyncApp, desk: Desk) -> None:
    """The button under the answer to `/ipcheck`."""

    @app.action("ipcheck:share")
    async def share(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        seen = click(body, req.headers, req.raw_body)
        known = (
            seen.target is not None
            and seen.answer_at is not None
            and await desk.answers.share(seen.target.id, seen.user_id, seen.answer_at)
        )
        await ack()
        if not known:
            desk.tell(seen.answer_at, sentences.OLD_BUTTON)
