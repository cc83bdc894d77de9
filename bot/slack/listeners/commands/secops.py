"""`/secops`: what stands open, and how to get help."""

from __future__ import annotations

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.incident import State
from bot.slack.desk import Desk

_SHOWN = 10
HELP = (
    "I post an alert when a detection fires, with the reputation of every address. Use the card's buttons to "
    "acknowledge, close or escalate it, and /ipcheck 1.2.3.4 to look up an address."
)


def register(app: AsyncApp, desk: Desk) -> None:
    """One command."""

    @app.command("/secops")
    async def secops(ack: AsyncAck) -> None:
        standing = await desk.respond.recent(_SHOWN, (State.OPEN.value, State.ACKNOWLEDGED.value))
        lines = [
            f"{alert.incident.id} · {alert.severity} · {alert.incident.state.value} · {alert.title} · "
            f"{alert.place or alert.who}"
            for alert in standing
        ]
        await ack({**desk.forms.say("\n".join([_heading(len(lines)), *lines, "", HELP])), "response_type": "ephemeral"})


def _heading(standing: int) -> str:
    if standing == 1:
        return "1 incident stands open:"
    return f"{standing} incidents stand open:" if standing else "No incident stands open."
