"""A tree with values to a Slack object: each string written for its place, each list within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.render import limits, slack
from bot.render.fragments import EMPTY, Fragment, Kind, more
from bot.render.places import Place, Reads, name_of, place, text_limit
from bot.render.tree import BadTree, Text

_GONE = object()  # stands for an object that cannot be shown without its address
_PACKED = ("private_metadata", "value")
_MOST: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("section", "fields"): limits.SECTION_FIELDS,
        ("context", "elements"): limits.CONTEXT_ELEMENTS,
        ("actions", "elements"): limits.ACTIONS_ELEMENTS,
    }
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """One way to write a tree. `shrink` divides the room of long texts with values, for a message that is too big."""

    shrink: int = 1

    def message(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        """The whole object. Raises BadTree when a value stands where none may, or an id stands twice."""
        made: dict[str, Any] = self._object(tree, "", limits.MESSAGE_TEXT)
        _refuse_twins(made.get("blocks"), "block_id")
        return made

    def _any(self, node: Any, owner: str, key: str, limit: int) -> Any:
        if isinstance(node, dict | list) and key in _PACKED:
            return _packed(node, place(owner, key, limit), key)
        if isinstance(node, dict):
            return self._object(node, key, text_limit(owner, key))
        if isinstance(node, list):
            return self._list(node, owner, key)
        if isinstance(node, str | Text):
            return self._string(node, place(owner, key, limit), key)
        if key == "text":
            raise BadTree("`text` must be a string: json() makes a number, true, false or null")
        return node

    def _object(self, node: Mapping[str, Any], key: str, limit: int) -> Any:
        if key == "metadata":
            return _verbatim(node)
        name = name_of(node, key)
        made: dict[str, Any] = {}
        for child, value in node.items():
            encoded = self._any(value, name, child, limit)
            if encoded is not _GONE:
                made[child] = encoded
            elif key and not isinstance(value, dict):
                return self._without_address(node, name, limit)
        if name == "mrkdwn" and isinstance(node.get("text"), Text):
            made.setdefault("verbatim", True)  # else Slack makes links of addresses that a value holds
        return made if not key or _has_content(made, node) else _GONE

    def _without_address(self, node: Mapping[str, Any], name: str, limit: int) -> Any:
        if name != "link":
            return _GONE
        text = self._string(node.get("text", EMPTY), Place(Reads.PLAIN, limit), "text")
        return {"type": "text", "text": text}

    def _list(self, node: Sequence[Any], owner: str, key: str) -> list[Any]:
        made = [self._any(child, owner, key, text_limit(owner, key)) for child in node]
        made = [child for child in made if child is not _GONE]
        most = _MOST.get((owner, key), limits.OPTIONS if key == "options" else len(made))
        if owner == "actions":
            _refuse_twins(made, "action_id")
        if len(made) <= most:
            return made
        if owner == "actions" or key == "options":
            return made[:most]
        return [*made[: most - 1], {"type": "plain_text", "text": more(len(made) - most + 1)}]

    def _string(self, node: str | Text, where: Place, key: str) -> Any:
        if isinstance(node, str):
            return _own_words(node, where, key)
        if where.reads is Reads.STRUCTURE:
            raise BadTree(f"a value cannot stand in `{key}` here: write it in the template")
        if where.reads is Reads.ADDRESS:
            return _address(node, where.limit)
        if where.reads is Reads.VERBATIM:
            return _verbatim(node)[: where.limit]
        return self._shown(node, where)

    def _shown(self, node: Text, where: Place) -> str:
        encode: Callable[[Fragment], str] = slack.plain
        if where.reads is Reads.MRKDWN:
            _refuse_inside_markup(node)
            encode = slack.mrkdwn
        limit = where.limit // self.shrink if where.limit > limits.CONFIRM_TEXT else where.limit
        text = limits.fit(node.pieces, limit, encode)
        if where.limit <= limits.HEADER_TEXT:
            text = " ".join(text.split())
        return text if text.strip() else EMPTY


def _has_content(made: dict[str, Any], node: Mapping[str, Any]) -> bool:
    """Slack refuses empty lists: an empty `fields` goes, a block without elements goes whole."""
    if made.get("fields") == []:
        del made["fields"]
        return "text" in made
    return not (made.get("elements") == [] and "type" in node)


def _refuse_twins(nodes: Any, key: str) -> None:
    seen: set[str] = set()
    for node in nodes if isinstance(nodes, list) else ():
        name = node.get(key) if isinstance(node, dict) else None
        if isinstance(name, str) and name in seen:
            raise BadTree(f"the {key} `{name}` stands twice: Slack refuses that")
        seen.add(name) if isinstance(name, str) else None


def _own_words(text: str, where: Place, key: str) -> str:
    if where.reads is Reads.ADDRESS or where.reads is Reads.STRUCTURE:
        return text
    if where.reads is Reads.VERBATIM:
        return text[: where.limit]
    return limits.fit([text], where.limit, slack.plain) if text.strip() or key != "text" else EMPTY


def _refuse_inside_markup(node: Text) -> None:
    """A value inside the template's own `<…>` could turn a link into a mention."""
    words = ""
    for piece in node.pieces:
        if isinstance(piece, Fragment) and words.rfind("<") > words.rfind(">"):
            raise BadTree("a value stands inside `<…>`: use link(), when() or user(), or &lt; for the sign itself")
        words += piece if isinstance(piece, str) else ""


def _address(node: Text, limit: int) -> Any:
    first, *rest = node.pieces
    start = first if isinstance(first, str) else first.target if first.kind is Kind.LINK else first.text
    tail = [piece if isinstance(piece, str) else slack.in_address(piece) for piece in rest]
    address = slack.web_address(start + "".join(tail))
    return address if address is not None and len(address) <= limit else _GONE


def _packed(node: Any, where: Place, key: str) -> str:
    """JSON inside a string, as `value` and `private_metadata` carry it: a quote in a value stays a quote."""
    packed = json.dumps(_verbatim(node), ensure_ascii=False, separators=(",", ":"))
    if len(packed) > where.limit:
        raise BadTree(f"`{key}` holds {len(packed):,} characters and Slack takes {where.limit:,}: put less into it")
    return packed


def _verbatim(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _verbatim(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_verbatim(value) for value in node]
    return "".join(str(piece) for piece in node.pieces) if isinstance(node, Text) else node
