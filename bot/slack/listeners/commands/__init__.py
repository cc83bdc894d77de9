"""Slash commands."""

from __future__ import annotations

from slack_bolt.async_app import AsyncApp

from bot.slack.desk import Desk
from bot.slack.listeners.commands import ipcheck, secops


def register(app: AsyncApp, desk: Desk) -> None:
    """Every command of manifest.yaml."""
    ipcheck.register(app, desk)
    secops.register(app, desk)
