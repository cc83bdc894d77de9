"""The Jinja2 environment of the page, and what its templates are given."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.demo.workspace.core import Core
from bot.demo.workspace.input_values import first_value
from bot.demo.workspace.page.emoji import with_emoji
from bot.demo.workspace.page.mrkdwn import Mrkdwn, time_tag
from bot.demo.workspace.page.pictures import Pictures
from bot.demo.workspace.page.rich_text import rich_text
from bot.demo.workspace.state import Message
from bot.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[3]


def templates_folder(given: Path | None) -> Path:
    """The folder with page.html: given, in the source tree, or in the installed package. Raises ConfigError."""
    places = [given] if given else [_PACKAGE.parent / "templates" / "demo", _PACKAGE / "content" / "templates" / "demo"]
    for place in places:
        if (place / "page.html").is_file():
            return place
    raise ConfigError([f"The page of the demo workspace is not at {' or '.join(map(str, places))}"])


class PageRenderer:
    """Renders the templates over the present memory."""

    def __init__(self, core: Core, folder: Path) -> None:
        self._core = core
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        pictures = Pictures(folder / "static" / "emoji")
        groups = {group.id: group.handle for group in core.state.groups.values()}
        mrkdwn = Mrkdwn(self._people, self._channels, groups)
        self._environment.filters |= {
            "mrkdwn": lambda text: pictures.html(mrkdwn.html(text)),
            "plain": pictures.plain,
            "emoji": with_emoji,
            "rich_text": lambda block: pictures.html(self._rich_text(block)),
            "clock": _clock,
            "first_value": first_value,
        }

    def render(self, name: str, **values: Any) -> str:
        """One template as HTML."""
        return self._environment.get_template(name).render(state=self._core.state, team=self._core.settings, **values)

    def conversation(self, channel: str, user: str) -> list[Message]:
        """What a person sees in a channel, oldest first, without thread replies."""
        return [m for m in self._seen(channel, user) if not m.thread_ts]

    def thread(self, channel: str, ts: str, user: str) -> list[Message]:
        """A message and its replies."""
        return [m for m in self._seen(channel, user) if ts in {m.ts, m.thread_ts}]

    def replies(self, channel: str, user: str) -> Counter[str]:
        """How many replies each thread has."""
        return Counter(m.thread_ts for m in self._seen(channel, user) if m.thread_ts)

    def _seen(self, channel: str, user: str) -> list[Message]:
        seen = [m for m in self._core.state.messages if m.channel == channel and m.seen_by in {"", user}]
        return sorted(seen, key=lambda m: m.ts)

    def _people(self) -> dict[str, str]:
        return {person.id: person.name for person in self._core.state.people.values()}

    def _channels(self) -> dict[str, str]:
        return {channel.id: channel.name for channel in self._core.state.channels.values()}

    def _rich_text(self, block: dict[str, Any]) -> Markup:
        return rich_text(block, self._people(), self._channels())


def _clock(ts: str) -> Markup:
    return time_tag(float(ts), "{time}", "")
