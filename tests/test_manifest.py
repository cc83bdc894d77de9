"""The Slack app asks for what the code uses, and for nothing else."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

PROJECT = Path(__file__).parents[1]
SCHEMA = "slack-manifest-1.0.0.schema.json"

SCOPES = {
    "auth.test": (),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.replies": ("channels:history", "groups:history"),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.push": (),
    "views.update": (),
}
"""What each method needs of a bot token in channels: its page under https://docs.slack.dev/reference/methods"""


def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "manifest.yaml").read_text(encoding="utf-8"))
    return loaded


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in bot/slack of the form `something.name(…)`, with the name."""
    for path in sorted((PROJECT / "bot" / "slack").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node.func.attr, node


def literal(call: ast.Call) -> str:
    first = call.args[0]
    assert isinstance(first, ast.Constant), f"line {call.lineno}: the name must be written out, or no test can see it"
    return str(first.value)


def methods_in_code() -> set[str]:
    named = {literal(call) for name, call in calls() if name == "api_call"}
    by_function = {name for name, _ in calls() if "_" in name and name != "api_call" and hasattr(AsyncWebClient, name)}
    return named | {name.replace("_", ".") for name in by_function}


def listened_to(kind: str) -> set[str]:
    """What the listeners are for: the calls `app.command("/x")` and the like, where `app` is Bolt's."""
    return {literal(call) for name, call in calls() if name == kind and receiver(call) == "app"}


def receiver(call: ast.Call) -> str:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else ""


def test_the_walk_sees_the_methods() -> None:
    assert {"chat.postMessage", "conversations.history", "users.info", "views.open"} <= methods_in_code()


def test_every_method_in_the_code_has_its_scopes_in_the_table() -> None:
    assert methods_in_code() <= SCOPES.keys()


def test_the_scopes_are_exactly_those_that_the_code_uses() -> None:
    needed = {scope for method in methods_in_code() for scope in SCOPES[method]} | {"commands"}
    scopes = manifest()["oauth_config"]["scopes"]
    assert sorted(scopes["bot"]) == sorted(needed)
    assert scopes.keys() == {"bot"}


def test_the_commands_are_exactly_those_that_the_code_answers() -> None:
    commands = {each["command"]: each for each in manifest()["features"]["slash_commands"]}
    assert commands.keys() == listened_to("command") == {"/ipcheck", "/secops"}
    for each in commands.values():
        assert each["should_escape"] is False
        assert each["usage_hint"]


def test_the_events_are_exactly_those_that_the_code_answers() -> None:
    subscribed = manifest()["settings"].get("event_subscriptions", {}).get("bot_events", [])
    assert set(subscribed) == listened_to("event")
    assert not listened_to("message")


def test_everything_arrives_at_one_address() -> None:
    settings, features = manifest()["settings"], manifest()["features"]
    addresses = {settings["interactivity"]["request_url"], *(each["url"] for each in features["slash_commands"])}
    assert addresses == {"https://tocsin.example.com/slack/events"}
    assert settings["interactivity"]["is_enabled"] is True


def test_slack_would_take_the_manifest() -> None:
    folder = Path(os.environ.get("TOCSIN_TEST_SCHEMAS") or PROJECT.parent / "shared" / "schemas")
    if not (folder / SCHEMA).is_file():
        pytest.skip(
            f"{SCHEMA} of github.com/slackapi/manifest-schema is not here; set TOCSIN_TEST_SCHEMAS to its folder"
        )
    jsonschema.validate(manifest(), json.loads((folder / SCHEMA).read_text(encoding="utf-8")))


def test_the_guide_explains_every_scope_and_no_other() -> None:
    guide = (PROJECT / "docs" / "how-to" / "slack.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
    explained = {word for row in rows for word in re.findall(r"`([a-z:]+)`", row)}
    assert explained == set(manifest()["oauth_config"]["scopes"]["bot"])
