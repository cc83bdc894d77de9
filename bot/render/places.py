"""Where a string stands in a Slack message, and what that allows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Any

from bot.render import limits


class Reads(Enum):
    """What Slack reads in a string."""

    MRKDWN = auto()
    PLAIN = auto()
    ADDRESS = auto()
    VERBATIM = auto()
    STRUCTURE = auto()  # decides what the object is or whom it names: no value may stand here


@dataclass(frozen=True, slots=True)
class Place:
    """What Slack reads there and the most characters it takes."""

    reads: Reads
    limit: int


_NAMED_TEXT: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("section", "text"): limits.SECTION_TEXT,
        ("section", "fields"): limits.SECTION_FIELD,
        ("header", "text"): limits.HEADER_TEXT,
        ("button", "text"): limits.BUTTON_TEXT,
        ("workflow_button", "text"): limits.BUTTON_TEXT,
        ("image", "title"): limits.IMAGE_TEXT,
        ("option", "text"): limits.OPTION_TEXT,
        ("option", "description"): limits.OPTION_TEXT,
        ("confirm", "title"): limits.CONFIRM_TITLE,
        ("confirm", "text"): limits.CONFIRM_TEXT,
        ("confirm", "confirm"): limits.CONFIRM_BUTTON,
        ("confirm", "deny"): limits.CONFIRM_BUTTON,
        ("modal", "title"): limits.VIEW_TITLE,
        ("modal", "submit"): limits.VIEW_TITLE,
        ("modal", "close"): limits.VIEW_TITLE,
        ("input", "label"): limits.LABEL,
        ("input", "hint"): limits.LABEL,
        ("option_groups", "label"): limits.OPTION_TEXT,
    }
)
_STRUCTURE = {"type", "user_id", "usergroup_id", "channel_id", "team_id", "range", "unicode"}
_VERBATIM: Mapping[str, int] = MappingProxyType(
    {
        "value": limits.BUTTON_VALUE,
        "action_id": limits.IDENTIFIER,
        "block_id": limits.IDENTIFIER,
        "callback_id": limits.IDENTIFIER,
        "external_id": limits.IDENTIFIER,
        "private_metadata": limits.PRIVATE_METADATA,
        "initial_value": limits.SECTION_TEXT,
        "initial_date": limits.IDENTIFIER,
        "initial_time": limits.IDENTIFIER,
        "initial_user": limits.IDENTIFIER,
        "initial_users": limits.IDENTIFIER,
        "initial_channel": limits.IDENTIFIER,
        "initial_conversation": limits.IDENTIFIER,
        "style": limits.IDENTIFIER,
        "name": limits.IDENTIFIER,
    }
)
_OPTION_KEYS = {"options", "option", "initial_option", "initial_options"}


def name_of(node: Mapping[str, Any], key: str) -> str:
    """What an object is: its type, or the key under which it stands when Slack gives it none."""
    kind = node.get("type")
    if isinstance(kind, str):
        return kind
    return "option" if key in _OPTION_KEYS else key


def text_limit(owner: str, key: str) -> int:
    """The most characters of the text object that stands under `key` of `owner`."""
    default = limits.PLACEHOLDER if key == "placeholder" else limits.SECTION_TEXT
    return _NAMED_TEXT.get((owner, key), default)


def place(name: str, key: str, limit: int) -> Place:
    """Where `key` of an object called `name` puts a string; `limit` is that of the text object, when it is one."""
    if key in _STRUCTURE or name == "markdown":
        return Place(Reads.STRUCTURE, limits.IDENTIFIER)
    if key == "text" and name in ("plain_text", "text", "link"):
        return Place(Reads.PLAIN, limit)
    if key == "url" or key.endswith("_url"):
        return Place(Reads.ADDRESS, limits.URL)
    if name == "option" and key == "value":
        return Place(Reads.VERBATIM, limits.OPTION_VALUE)
    if key in _VERBATIM:
        return Place(Reads.VERBATIM, _VERBATIM[key])
    if key == "alt_text":
        return Place(Reads.PLAIN, limits.IMAGE_TEXT)
    return Place(Reads.MRKDWN, limit)
