"""Slack's mrkdwn to safe HTML: https://docs.slack.dev/messaging/formatting-message-text

Everything is escaped first; only what this module knows becomes markup, and links lead to http, https or mailto.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from markupsafe import Markup, escape

from bot.demo.workspace.page.emoji import with_emoji

_HELD = re.compile("\ue000(\\d+)\ue001")
_PRE = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_TOKEN = re.compile(r"<([^<>\n]+)>")
_STYLES = tuple(
    (re.compile(rf"(?<![\w{sign}]){sign}(?=\S)([^{sign}\n]+?)(?<=\S){sign}(?![\w{sign}])"), rf"<{tag}>\1</{tag}>")
    for sign, tag in ((r"\*", "strong"), ("_", "em"), ("~", "s"))
)
_QUOTE = "&gt;"
_WEB = re.compile(r"(https?://|mailto:)", re.IGNORECASE)


def decoded(text: str) -> str:
    """The three entities that Slack knows, as signs."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def link(url: str, label: str) -> Markup:
    """A link to the web; anything else is shown as words."""
    if not _WEB.match(url):
        return escape(label if label == url else f"{label} ({url})")
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(url, label)


def time_tag(moment: float, pattern: str, fallback: str) -> Markup:
    """A moment that the page's script shows in local time; without it the fallback stands."""
    iso = datetime.fromtimestamp(moment, UTC).isoformat()
    return Markup('<time datetime="{}" data-format="{}" title="{}">{}</time>').format(iso, pattern, fallback, fallback)


class Mrkdwn:
    """Renders text; `people`, `channels` and `groups` give the names behind ids."""

    def __init__(
        self,
        people: Callable[[], Mapping[str, str]],
        channels: Callable[[], Mapping[str, str]],
        groups: Mapping[str, str],
    ) -> None:
        self._people, self._channels, self._groups = people, channels, groups

    def html(self, text: str) -> Markup:
        """The text as HTML that is safe to insert."""
        held: list[Markup] = []

        def hold(markup: Markup) -> str:
            held.append(markup)
            return f"\ue000{len(held) - 1}\ue001"

        text = text.replace("\ue000", "").replace("\ue001", "")
        text = _PRE.sub(lambda m: hold(Markup("<pre>{}</pre>").format(_words(m[1]))), text)
        text = _CODE.sub(lambda m: hold(Markup("<code>{}</code>").format(_words(m[1]))), text)
        text = _TOKEN.sub(lambda m: hold(self._token(m[1])), text)
        styled = with_emoji(str(escape(decoded(text))))
        for pattern, markup in _STYLES:
            styled = pattern.sub(markup, styled)
        return Markup(_HELD.sub(lambda m: str(held[int(m[1])]), _lines(styled)))  # noqa: S704 - escaped above

    def _token(self, inside: str) -> Markup:
        target, _, label = inside.partition("|")
        target, label = decoded(target), decoded(label)
        sign, rest = target[:1], target[1:]
        if sign == "@":
            return _mention("@" + self._people().get(rest, label or rest))
        if sign == "#":
            return _mention("#" + self._channels().get(rest, label or rest))
        if sign == "!":
            return self._special(rest, label)
        return link(target, label or target) if _WEB.match(target) else escape(f"<{decoded(inside)}>")

    def _special(self, rest: str, label: str) -> Markup:
        if rest in {"here", "channel", "everyone"}:
            return _mention("@" + rest, loud=True)
        name, _, details = rest.partition("^")
        if name == "subteam":
            return _mention("@" + self._groups.get(details, label.lstrip("@") or details))
        if name == "date":
            return _date(details, label)
        return escape(label or rest)


def _date(details: str, fallback: str) -> Markup:
    moment, pattern, *target = [*details.split("^"), ""][:3]
    if not moment.isdigit() or int(moment) >= 253_402_300_800:  # the year 10000
        return escape(fallback)
    shown = time_tag(int(moment), pattern, fallback)
    address = target[0] if target else ""
    if not _WEB.match(address):
        return shown
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(address, shown)


def _words(text: str) -> str:
    return decoded(_TOKEN.sub(lambda m: m[1].partition("|")[2] or m[1], text))


def _mention(text: str, *, loud: bool = False) -> Markup:
    return Markup('<span class="{}">{}</span>').format("mention loud" if loud else "mention", text)


def _lines(styled: str) -> str:
    """Line breaks and quotes; `styled` is HTML in which `&gt;` at the start of a line opens a quote."""
    parts: list[str] = []
    quoted = False
    for number, line in enumerate(styled.split("\n")):
        is_quote = line.startswith(_QUOTE)
        if is_quote != quoted:
            parts.append("<blockquote>" if is_quote else "</blockquote>")
        elif number:
            parts.append("<br>")
        parts.append(line.removeprefix(_QUOTE).lstrip() if is_quote else line)
        quoted = is_quote
    return "".join(parts) + ("</blockquote>" if quoted else "")
