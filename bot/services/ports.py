"""What the services need from outside, as Protocols. Adapters live in the packages beside this one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.table import Table, Window


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        ...


class LogSource(Protocol):
    """Runs KQL over logs."""

    async def query(self, kql: str, *, window: Window, clock: datetime) -> Table:
        """Answer `kql` over the rows whose TimeGenerated lies in `window`, with now() pinned to `clock`.

        Raises QueryRefused, UnreadableLog or SourceUnavailable.
        """
        ...

    async def aclose(self) -> None:
        """Release what the source holds."""
        ...
