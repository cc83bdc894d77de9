"""What a card says of a request to block, judged by the clock and not only by the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.block import BlockAction, BlockRequest, BlockState, in_force
from bot.domain.incident import Person
from bot.domain.view_address import AddressView
from bot.domain.view_words import length, one_line


@dataclass(frozen=True, slots=True)
class BlockLine:
    """Where a block stands: `words`, then `until` or `at` when there is such a moment, then who decided.

    `holds` is true while the address is blocked.
    """

    words: str
    holds: bool = False
    until: datetime | None = None
    at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What one backend would change, in its own sentence."""

    backend: str
    sentence: str
    possible: bool = True


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """A request to block, as its approvers see it. `reference` names this version of it.

    `actions` is empty once nothing is left to decide. `address` is None when nothing was looked up.
    """

    id: str
    reference: str
    incident_id: str
    incident_title: str
    target: str
    address: AddressView | None
    ttl: str
    reason: str
    requested_by: str
    requested_at: datetime
    decide_by: datetime
    state: BlockLine
    plans: tuple[PlanLine, ...]
    actions: tuple[BlockAction, ...]
    sandbox: bool = False


def block_line(request: BlockRequest, now: datetime) -> BlockLine:
    """The state of a request at this moment."""
    asker = request.requested_by.name
    match request.state:
        case BlockState.PENDING if now >= request.decide_by:
            return _lapsed(request)
        case BlockState.PENDING:
            return BlockLine(f"Block requested by {asker}, waits for approval", until=request.decide_by)
        case BlockState.REJECTED:
            return BlockLine(f"Block rejected by {_name(request.decided_by)}", at=request.decided_at)
        case BlockState.LAPSED:
            return _lapsed(request)
        case BlockState.UNDONE:
            return BlockLine("Block undone", note=_approved(request))
        case _:
            return _after_approval(request, now)


def _lapsed(request: BlockRequest) -> BlockLine:
    words = f"Block requested by {request.requested_by.name} lapsed: nobody decided in time"
    return BlockLine(words, at=request.decide_by)


def _after_approval(request: BlockRequest, now: datetime) -> BlockLine:
    if in_force(request, now):
        return BlockLine("Blocked", holds=True, until=request.ends_at, note=_approved(request))
    if request.state is BlockState.EXPIRED or request.ends_at is None or now >= request.ends_at:
        return BlockLine("Block ended", at=request.ends_at, note=_approved(request))
    words = f"Block approved by {_name(request.decided_by)}, being put in place"
    return BlockLine(words, until=request.ends_at)


def newest_of(requests: Iterable[BlockRequest], address: str) -> BlockRequest | None:
    """The request for that address which counts now: the last one that was asked for."""
    about = [request for request in requests if request.address == address]
    return max(about, key=lambda request: request.requested_at, default=None)


def approval_view(
    request: BlockRequest,
    *,
    now: datetime,
    incident_title: str = "",
    address: AddressView | None = None,
    plans: Iterable[PlanLine] = (),
    sandbox: bool = False,
) -> ApprovalView:
    """The card for the approvers. It offers a decision only while one would count."""
    waits = request.state is BlockState.PENDING and now < request.decide_by
    return ApprovalView(
        id=request.id,
        reference=f"{request.id}@{request.version}",
        incident_id=request.incident_id,
        incident_title=incident_title,
        target=request.address,
        address=address,
        ttl=length(request.ttl),
        reason=one_line(request.reason, 1_000),
        requested_by=request.requested_by.name,
        requested_at=request.requested_at,
        decide_by=request.decide_by,
        state=block_line(request, now),
        plans=tuple(plans),
        actions=(BlockAction.APPROVE, BlockAction.REJECT) if waits else (),
        sandbox=sandbox,
    )


def _approved(request: BlockRequest) -> str:
    return f"approved by {request.decided_by.name}" if request.decided_by else ""


def _name(person: Person | None) -> str:
    return person.name if person else "an approver"
