"""Buttons that no longer exist: answered, told of, never dead."""

from __future__ import annotations

import logging
import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest

from bot.slack import sentences
from bot.slack.desk import Desk
from bot.slack.payload import click

log = logging.getLogger("tocsin.slack")


def register(app: AsyncApp, desk: Desk) -> None:
    """Must be registered after every other action."""

    @app.action(re.compile(r".*", re.DOTALL))
    async def retired(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        seen = click(body, req.headers, req.raw_body)
        await ack()
        if seen.answer_at is not None:
            log.info("a retired button was pressed: %r", seen.action_id[:100])
            desk.tell(seen.answer_at, sentences.OLD_BUTTON)
