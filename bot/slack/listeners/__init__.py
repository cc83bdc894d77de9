"""Listeners: read the request, one transaction through one service, acknowledge. The card changes by itself."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.desk import Desk
from bot.slack.listeners import actions, commands, views


def register(app: AsyncApp, desk: Desk) -> None:
    """Add every listener. The order matters: the last action listener takes what no other did."""
    commands.register(app, desk)
    views.register(app, desk)
    actions.register(app, desk)
