"""The upload of a file in three steps: https://docs.slack.dev/messaging/working-with-files"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.demo.workspace.arguments import count, required
from bot.demo.workspace.core import Core
from bot.demo.workspace.people import BOT_USER
from bot.demo.workspace.refusal import Refused
from bot.demo.workspace.state import Message


async def upload_url(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """files.getUploadURLExternal."""
    name, size = required(arguments, "filename"), count(arguments, "length", 0)
    file_id = core.state.next_id("F")
    core.uploads[file_id] = {"id": file_id, "name": name, "size": size, "content": None}
    return {"upload_url": f"{core.public_url}/upload/{file_id}", "file_id": file_id}


async def receive_upload(core: Core, request: Request) -> Response:
    """The second step: the bytes, plain or as a form."""
    upload = core.uploads.get(request.path_params["file_id"])
    if upload is None:
        return PlainTextResponse("no such upload", status_code=404)
    if "multipart" in request.headers.get("content-type", ""):
        async with request.form() as form:
            parts = [part for part in form.values() if not isinstance(part, str)]
            upload["content"] = await parts[0].read() if parts else b""
    else:
        upload["content"] = await request.body()
    return PlainTextResponse(f"OK - {len(upload['content'])}")


async def complete_upload(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """files.completeUploadExternal, shared into a channel when one is named."""
    files = [_finished(core, asked) for asked in arguments.get("files") or []]
    if not files:
        raise Refused("invalid_arguments")
    if arguments.get("channel_id"):
        channel = core.state.find_channel(str(arguments["channel_id"]))
        if channel is None:
            raise Refused("channel_not_found")
        text, thread = str(arguments.get("initial_comment") or ""), str(arguments.get("thread_ts") or "")
        message = Message(channel.id, core.state.next_ts(), BOT_USER, text, thread_ts=thread, files=files)
        core.state.add(message)
    return {"files": files}


def _finished(core: Core, asked: dict[str, Any]) -> dict[str, Any]:
    upload = core.uploads.get(str(asked.get("id")))
    if upload is None or upload["content"] is None:
        raise Refused("file_not_found")
    return {"id": upload["id"], "name": upload["name"], "title": asked.get("title") or upload["name"]}
