"""The record of everything that went in and out of the workspace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request. `name` is the Web API method (in) or the payload type (out); `outcome` the answer in a word.

    `at` is a Unix time in seconds. Tokens are never kept.
    """

    at: float
    direction: Literal["in", "out"]
    name: str
    arguments: dict[str, Any]
    outcome: str
    attempt: int = 0

    def as_json(self) -> dict[str, Any]:
        """For the control API."""
        return asdict(self)


class Traffic:
    """A bounded list of exchanges, oldest first."""

    def __init__(self, now: Callable[[], float], kept: int) -> None:
        self._now = now
        self._exchanges: deque[Exchange] = deque(maxlen=kept)

    def incoming(self, method: str, arguments: dict[str, Any], outcome: str) -> None:
        """Note a Web API call."""
        shown = {name: value for name, value in arguments.items() if name != "token"}
        self._exchanges.append(Exchange(self._now(), "in", method, shown, outcome))

    def outgoing(self, name: str, payload: dict[str, Any], outcome: str, attempt: int) -> None:
        """Note a delivery to the bot; `attempt` counts from 0."""
        shown = {key: value for key, value in payload.items() if key != "token"}
        self._exchanges.append(Exchange(self._now(), "out", name, shown, outcome, attempt))

    def all(self) -> list[Exchange]:
        """Every exchange that is still kept."""
        return list(self._exchanges)

    def calls(self, method: str) -> list[Exchange]:
        """The Web API calls of one method."""
        return [e for e in self._exchanges if e.direction == "in" and e.name == method]

    def deliveries(self, name: str = "") -> list[Exchange]:
        """What was sent to the bot, of one name or all."""
        return [e for e in self._exchanges if e.direction == "out" and name in {"", e.name}]

    def clear(self) -> None:
        """Forget everything."""
        self._exchanges.clear()
