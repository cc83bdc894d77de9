"""The two Web API clients and the one HTTP session under them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import aiohttp
from pydantic import SecretStr
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from bot import __version__
from bot.errors import ConfigError

DEFAULT_URL = AsyncWebClient.BASE_URL

CONNECT_SECONDS = 5.0
CALL_SECONDS = 15.0
"""Longest connection and longest call. A delivery claims its message for 60 s, in which two looks and two posts fit."""

_USER_AGENT = f"tocsin/{__version__}"

_UNSENDABLE = (
    "SLACK_BOT_TOKEN is empty or holds signs that a token cannot have. Set it to the Bot User OAuth Token (xoxb-…) from"
    " the app's page OAuth & Permissions, without quotes."
)
_IN_THE_CLEAR = (
    "SLACK_API_URL must be a web address with https (http on loopback only), or the token is shown to all. Leave it"
    f" empty for Slack's own, {DEFAULT_URL}"
)


@dataclass(frozen=True, slots=True)
class SlackClients:
    """`posting` never repeats a call; `reading` repeats one once when Slack asks it to wait. Close when done."""

    posting: AsyncWebClient
    reading: AsyncWebClient
    session: aiohttp.ClientSession

    async def aclose(self) -> None:
        """Release the connections."""
        await self.session.close()


async def open_clients(
    token: SecretStr, *, base_url: str = DEFAULT_URL, call_seconds: float = CALL_SECONDS
) -> SlackClients:
    """Clients that share one session. Nothing is sent yet.

    Raises ConfigError for a token that cannot be sent and for an address over which it would travel in the clear.
    """
    mistakes = [*_token_mistakes(token.get_secret_value()), *_address_mistakes(base_url)]
    if mistakes:
        raise ConfigError(mistakes)
    timeout = aiohttp.ClientTimeout(total=call_seconds, connect=min(CONNECT_SECONDS, call_seconds))
    session = aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": _USER_AGENT})
    # slack_sdk's own default repeats a call whose reply was lost, which posts an alert twice.
    posting = _client(token, base_url, session)
    reading = _client(token, base_url, session)
    reading.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    return SlackClients(posting, reading, session)


def keeps_secrets(address: str) -> bool:
    """Whether nobody can read on the way what is sent there: https, or plain http that stays on this machine."""
    try:
        url = URL(address)
    except ValueError:
        return False
    return bool(url.host) and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host)))


def is_loopback(host: str | None) -> bool:
    """Whether the host is this machine, by number or as localhost."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _client(token: SecretStr, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    client = AsyncWebClient(
        token.get_secret_value(),
        base_url=base_url,
        timeout=int(CALL_SECONDS),
        session=session,
        user_agent_prefix=_USER_AGENT,
        retry_handlers=[],
    )
    if is_loopback(URL(base_url).host):
        client.proxy = None  # slack_sdk takes HTTPS_PROXY even for this machine
    return client


def _token_mistakes(token: str) -> list[str]:
    # An illegal header would be quoted, token and all, in the transport's error.
    if token and all("!" <= sign <= "~" for sign in token):
        return []
    return [_UNSENDABLE]


def _address_mistakes(base_url: str) -> list[str]:
    if keeps_secrets(base_url):
        return []
    return [_IN_THE_CLEAR]
