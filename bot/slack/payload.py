"""What arrives from Slack, read into our words. Everything in it is hostile until it is escaped where it goes.

Shapes: https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from bot.services.respond import Received

_VALUE = re.compile(r"([A-Z]{3}-[A-Z0-9]{4,32})@([0-9]{1,9})")
_RETRY = "x-slack-retry-num"


@dataclass(frozen=True, slots=True)
class Target:
    """What a button is about: an incident or a request, and the version that the card showed."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Click:
    """A press of a button on a message or in a view. `target` is None when the value is not one of ours."""

    action_id: str
    target: Target | None
    user_id: str
    user_name: str
    channel: str
    trigger_id: str
    answer_at: SecretStr | None
    received: Received


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that was sent. `answers` holds the text or chosen value of each block."""

    form: str
    view_id: str
    target: Target | None
    user_id: str
    user_name: str
    answers: Mapping[str, str]
    received: Received


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command."""

    name: str
    text: str
    user_id: str
    channel: str
    answer_at: SecretStr
    received: Received


def target(value: str) -> Target | None:
    """The target in a button's value or a form's metadata: `<id>@<version>`."""
    match = _VALUE.fullmatch(value)
    return Target(match[1], int(match[2])) if match else None


def click(body: Mapping[str, Any], headers: Mapping[str, Any], raw: str) -> Click:
    """Read a `block_actions` payload."""
    action = body["actions"][0]
    user = body["user"]
    address = body.get("response_url")
    return Click(
        action_id=str(action.get("action_id", "")),
        target=target(_chosen(action)),
        user_id=str(user["id"]),
        user_name=_name(user),
        channel=str(body.get("channel", {}).get("id", "")),
        trigger_id=str(body.get("trigger_id", "")),
        answer_at=SecretStr(address) if address else None,
        received=received(headers, raw),
    )


def submission(body: Mapping[str, Any], headers: Mapping[str, Any], raw: str) -> Submission:
    """Read a `view_submission` payload."""
    view, user = body["view"], body["user"]
    values = view.get("state", {}).get("values", {})
    return Submission(
        form=str(view.get("callback_id", "")),
        view_id=str(view.get("id", "")),
        target=target(str(view.get("private_metadata", ""))),
        user_id=str(user["id"]),
        user_name=_name(user),
        answers={block: _answer(elements) for block, elements in values.items()},
        received=received(headers, raw),
    )


def command(body: Mapping[str, Any], headers: Mapping[str, Any], raw: str) -> Command:
    """Read a slash command."""
    return Command(
        name=str(body.get("command", "")),
        text=str(body.get("text", "")),
        user_id=str(body.get("user_id", "")),
        channel=str(body.get("channel_id", "")),
        answer_at=SecretStr(str(body.get("response_url", ""))),
        received=received(headers, raw),
    )


def received(headers: Mapping[str, Any], raw: str) -> Received:
    """The request's own key, and whether Slack says that it sends it once more. A repeat has the same body."""
    return Received(hashlib.sha256(raw.encode()).hexdigest(), again=bool(headers.get(_RETRY)))


def _name(user: Mapping[str, Any]) -> str:
    return str(user.get("name") or user.get("username") or user["id"])


def _chosen(element: Mapping[str, Any]) -> str:
    option = element.get("selected_option")
    return str(option["value"] if option else element.get("value") or "")


def _answer(elements: Mapping[str, Mapping[str, Any]]) -> str:
    return next((_chosen(element) for element in elements.values()), "")
