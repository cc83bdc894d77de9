"""Forms."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.desk import Desk
from bot.slack.listeners.views import close, escalate


def register(app: AsyncApp, desk: Desk) -> None:
    """Every form."""
    close.register(app, desk)
    escalate.register(app, desk)
