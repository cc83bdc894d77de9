"""Delivers signed requests to the bot, and repeats them as Slack does.

Signature: https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.demo.workspace.core import Core


@dataclass(frozen=True, slots=True)
class Ack:
    """How the bot answered. `status` 0 means no answer in time or no connection; `problem` says which."""

    status: int
    body: dict[str, Any]
    problem: str = ""

    @property
    def is_ok(self) -> bool:
        """Acknowledged: a 2xx within the time."""
        return 200 <= self.status < 300


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The v0 signature of a request body."""
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return "v0=" + digest.hexdigest()


class Outgoing:
    """The way to the bot. `close` ends what is still to be repeated."""

    def __init__(self, core: Core, http: httpx.AsyncClient | None = None) -> None:
        self._core = core
        self._given, self._http = http, http
        self._repeats: set[asyncio.Task[None]] = set()

    async def command(self, payload: dict[str, Any]) -> Ack:
        """A slash command: sent once, as a form."""
        return await self._once(payload["command"], payload, urlencode(payload).encode(), "form", 0)

    async def interaction(self, payload: dict[str, Any]) -> Ack:
        """A click, a submission or a closed modal: a form with the field `payload`; sent once, as Slack does."""
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return await self._once(payload["type"], payload, body, "form", 0)

    async def event(self, envelope: dict[str, Any]) -> Ack:
        """An Events API envelope. When it is not acknowledged, it is repeated in the background."""
        name, body = envelope["event"]["type"], json.dumps(envelope).encode()
        ack = await self._once(name, envelope, body, "json", 0)
        if not ack.is_ok:
            task = asyncio.create_task(self._repeat(name, envelope, body, ack))
            self._repeats.add(task)
            task.add_done_callback(self._repeats.discard)
        return ack

    async def _repeat(self, name: str, payload: dict[str, Any], body: bytes, ack: Ack) -> None:
        for attempt, delay in enumerate(self._core.settings.retry_delays, start=1):
            await asyncio.sleep(delay)
            ack = await self._once(name, payload, body, "json", attempt, ack.problem or "http_error")
            if ack.is_ok:
                return

    async def _once(
        self, name: str, payload: dict[str, Any], body: bytes, kind: str, attempt: int, reason: str = ""
    ) -> Ack:
        headers = self._headers(body, kind, attempt, reason)
        try:
            answer = await self._client().post(
                self._core.settings.bot_url,
                content=body,
                headers=headers,
                timeout=self._core.settings.ack_seconds,
            )
            ack = Ack(answer.status_code, _json_or_text(answer))
        except httpx.TimeoutException:
            ack = Ack(0, {}, "http_timeout")
        except httpx.TransportError:
            ack = Ack(0, {}, "connection_failed")
        self._core.traffic.outgoing(name, payload, ack.problem or str(ack.status), attempt)
        return ack

    def _headers(self, body: bytes, kind: str, attempt: int, reason: str) -> dict[str, str]:
        timestamp = str(int(self._core.state.now()))
        media = "application/json" if kind == "json" else "application/x-www-form-urlencoded"
        repeat = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason} if attempt else {}
        return {
            "content-type": media,
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signature(self._core.settings.signing_secret.get_secret_value(), timestamp, body),
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **repeat,
        }

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(trust_env=False)
        return self._http

    async def close(self) -> None:
        """Stop repeating and release the connections."""
        repeats = list(self._repeats)
        for task in repeats:
            task.cancel()
        await asyncio.gather(*repeats, return_exceptions=True)
        if self._http is not None and self._given is None:
            await self._http.aclose()
            self._http = None


def _json_or_text(answer: httpx.Response) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        body = answer.json()
    except ValueError:
        return {"text": answer.text}
    return body if isinstance(body, dict) else {"text": str(body)}
