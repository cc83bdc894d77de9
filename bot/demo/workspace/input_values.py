"""Turns what a person typed or chose into the values that Slack sends to an app.

Shapes: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Raw = str | list[str] | None
Answers = dict[str, dict[str, Raw]]
"""block_id -> action_id -> what the person gave."""

_FIELDS = {
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}
_ONE_OPTION = frozenset({"static_select", "radio_buttons", "overflow"})
_MANY_OPTIONS = frozenset({"checkboxes", "multi_static_select"})


def elements_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    """The interactive elements of a block."""
    inside = block.get("elements") if block.get("type") == "actions" else []
    found = [*(inside or []), block.get("accessory"), block.get("element")]
    return [element for element in found if isinstance(element, dict) and element.get("type") != "image"]


def find_element(
    blocks: list[dict[str, Any]], action_id: str, block_id: str = ""
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The block and the element with this action id, within `block_id` when it is given."""
    for block in blocks:
        for element in elements_of(block):
            if element.get("action_id") == action_id and block_id in {"", block.get("block_id")}:
                return block, element
    return None


def _options(element: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from element.get("options") or []
    for group in element.get("option_groups") or []:
        yield from group.get("options") or []


def given_value(element: dict[str, Any], raw: Raw) -> dict[str, Any]:
    """The part of an action or of state.values that holds the value, e.g. `{"selected_option": {...}}`.

    A value that the element does not offer counts as nothing chosen.
    """
    kind = element["type"]
    many = raw if isinstance(raw, list) else [raw] if raw else []
    if kind in _ONE_OPTION:
        return {"selected_option": next((o for o in _options(element) if o.get("value") in many[:1]), None)}
    if kind in _MANY_OPTIONS:
        return {"selected_options": [o for o in _options(element) if o.get("value") in many]}
    return {_FIELDS.get(kind, "value"): (many[0] if many else None)}


def is_given(value: dict[str, Any]) -> bool:
    """Whether a value of `given_value` holds anything."""
    return any(part for name, part in value.items() if name != "type")


def first_value(element: dict[str, Any]) -> Raw:
    """What the element shows before anyone touches it."""
    if "initial_options" in element:
        return [str(option["value"]) for option in element["initial_options"]]
    if "initial_option" in element:
        return str(element["initial_option"]["value"])
    for name in ("initial_value", "initial_user", "initial_date", "initial_time", "initial_channel"):
        if element.get(name):
            return str(element[name])
    return None


def state_values(blocks: list[dict[str, Any]], answers: Answers) -> dict[str, dict[str, Any]]:
    """The `state.values` of a view or message: every input in it, with its first value where it was not touched."""
    values: dict[str, dict[str, Any]] = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in {"button", "overflow"}:
                continue
            block_id, action_id = str(block.get("block_id", "")), str(element.get("action_id", ""))
            raw = answers.get(block_id, {}).get(action_id, first_value(element))
            values.setdefault(block_id, {})[action_id] = {"type": element["type"], **given_value(element, raw)}
    return values


def missing_answers(blocks: list[dict[str, Any]], values: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The required inputs that are empty, by block_id, in the words of Slack's client."""
    missing: dict[str, str] = {}
    for block in blocks:
        if block.get("type") != "input" or block.get("optional"):
            continue
        given = values.get(str(block.get("block_id")), {})
        if not any(is_given(value) for value in given.values()):
            missing[str(block["block_id"])] = "Please complete this required field."
    return missing
