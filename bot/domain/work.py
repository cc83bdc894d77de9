"""Durable work, as the services name it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of durable work. The same kind and key are one job for ever: a second one is not run.

    Jobs of one `partition` of a paced queue (a channel, say) start one after the other.
    """

    kind: str
    key: str
    queue: str
    partition: str | None = None

    @property
    def id(self) -> str:
        """The id in the engine's tables and in logs."""
        return f"{self.kind}:{self.key}"
