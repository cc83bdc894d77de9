"""The parts of a running workspace, handed to everything that serves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.demo.workspace.faults import Faults
from bot.demo.workspace.refusal import Refused
from bot.demo.workspace.settings import WorkspaceSettings
from bot.demo.workspace.state import WorkspaceState
from bot.demo.workspace.traffic import Traffic


@dataclass(slots=True)
class Tickets:
    """One-use trigger ids and the response addresses, with the moment of their birth (Unix seconds)."""

    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)
    used_triggers: set[str] = field(default_factory=set)
    responses: dict[str, ResponseTicket] = field(default_factory=dict)


@dataclass(slots=True)
class ResponseTicket:
    """Where a response_url answers to: the channel, the person, and the message that was clicked, if any."""

    channel: str
    user: str
    message_ts: str
    born: float
    uses: int = 0


@dataclass(slots=True)
class Core:
    """Settings, memory, faults and record of one workspace. `public_url` is known once the server listens."""

    settings: WorkspaceSettings
    state: WorkspaceState
    faults: Faults
    traffic: Traffic
    tickets: Tickets = field(default_factory=Tickets)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    public_url: str = "http://127.0.0.1:8080"

    def new_trigger(self, user: str) -> str:
        """A trigger id for one view, for `trigger_seconds`."""
        trigger = self.state.next_id("T") + ".trigger"
        self.tickets.triggers[trigger] = (user, self.state.now())
        return trigger

    def use_trigger(self, trigger: str) -> str:
        """The person behind a trigger id. Raises Refused when it is unknown, used or too old."""
        if trigger in self.tickets.used_triggers:
            raise Refused("exchanged_trigger_id")
        if trigger not in self.tickets.triggers:
            raise Refused("invalid_trigger_id")
        user, born = self.tickets.triggers[trigger]
        if self.state.now() - born > self.settings.trigger_seconds:
            raise Refused("expired_trigger_id")
        self.tickets.used_triggers.add(trigger)
        return user

    def new_response_url(self, channel: str, user: str, message_ts: str = "") -> str:
        """An address that takes a few answers to an interaction."""
        key = self.state.next_id("R")
        self.tickets.responses[key] = ResponseTicket(channel, user, message_ts, self.state.now())
        return f"{self.public_url}/response/{key}"
