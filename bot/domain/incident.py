"""An incident and what people may do to it.

                 acknowledge               close
      ┌──────┐ ─────────────► ┌────────────┐ ─────► ┌──────┐
      │ open │                │acknowledged│        │closed│
      └──────┘ ◄───────────── └────────────┘        └──────┘
        │  ▲    unacknowledge                          ▲ │
        │  └───────────────────────── reopen ──────────┼─┘
        └───────────────────────────── close ──────────┘

`decide` is the only way from one state to another. It is pure: the caller stores the result with a compare-and-set on
`version`, so that of two people who click at once one wins and the other is told who did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Severity(StrEnum):
    """Sentinel's four severities."""

    INFORMATIONAL = "Informational"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class Classification(StrEnum):
    """Sentinel's words for what an incident turned out to be.

    https://learn.microsoft.com/rest/api/securityinsights/incidents/create-or-update
    """

    TRUE_POSITIVE = "TruePositive"
    BENIGN_POSITIVE = "BenignPositive"
    FALSE_POSITIVE = "FalsePositive"
    UNDETERMINED = "Undetermined"


class Action(StrEnum):
    """What a person can do to an incident. Button ids are `incident:<action>`."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    CLOSE = "close"
    REOPEN = "reopen"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class Person:
    """Who acted: the id on their chat platform and the name to show."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Deed:
    """The last decision on an incident."""

    action: Action
    by: Person
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """The decided part of an incident. `version` counts decisions only: new rows and verdicts do not move it."""

    id: str
    state: State = State.OPEN
    version: int = 1
    owner: Person | None = None
    classification: Classification | None = None
    comment: str = ""
    last: Deed | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One person's wish. `version` is the one on the card that they clicked."""

    action: Action
    version: int
    by: Person
    at: datetime
    classification: Classification | None = None
    comment: str = ""


class Why(StrEnum):
    """Why a command changed nothing."""

    MOVED_ON = "moved_on"
    NOT_POSSIBLE = "not_possible"
    NOT_CLASSIFIED = "not_classified"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that changed nothing, with the decision that came first, when there is one."""

    why: Why
    last: Deed | None


Decision: TypeAlias = Incident | Refusal

_OFFERED: dict[State, tuple[Action, ...]] = {
    State.OPEN: (Action.ACKNOWLEDGE, Action.CLOSE, Action.ESCALATE),
    State.ACKNOWLEDGED: (Action.UNACKNOWLEDGE, Action.CLOSE, Action.ESCALATE),
    State.CLOSED: (Action.REOPEN,),
}


def offered(state: State) -> tuple[Action, ...]:
    """The actions that a card in this state offers, in the order of its buttons."""
    return _OFFERED[state]


def decide(incident: Incident, command: Command) -> Decision:
    """The incident after the command, or why nothing changes. Escalation leaves the incident's state as it is."""
    if command.version != incident.version:
        return Refusal(Why.MOVED_ON, incident.last)
    if command.action not in offered(incident.state):
        return Refusal(Why.NOT_POSSIBLE, incident.last)
    if command.action is Action.CLOSE and command.classification is None:
        return Refusal(Why.NOT_CLASSIFIED, incident.last)
    if command.action is Action.ESCALATE:
        return incident
    return _moved(incident, command)


def _moved(incident: Incident, command: Command) -> Incident:
    moved = replace(
        incident,
        version=incident.version + 1,
        last=Deed(command.action, command.by, command.at),
    )
    match command.action:
        case Action.ACKNOWLEDGE:
            return replace(moved, state=State.ACKNOWLEDGED, owner=command.by)
        case Action.CLOSE:
            return replace(moved, state=State.CLOSED, classification=command.classification, comment=command.comment)
        case _:
            return replace(moved, state=State.OPEN, owner=None, classification=None, comment="")
