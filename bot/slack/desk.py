"""What the listeners work with, and how they say something to one person after the answer has left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alert import Alert
from bot.services.answers import Answers
from bot.services.check import Check, Understood
from bot.services.contain import Contain
from bot.services.ports import Chat, Clock, Message
from bot.services.respond import Respond

log = logging.getLogger("tocsin.slack")


class Forms(Protocol):
    """Makes the views and private messages that answer a click."""

    async def close(self, alert: Alert) -> Message:
        """The form to close an incident."""
        ...

    async def escalate(self, alert: Alert) -> Message:
        """The form to ask for a block."""
        ...

    async def details(self, alert: Alert) -> Message:
        """Everything about an incident."""
        ...

    def say(self, sentence: str) -> Message:
        """A private sentence."""
        ...

    def understood(self, what: Understood) -> Message:
        """The first answer to `/ipcheck`."""
        ...


class Afterwards:
    """Small things that follow an answer and may be lost with the process: private sentences, never state."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def do(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Run the work once the caller has answered. Its failure is logged."""
        task = asyncio.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give what is under way a moment to end."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)

    @staticmethod
    async def _run(work: Callable[[], Awaitable[Any]]) -> None:
        try:
            await work()
        except Exception:
            log.exception("a private answer could not be given")


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a listener may use."""

    client: AsyncWebClient
    chat: Chat
    clock: Clock
    respond: Respond
    contain: Contain
    check: Check
    forms: Forms
    answers: Answers
    afterwards: Afterwards

    def tell(self, answer_at: SecretStr | None, sentence: str) -> None:
        """Say a sentence to the person who clicked, after the answer has left."""
        if answer_at is not None:
            message = {**self.forms.say(sentence), "response_type": "ephemeral", "replace_original": False}
            self.afterwards.do(lambda: self.chat.respond(answer_at, message))
