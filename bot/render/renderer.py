"""Templates and values to Slack messages and views that Slack accepts, whatever the values are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bot.render import limits, slack
from bot.render.environment import TemplateFault, Templates
from bot.render.fragments import EMPTY, Fragment, Kind, clean, cut_text, fragment_of, more
from bot.render.fragments import link as link_to
from bot.render.places import Place, Reads, name_of, place, text_limit
from bot.render.tree import BadTree, Text

_SUFFIX = ".json.j2"
_GONE = object()  # stands for an object that cannot be shown without its address
_MOST: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("section", "fields"): limits.SECTION_FIELDS,
        ("context", "elements"): limits.CONTEXT_ELEMENTS,
        ("actions", "elements"): limits.ACTIONS_ELEMENTS,
    }
)


class Renderer:
    """Renders `slack/<name>.json.j2` from `folders`; the first folder that has a template wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._templates = Templates(folders)

    def names(self) -> list[str]:
        """The names that `message` and `view` take, without the partial templates that others include."""
        found = (name.removeprefix("slack/").removesuffix(_SUFFIX) for name in self._templates.names(_SUFFIX))
        return sorted(name for name in found if not name.rpartition("/")[2].startswith("_"))

    def message(self, name: str, /, **values: Any) -> dict[str, Any]:
        """A message for chat.postMessage or chat.update, always with `text`. Raises TemplateFault."""
        made = self._object(name, values)
        if "blocks" in made:
            made["blocks"] = limits.fit_blocks(made["blocks"], limits.MESSAGE_BLOCKS)
        return {**made, "text": made.get("text") or EMPTY}

    def view(self, name: str, /, **values: Any) -> dict[str, Any]:
        """A modal or a home tab for views.open, views.update and views.publish. Raises TemplateFault."""
        made = self._object(name, values)
        blocks = limits.fit_blocks(made.get("blocks", []), limits.VIEW_BLOCKS, limits.VIEW_CHARACTERS)
        return {**made, "blocks": blocks}

    def _object(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        path = name if name.endswith(_SUFFIX) else f"slack/{name}{_SUFFIX}"
        tree = self._templates.tree(path, values)
        if not isinstance(tree, dict):
            raise TemplateFault(path, 0, "the template must make one JSON object")
        try:
            made = _encode_object(tree, "", limits.MESSAGE_TEXT)
        except BadTree as error:
            raise TemplateFault(path, 0, error.sentence) from error
        if not isinstance(made.get("blocks", []), list):
            raise TemplateFault(path, 0, "`blocks` must be a list")
        return made  # type: ignore[no-any-return]


def minimal_message(title: str, lines: Sequence[str], link: str) -> dict[str, Any]:
    """A message that needs no template and no markup: for when Slack refuses the card that was meant."""
    body = "\n".join(clean(line) for line in (title, *lines)).strip() or EMPTY
    shown = cut_text(body, limits.SECTION_TEXT - 100)
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "plain_text", "text": shown}}]
    if address := slack.web_address(link):
        where = slack.mrkdwn(link_to(address, "Open"))
        if len(where) <= limits.SECTION_TEXT:
            blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": where}})
    return {
        "text": limits.fit([fragment_of(clean(title) or EMPTY)], limits.MESSAGE_TEXT, slack.mrkdwn),
        "blocks": blocks,
    }


def _encode(node: Any, owner: str, key: str, limit: int) -> Any:
    if isinstance(node, dict):
        return _encode_object(node, key, text_limit(owner, key))
    if isinstance(node, list):
        return _encode_list(node, owner, key)
    if isinstance(node, str | Text):
        return _encode_string(node, place(owner, key, limit), key)
    return node


def _encode_object(node: Mapping[str, Any], key: str, limit: int) -> Any:
    if key == "metadata":
        return _verbatim(node)
    name = name_of(node, key)
    made: dict[str, Any] = {}
    for child, value in node.items():
        encoded = _encode(value, name, child, limit)
        if encoded is _GONE:
            if isinstance(value, dict):
                continue
            return _without_address(node, name, limit)
        made[child] = encoded
    return made if _has_content(made, node) else _GONE


def _has_content(made: dict[str, Any], node: Mapping[str, Any]) -> bool:
    """Slack refuses empty lists: an empty `fields` goes, a block without elements goes whole."""
    if made.get("fields") == []:
        del made["fields"]
        return "text" in made
    return not (made.get("elements") == [] and "type" in node)


def _without_address(node: Mapping[str, Any], name: str, limit: int) -> Any:
    if name != "link":
        return _GONE
    return {"type": "text", "text": _encode_string(node.get("text", EMPTY), Place(Reads.PLAIN, limit), "text")}


def _encode_list(node: Sequence[Any], owner: str, key: str) -> list[Any]:
    made = [_encode(child, owner, key, text_limit(owner, key)) for child in node]
    made = [child for child in made if child is not _GONE]
    most = _MOST.get((owner, key), limits.OPTIONS if key == "options" else len(made))
    if len(made) <= most:
        return made
    if owner == "actions" or key == "options":
        return made[:most]
    return [*made[: most - 1], {"type": "plain_text", "text": more(len(made) - most + 1)}]


def _encode_string(node: str | Text, where: Place, key: str) -> Any:
    if isinstance(node, str):
        return _own_words(node, where, key)
    if where.reads is Reads.STRUCTURE:
        raise BadTree(f"a value cannot stand in `{key}`: write it in the template")
    if where.reads is Reads.ADDRESS:
        return _address(node, where.limit)
    if where.reads is Reads.VERBATIM:
        return "".join(str(piece) for piece in node.pieces)[: where.limit]
    if where.reads is Reads.MRKDWN:
        _refuse_inside_markup(node)
    return _shown(node, where, slack.mrkdwn if where.reads is Reads.MRKDWN else slack.plain)


def _own_words(text: str, where: Place, key: str) -> str:
    if where.reads is Reads.ADDRESS or where.reads is Reads.STRUCTURE:
        return text
    if where.reads is Reads.VERBATIM:
        return text[: where.limit]
    return limits.fit([text], where.limit, slack.plain) if text.strip() or key != "text" else EMPTY


def _shown(node: Text, where: Place, encode: Any) -> str:
    text = limits.fit(node.pieces, where.limit, encode)
    if where.limit <= limits.HEADER_TEXT:
        text = " ".join(text.split())
    return text if text.strip() else EMPTY


def _refuse_inside_markup(node: Text) -> None:
    """A value inside the template's own `<…>` could turn a link into a mention."""
    words = ""
    for piece in node.pieces:
        if isinstance(piece, Fragment) and words.rfind("<") > words.rfind(">"):
            raise BadTree("a value stands inside `<…>`: use link(), when() or user()")
        words += piece if isinstance(piece, str) else ""


def _address(node: Text, limit: int) -> Any:
    first, *rest = node.pieces
    start = first if isinstance(first, str) else first.target if first.kind is Kind.LINK else first.text
    tail = [piece if isinstance(piece, str) else slack.in_address(piece) for piece in rest]
    address = slack.web_address(start + "".join(tail))
    return address if address is not None and len(address) <= limit else _GONE


def _verbatim(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _verbatim(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_verbatim(value) for value in node]
    return "".join(str(piece) for piece in node.pieces) if isinstance(node, Text) else node
