"""The Bolt app: signatures checked, one workspace, listeners inline.

`process_before_response` makes Bolt run a listener to its end and answer at once. Its default polls every 10 ms for the
acknowledgement, which costs every button and command that much.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import SecretStr
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.desk import Desk
from bot.slack.listeners import register

log = logging.getLogger("tocsin.slack")


def bolt_app(client: AsyncWebClient, *, bot_token: SecretStr, signing_secret: SecretStr, desk: Desk) -> AsyncApp:
    """The app for one workspace. It asks Slack nothing before it answers: who we are comes from the settings."""

    async def authorize(enterprise_id: str | None = None, team_id: str | None = None, **_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=bot_token.get_secret_value())

    app = AsyncApp(
        client=client,
        signing_secret=signing_secret.get_secret_value(),
        authorize=authorize,
        process_before_response=True,
        # Nothing of ours listens to messages or events, which is what these two look at.
        ignoring_self_events_enabled=False,
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
    )
    register(app, desk)
    app.error(_last_resort(desk))
    return app


def _last_resort(desk: Desk) -> Callable[..., Awaitable[BoltResponse]]:
    """What answers when a listener failed: the person gets a reference, the log the rest."""

    async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        reference = secrets.token_hex(4)
        log.error("a request from Slack failed, reference %s", reference, exc_info=error)
        sentence = f"That did not work. Reference {reference}: give it to your Tocsin administrator."
        if body.get("type") == "view_submission":
            return BoltResponse(status=200, body={"response_action": "errors", "errors": _on_first(body, sentence)})
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": sentence})
        address = body.get("response_url")
        desk.tell(SecretStr(address) if address else None, sentence)
        return BoltResponse(status=200, body="")

    return failed


def _on_first(body: dict[str, Any], sentence: str) -> dict[str, str]:
    """A form shows an error only beside a block that it has."""
    blocks = body.get("view", {}).get("blocks", [])
    inputs = [block["block_id"] for block in blocks if block.get("type") == "input"]
    return dict.fromkeys(inputs[:1], sentence)
