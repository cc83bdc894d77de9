"""The kinds of durable work, their queues, and how their jobs are named."""

from __future__ import annotations

from datetime import datetime

from bot.domain.alert import Delivery
from bot.domain.work import Job

CHAT = "chat"
"""Posts to channels: one partition for each channel, paced as the platform wants."""

PEOPLE = "people"
"""What follows from a click: at once."""

MACHINE = "machine"
"""What nobody waits for."""

DETECT = "detect"
"""Evaluations of rules."""


def post(delivery: Delivery) -> Job:
    """Post a message that waits in the outbox."""
    return Job("post", delivery.id, CHAT, partition=delivery.channel)


def redraw(subject: str, revision: int, *, by_person: bool) -> Job:
    """Bring the posted cards of an incident or request up to its present revision."""
    return Job("redraw", f"{subject}:{revision}", PEOPLE if by_person else MACHINE)


def look_up(incident: str, revision: int) -> tuple[Job, ...]:
    """Look up the addresses of an incident that are not known yet."""
    return (Job("enrich", f"{incident}:{revision}", MACHINE),)


def evaluate(rule_id: str, end: datetime) -> Job:
    """Evaluate a rule up to a moment."""
    return Job("detect", f"{rule_id}|{end.isoformat()}", DETECT)


def block(request_id: str, version: int) -> Job:
    """Carry a request to block through what time brings: lapse, apply, expire."""
    return Job("block", f"{request_id}:{version}", MACHINE)
