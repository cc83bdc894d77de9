"""What an app answers beside the Web API: acknowledgement bodies and response_url.

Rules: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.demo.workspace.core import Core, ResponseTicket
from bot.demo.workspace.dropped import NoAnswer
from bot.demo.workspace.methods_chat import checked_content, with_block_ids
from bot.demo.workspace.people import BOT_USER
from bot.demo.workspace.refusal import Refused
from bot.demo.workspace.state import Message


def show_answer(core: Core, channel: str, user: str, body: dict[str, Any]) -> Message:
    """A new message from an answer: for this person only, unless it says `in_channel`. Raises Refused."""
    text, blocks = checked_content(body)
    reader = "" if body.get("response_type") == "in_channel" else user
    thread = str(body.get("thread_ts") or "")
    stored = with_block_ids(core, blocks)
    message = Message(channel, core.state.next_ts(), BOT_USER, text, stored, thread, seen_by=reader)
    return core.state.add(message)


def tell_privately(core: Core, channel: str, user: str, text: str) -> None:
    """A note from the workspace itself to one person."""
    core.state.add(Message(channel, core.state.next_ts(), "USLACKBOT", text, seen_by=user))


async def answer_response_url(core: Core, request: Request) -> Response:
    """POST /response/<key>."""
    fault = core.faults.take("response_url")
    if fault and fault.kind in {"rate_limited", "server_error"}:
        return PlainTextResponse("try later", status_code=429 if fault.kind == "rate_limited" else fault.status)
    try:
        body = json.loads(await request.body())
        _apply(core, _ticket(core, request.path_params["key"]), body)
    except Refused as refusal:
        core.traffic.incoming("response_url", {}, refusal.code)
        return JSONResponse(refusal.body(), status_code=404 if refusal.code.endswith("_url") else 400)
    except ValueError:
        return PlainTextResponse("invalid_payload", status_code=400)
    core.traffic.incoming("response_url", body, fault.kind if fault else "ok")
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    return NoAnswer() if fault and fault.kind == "dropped_reply" else PlainTextResponse("ok")


def _ticket(core: Core, key: str) -> ResponseTicket:
    ticket = core.tickets.responses.get(key)
    if ticket is None or core.state.now() - ticket.born > core.settings.response_url_seconds:
        raise Refused("expired_url")
    if ticket.uses >= core.settings.response_url_uses:
        raise Refused("used_url")
    ticket.uses += 1
    return ticket


def _apply(core: Core, ticket: ResponseTicket, body: dict[str, Any]) -> None:
    original = core.state.find(ticket.channel, ticket.message_ts) if ticket.message_ts else None
    if body.get("delete_original"):
        if original is not None:
            core.state.remove(original)
    elif body.get("replace_original") and original is not None:
        text, blocks = checked_content(body)
        original.text, original.blocks = text, with_block_ids(core, blocks)
        original.edited_ts = core.state.next_ts()
        core.state.tell_message(original)
    else:
        shown = show_answer(core, ticket.channel, ticket.user, body)
        ticket.message_ts = ticket.message_ts or shown.ts
