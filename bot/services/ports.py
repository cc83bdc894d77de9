"""What the services need from outside, as Protocols. Adapters live in the packages beside this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeAlias

from pydantic import SecretStr

from bot.domain.delivery import Look, Outcome
from bot.domain.finding import Finding
from bot.domain.schedule import Slot
from bot.domain.table import Row, Table, Window

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


class Detection(Protocol):
    """A rule to evaluate. What each member means is said in bot/rules/detection.py."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def frequency(self) -> timedelta: ...
    @property
    def period(self) -> timedelta: ...
    @property
    def lookback(self) -> timedelta: ...
    @property
    def mode(self) -> Literal["row", "window"]: ...
    def fires(self, rows: int) -> bool: ...
    def findings(self, rows: Sequence[Row], slot: Slot) -> list[Finding]: ...


class Rooms(Protocol):
    """Which channel hears of what."""

    def channel_for(self, severity: str, rule_id: str) -> str:
        """The channel of an incident's card: an id, or a name with #."""
        ...

    @property
    def approvals(self) -> str:
        """The channel of requests to block."""
        ...
