"""Promise 7: only those allowed can act."""

from __future__ import annotations

import pytest

from bot.domain.access import Access, Grant

ANALYSTS = Grant(users=frozenset({"U1"}), groups=frozenset({"SA"}))
APPROVERS = Grant(groups=frozenset({"SB"}))
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("access", "user", "groups", "responds", "approves"),
    [
        (Access(), "U9", NONE, True, False),
        (Access(ANALYSTS), "U1", NONE, True, False),
        (Access(ANALYSTS), "U2", {"SA"}, True, False),
        (Access(ANALYSTS), "U2", {"SX"}, False, False),
        (Access(ANALYSTS, APPROVERS), "U2", {"SB"}, True, True),
        (Access(ANALYSTS, APPROVERS), "U1", NONE, True, False),
        (Access(ANALYSTS, APPROVERS), "U3", NONE, False, False),
        (Access(None, APPROVERS), "U3", NONE, True, False),
        (Access(Grant(), Grant()), "U3", NONE, False, False),
    ],
)
def test_promise_7_only_those_allowed_can_act(
    access: Access, user: str, groups: set[str], responds: bool, approves: bool
) -> None:
    assert access.may_respond(user, frozenset(groups)) is responds
    assert access.may_approve(user, frozenset(groups)) is approves


def test_the_groups_of_both_roles_must_be_known() -> None:
    assert Access(ANALYSTS, APPROVERS).groups == {"SA", "SB"}
    assert Access().groups == frozenset()
