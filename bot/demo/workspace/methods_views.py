"""views.* and blocks.validate: https://docs.slack.dev/surfaces/modals"""

from __future__ import annotations

from typing import Any

from bot.demo.workspace.arguments import required
from bot.demo.workspace.block_check import check_blocks, check_view
from bot.demo.workspace.core import Core
from bot.demo.workspace.methods_chat import with_block_ids
from bot.demo.workspace.people import BOT_ID
from bot.demo.workspace.refusal import Refused
from bot.demo.workspace.state import OpenView

STACK_LIMIT = 3
"""Slack shows at most three modals on top of each other."""


def checked_view(view: Any) -> dict[str, Any]:
    """The view of a call. Raises Refused("invalid_arguments") with a message for each mistake."""
    problems = check_view(view)
    if problems:
        raise Refused("invalid_arguments", response_metadata={"messages": [str(problem) for problem in problems]})
    return dict(view)


def view_json(core: Core, opened: OpenView) -> dict[str, Any]:
    """A view as Slack's answers and payloads show it."""
    return {
        "id": opened.id,
        "team_id": core.settings.team_id,
        "app_id": core.settings.api_app_id,
        "bot_id": BOT_ID,
        "hash": opened.hash,
        "root_view_id": opened.root_id,
        "previous_view_id": opened.previous_id or None,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "notify_on_close": False,
        "clear_on_close": False,
        **opened.view,
        "state": opened.view.get("state", {"values": {}}),
    }


def show_view(core: Core, user: str, view: dict[str, Any], previous: OpenView | None = None) -> OpenView:
    """Open a modal for a person, on top of `previous` when given."""
    view_id = core.state.next_id("V")
    view["blocks"] = with_block_ids(core, view["blocks"])
    root = previous.root_id if previous else view_id
    opened = OpenView(view_id, user, view, core.state.next_id("h"), root, previous.id if previous else "")
    core.state.views[view_id] = opened
    core.state.tell({"kind": "view", "user": user})
    return opened


def replace_view(core: Core, opened: OpenView, view: dict[str, Any]) -> None:
    """Give an open view new content; its state is forgotten."""
    view["blocks"] = with_block_ids(core, view["blocks"])
    opened.view, opened.hash, opened.errors = view, core.state.next_id("h"), {}
    core.state.tell({"kind": "home" if view["type"] == "home" else "view", "user": opened.user})


def close_views(core: Core, user: str) -> None:
    """Close every modal of a person."""
    core.state.views = {i: v for i, v in core.state.views.items() if v.user != user}
    core.state.tell({"kind": "view", "user": user})


def stack(core: Core, user: str) -> list[OpenView]:
    """The modals of a person, the lowest first."""
    return [v for v in core.state.views.values() if v.user == user]


async def open_view(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """views.open. The trigger is used up by a valid view only."""
    view = checked_view(arguments.get("view"))
    user = core.use_trigger(required(arguments, "trigger_id"))
    core.state.views = {i: v for i, v in core.state.views.items() if v.user != user}
    return {"view": view_json(core, show_view(core, user, view))}


async def push_view(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """views.push."""
    view = checked_view(arguments.get("view"))
    user = core.use_trigger(required(arguments, "trigger_id"))
    open_now = stack(core, user)
    if not open_now:
        raise Refused("not_found")
    if len(open_now) >= STACK_LIMIT:
        raise Refused("push_limit_reached")
    return {"view": view_json(core, show_view(core, user, view, open_now[-1]))}


def _find_view(core: Core, arguments: dict[str, Any]) -> OpenView:
    external, view_id = arguments.get("external_id"), arguments.get("view_id")
    for opened in core.state.views.values():
        if opened.id == view_id or (external and opened.view.get("external_id") == external):
            return opened
    raise Refused("not_found")


async def update_view(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """views.update, with the hash checked when it is sent."""
    opened = _find_view(core, arguments)
    view = checked_view(arguments.get("view"))
    if arguments.get("hash") not in {None, "", opened.hash}:
        raise Refused("hash_conflict")
    replace_view(core, opened, view)
    return {"view": view_json(core, opened)}


async def publish_view(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """views.publish: the App Home of one person."""
    user = required(arguments, "user_id")
    if user not in core.state.people:
        raise Refused("user_not_found")
    view = checked_view(arguments.get("view"))
    opened = core.state.homes.get(user)
    if opened is None:
        view_id = core.state.next_id("V")
        opened = core.state.homes[user] = OpenView(view_id, user, view, "", view_id)
    replace_view(core, opened, view)
    return {"view": view_json(core, opened)}


async def validate_blocks(_core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """blocks.validate: https://docs.slack.dev/reference/methods/blocks.validate"""
    problems = check_blocks(arguments.get("blocks"))
    if problems:
        errors = [{"pointer": p.pointer, "code": "invalid", "message": p.message} for p in problems]
        raise Refused("invalid_blocks", errors=errors)
    return {}
