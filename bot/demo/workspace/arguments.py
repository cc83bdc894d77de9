"""Reads the arguments of a Web API call, wherever the client put them."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from bot.demo.workspace.refusal import Refused

JSON_FIELDS = ("attachments", "blocks", "files", "metadata", "view")


async def read_arguments(request: Request) -> dict[str, Any]:
    """Query, form and JSON arguments in one mapping; JSON inside a string is opened. Raises Refused."""
    arguments: dict[str, Any] = dict(request.query_params)
    if "json" in request.headers.get("content-type", ""):
        arguments |= _json_object(await request.body())
    elif request.method == "POST":
        async with request.form() as form:
            arguments |= {name: value for name, value in form.items() if isinstance(value, str)}
    return {name: _opened(name, value) for name, value in arguments.items()}


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused("invalid_json") from error
    if not isinstance(value, dict):
        raise Refused("json_not_object")
    return value


def _opened(name: str, value: Any) -> Any:
    if name not in JSON_FIELDS or not isinstance(value, str):
        return value
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError as error:
        raise Refused("invalid_blocks_format" if name == "blocks" else "invalid_arguments") from error


def required(arguments: dict[str, Any], name: str) -> str:
    """The argument as text. Raises Refused when it is absent or empty."""
    value = arguments.get(name)
    if value is None or value == "":
        raise Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
    return str(value)


def flag(arguments: dict[str, Any], name: str) -> bool:
    """A yes-or-no argument; clients send true, "true" or "1"."""
    return str(arguments.get(name, "")).lower() in {"1", "true"}


def count(arguments: dict[str, Any], name: str, default: int) -> int:
    """A whole number of at least one. Raises Refused."""
    try:
        value = int(arguments.get(name) or default)
    except (TypeError, ValueError) as error:
        raise Refused("invalid_arguments") from error
    if value < 1:
        raise Refused("invalid_limit")
    return value
