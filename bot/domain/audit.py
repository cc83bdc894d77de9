"""The audit chain: a record of decisions that shows an edit, a deletion, a reordering and a cut tail.

Each entry's seal covers the entry and the seal before it. With a key that is kept outside the database the seals cannot
be made again by somebody who can only write to the database; without one they prove consistency alone. The head (how
many entries, and the last seal) is kept apart from the entries, which is what shows a cut tail.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

START = "0" * 64
"""What stands before the first seal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to which thing, with what it was before and after."""

    at: datetime
    actor: str
    action: str
    subject: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry in its place. `seq` counts from 1 without gaps."""

    seq: int
    entry: Entry
    previous: str
    seal: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many entries it has and the last one's seal."""

    seq: int = 0
    seal: str = START


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold, and why."""

    seq: int
    why: str


def canonical(entry: Entry) -> str:
    """The entry as the one text that its seal covers: sorted keys, no spaces, time in UTC with microseconds."""
    body = {
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "before": dict(entry.before),
        "after": dict(entry.after),
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def seal(key: bytes, previous: str, seq: int, entry: Entry) -> str:
    """HMAC-SHA256 over the previous seal, the place and the entry."""
    text = f"{previous}|{seq}|{canonical(entry)}".encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def append(key: bytes, head: Head, entry: Entry) -> tuple[Sealed, Head]:
    """The entry sealed behind `head`, and the new head."""
    seq = head.seq + 1
    made = seal(key, head.seal, seq, entry)
    return Sealed(seq, entry, head.seal, made), Head(seq, made)


def verify(key: bytes, chain: Iterable[Sealed], head: Head) -> Break | None:
    """The first break in the chain, read in its order, or None when all of it up to `head` stands as written."""
    seen = Head()
    for link in chain:
        if link.seq != seen.seq + 1:
            return Break(seen.seq + 1, f"entry {seen.seq + 1} is missing or out of order")
        if not hmac.compare_digest(link.previous, seen.seal):
            return Break(link.seq, f"entry {link.seq} does not follow the one before it")
        if not hmac.compare_digest(link.seal, seal(key, link.previous, link.seq, link.entry)):
            return Break(link.seq, f"entry {link.seq} was changed after it was written, or the key is another")
        seen = Head(link.seq, link.seal)
    if seen.seq < head.seq:
        return Break(seen.seq + 1, f"the last {head.seq - seen.seq} entries are gone")
    if seen != head:
        return Break(seen.seq, "the chain goes on behind its recorded end")
    return None
