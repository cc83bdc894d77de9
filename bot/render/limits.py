"""Slack's limits by name, and how a text or a list is made to fit.

Sources: https://docs.slack.dev/reference/block-kit/blocks, /block-elements and /composition-objects below it,
https://docs.slack.dev/reference/views, https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from bot.render.fragments import ELLIPSIS, Fragment, cut_text, more, shorten
from bot.render.tree import Piece

SECTION_TEXT = 3_000  # https://docs.slack.dev/reference/block-kit/blocks/section-block
SECTION_FIELD = 2_000
SECTION_FIELDS = 10
HEADER_TEXT = 150  # https://docs.slack.dev/reference/block-kit/blocks/header-block
BUTTON_TEXT = 75  # https://docs.slack.dev/reference/block-kit/block-elements/button-element
BUTTON_VALUE = 2_000
URL = 3_000
LINK_ADDRESS = 1_500  # ours: a longer one would crowd out the text that it stands in
IDENTIFIER = 255  # action_id, block_id, callback_id
ACTIONS_ELEMENTS = 25  # https://docs.slack.dev/reference/block-kit/blocks/actions-block
CONTEXT_ELEMENTS = 10  # https://docs.slack.dev/reference/block-kit/blocks/context-block
IMAGE_TEXT = 2_000  # alt_text and title, https://docs.slack.dev/reference/block-kit/blocks/image-block
OPTIONS = 100  # https://docs.slack.dev/reference/block-kit/composition-objects/option-object
OPTION_TEXT = 75
OPTION_VALUE = 150
PLACEHOLDER = 150
LABEL = 2_000  # https://docs.slack.dev/reference/block-kit/blocks/input-block
CONFIRM_TITLE = 100  # https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
MESSAGE_BLOCKS = 50  # https://docs.slack.dev/reference/block-kit/blocks
VIEW_BLOCKS = 100  # https://docs.slack.dev/reference/views
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000
MESSAGE_TEXT_REFUSED = 40_000  # https://docs.slack.dev/reference/methods/chat.postMessage
MESSAGE_TEXT = 3_000  # what we aim at: the text is a notification
BLOCKS_CHARACTERS = 12_000  # Slack answers msg_blocks_too_long at about 13,200
VIEW_CHARACTERS = 200_000  # a view as a whole is refused at 250 kB, https://docs.slack.dev/reference/views


def fit(pieces: Sequence[Piece], limit: int, encode: Callable[[Fragment], str]) -> str:
    """The pieces as one encoded string of at most `limit` characters.

    The longest values are shortened, all to the same length and before they are encoded, so that no markup or entity is
    ever cut. Where that would leave stumps, the end is dropped instead.
    """
    whole = _within(pieces, limit, limit, encode)
    if whole is not None:
        return whole
    low, high = min(20, limit // 4), limit
    best = _within(pieces, low, limit, encode)
    while best is not None and high - low > 1:
        middle = (low + high) // 2
        tried = _within(pieces, middle, limit, encode)
        low, high, best = (low, middle, best) if tried is None else (middle, high, tried)
    return _cut_tail(pieces, limit, encode) if best is None else best


def _within(pieces: Sequence[Piece], longest: int, limit: int, encode: Callable[[Fragment], str]) -> str | None:
    """The pieces with values of at most `longest` characters; None as soon as that is over `limit`."""
    words, room = [], limit
    for piece in pieces:
        words.append(piece if isinstance(piece, str) else encode(shorten(piece, longest)))
        room -= len(words[-1])
        if room < 0:
            return None
    return "".join(words)


def _cut_tail(pieces: Sequence[Piece], limit: int, encode: Callable[[Fragment], str]) -> str:
    """As many pieces as fit; the one that does not is cut, unless it is a value that cannot be."""
    kept, room = "", limit - len(ELLIPSIS)
    for piece in pieces:
        word = piece if isinstance(piece, str) else encode(shorten(piece, limit // 4))
        if len(word) > room:
            own = cut_text(piece, room) if isinstance(piece, str) else ""
            return kept + _whole(own.removesuffix(ELLIPSIS)) + ELLIPSIS
        kept, room = kept + word, room - len(word)
    return kept


def _whole(text: str) -> str:
    """`text` without an entity or a link that was opened and not closed."""
    for opening, closing in (("<", ">"), ("&", ";")):
        if text.rfind(opening) > text.rfind(closing):
            text = text[: text.rfind(opening)]
    return text


def note(sentence: str) -> dict[str, Any]:
    """A context block with one line of our own words."""
    return {"type": "context", "elements": [{"type": "plain_text", "text": sentence}]}


def fit_blocks(
    blocks: Sequence[dict[str, Any]], most: int, characters: int = BLOCKS_CHARACTERS
) -> list[dict[str, Any]]:
    """At most `most` blocks and about `characters` of JSON: the rest becomes "… N more", the last buttons stay."""
    sizes = [len(json.dumps(block, ensure_ascii=False)) + 2 for block in blocks]
    if len(blocks) <= most and sum(sizes) <= characters:
        return list(blocks)
    last = max((i for i, block in enumerate(blocks) if block.get("type") == "actions"), default=-1)
    room = characters - (sizes[last] if last >= 0 else 0) - 100
    head = 0
    slots = most - (2 if last >= most - 1 else 1)
    while head < min(len(blocks), slots) and sizes[head] <= room:
        room -= sizes[head] if head != last else 0
        head += 1
    tail = [blocks[last]] if last >= head else []
    hidden = len(blocks) - head - len(tail)
    return [*blocks[:head], *([note(more(hidden))] if hidden else []), *tail]
