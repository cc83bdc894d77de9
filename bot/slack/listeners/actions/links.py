"""Buttons that open a web page. Slack tells us of the press all the same, and wants an answer."""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncAck, AsyncApp


def register(app: AsyncApp) -> None:
    """One listener for every link."""

    @app.action(re.compile(r"^open:"))
    async def opened(ack: AsyncAck) -> None:
        await ack()
