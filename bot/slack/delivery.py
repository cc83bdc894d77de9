"""Slack as a `Chat`: posts, changes and finds messages, and answers people.

A post is tried once and never repeated here. What finds it again is its metadata, which stays out of sight but can be
read by other apps in the workspace, so it holds our id and nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from pydantic import SecretStr
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.delivery import CannotLook, Look, NotThere, Outcome, Posted, Refused, Unsure
from bot.services.ports import Message
from bot.slack.client import SlackClients, keeps_secrets
from bot.slack.errors import answered, failure, is_code, lost, reason

EVENT_TYPE = "tocsin_delivery"

LOOK_SECONDS = 8.0
LOOK_BACK = timedelta(seconds=60)
"""The longest look, and how much earlier than `since` it begins: our clock and Slack's need not agree."""

PAGE = 200
MOST_PAGES = 10
"""Messages per page, https://docs.slack.dev/apis/web-api/pagination, and pages that one look reads."""

_ANSWER_BYTES = 16 * 1024


class SlackChat:
    """The port `Chat` over Slack's Web API."""

    def __init__(self, clients: SlackClients) -> None:
        self._posting, self._reading, self._session = clients.posting, clients.reading, clients.session
        # Both only spare calls: history is read by id, and our own id never changes while the token stays.
        self._ids: dict[str, str] = {}
        self._authors: frozenset[str] = frozenset()

    async def post(self, channel: str, message: Message, *, key: str, thread: str | None = None) -> Outcome:
        """chat.postMessage, once. `channel` is an id, or a name with #; Posted.channel is always the id."""
        call = self._posting.api_call(
            "chat.postMessage",
            json={
                **message,
                **({"thread_ts": thread} if thread else {}),
                "channel": channel,
                "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
                "unfurl_links": False,
                "unfurl_media": False,
                "link_names": False,
            },
        )
        answer = await answered(call, channel=channel)
        if not isinstance(answer, dict):
            return answer
        posted = _posted(answer.get("channel"), answer.get("ts"))
        if isinstance(posted, Posted) and channel != posted.channel:
            self._ids[channel] = posted.channel
        return posted

    async def update(self, channel: str, ts: str, message: Message) -> Outcome:
        """chat.update. Blocks that `message` does not have are taken away; the metadata stays."""
        arguments = {"blocks": [], **message, "channel": channel, "ts": ts, "link_names": False}
        answer = await answered(self._posting.api_call("chat.update", json=arguments), channel=channel)
        return _posted(channel, ts) if isinstance(answer, dict) else answer

    async def find(self, channel: str, key: str, *, since: datetime, thread: str | None = None) -> Look:
        """Read the channel's (or thread's) history for our own message with `key`; at most LOOK_SECONDS."""
        known = self._ids.get(channel, channel)
        if known.startswith("#"):
            return CannotLook(
                f"Slack shows the history of a channel by its id only. Put the id of {channel} into tocsin.toml"
                " (in Slack: the channel's name, at the bottom of About)."
            )
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._look(known, key, since - LOOK_BACK, thread)
        except TimeoutError:
            return CannotLook(f"The history of {known} could not be read within {LOOK_SECONDS:g} s.")

    async def whisper(self, channel: str, user: str, message: Message) -> Outcome:
        """chat.postEphemeral. Posted.ts cannot be used to change or find it."""
        arguments = {**message, "channel": channel, "user": user, "link_names": False}
        call = self._posting.api_call("chat.postEphemeral", json=arguments)
        answer = await answered(call, channel=channel)
        return _posted(channel, answer.get("message_ts")) if isinstance(answer, dict) else answer

    async def respond(self, address: SecretStr, message: Message) -> Outcome:
        """POST to a response_url, once. Slack names no message in its answer, so Posted is empty."""
        url = address.get_secret_value()
        if not keeps_secrets(url):
            return Refused(
                "unsafe_response_url", "The address for the answer is not https. Check who signed the request."
            )
        proxy = self._posting.proxy if url.startswith("https:") else None
        try:
            async with self._session.post(url, json=dict(message), proxy=proxy, allow_redirects=False) as response:
                text = await response.content.read(_ANSWER_BYTES)
                return _responded(response.status, response.headers, text.decode(errors="replace"))
        except (aiohttp.ClientError, TimeoutError) as error:
            return lost(error)

    async def _look(self, channel: str, key: str, oldest: datetime, thread: str | None) -> Look:
        authors = await self._known_authors()
        if isinstance(authors, CannotLook):
            return authors
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            answer = await answered(self._page(channel, oldest, thread, cursor), channel=channel)
            if not isinstance(answer, dict):
                return CannotLook(reason(answer))
            for message in answer.get("messages") or ():
                if _key_of(message) == key and authors & {message.get("user"), message.get("bot_id")}:
                    return Posted(channel, str(message["ts"]))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return NotThere()
        return CannotLook(
            f"{channel} holds more than {PAGE * MOST_PAGES} messages since then, too many to look through."
        )

    async def _page(self, channel: str, oldest: datetime, thread: str | None, cursor: str | None) -> AsyncSlackResponse:
        start = f"{oldest.timestamp():.6f}"
        if thread:
            return await self._reading.conversations_replies(
                channel=channel, ts=thread, oldest=start, limit=PAGE, cursor=cursor, include_all_metadata=True
            )
        return await self._reading.conversations_history(
            channel=channel, oldest=start, limit=PAGE, cursor=cursor, include_all_metadata=True
        )

    async def _known_authors(self) -> frozenset[str] | CannotLook:
        """Our ids as they stand under our messages: another app may copy a key, but not these."""
        if not self._authors:
            answer = await answered(self._reading.auth_test())
            if not isinstance(answer, dict):
                return CannotLook(reason(answer))
            self._authors = frozenset(str(answer[name]) for name in ("user_id", "bot_id") if answer.get(name))
        return self._authors


def _posted(channel: Any, ts: Any) -> Outcome:
    if channel and ts:
        return Posted(str(channel), str(ts))
    return Unsure("Slack took the message but did not say where it stands.")


def _responded(status: int, headers: Mapping[str, str], text: str) -> Outcome:
    body = _json_or_code(text)
    if status == 200 and not body.get("error"):
        return Posted("", "")
    return failure(status, headers, body)


def _json_or_code(text: str) -> dict[str, Any]:
    """Slack answers here with JSON, with a bare code such as used_url, or with ok."""
    try:
        body = json.loads(text)
    except ValueError:
        return {"error": text.strip()} if is_code(text.strip()) and text.strip() != "ok" else {}
    return body if isinstance(body, dict) else {}


def _key_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("key")
