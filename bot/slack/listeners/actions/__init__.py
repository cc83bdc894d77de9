"""Buttons."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.desk import Desk
from bot.slack.listeners.actions import decide, judge, links, openings, retired, share


def register(app: AsyncApp, desk: Desk) -> None:
    """Every button, and last the one listener for those that no longer exist."""
    decide.register(app, desk)
    openings.register(app, desk)
    judge.register(app, desk)
    share.register(app, desk)
    links.register(app)
    retired.register(app, desk)
