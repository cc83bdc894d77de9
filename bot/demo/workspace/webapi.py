"""/api/<method>: checks the token, orders the faults, runs the method and notes the call."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.demo.workspace import methods_chat, methods_files, methods_read, methods_views
from bot.demo.workspace.arguments import read_arguments
from bot.demo.workspace.core import Core
from bot.demo.workspace.dropped import NoAnswer
from bot.demo.workspace.faults import Fault
from bot.demo.workspace.refusal import Refused

Method = Callable[[Core, dict[str, Any]], Awaitable[dict[str, Any]]]


async def _socket_mode(_core: Core, _arguments: dict[str, Any]) -> dict[str, Any]:
    """apps.connections.open: the place of Socket Mode, which this workspace does not speak."""
    raise Refused("not_supported")


METHODS: dict[str, Method] = {
    "apps.connections.open": _socket_mode,
    "auth.test": methods_read.auth_test,
    "blocks.validate": methods_views.validate_blocks,
    "chat.delete": methods_chat.delete,
    "chat.getPermalink": methods_chat.permalink,
    "chat.postEphemeral": methods_chat.post_ephemeral,
    "chat.postMessage": methods_chat.post_message,
    "chat.update": methods_chat.update,
    "conversations.history": methods_read.history,
    "conversations.info": methods_read.conversation_info,
    "conversations.list": methods_read.conversation_list,
    "conversations.members": methods_read.conversation_members,
    "conversations.open": methods_read.conversation_open,
    "conversations.replies": methods_read.replies,
    "files.completeUploadExternal": methods_files.complete_upload,
    "files.getUploadURLExternal": methods_files.upload_url,
    "reactions.add": methods_chat.add_reaction,
    "usergroups.list": methods_read.group_list,
    "usergroups.users.list": methods_read.group_users,
    "users.info": methods_read.user_info,
    "users.lookupByEmail": methods_read.user_by_email,
    "views.open": methods_views.open_view,
    "views.publish": methods_views.publish_view,
    "views.push": methods_views.push_view,
    "views.update": methods_views.update_view,
}


async def answer_call(core: Core, request: Request) -> Response:
    """The answer to one Web API call."""
    method = request.path_params["method"]
    fault = core.faults.take(method)
    arguments: dict[str, Any] = {}
    try:
        arguments = await read_arguments(request)
        if fault and fault.kind in {"rate_limited", "server_error"}:
            core.traffic.incoming(method, arguments, fault.kind)
            return _refusing(fault)
        _check_token(core, request, arguments)
        body = {"ok": True, **await _run(core, method, arguments)}
    except Refused as refusal:
        body = refusal.body()
    core.traffic.incoming(method, arguments, fault.kind if fault else str(body.get("error", "ok")))
    return await _delivered(fault, body)


async def _run(core: Core, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if method not in METHODS:
        raise Refused("unknown_method", req_method=method)
    return await METHODS[method](core, arguments)


def _refusing(fault: Fault) -> Response:
    if fault.kind == "rate_limited":
        headers = {"Retry-After": str(int(fault.seconds))}
        return JSONResponse({"ok": False, "error": "ratelimited"}, status_code=429, headers=headers)
    return Response("upstream unavailable", status_code=fault.status, media_type="text/plain")


async def _delivered(fault: Fault | None, body: dict[str, Any]) -> Response:
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault and fault.kind == "dropped_reply":
        return NoAnswer()
    return JSONResponse(body)


def _check_token(core: Core, request: Request, arguments: dict[str, Any]) -> None:
    header = request.headers.get("authorization", "")
    token = header[7:].strip() if header.lower().startswith("bearer ") else str(arguments.get("token") or "")
    if not token:
        raise Refused("not_authed")
    if not hmac.compare_digest(token.encode(), core.settings.bot_token.get_secret_value().encode()):
        raise Refused("invalid_auth")
