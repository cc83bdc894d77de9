"""How a value is written in a Slack message, for each place where it can stand.

Escaping: https://docs.slack.dev/messaging/formatting-message-text. Only `&`, `<` and `>` carry meaning for Slack's
parser. Formatting runs, emoji codes and `@here` are broken with a zero-width space: that is for looks, not for safety.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import quote, urlsplit

from bot.render import limits
from bot.render.fragments import EMPTY, Fragment, Kind, clean, more

_BREAK = "\u200b"
_RUNS = (
    re.compile(r"(?<!\w)([*_~])(?=\S)"),
    re.compile(r"(?<!\w)(@)(?=(?:here|channel|everyone)\b)", re.IGNORECASE),
    re.compile(r"(?<![A-Za-z0-9:])(:)(?=[A-Za-z0-9_+'-]+:)"),
    re.compile(r"(:)(?=//)"),
)


def escape(text: str) -> str:
    """The three characters that Slack's parser reads, as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inert(text: str) -> str:
    """Escaped text in which nothing formats, mentions, links, quotes or becomes an emoji."""
    text = text.replace("`", "ˋ")
    for run in _RUNS:
        text = run.sub(rf"\1{_BREAK}", text)
    return escape(re.sub(r"(?m)^>", f"{_BREAK}>", text))


def plain(fragment: Fragment) -> str:
    """For plain_text, rich text and other places where Slack reads no markup."""
    return fragment.text


def mrkdwn(fragment: Fragment) -> str:
    """For mrkdwn text objects and a message's own text."""
    return _MRKDWN[fragment.kind](fragment)


def web_address(text: str) -> str | None:
    """`text` as an http or https address, safe inside `<…|label>` and in a url field; None when it is not one."""
    address = clean(text).strip()
    if re.search(r"\s|\\", address):
        return None
    try:
        parts = urlsplit(address)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return quote(address, safe="%/:?#[]@!$&'()*+,;=-._~") if named else None


def in_address(fragment: Fragment) -> str:
    """A value as one part of an address whose beginning the template wrote."""
    return quote(fragment.text, safe="")


def _one_line(text: str) -> str:
    return " ".join(text.split()) or EMPTY


def _code(fragment: Fragment) -> str:
    return f"`{escape(_one_line(fragment.text.replace('`', 'ˋ')))}`"


def _bold(fragment: Fragment) -> str:
    return f"*{inert(_one_line(fragment.text.replace('*', '∗')))}*"


def _link(fragment: Fragment) -> str:
    address = web_address(fragment.target)
    label = inert(_one_line(fragment.text))
    return f"<{address}|{label}>" if address and len(address) <= limits.LINK_ADDRESS else label


def _when(fragment: Fragment) -> str:
    return f"<!date^{fragment.target}^{{date_short_pretty}} {{time_secs}}|{fragment.text}>"


def _ago(fragment: Fragment) -> str:
    return f"<!date^{fragment.target}^{{ago}}|{fragment.text}>"


def _list(fragment: Fragment) -> str:
    words = [mrkdwn(part) for part in fragment.parts]
    return escape(fragment.target).join(words + ([more(fragment.hidden)] if fragment.hidden else []))


_MRKDWN: Mapping[Kind, Callable[[Fragment], str]] = MappingProxyType(
    {
        Kind.TEXT: lambda fragment: inert(fragment.text),
        Kind.FIXED: lambda fragment: escape(fragment.text),
        Kind.LITERAL: lambda fragment: escape(fragment.text),
        Kind.CODE: _code,
        Kind.BOLD: _bold,
        Kind.LINK: _link,
        Kind.WHEN: _when,
        Kind.AGO: _ago,
        Kind.USER: lambda fragment: f"<@{fragment.target}>",
        Kind.LIST: _list,
    }
)
