"""Faults that a test can order: what real Slack does on a bad day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["rate_limited", "dropped_reply", "server_error", "slow"]


@dataclass(slots=True)
class Fault:
    """One ordered fault. `method` "*" means every method; `seconds` is Retry-After or the delay, by kind."""

    method: str
    kind: FaultKind
    times: int
    seconds: float = 0.0
    status: int = 503


class Faults:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._ordered: list[Fault] = []
        self.history_delay = 0.0
        """Seconds between the acceptance of a message and the moment that history shows it."""

    def rate_limit(self, method: str, *, times: int = 1, retry_after: int = 1) -> None:
        """Answer 429 with Retry-After in whole seconds; nothing is done."""
        self._ordered.append(Fault(method, "rate_limited", times, retry_after))

    def drop_reply(self, method: str, *, times: int = 1) -> None:
        """Do the work, then close the connection without an answer."""
        self._ordered.append(Fault(method, "dropped_reply", times))

    def fail(self, method: str, *, times: int = 1, status: int = 503) -> None:
        """Answer a server error; nothing is done."""
        self._ordered.append(Fault(method, "server_error", times, status=status))

    def slow(self, method: str, seconds: float, *, times: int = 1) -> None:
        """Do the work, and answer after so many seconds."""
        self._ordered.append(Fault(method, "slow", times, seconds))

    def add(self, fault: Fault) -> None:
        """Order a fault as given."""
        self._ordered.append(fault)

    def take(self, method: str) -> Fault | None:
        """The fault that this call must meet, counted down."""
        for fault in self._ordered:
            if fault.times > 0 and fault.method in {method, "*"}:
                fault.times -= 1
                return fault
        return None

    def clear(self) -> None:
        """Back to good weather."""
        self._ordered.clear()
        self.history_delay = 0.0
