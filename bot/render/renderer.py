"""Templates and values to Slack messages and views that Slack accepts, whatever the values are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.render import limits, slack
from bot.render.encode import Encoding
from bot.render.environment import TemplateFault, Templates
from bot.render.fragments import EMPTY, clean, cut_text, fragment_of
from bot.render.fragments import link as link_to
from bot.render.tree import BadTree

_SUFFIX = ".json"
_SHRINKS = (1, 2, 4, 8)


class Renderer:
    """Renders `slack/<name>.json` from `folders`; the first folder that has a template wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._templates = Templates(folders)

    def names(self) -> list[str]:
        """The names that `message` and `view` take, without the partial templates that others include."""
        found = (path.removeprefix("slack/").removesuffix(_SUFFIX) for path in self._paths())
        return sorted(name for name in found if not name.rpartition("/")[2].startswith("_"))

    def faults(self) -> list[TemplateFault]:
        """What is wrong with any template, partial ones too, as far as it shows without values."""
        return self._templates.faults(self._paths())

    def message(self, name: str, /, **values: Any) -> dict[str, Any]:
        """A message for chat.postMessage or chat.update, always with `text`. Raises TemplateFault."""
        made = self._made(name, values, limits.BLOCKS_CHARACTERS)
        for holder in (made, *made.get("attachments", [])):
            if isinstance(holder, dict) and "blocks" in holder:
                holder["blocks"] = limits.fit_blocks(holder["blocks"], limits.MESSAGE_BLOCKS)
        return {**made, "text": made.get("text") or EMPTY}

    def view(self, name: str, /, **values: Any) -> dict[str, Any]:
        """A modal or a home tab for views.open, views.update and views.publish. Raises TemplateFault."""
        made = self._made(name, values, limits.VIEW_CHARACTERS)
        blocks = limits.fit_blocks(made.get("blocks", []), limits.VIEW_BLOCKS, limits.VIEW_CHARACTERS)
        return {**made, "blocks": blocks}

    def _made(self, name: str, values: Mapping[str, Any], characters: int) -> dict[str, Any]:
        path = name if name.endswith(_SUFFIX) else f"slack/{name}{_SUFFIX}"
        tree = self._templates.tree(path, values)
        if not isinstance(tree, dict) or not isinstance(tree.get("blocks", []), list):
            raise TemplateFault(path, 0, "the template must make one JSON object, and `blocks` in it a list")
        try:
            return _small_enough(tree, characters)
        except BadTree as error:
            raise TemplateFault(path, 0, error.sentence) from error

    def _paths(self) -> list[str]:
        return [path for path in self._templates.names(_SUFFIX) if path.startswith("slack/")]


def _small_enough(tree: Mapping[str, Any], characters: int) -> dict[str, Any]:
    """Long values share what room the whole message has, before whole blocks have to go."""
    made: dict[str, Any] = {}
    for shrink in _SHRINKS:
        made = Encoding(shrink).message(tree)
        if len(json.dumps(made.get("blocks", []), ensure_ascii=False)) <= characters:
            break
    return made


def minimal_message(title: str, lines: Sequence[str], link: str) -> dict[str, Any]:
    """A message that needs no template and no markup: for when Slack refuses the card that was meant."""
    body = "\n".join(clean(line) for line in (title, *lines)).strip() or EMPTY
    shown = cut_text(body, limits.SECTION_TEXT)
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "plain_text", "text": shown}}]
    if slack.web_address(link):
        where = slack.mrkdwn(link_to(link, "Open"))
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": where}})
    text = limits.fit([fragment_of(clean(title).strip() or EMPTY)], limits.MESSAGE_TEXT, slack.mrkdwn)
    return {"text": text, "blocks": blocks}
