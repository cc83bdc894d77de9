"""rich_text blocks to safe HTML: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from bot.demo.workspace.page.emoji import EMOJI
from bot.demo.workspace.page.mrkdwn import link

_MARKS = (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code"))


def rich_text(block: Mapping[str, Any], people: Mapping[str, str], channels: Mapping[str, str]) -> Markup:
    """The whole block."""
    return Markup("").join(_part(part, people, channels) for part in block.get("elements", []))


def _part(part: Mapping[str, Any], people: Mapping[str, str], channels: Mapping[str, str]) -> Markup:
    if part.get("type") == "rich_text_list":
        items = [Markup("<li>{}</li>").format(_part(item, people, channels)) for item in part.get("elements", [])]
        tag = "ol" if part.get("style") == "ordered" else "ul"
        return Markup(f"<{tag}>{{}}</{tag}>").format(Markup("").join(items))  # noqa: S704 - the tag is ours
    inside = Markup("").join(_piece(piece, people, channels) for piece in part.get("elements", []))
    if part.get("type") == "rich_text_preformatted":
        return Markup("<pre>{}</pre>").format(inside)
    if part.get("type") == "rich_text_quote":
        return Markup("<blockquote>{}</blockquote>").format(inside)
    return Markup('<span class="rich">{}</span>').format(inside)


def _piece(piece: Mapping[str, Any], people: Mapping[str, str], channels: Mapping[str, str]) -> Markup:
    kind = piece.get("type")
    if kind == "emoji":
        name = str(piece.get("name"))
        return escape(EMOJI.get(name, f":{name}:"))
    if kind == "user":
        user = str(piece.get("user_id"))
        return Markup('<span class="mention">@{}</span>').format(people.get(user, user))
    if kind == "channel":
        channel = str(piece.get("channel_id"))
        return Markup('<span class="mention">#{}</span>').format(channels.get(channel, channel))
    if kind == "link":
        url = str(piece.get("url"))
        return _marked(link(url, str(piece.get("text") or url)), piece)
    return _marked(escape(str(piece.get("text", ""))), piece)


def _marked(text: Markup, piece: Mapping[str, Any]) -> Markup:
    for style, tag in _MARKS:
        if piece.get("style", {}).get(style):
            text = Markup(f"<{tag}>{{}}</{tag}>").format(text)  # noqa: S704 - the tag is ours
    return text
