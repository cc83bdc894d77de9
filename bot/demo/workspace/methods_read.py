"""auth.test, conversations.*, users.*, usergroups.*: what an app can read."""

from __future__ import annotations

from typing import Any

from bot.demo.workspace.arguments import count, flag, required
from bot.demo.workspace.core import Core
from bot.demo.workspace.methods_chat import known_channel
from bot.demo.workspace.people import BOT_ID, BOT_USER, Channel, Person, UserGroup
from bot.demo.workspace.refusal import Refused
from bot.demo.workspace.state import Message

HISTORY_LIMIT = 100
"""Default of conversations.history: https://docs.slack.dev/reference/methods/conversations.history"""


async def auth_test(core: Core, _arguments: dict[str, Any]) -> dict[str, Any]:
    """auth.test."""
    team = {"team": core.settings.team_name, "team_id": core.settings.team_id}
    return {"url": f"{core.public_url}/", "user": "tocsin", "user_id": BOT_USER, "bot_id": BOT_ID, **team}


def _channel_json(channel: Channel) -> dict[str, Any]:
    direct = bool(channel.im_user)
    body: dict[str, Any] = {"id": channel.id, "is_im": direct, "is_channel": not direct, "is_archived": False}
    if direct:
        return body | {"user": channel.im_user}
    return body | {
        "name": channel.name,
        "is_private": False,
        "is_member": BOT_USER in channel.members,
        "topic": {"value": channel.topic},
        "num_members": len(channel.members),
    }


def _user_json(core: Core, person: Person) -> dict[str, Any]:
    profile = {"real_name": person.name, "display_name": person.display_name, "email": person.email}
    return {
        "id": person.id,
        "team_id": core.settings.team_id,
        "name": person.handle,
        "real_name": person.name,
        "deleted": False,
        "is_bot": person.is_bot,
        "tz": "Europe/Amsterdam",
        "profile": profile,
    }


def _in_range(message: Message, arguments: dict[str, Any]) -> bool:
    oldest, latest = str(arguments.get("oldest") or "0"), str(arguments.get("latest") or "9999999999")
    moment = float(message.ts)
    if flag(arguments, "inclusive"):
        return float(oldest) <= moment <= float(latest)
    return float(oldest) < moment < float(latest)


def _reply_facts(core: Core, message: Message) -> dict[str, Any]:
    replies = [m for m in core.state.history(message.channel) if m.thread_ts == message.ts]
    if not replies:
        return {}
    return {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[0].ts}


def _page(core: Core, found: list[Message], arguments: dict[str, Any]) -> dict[str, Any]:
    limit = min(count(arguments, "limit", HISTORY_LIMIT), 999)
    start = int(str(arguments.get("cursor") or "0").removeprefix("next_"))
    metadata = flag(arguments, "include_all_metadata")
    shown = found[start : start + limit]
    more = start + limit < len(found)
    messages = [m.as_slack(with_metadata=metadata) | _reply_facts(core, m) for m in shown]
    cursor = {"response_metadata": {"next_cursor": f"next_{start + limit}"}} if more else {}
    return {"messages": messages, "has_more": more, **cursor}


async def history(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """conversations.history: newest first, without thread replies."""
    channel = known_channel(core, arguments)
    if BOT_USER not in channel.members:
        raise Refused("not_in_channel")
    found = [m for m in core.state.history(channel.id) if not m.thread_ts and _in_range(m, arguments)]
    return _page(core, found, arguments)


async def replies(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """conversations.replies: the root first, then the replies, oldest first."""
    channel, ts = known_channel(core, arguments), required(arguments, "ts")
    visible = core.state.history(channel.id)
    root = [m for m in visible if m.ts == ts]
    if not root:
        raise Refused("thread_not_found")
    answers = [m for m in reversed(visible) if m.thread_ts == ts and _in_range(m, arguments)]
    return _page(core, root + answers, arguments)


async def conversation_info(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """conversations.info."""
    return {"channel": _channel_json(known_channel(core, arguments))}


async def conversation_list(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """conversations.list."""
    kinds = str(arguments.get("types") or "public_channel").split(",")
    rooms = [c for c in core.state.channels.values() if ("im" if c.im_user else "public_channel") in kinds]
    return {"channels": [_channel_json(c) for c in rooms], "response_metadata": {"next_cursor": ""}}


async def conversation_members(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """conversations.members."""
    return {"members": list(known_channel(core, arguments).members), "response_metadata": {"next_cursor": ""}}


async def conversation_open(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """conversations.open with one person."""
    users = arguments.get("users") or ""
    names = users if isinstance(users, list) else [u for u in str(users).split(",") if u]
    if len(names) != 1 or names[0] not in core.state.people:
        raise Refused("user_not_found")
    return {"channel": _channel_json(core.state.direct(names[0]))}


async def user_info(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """users.info."""
    person = core.state.people.get(required(arguments, "user"))
    if person is None:
        raise Refused("user_not_found")
    return {"user": _user_json(core, person)}


async def user_by_email(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """users.lookupByEmail."""
    email = required(arguments, "email").lower()
    person = next((p for p in core.state.people.values() if p.email == email), None)
    if person is None:
        raise Refused("users_not_found")
    return {"user": _user_json(core, person)}


def _group_json(group: UserGroup) -> dict[str, Any]:
    return {"id": group.id, "handle": group.handle, "name": group.name, "users": list(group.members)}


async def group_list(core: Core, _arguments: dict[str, Any]) -> dict[str, Any]:
    """usergroups.list."""
    return {"usergroups": [_group_json(group) for group in core.state.groups.values()]}


async def group_users(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """usergroups.users.list."""
    group = core.state.groups.get(required(arguments, "usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return {"users": list(group.members)}
