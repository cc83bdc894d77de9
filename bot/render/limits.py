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

    The longest values are shortened before they are encoded, so no markup or entity is ever cut.
    """
    parts = [shorten(piece, limit) if isinstance(piece, Fragment) else piece for piece in pieces]
    words = [_encoded(part, encode) for part in parts]
    while (over := sum(map(len, words)) - limit) > 0:
        at, target = _longest(parts, words, over)
        part = parts[at] if at >= 0 else ""
        if not isinstance(part, Fragment):
            return _cut_tail(parts, words, limit)
        parts[at] = shorten(part, target)
        words[at] = _encoded(parts[at], encode)
    return "".join(words)


def _encoded(part: Piece, encode: Callable[[Fragment], str]) -> str:
    return encode(part) if isinstance(part, Fragment) else part


def _longest(parts: Sequence[Piece], words: Sequence[str], over: int) -> tuple[int, int]:
    """Where the longest value that can shrink stands, and the plain length to bring it to; (-1, 0) when none can."""
    shrinkable = [(len(words[i]), i) for i, part in enumerate(parts) if isinstance(part, Fragment) and part.can_shrink]
    if not shrinkable:
        return -1, 0
    (size, at), *rest = sorted(shrinkable, key=lambda entry: (-entry[0], entry[1]))
    second = min(rest[0][0], size * 9 // 10) if rest else 0
    plain = len(str(parts[at]))
    return at, max(1, min(plain - 1, plain * max(size - over, second) // max(size, 1)))


def _cut_tail(parts: Sequence[Piece], words: Sequence[str], limit: int) -> str:
    """Only the template's own words are left to cut: whole pieces go from the end, the last at a word."""
    kept, room = "", limit - len(ELLIPSIS)
    for part, word in zip(parts, words, strict=True):
        if len(word) > room:
            own = cut_text(word, room) if isinstance(part, str) else ""
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
