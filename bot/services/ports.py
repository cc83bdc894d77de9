"""What the services need from outside, as Protocols. Adapters live in the packages beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from pydantic import SecretStr

from bot.domain.delivery import Look, Outcome
from bot.domain.table import Table, Window

Message: TypeAlias = Mapping[str, Any]
"""A message in the platform's own JSON, made by the renderer."""


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


class Chat(Protocol):
    """Puts messages on one chat platform. Nothing is raised for what a platform may answer on a bad day."""

    async def post(self, channel: str, message: Message, *, key: str, thread: str | None = None) -> Outcome:
        """Post once, without any retry. `key` travels with the message so that `find` knows it again."""
        ...

    async def update(self, channel: str, ts: str, message: Message) -> Outcome:
        """Replace a message that we posted."""
        ...

    async def find(self, channel: str, key: str, *, since: datetime, thread: str | None = None) -> Look:
        """Look for our own message with that key, posted at `since` or later."""
        ...

    async def whisper(self, channel: str, user: str, message: Message) -> Outcome:
        """Show a message to one person only. It is not kept, and cannot be found again."""
        ...

    async def respond(self, address: SecretStr, message: Message) -> Outcome:
        """Answer a command or a click at the address that came with it."""
        ...
