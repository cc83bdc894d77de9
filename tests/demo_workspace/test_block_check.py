"""Blocks at Slack's limits are taken, one more is refused; the pointer names the place."""

from __future__ import annotations

import pytest

from bot.demo.workspace.block_check import check_blocks, check_view, is_too_large


def plain(length: int) -> dict:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> dict:
    return {"type": "mrkdwn", "text": "x" * length}


def button(**more) -> dict:
    return {"type": "button", "text": plain(3), "action_id": "a", **more}


def actions(*elements: dict) -> dict:
    return {"type": "actions", "elements": list(elements)}


DIVIDER = {"type": "divider"}
AT_THE_LIMIT = [
    {"type": "section", "text": mrkdwn(3000)},
    {"type": "section", "fields": [mrkdwn(2000)] * 10},
    {"type": "header", "text": plain(150)},
    {"type": "context", "elements": [mrkdwn(5)] * 10},
    actions(button(text=plain(75), value="v" * 2000, action_id="a" * 255)),
    actions(*[button(action_id=f"a{n}") for n in range(25)]),
    {"type": "divider", "block_id": "b" * 255},
]


@pytest.mark.parametrize("block", AT_THE_LIMIT, ids=lambda b: b["type"])
def test_a_block_at_its_limit_is_taken(block):
    assert check_blocks([block]) == []


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "section", "text": mrkdwn(3001)}, "/blocks/0/text/text"),
        ({"type": "section", "fields": [mrkdwn(2001)]}, "/blocks/0/fields/0/text"),
        ({"type": "section", "fields": [mrkdwn(1)] * 11}, "/blocks/0/fields"),
        ({"type": "section"}, "/blocks/0"),
        ({"type": "section", "text": mrkdwn(0)}, "/blocks/0/text/text"),
        ({"type": "header", "text": plain(151)}, "/blocks/0/text/text"),
        ({"type": "header", "text": mrkdwn(1)}, "/blocks/0/text/type"),
        ({"type": "context", "elements": [mrkdwn(1)] * 11}, "/blocks/0/elements"),
        (actions(*[button(action_id=f"a{n}") for n in range(26)]), "/blocks/0/elements"),
        (actions(button(text=plain(76))), "/blocks/0/elements/0/text/text"),
        (actions(button(text=mrkdwn(3))), "/blocks/0/elements/0/text/type"),
        (actions(button(value="v" * 2001)), "/blocks/0/elements/0/value"),
        (actions(button(action_id="a" * 256)), "/blocks/0/elements/0/action_id"),
        (actions(button(style="loud")), "/blocks/0/elements/0/style"),
        (actions(button(url="javascript:alert(1)")), "/blocks/0/elements/0/url"),
        (actions(button(), button()), "/blocks/0"),
        ({"type": "divider", "block_id": "b" * 256}, "/blocks/0/block_id"),
        ({"type": "image", "image_url": "https://example.com/a.png"}, "/blocks/0/alt_text"),
        ({"type": "marquee"}, "/blocks/0/type"),
        ("text", "/blocks/0/type"),
    ],
)
def test_a_wrong_block_is_named_by_its_place(block, pointer):
    assert pointer in [problem.pointer for problem in check_blocks([block])]


def test_fifty_blocks_are_taken_and_one_more_is_not():
    assert check_blocks([DIVIDER] * 50) == []
    assert "at most 50" in check_blocks([DIVIDER] * 51)[0].message


def test_a_block_id_may_stand_once_in_a_message():
    assert "more than once" in check_blocks([DIVIDER | {"block_id": "b"}] * 2)[0].message


def test_a_message_may_be_too_large_with_every_block_in_bounds():
    blocks = [{"type": "section", "text": mrkdwn(3000)}] * 5
    assert check_blocks(blocks) == []
    assert is_too_large(blocks)
    assert not is_too_large(blocks[:4])


def test_a_view_is_held_to_its_own_limits():
    view = {"type": "modal", "title": plain(24), "blocks": [DIVIDER] * 100, "private_metadata": "m" * 3000}
    assert check_view(view) == []
    assert check_view(view | {"title": plain(25)})
    assert check_view(view | {"blocks": [DIVIDER] * 101})
    assert check_view(view | {"private_metadata": "m" * 3001})
    asking = {"type": "input", "label": plain(3), "element": {"type": "plain_text_input"}}
    assert [p.pointer for p in check_view(view | {"blocks": [asking]})] == ["/view/submit"]
