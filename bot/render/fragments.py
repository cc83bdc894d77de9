"""Values on their way into a message: cleaned, shortened and marked up without knowing any platform.

A Fragment holds plain text and what it should become. Each platform encodes it for the place where it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum, auto
from typing import Any

ELLIPSIS = "…"
EMPTY = "–"
_LONGEST = 50_000  # no place shows more: what lies beyond is not even looked at
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xE0100, 0xE01F0)}
_DROPPED_CATEGORIES = {"Cc", "Cf", "Cs", "Co"}


class Kind(Enum):
    """What a value should become."""

    TEXT = auto()
    FIXED = auto()  # made by us, never shortened
    CODE = auto()
    BOLD = auto()
    LINK = auto()
    WHEN = auto()
    AGO = auto()
    USER = auto()
    LIST = auto()
    LITERAL = auto()


_CUTTABLE = {Kind.TEXT, Kind.CODE, Kind.BOLD, Kind.LINK}


@dataclass(frozen=True, slots=True)
class Fragment:
    """One value. `text` is its cleaned plain form in full.

    `target` is the URL, the person's id, the Unix time or the list's separator, by kind. `hidden` counts the list parts
    that were cut away.
    """

    kind: Kind
    text: str
    target: str = ""
    parts: tuple[Fragment, ...] = ()
    hidden: int = 0
    literal: int | float | bool | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def can_shrink(self) -> bool:
        """Whether `shorten` can take something away."""
        return bool(self.parts) if self.kind is Kind.LIST else self.kind in _CUTTABLE


def clean(text: str) -> str:
    """`text` without control, bidi, zero-width, private-use and otherwise invisible characters or lone surrogates.

    Line ends become a newline, tabs a space. Only the first 50,000 characters are kept.
    """
    text = text[:_LONGEST]
    text = re.sub(r"\r\n?|\x0b|\x0c|\x85|\u2028|\u2029", "\n", text).replace("\t", " ")
    dropped = {ord(c): None for c in set(text) if c != "\n" and not _is_visible(c)}
    return text.translate(dropped) if dropped else text


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in _DROPPED_CATEGORIES and ord(character) not in _INVISIBLE


def cut_text(text: str, length: int) -> str:
    """`text` in at most `length` characters, cut at a word where one ends in the second half, with an ellipsis."""
    if len(text) <= length:
        return text
    head = text[: max(length - 1, 0)]
    space = max(head.rfind(" "), head.rfind("\n"))
    if space >= len(head) // 2 and not text[len(head)].isspace():
        head = head[:space]
    return head.rstrip() + ELLIPSIS


def fragment_of(value: Any) -> Fragment:
    """Any template value as a Fragment: moments become dates, lists are joined, None is an en dash."""
    if isinstance(value, Fragment):
        return value
    if isinstance(value, str):
        return Fragment(Kind.TEXT, clean(str(value.value) if isinstance(value, Enum) else value))
    if value is None or isinstance(value, bool):
        return Fragment(Kind.FIXED, {None: EMPTY, True: "yes", False: "no"}[value])
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, list | tuple | set | frozenset):
        return join(value)
    return Fragment(Kind.TEXT, clean(value.isoformat() if isinstance(value, date) else str(value)))


def code(value: Any) -> Fragment:
    """Inline code: no markup is read inside it."""
    return replace(fragment_of(value), kind=Kind.CODE, target="", parts=())


def bold(value: Any) -> Fragment:
    """Bold text."""
    return replace(fragment_of(value), kind=Kind.BOLD, target="", parts=())


def link(url: Any, label: Any = None) -> Fragment:
    """A link. An address that is not http or https leaves only the label."""
    return Fragment(Kind.LINK, str(fragment_of(url if label is None else label)), target=str(url))


def when(moment: datetime | None) -> Fragment:
    """A moment in the reader's time zone, in full UTC where the platform cannot show that."""
    return _moment(Kind.WHEN, moment)


def ago(moment: datetime | None) -> Fragment:
    """A moment as time passed, kept current by the platform; in full UTC where it cannot."""
    return _moment(Kind.AGO, moment)


def _moment(kind: Kind, moment: datetime | None) -> Fragment:
    if moment is None:
        return Fragment(Kind.FIXED, EMPTY)
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone: pass an aware datetime")
    utc = moment.astimezone(UTC)
    return Fragment(kind, f"{utc:%Y-%m-%d %H:%M:%S} UTC", target=str(int(utc.timestamp())))


def bar(score: float | None) -> Fragment:
    """A score from 0 to 100 as ten cells and a number."""
    if score is None:
        return Fragment(Kind.FIXED, EMPTY)
    bounded = max(0, min(100, round(score)))
    cells = (bounded + 5) // 10
    return Fragment(Kind.FIXED, f"{'█' * cells}{'░' * (10 - cells)} {bounded}/100")


def user(identifier: Any, name: Any = None) -> Fragment:
    """A person who stands in our record. An id that is not Slack's is shown as plain text."""
    text = str(fragment_of(identifier if name is None else name))
    known = re.fullmatch(r"[UW][A-Z0-9]+", str(identifier), re.ASCII)
    return Fragment(Kind.USER if known else Kind.TEXT, text, target=str(identifier) if known else "")


def plural(number: int, word: str, many: str | None = None) -> Fragment:
    """`1 event`, `1,200 events`, `2 addresses`; `many` for words that do not follow the rule."""
    return Fragment(Kind.TEXT, f"{number:,} {clean(str(word if number == 1 else many or _plural_of(str(word))))}")


def _plural_of(word: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    return word[:-1] + "ies" if re.search(r"[^aeiou]y$", word) else word + "s"


def cut(value: Any, length: int) -> Fragment:
    """The value in at most `length` characters; a list loses its last parts and says how many."""
    return shorten(fragment_of(value), length)


def join(values: Iterable[Any], separator: str = ", ") -> Fragment:
    """A list that knows how to lose its last parts: `a, b, … 12 more`."""
    return _listed(tuple(fragment_of(v) for v in values), clean(str(separator)), 0)


def json_literal(value: bool | int | float | None) -> Fragment:
    """A number, a truth value or null. A JSON string that holds only this becomes the bare literal."""
    if value is not None and not isinstance(value, bool | int | float):
        raise ValueError("json() takes a number, a truth value or none")
    return Fragment(
        Kind.LITERAL,
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value),
        literal=value,
    )


def more(hidden: int) -> str:
    """The words for what was cut away."""
    return f"{ELLIPSIS} {hidden:,} more"


def shorten(fragment: Fragment, length: int) -> Fragment:
    """`fragment` with a plain form of at most `length` characters, as far as its kind can be shortened."""
    if len(fragment.text) <= length or not fragment.can_shrink:
        return fragment
    if fragment.kind is not Kind.LIST:
        return replace(fragment, text=cut_text(fragment.text, length))
    return _shorter_list(fragment, length)


def _shorter_list(fragment: Fragment, length: int) -> Fragment:
    total = len(fragment.parts) + fragment.hidden
    room, kept = length - len(more(total)), 0
    for part in fragment.parts:
        room -= len(part.text) + len(fragment.target)
        if room < 0:
            break
        kept += 1
    first = shorten(fragment.parts[0], length - len(more(total)) - len(fragment.target))
    if kept == 0 and 1 < len(first.text) < len(fragment.parts[0].text):
        return _listed((first,), fragment.target, total - 1)
    kept = min(kept, len(fragment.parts) - 1)
    return _listed(fragment.parts[:kept], fragment.target, total - kept)


def _listed(parts: tuple[Fragment, ...], separator: str, hidden: int) -> Fragment:
    words = [p.text for p in parts] + ([more(hidden)] if hidden else [])
    return Fragment(Kind.LIST, separator.join(words), target=separator, parts=parts, hidden=hidden)
