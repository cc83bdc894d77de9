"""A block needs two people and always ends."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.block import (
    BlockAction,
    BlockRequest,
    BlockState,
    NotDone,
    advance,
    in_force,
    judge,
    protected_by,
)
from bot.domain.incident import Person

ANA, BO = Person("U0ANA", "Ana"), Person("U0BO", "Bo")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def pending() -> BlockRequest:
    return BlockRequest("BLK-1", "INC-1", "203.0.113.66", DAY, "purges", ANA, NOON, NOON + timedelta(hours=4))


def approved() -> BlockRequest:
    answer = judge(pending(), BlockAction.APPROVE, version=1, by=BO, approver=True, at=NOON)
    assert isinstance(answer, BlockRequest)
    return answer


def active() -> BlockRequest:
    answer = advance(approved(), BlockAction.APPLY, at=NOON)
    assert isinstance(answer, BlockRequest)
    return answer


@pytest.mark.parametrize("action", [BlockAction.APPROVE, BlockAction.REJECT])
def test_nobody_decides_on_their_own_request_even_as_an_approver(action: BlockAction) -> None:
    assert judge(pending(), action, version=1, by=ANA, approver=True, at=NOON) is NotDone.OWN_REQUEST


def test_only_an_approver_decides() -> None:
    assert judge(pending(), BlockAction.APPROVE, version=1, by=BO, approver=False, at=NOON) is NotDone.NOT_AN_APPROVER


def test_of_two_approvers_the_second_finds_it_decided() -> None:
    assert (
        judge(approved(), BlockAction.REJECT, version=1, by=Person("U2", "Cy"), approver=True, at=NOON)
        is NotDone.MOVED_ON
    )


def test_the_time_to_live_runs_from_the_approval() -> None:
    later = NOON + timedelta(hours=3)
    answer = judge(pending(), BlockAction.APPROVE, version=1, by=BO, approver=True, at=later)
    assert isinstance(answer, BlockRequest)
    assert answer.ends_at == later + DAY


def test_a_request_that_nobody_decides_lapses_and_cannot_be_approved_after() -> None:
    deadline = pending().decide_by
    assert judge(pending(), BlockAction.APPROVE, version=1, by=BO, approver=True, at=deadline) is NotDone.TOO_LATE
    lapsed = advance(pending(), BlockAction.LAPSE, at=deadline)
    assert isinstance(lapsed, BlockRequest)
    assert lapsed.state is BlockState.LAPSED
    assert advance(pending(), BlockAction.LAPSE, at=deadline - timedelta(seconds=1)) is NotDone.TOO_EARLY


@given(st.integers(-100_000, 1_000_000))
def test_a_block_always_ends_even_when_nobody_runs_the_expiry(seconds: int) -> None:
    assert in_force(active(), NOON + timedelta(seconds=seconds)) == (seconds < 86_400)


@given(st.lists(st.sampled_from(BlockAction), max_size=8))
def test_nothing_leaves_an_end_state_and_nothing_becomes_active_without_approval(actions: list[BlockAction]) -> None:
    request, far = pending(), NOON + timedelta(days=30)
    for action in actions:
        answer = advance(request, action, at=far)
        if request.state not in (BlockState.PENDING,):
            assert answer is NotDone.NOT_POSSIBLE
        if isinstance(answer, BlockRequest):
            request = answer
    assert request.state in (BlockState.PENDING, BlockState.LAPSED)


def test_a_block_is_undone_once() -> None:
    undone = advance(active(), BlockAction.UNDO, at=NOON)
    assert isinstance(undone, BlockRequest)
    assert not in_force(undone, NOON)
    assert advance(undone, BlockAction.UNDO, at=NOON) is NotDone.NOT_POSSIBLE


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_an_address_is_protected_exactly_when_its_leading_bits_are_the_networks(
    base: ipaddress.IPv4Address, length: int, address: ipaddress.IPv4Address
) -> None:
    network = f"{base}/{length}"
    shift = 32 - length
    inside = int(base) >> shift == int(address) >> shift
    assert protected_by(str(address), ["2001:db8::/32", network]) == (network if inside else None)


def test_a_wider_network_than_the_protected_one_is_protected_too() -> None:
    assert protected_by("192.0.0.0/8", ["192.0.2.0/24"]) == "192.0.2.0/24"
    assert replace(active(), ends_at=None).ends_at is None
    assert not in_force(replace(active(), ends_at=None), NOON)
