"""What is said to one person, when what they asked for did not happen."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.block import BlockRequest, NotDone
from bot.domain.incident import Action, Deed, State, Why
from bot.services.contain import Undecided
from bot.services.respond import Late, NotAllowed, Unknown

_DID = {
    Action.ACKNOWLEDGE: "acknowledged this",
    Action.UNACKNOWLEDGE: "gave this back",
    Action.CLOSE: "closed this",
    Action.REOPEN: "reopened this",
    Action.ESCALATE: "escalated this",
}

OLD_BUTTON = "That button is from an older card and does nothing any more. The newest card has the buttons that work."


def late(answer: Late, user_id: str, now: datetime) -> str:
    """Why a decision came too late, with who was first and how long ago."""
    last = answer.refusal.last
    if answer.refusal.why is Why.NOT_CLASSIFIED:
        return "Choose what it turned out to be before closing it."
    if last is None:
        return f"Nothing changed: this incident is {_state(answer.alert.incident.state)}."
    return f"Nothing changed: {_who(last, user_id)} {_DID[last.action]} {ago(now - last.at)}."


def not_allowed(answer: NotAllowed) -> str:
    """Which role is missing, and what to do."""
    return f"This needs the {answer.role} role, which you do not have. Ask your Tocsin administrator to add you."


def unknown(answer: Unknown) -> str:
    """The thing is not in this database."""
    return f"{answer.id} is not in Tocsin's records: the card may be from another installation."


def undecided(answer: Undecided, now: datetime) -> str:
    """Why an approval or rejection does not count."""
    request = answer.request
    match answer.why:
        case NotDone.OWN_REQUEST:
            return f"You asked to block {request.address} yourself: somebody else must approve or reject it."
        case NotDone.NOT_AN_APPROVER:
            return "Only approvers decide on blocks. Ask your Tocsin administrator for the approver role."
        case NotDone.TOO_LATE:
            return f"The request to block {request.address} has lapsed: nobody decided in time. Ask for it again."
        case _:
            return _decided(request, now)


def ago(span: timedelta) -> str:
    """A span as people say it: "2 s ago"."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _decided(request: BlockRequest, now: datetime) -> str:
    if request.decided_by is None or request.decided_at is None:
        return f"Nothing changed: the request is {request.state.value}."
    return (
        f"Nothing changed: {request.decided_by.name} decided this {ago(now - request.decided_at)}; "
        f"it is {request.state.value}."
    )


def _who(last: Deed, user_id: str) -> str:
    return "you" if last.by.id == user_id else last.by.name


def _state(state: State) -> str:
    return state.value
