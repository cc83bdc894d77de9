"""Who may act. Judged on the server at every click, from the groups that the person is in now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """The people and groups that hold a role."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def holds(self, user_id: str, groups: frozenset[str]) -> bool:
        """Whether the person holds the role, by name or by group."""
        return user_id in self.users or bool(self.groups & groups)


@dataclass(frozen=True, slots=True)
class Access:
    """Two roles. Without an analyst role everybody may respond; without an approver role nobody may approve."""

    analyst: Grant | None = None
    approver: Grant | None = None

    def may_respond(self, user_id: str, groups: frozenset[str]) -> bool:
        """Acknowledge, close, reopen, ask for a block. An approver may respond too."""
        if self.analyst is None:
            return True
        return self.analyst.holds(user_id, groups) or self.may_approve(user_id, groups)

    def may_approve(self, user_id: str, groups: frozenset[str]) -> bool:
        """Approve or reject other people's requests to block."""
        return self.approver is not None and self.approver.holds(user_id, groups)

    @property
    def groups(self) -> frozenset[str]:
        """Every group whose members must be known."""
        grants = [grant for grant in (self.analyst, self.approver) if grant is not None]
        return frozenset().union(*(grant.groups for grant in grants))
