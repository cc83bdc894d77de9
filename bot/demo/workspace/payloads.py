"""The payloads that Slack sends to an app: https://docs.slack.dev/reference/interaction-payloads"""

from __future__ import annotations

from typing import Any

from bot.demo.workspace.core import Core
from bot.demo.workspace.input_values import Answers, Raw, given_value, state_values
from bot.demo.workspace.methods_views import view_json
from bot.demo.workspace.people import BOT_USER
from bot.demo.workspace.state import Message, OpenView

VERIFICATION_TOKEN = "verification-is-by-signature"  # noqa: S105 - Slack's deprecated field, never checked
DOMAIN = "northwind"


def _basis(core: Core, kind: str, user: str) -> dict[str, Any]:
    person, team_id = core.state.people[user], core.settings.team_id
    return {
        "type": kind,
        "user": {"id": user, "username": person.handle, "name": person.handle, "team_id": team_id},
        "api_app_id": core.settings.api_app_id,
        "token": VERIFICATION_TOKEN,
        "team": {"id": team_id, "domain": DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel_name(core: Core, channel_id: str) -> str:
    channel = core.state.channels[channel_id]
    return "directmessage" if channel.im_user else channel.name


def command_payload(core: Core, user: str, channel: str, command: str, text: str) -> dict[str, Any]:
    """The form of a slash command; its response_url is already open."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": core.settings.team_id,
        "team_domain": DOMAIN,
        "channel_id": channel,
        "channel_name": _channel_name(core, channel),
        "user_id": user,
        "user_name": core.state.people[user].handle,
        "command": command,
        "text": text,
        "api_app_id": core.settings.api_app_id,
        "is_enterprise_install": "false",
        "response_url": core.new_response_url(channel, user),
        "trigger_id": core.new_trigger(user),
    }


def action_of(core: Core, block: dict[str, Any], element: dict[str, Any], raw: Raw) -> dict[str, Any]:
    """One entry of `actions`."""
    names = ("action_id", "type", "text", "value", "style", "placeholder")
    kept: dict[str, Any] = {name: element[name] for name in names if name in element}
    chosen = {} if element["type"] == "button" else given_value(element, raw)
    return {**kept, "block_id": block.get("block_id", ""), "action_ts": core.state.next_ts(), **chosen}


def message_action(core: Core, user: str, message: Message, action: dict[str, Any], answers: Answers) -> dict[str, Any]:
    """block_actions from a message. An ephemeral one is not part of the payload, as with Slack."""
    private = bool(message.seen_by)
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": private,
    } | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
    return {
        **_basis(core, "block_actions", user),
        "container": container,
        "trigger_id": core.new_trigger(user),
        "channel": {"id": message.channel, "name": _channel_name(core, message.channel)},
        **({} if private else {"message": message.as_slack(with_metadata=True)}),
        "state": {"values": state_values(message.blocks, answers)},
        "response_url": core.new_response_url(message.channel, user, message.ts),
        "actions": [action],
    }


def view_with_state(core: Core, opened: OpenView, answers: Answers) -> dict[str, Any]:
    """A view with what the person has filled in."""
    return view_json(core, opened) | {"state": {"values": state_values(opened.view["blocks"], answers)}}


def view_action(core: Core, opened: OpenView, action: dict[str, Any], answers: Answers) -> dict[str, Any]:
    """block_actions from a modal or an App Home."""
    return {
        **_basis(core, "block_actions", opened.user),
        "container": {"type": "view", "view_id": opened.id},
        "trigger_id": core.new_trigger(opened.user),
        "view": view_with_state(core, opened, answers),
        "actions": [action],
    }


def submission(core: Core, opened: OpenView, answers: Answers) -> dict[str, Any]:
    """view_submission."""
    return {
        **_basis(core, "view_submission", opened.user),
        "trigger_id": core.new_trigger(opened.user),
        "view": view_with_state(core, opened, answers),
        "response_urls": [],
    }


def closed(core: Core, opened: OpenView, *, is_cleared: bool = False) -> dict[str, Any]:
    """view_closed."""
    return {**_basis(core, "view_closed", opened.user), "view": view_json(core, opened), "is_cleared": is_cleared}


def event_envelope(core: Core, event: dict[str, Any]) -> dict[str, Any]:
    """An Events API envelope with an id of its own."""
    team_id = core.settings.team_id
    authorization = {"enterprise_id": None, "team_id": team_id, "user_id": BOT_USER, "is_bot": True}
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": team_id,
        "api_app_id": core.settings.api_app_id,
        "event": event,
        "type": "event_callback",
        "event_id": core.state.next_id("Ev"),
        "event_time": int(core.state.now()),
        "authorizations": [authorization | {"is_enterprise_install": False}],
        "is_ext_shared_channel": False,
    }
