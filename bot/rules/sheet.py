"""One mapping of a YAML file, read field by field, where each complaint knows its line and column.

Scalars are read as the text in the file, never as what YAML makes of it: a version 1.10 stays 1.10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from bot.rules.durations import parse_duration, write_duration
from bot.rules.model import Note

MAX_ITEMS = 100
"""The most entries of one list or mapping that are read: an alias cannot multiply work beyond it."""

_COLUMN = re.compile(r"[A-Za-z_]\w{0,499}")
_NULL = "tag:yaml.org,2002:null"


@dataclass(slots=True)
class Findings:
    """What was noticed in one file: `errors` stop the rule, `notes` do not."""

    errors: list[Note] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A mapping node. `label` is how messages call it, and empty for the whole file."""

    node: MappingNode
    findings: Findings
    label: str = ""

    def value(self, key: str) -> Node | None:
        """The node of a key, None when it is absent or null."""
        for name, node in self._entries():
            if name.value == key:
                return None if node.tag == _NULL else node
        return None

    def text(self, key: str, *, longest: int = 10_000, required: bool = False) -> str:
        """The text of a scalar, stripped of nothing; empty when absent."""
        node = self.value(key)
        if node is None:
            return self._missing(key) if required else ""
        if not isinstance(node, ScalarNode):
            self.error(node, f"{key} must be text, not a {_kind(node)}")
            return ""
        if len(node.value) > longest:
            self.error(node, f"{key} has {len(node.value):,} characters; at most {longest:,} are allowed")
        if required and not node.value.strip():
            self.error(node, f"{key} is empty")
        return str(node.value)

    def choice(self, key: str, known: Iterable[str], *, default: str = "", required: bool = False) -> str:
        """One of `known`, compared without case and returned as spelled there."""
        text = self.text(key, required=required).strip()
        return self._known(key, self.value(key), text, known) if text else default

    def choices(self, key: str, known: Iterable[str]) -> tuple[str, ...]:
        """A list of members of `known`."""
        names = tuple(known)
        return tuple(filter(None, (self._known(key, node, text, names) for node, text in self.placed_texts(key))))

    def placed_texts(self, key: str) -> Iterator[tuple[Node, str]]:
        """Each text of a list, with its node for complaints."""
        for node in self._items(key):
            if isinstance(node, ScalarNode):
                yield node, str(node.value).strip()
            else:
                self.error(node, f"each entry of {key} must be text, not a {_kind(node)}")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text is a list of one."""
        return tuple(text for _, text in self.placed_texts(key))

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every key of this mapping with its text, in the order of the file."""
        return tuple((str(name.value), self.text(str(name.value)).strip()) for name, _ in self._entries())

    def column(self, key: str, *, required: bool = False) -> str:
        """The name of a column of the answer."""
        text = self.text(key, required=required).strip()
        if text and not _COLUMN.fullmatch(text):
            self.error(self.value(key), f"{key} must name a column, and “{text[:60]}” is no column name")
        return text

    def boolean(self, key: str, *, default: bool) -> bool:
        """true or false."""
        return self.choice(key, ("true", "false"), default=str(default).lower()) != "false"

    def integer(self, key: str, *, low: int, high: int, required: bool = False) -> int:
        """A whole number within bounds; `low` when it cannot be read."""
        text = self.text(key, required=required).strip()
        if not text:
            return low
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
            self.error(self.value(key), f"{key} must be a whole number from {low:,} to {high:,}, not “{text[:40]}”")
            return low
        return int(text)

    def duration(
        self, key: str, *, low: timedelta, high: timedelta, default: timedelta, required: bool = False
    ) -> timedelta:
        """A duration within bounds; `default` when absent or unusable."""
        text = self.text(key, required=required)
        if not text.strip():
            return default
        try:
            duration = parse_duration(text)
        except ValueError as error:
            self.error(self.value(key), f"{key}: {error}")
            return default
        if low <= duration <= high:
            return duration
        bounds = f"{write_duration(low)} and {write_duration(high)}"
        self.error(self.value(key), f"{key} must lie between {bounds}, not {write_duration(duration)}")
        return default

    def sheet(self, key: str) -> Sheet | None:
        """A mapping inside this one."""
        node = self.value(key)
        if node is None or isinstance(node, MappingNode):
            return Sheet(node, self.findings, key) if node else None
        self.error(node, f"{key} must be a mapping of names to values, not a {_kind(node)}")
        return None

    def sheets(self, key: str) -> tuple[Sheet, ...]:
        """A list of mappings inside this one."""
        found = []
        for node in self._items(key):
            if isinstance(node, MappingNode):
                found.append(Sheet(node, self.findings, key))
            else:
                self.error(node, f"each entry of {key} must be a mapping, not a {_kind(node)}")
        return tuple(found)

    def check_keys(self, known: Iterable[str]) -> None:
        """Note each unknown key, and complain about a key that is there twice."""
        names, seen = tuple(known), set()
        for name, _ in self._entries():
            key = str(name.value)
            where = f" in {self.label}" if self.label else ""
            if key in seen:
                self.error(name, f"{key} is there twice{where}: keep one of them")
            elif key not in names:
                self.note(name, f"unknown key {key[:60]}{where}; it is ignored{_suggest(key, names)}")
            seen.add(key)

    def error(self, node: Node | None, message: str) -> None:
        """Complain about a place; the place of this mapping when there is none."""
        self.findings.errors.append(_at(node or self.node, message))

    def note(self, node: Node | None, message: str) -> None:
        """Mention something that does not stop the rule."""
        self.findings.notes.append(_at(node or self.node, message))

    def _missing(self, key: str) -> str:
        where = f"{self.label} has" if self.label else "the rule has"
        present = [str(name.value) for name, _ in self._entries()]
        near = get_close_matches(key, present, 1, 0.8)
        self.error(None, f"{where} no {key}" + (f"; is {near[0]} a misspelling of it?" if near else ""))
        return ""

    def _known(self, key: str, node: Node | None, text: str, known: Iterable[str]) -> str:
        names = {name.casefold(): name for name in known}
        if text.casefold() in names:
            return names[text.casefold()]
        self.error(node, f"{key} cannot be “{text[:60]}”{_suggest(text, names.values())}")
        return ""

    def _items(self, key: str) -> list[Node]:
        node = self.value(key)
        if node is None:
            return []
        return list(node.value[:MAX_ITEMS]) if isinstance(node, SequenceNode) else [node]

    def _entries(self) -> list[tuple[ScalarNode, Node]]:
        return [(key, node) for key, node in self.node.value[:MAX_ITEMS] if isinstance(key, ScalarNode)]


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return "text"
    return "list" if isinstance(node, SequenceNode) else "mapping"


def _at(node: Node, message: str) -> Note:
    return Note(node.start_mark.line + 1, node.start_mark.column + 1, message)


def _suggest(text: str, known: Iterable[str]) -> str:
    """The nearest known value, or all of them when none is near and they are few."""
    names = list(known)
    lower = {name.casefold(): name for name in names}
    near = get_close_matches(text.casefold(), lower, 1, 0.6)
    if near:
        return f"; did you mean {lower[near[0]]}?"
    return f"; it is one of {', '.join(names)}" if len(names) <= 8 else ""
