"""What comes back from a chat platform, as values: refusals and rate limits are part of normal life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Posted:
    """The message is in the channel. `channel` is the platform's id, `ts` the message's id in it."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Throttled:
    """Definitely not taken; asking again makes sense after so many seconds."""

    retry_after: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Definitely not taken, and the same message will be refused again until somebody acts.

    `code` is the platform's word, `sentence` says what to do, with the exact command where there is one. `content` is
    true when it is the message itself that was refused (its blocks or its length), so a plainer one may pass.
    """

    code: str
    sentence: str
    content: bool = False


@dataclass(frozen=True, slots=True)
class Unsure:
    """No clear answer: the message may be in the channel. Look before posting again."""

    sentence: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """The channel's history was read and does not hold the message."""


@dataclass(frozen=True, slots=True)
class CannotLook:
    """The channel's history cannot be read now."""

    sentence: str


Outcome: TypeAlias = Posted | Throttled | Refused | Unsure
Look: TypeAlias = Posted | NotThere | CannotLook
