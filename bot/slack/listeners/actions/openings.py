"""Buttons that open a form or the details. A trigger lives three seconds, so the view is opened before the answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_sdk.errors import SlackApiError

from bot.domain.alert import Alert
from bot.domain.incident import Action
from bot.services.ports import Message
from bot.services.respond import NotAllowed, Unknown
from bot.slack import sentences
from bot.slack.desk import Desk
from bot.slack.payload import Click, click

_OPENINGS = re.compile(r"^incident:(close:open|escalate:open|details)$")


def register(app: AsyncApp, desk: Desk) -> None:
    """Close, Escalate for blocking, Details."""

    @app.action(_OPENINGS)
    async def open_view(ack: AsyncAck, body: dict[str, Any], req: AsyncBoltRequest) -> None:
        seen = click(body, req.headers, req.raw_body)
        sentence = await _open(desk, seen)
        await ack()
        if sentence:
            desk.tell(seen.answer_at, sentence)


async def _open(desk: Desk, seen: Click) -> str | None:
    if seen.target is None:
        return sentences.OLD_BUTTON
    alert = await desk.respond.show(seen.target.id)
    if alert is None:
        return sentences.unknown(Unknown(seen.target.id))
    needs = _NEEDS.get(seen.action_id)
    if needs is not None and not await desk.respond.may(seen.user_id, needs):
        return sentences.not_allowed(NotAllowed("analyst"))
    view = await _form(desk, seen.action_id)(alert)
    try:
        await desk.client.views_open(trigger_id=seen.trigger_id, view=dict(view))
    except SlackApiError as refused:
        if refused.response.get("error") in ("expired_trigger_id", "exchanged_trigger_id"):
            return "That took longer than Slack allows for opening a form. Press the button again."
        raise
    return None


_NEEDS = {"incident:close:open": Action.CLOSE, "incident:escalate:open": Action.ESCALATE}


def _form(desk: Desk, action_id: str) -> Callable[[Alert], Awaitable[Message]]:
    forms = {
        "incident:close:open": desk.forms.close,
        "incident:escalate:open": desk.forms.escalate,
        "incident:details": desk.forms.details,
    }
    return forms[action_id]
