"""The log under a card: one sentence for each thing that happened.

A line is made from what was stored with it, when it is posted. What it says of a request to block is what happened at
that step, even when the request has moved on since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from bot.domain.block import BlockRequest, BlockState
from bot.domain.incident import Action, Classification
from bot.domain.view_address import AddressView
from bot.domain.view_words import counted, length, one_line, unfinished, utc
from bot.domain.views import CLASSIFIED


class LineKind(StrEnum):
    """What happened. The value is the "kind" with which a line is stored."""

    ACKNOWLEDGED = "acknowledge"
    UNACKNOWLEDGED = "unacknowledge"
    CLOSED = "close"
    REOPENED = "reopen"
    MORE_EVENTS = "more_events"
    REPUTATION = "reputation"
    BLOCK_PENDING = "block_pending"
    BLOCK_APPROVED = "block_approved"
    BLOCK_REJECTED = "block_rejected"
    BLOCK_LAPSED = "block_lapsed"
    BLOCK_ACTIVE = "block_active"
    BLOCK_FAILED = "block_failed"
    BLOCK_EXPIRED = "block_expired"
    BLOCK_UNDONE = "block_undone"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One sentence of the log. `at` is when it happened, None when the message's own time says it."""

    kind: LineKind
    sentence: str
    at: datetime | None = None


def thread_line(body: Mapping[str, Any], request: BlockRequest | None = None) -> ThreadLine:
    """The line of a stored body; `request` is the one that the body names. An unknown kind is told as a change."""
    kind = body.get("kind")
    if kind in _DECISIONS:
        classified = body.get("classification")
        classification = Classification(classified) if classified in tuple(Classification) else None
        return decision_line(
            Action(kind), str(body.get("name") or "Somebody"), classification, str(body.get("comment") or "")
        )
    if kind == LineKind.MORE_EVENTS:
        return more_events_line(int(body["count"]))
    if kind == LineKind.BLOCK_FAILED and request is not None:
        return block_failed_line(request, str(body.get("problem", "")))
    if request is not None and kind in _BLOCK_STATES:
        return block_event_line(request, _BLOCK_STATES[kind])
    return ThreadLine(LineKind.OTHER, "This incident changed; the card above shows how it stands.")


def decision_line(
    action: Action, name: str, classification: Classification | None = None, comment: str = ""
) -> ThreadLine:
    """What a person decided about the incident."""
    match action:
        case Action.ACKNOWLEDGE:
            return ThreadLine(LineKind.ACKNOWLEDGED, f"{name} acknowledged this.")
        case Action.UNACKNOWLEDGE:
            return ThreadLine(LineKind.UNACKNOWLEDGED, f"{name} gave this back: it is open again.")
        case Action.CLOSE:
            kind = f" as {CLASSIFIED[classification]}" if classification else ""
            return ThreadLine(LineKind.CLOSED, f"{name} closed this{kind}{_quoted(comment)}")
        case Action.REOPEN:
            return ThreadLine(LineKind.REOPENED, f"{name} reopened this.")
        case Action.ESCALATE:
            return ThreadLine(LineKind.BLOCK_PENDING, f"{name} asked for a block.")
        case never:
            assert_never(never)


def more_events_line(count: int) -> ThreadLine:
    """Rows that joined after the card was posted."""
    return ThreadLine(LineKind.MORE_EVENTS, f"{counted(count, 'more event')} joined this incident.")


def reputation_line(before: AddressView, after: AddressView) -> ThreadLine | None:
    """An answer that changed how bad an address is said to be; None when it did not."""
    if before.tier is after.tier:
        return None
    score = f", {after.score}/100" if after.score is not None else ""
    was = f" It was: {before.verdict.lower()}." if before.tier is not None else ""
    sentence = f"{after.address}: {after.verdict.lower()}{score}. {unfinished(after.sentence)}.{was}"
    return ThreadLine(LineKind.REPUTATION, sentence)


def block_event_line(request: BlockRequest, state: BlockState) -> ThreadLine:
    """A step of a request to block, told as the step that led to `state`."""
    address, ends = request.address, utc(request.ends_at) if request.ends_at else ""
    until = f" until {ends}" if ends else ""
    by = request.decided_by.name if request.decided_by else "An approver"
    sentences = {
        BlockState.PENDING: f"{request.requested_by.name} asked to block {address} for {length(request.ttl)}"
        f"{_quoted(request.reason)} It waits for an approver until {utc(request.decide_by)}.",
        BlockState.APPROVED: f"{by} approved the block of {address}{until}.",
        BlockState.REJECTED: f"{by} rejected the block of {address}.",
        BlockState.LAPSED: f"The request to block {address} lapsed: nobody decided in time. Ask again if it matters.",
        BlockState.ACTIVE: f"{address} is blocked{until}.",
        BlockState.EXPIRED: f"The block of {address} ended: its time was over.",
        BlockState.UNDONE: f"The block of {address} was undone before its time.",
    }
    return ThreadLine(LineKind(f"block_{state.value}"), sentences[state])


def block_failed_line(request: BlockRequest, problem: str) -> ThreadLine:
    """A block that was approved and could not be put in place."""
    why = f": {unfinished(problem)}" if problem.strip() else ""
    return ThreadLine(LineKind.BLOCK_FAILED, f"{request.address} could not be blocked{why}. It is being tried again.")


def _quoted(text: str) -> str:
    return f": “{one_line(text)}”." if text.strip() else "."


_DECISIONS = (Action.ACKNOWLEDGE, Action.UNACKNOWLEDGE, Action.CLOSE, Action.REOPEN)
_BLOCK_STATES: Mapping[Any, BlockState] = {f"block_{state.value}": state for state in BlockState}
