"""A request to block an address, from the person who asks to the moment it ends.

    pending ──approve──► approved ──apply──► active ──► expired
       │ └───reject───► rejected               └─undo─► undone
       └──────wait────► lapsed

Nobody decides on their own request, a request that nobody decides lapses, and every block ends: `in_force` judges by
the clock alone, so that a stopped bot never lengthens one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.incident import Person


class BlockState(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    ACTIVE = "active"
    EXPIRED = "expired"
    UNDONE = "undone"


class BlockAction(StrEnum):
    """What moves a request. Button ids are `block:<action>`."""

    APPROVE = "approve"
    REJECT = "reject"
    LAPSE = "lapse"
    APPLY = "apply"
    EXPIRE = "expire"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """One address, asked for by one person, for a time and a reason.

    `decide_by` is when an undecided request lapses; `ends_at` is set at approval and is when the block ends.
    """

    id: str
    incident_id: str
    address: str
    ttl: timedelta
    reason: str
    requested_by: Person
    requested_at: datetime
    decide_by: datetime
    state: BlockState = BlockState.PENDING
    version: int = 1
    decided_by: Person | None = None
    decided_at: datetime | None = None
    ends_at: datetime | None = None


class NotDone(StrEnum):
    """Why a request did not move."""

    MOVED_ON = "moved_on"
    NOT_POSSIBLE = "not_possible"
    OWN_REQUEST = "own_request"
    NOT_AN_APPROVER = "not_an_approver"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"


_MOVES: dict[tuple[BlockState, BlockAction], BlockState] = {
    (BlockState.PENDING, BlockAction.APPROVE): BlockState.APPROVED,
    (BlockState.PENDING, BlockAction.REJECT): BlockState.REJECTED,
    (BlockState.PENDING, BlockAction.LAPSE): BlockState.LAPSED,
    (BlockState.APPROVED, BlockAction.APPLY): BlockState.ACTIVE,
    (BlockState.APPROVED, BlockAction.EXPIRE): BlockState.EXPIRED,
    (BlockState.APPROVED, BlockAction.UNDO): BlockState.UNDONE,
    (BlockState.ACTIVE, BlockAction.EXPIRE): BlockState.EXPIRED,
    (BlockState.ACTIVE, BlockAction.UNDO): BlockState.UNDONE,
}


def judge(
    request: BlockRequest, action: BlockAction, *, version: int, by: Person, approver: bool, at: datetime
) -> BlockRequest | NotDone:
    """A person's Approve or Reject, or why it does not count.

    Approval starts the time to live: it runs from the decision, not from the request.
    """
    if not approver:
        return NotDone.NOT_AN_APPROVER
    if by.id == request.requested_by.id:
        return NotDone.OWN_REQUEST
    if version != request.version:
        return NotDone.MOVED_ON
    if action not in (BlockAction.APPROVE, BlockAction.REJECT) or request.state is not BlockState.PENDING:
        return NotDone.NOT_POSSIBLE
    if at >= request.decide_by:
        return NotDone.TOO_LATE
    ends_at = at + request.ttl if action is BlockAction.APPROVE else None
    return replace(_moved(request, action), decided_by=by, decided_at=at, ends_at=ends_at)


def advance(request: BlockRequest, action: BlockAction, *, at: datetime) -> BlockRequest | NotDone:
    """What happens without a person's judgement: apply, lapse, expire, undo."""
    if action in (BlockAction.APPROVE, BlockAction.REJECT) or (request.state, action) not in _MOVES:
        return NotDone.NOT_POSSIBLE
    if action is BlockAction.LAPSE and at < request.decide_by:
        return NotDone.TOO_EARLY
    if action is BlockAction.EXPIRE and (request.ends_at is None or at < request.ends_at):
        return NotDone.TOO_EARLY
    return _moved(request, action)


def in_force(request: BlockRequest, at: datetime) -> bool:
    """Whether the address is blocked at this moment, whatever the record has not caught up with."""
    return request.state is BlockState.ACTIVE and request.ends_at is not None and at < request.ends_at


def protected_by(address: str, networks: Sequence[str]) -> str | None:
    """The first protected network that holds or overlaps the address (or network), None when there is none.

    Raises ValueError when a text is neither an address nor a network.
    """
    wanted = ipaddress.ip_network(address, strict=False)
    for text in networks:
        network = ipaddress.ip_network(text, strict=False)
        if network.version == wanted.version and network.overlaps(wanted):
            return text
    return None


def _moved(request: BlockRequest, action: BlockAction) -> BlockRequest:
    return replace(request, state=_MOVES[request.state, action], version=request.version + 1)
