"""Holds the interactive elements of blocks against Slack's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bot.demo.workspace import limits
from bot.demo.workspace.block_problem import BlockProblem, check_items, check_length, check_text, check_url

BUTTON_STYLES = frozenset({"primary", "danger"})
SELECTS = frozenset({"static_select", "multi_static_select"})
CHOICES = frozenset({"radio_buttons", "checkboxes"})
PICKERS = frozenset(
    {f"{many}{what}_select" for many in ("", "multi_") for what in ("users", "conversations", "channels", "external")}
    | {"datepicker", "timepicker", "datetimepicker"}
)
TYPED = frozenset({"plain_text_input", "number_input", "email_text_input", "url_text_input"})
INPUT_ELEMENTS = SELECTS | CHOICES | PICKERS | TYPED | {"rich_text_input", "file_input"}
ACTION_ELEMENTS = SELECTS | CHOICES | PICKERS | {"button", "overflow", "workflow_button"}
ACCESSORIES = ACTION_ELEMENTS | {"image"}


def check_element(element: Any, where: str, allowed: frozenset[str]) -> Iterator[BlockProblem]:
    """One element that stands where only the `allowed` types may stand."""
    kind = element.get("type") if isinstance(element, dict) else None
    if kind not in allowed:
        yield BlockProblem(f"{where}/type", f"unsupported type of element here: {kind!r}")
        return
    yield from _check_shared(element, where)
    checks: dict[str, Callable[[dict[str, Any], str], Iterator[BlockProblem]]] = {
        "button": _check_button,
        "overflow": _check_overflow,
        "image": check_image,
    }
    yield from checks.get(kind, _check_choices)(element, where)


def _check_shared(element: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    if "action_id" in element:
        yield from check_length(element["action_id"], f"{where}/action_id", limits.IDENTIFIER)
    if "placeholder" in element:
        yield from check_text(element["placeholder"], f"{where}/placeholder", limits.PLACEHOLDER, plain_only=True)
    if "confirm" in element:
        yield from _check_confirm(element["confirm"], f"{where}/confirm")


def _check_button(element: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    yield from check_text(element.get("text"), f"{where}/text", limits.BUTTON_TEXT, plain_only=True)
    if "value" in element:
        yield from check_length(element["value"], f"{where}/value", limits.BUTTON_VALUE, smallest=0)
    if "url" in element:
        yield from check_url(element["url"], f"{where}/url")
    if element.get("style", "primary") not in BUTTON_STYLES:
        yield BlockProblem(f"{where}/style", f"must be primary or danger, is {element['style']!r}")


def _check_overflow(element: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    yield from _check_options(element.get("options"), f"{where}/options", limits.OVERFLOW_OPTIONS, plain_only=True)


def _check_choices(element: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    if element["type"] in CHOICES:
        yield from _check_options(element.get("options"), f"{where}/options", limits.CHOICE_OPTIONS, plain_only=False)
    elif element["type"] in SELECTS and "option_groups" not in element:
        yield from _check_options(element.get("options"), f"{where}/options", limits.SELECT_OPTIONS, plain_only=True)


def _check_options(options: Any, where: str, most: int, *, plain_only: bool) -> Iterator[BlockProblem]:
    yield from check_items(options, where, most)
    for number, option in enumerate(options if isinstance(options, list) else ()):
        spot = f"{where}/{number}"
        if not isinstance(option, dict):
            yield BlockProblem(spot, "must be an option object")
            continue
        yield from check_text(option.get("text"), f"{spot}/text", limits.OPTION_TEXT, plain_only=plain_only)
        yield from check_length(option.get("value"), f"{spot}/value", limits.OPTION_VALUE)


def _check_confirm(confirm: Any, where: str) -> Iterator[BlockProblem]:
    if not isinstance(confirm, dict):
        yield BlockProblem(where, "must be a confirmation dialog object")
        return
    yield from check_text(confirm.get("title"), f"{where}/title", limits.CONFIRM_TITLE, plain_only=True)
    yield from check_text(confirm.get("text"), f"{where}/text", limits.CONFIRM_TEXT)
    for button in ("confirm", "deny"):
        if button in confirm:
            yield from check_text(confirm[button], f"{where}/{button}", limits.CONFIRM_BUTTON, plain_only=True)


def check_image(element: dict[str, Any], where: str) -> Iterator[BlockProblem]:
    """An image, as a block or as an element: an address (or a Slack file) and words for those who cannot see it."""
    if "slack_file" not in element:
        yield from check_url(element.get("image_url"), f"{where}/image_url")
    yield from check_length(element.get("alt_text"), f"{where}/alt_text", limits.ALT_TEXT)
