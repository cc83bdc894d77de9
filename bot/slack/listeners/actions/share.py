"""Share a private look-up with the channel."""

from __future__ import annotations

from functools import partial
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
        lookup = await desk.answers.find(seen.target.id, seen.user_id) if seen.target else None
        await ack()
        address = seen.answer_at
        if lookup is None:
            desk.tell(address, sentences.OLD_BUTTON)
        elif address is not None:
            desk.afterwards.do(partial(desk.answers.share, lookup, address))
