"""Holds blocks and views against Slack's rules, and says what is wrong with a pointer to the place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from bot.demo.workspace import limits
from bot.demo.workspace.block_problem import BlockProblem, check_items, check_length, check_text
from bot.demo.workspace.element_check import ACCESSORIES, ACTION_ELEMENTS, INPUT_ELEMENTS, check_element, check_image

_Check = Callable[[dict[str, Any], str], Iterator[BlockProblem]]


def check_blocks(blocks: Any, *, most: int = limits.MESSAGE_BLOCKS, root: str = "/blocks") -> list[BlockProblem]:
    """Everything that Slack would refuse in a list of blocks; empty when it would take them."""
    if not isinstance(blocks, list):
        return [BlockProblem(root, "must be a list of blocks")]
    problems = [BlockProblem(root, f"must have at most {most} blocks, has {len(blocks)}")] if len(blocks) > most else []
    for number, block in enumerate(blocks):
        problems.extend(_check_block(block, f"{root}/{number}"))
    problems.extend(_duplicates([b.get("block_id") for b in blocks if isinstance(b, dict)], root, "block_id"))
    return problems


def is_too_large(blocks: list[Any]) -> bool:
    """More than Slack takes in one message (msg_blocks_too_long): https://github.com/slackapi/bolt-js/issues/2509"""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > limits.MESSAGE_BLOCKS_SIZE


def check_view(view: Any) -> list[BlockProblem]:
    """Everything that Slack would refuse in a modal or an App Home."""
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        return [BlockProblem("/view/type", "must be modal or home")]
    problems = check_blocks(view.get("blocks"), most=limits.VIEW_BLOCKS, root="/view/blocks")
    for part in ("title", "submit", "close"):
        if part in view or (part == "title" and view["type"] == "modal"):
            problems.extend(check_text(view.get(part), f"/view/{part}", limits.VIEW_TITLE, plain_only=True))
    secret = view.get("private_metadata", "")
    problems.extend(check_length(secret, "/view/private_metadata", limits.PRIVATE_METADATA, smallest=0))
    if view["type"] == "modal" and _has_input(view) and not view.get("submit"):
        problems.append(BlockProblem("/view/submit", "must be there when the view has an input block"))
    return problems


def _has_input(view: dict[str, Any]) -> bool:
    blocks = view.get("blocks")
    return any(isinstance(b, dict) and b.get("type") == "input" for b in (blocks if isinstance(blocks, list) else ()))


def _check_block(block: Any, where: str) -> Iterator[BlockProblem]:
    kind = block.get("type") if isinstance(block, dict) else None
    check = _CHECKS.get(str(kind))
    if check is None:
        yield BlockProblem(f"{where}/type", f"unsupported type of block: {kind!r}")
        return
    if "block_id" in block:
        yield from check_length(block["block_id"], f"{where}/block_id", limits.IDENTIFIER)
    yield from check(block, where)
    ids = [e.get("action_id") for e in _interactive(block) if isinstance(e, dict)]
    yield from _duplicates(ids, where, "action_id")


def _interactive(block: dict[str, Any]) -> list[Any]:
    elements = block.get("elements")
    return elements if isinstance(elements, list) and block.get("type") == "actions" else []


def _duplicates(ids: list[Any], where: str, what: str) -> Iterator[BlockProblem]:
    named = [i for i in ids if i]
    for twice in sorted({str(i) for i in named if named.count(i) > 1}):
        yield BlockProblem(where, f"{what} {twice!r} is there more than once")


def _check_section(block: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    if "text" not in block and "fields" not in block:
        yield BlockProblem(where, "a section needs text or fields")
    if "text" in block:
        yield from check_text(block["text"], f"{where}/text", limits.SECTION_TEXT)
    if "fields" in block:
        yield from check_items(block["fields"], f"{where}/fields", limits.SECTION_FIELDS)
        for number, text in enumerate(block["fields"] if isinstance(block["fields"], list) else ()):
            yield from check_text(text, f"{where}/fields/{number}", limits.SECTION_FIELD)
    if "accessory" in block:
        yield from check_element(block["accessory"], f"{where}/accessory", ACCESSORIES)


def _check_header(block: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    yield from check_text(block.get("text"), f"{where}/text", limits.HEADER_TEXT, plain_only=True)


def _check_context(block: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    elements = block.get("elements")
    yield from check_items(elements, f"{where}/elements", limits.CONTEXT_ELEMENTS)
    for number, element in enumerate(elements if isinstance(elements, list) else ()):
        spot = f"{where}/elements/{number}"
        if isinstance(element, dict) and element.get("type") == "image":
            yield from check_image(element, spot)
        else:
            yield from check_text(element, spot, limits.SECTION_TEXT)


def _check_actions(block: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    elements = block.get("elements")
    yield from check_items(elements, f"{where}/elements", limits.ACTIONS_ELEMENTS)
    for number, element in enumerate(elements if isinstance(elements, list) else ()):
        yield from check_element(element, f"{where}/elements/{number}", ACTION_ELEMENTS)


def _check_input(block: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    yield from check_text(block.get("label"), f"{where}/label", limits.LABEL, plain_only=True)
    if "hint" in block:
        yield from check_text(block["hint"], f"{where}/hint", limits.LABEL, plain_only=True)
    yield from check_element(block.get("element"), f"{where}/element", INPUT_ELEMENTS)


def _check_rich_text(block: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    if not isinstance(block.get("elements"), list):
        yield BlockProblem(f"{where}/elements", "must be a list")


def _check_markdown(block: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    yield from check_length(block.get("text"), f"{where}/text", limits.MARKDOWN_TEXT)


def _check_divider(_block: dict[str, Any], _where: str) -> Iterator[BlockProblem]:
    return iter(())


_CHECKS: dict[str, _Check] = {
    "section": _check_section,
    "header": _check_header,
    "context": _check_context,
    "actions": _check_actions,
    "input": _check_input,
    "image": check_image,
    "rich_text": _check_rich_text,
    "markdown": _check_markdown,
    "divider": _check_divider,
}
