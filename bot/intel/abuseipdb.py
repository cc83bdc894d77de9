"""One `check` call to AbuseIPDB's API v2, https://docs.abuseipdb.com/#check-endpoint, as a typed outcome.

The key travels in the `Key` header and nowhere else. Redirects are never followed, so it goes to one host only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from bot import __version__
from bot.domain.reputation import Found, NotPublic, Outcome, QuotaExceeded, Refused, Source, Unavailable
from bot.errors import ConfigError
from bot.intel import wire
from bot.intel.ports import QuotaState
from bot.services.ports import Clock

DEFAULT_URL = "https://api.abuseipdb.com/api/v2/"
SANDBOX_HEADER = "x-tocsin-sandbox"
MAX_BODY = 8 * 1024 * 1024
"""Bytes. The largest honest answer, 10,000 reports, is about 2.8 MB."""

TOTAL_TIMEOUT = 10.0
RETRY_PAUSE = 0.3
LONGEST_WAIT = 2.0
"""Seconds: for one try, before the second try, and the longest Retry-After that is waited for in place."""

_CLOSED_WITHOUT_RESET = timedelta(hours=1)
_INLINE = 64 * 1024
"""Bytes. A larger answer is read beside the event loop, which 10,000 reports would hold up for a tenth of a second."""

_PLAN = "AbuseIPDB says that this key's plan does not cover the call (402). Check the plan at https://www.abuseipdb.com/account"
_KEY = (
    "AbuseIPDB did not accept the API key (401). Set ABUSEIPDB_API_KEY to a v2 key from"
    " https://www.abuseipdb.com/account/api"
)
_DENIED = "AbuseIPDB denied the call (403). Check that the key in ABUSEIPDB_API_KEY is still allowed to use `check`"
_NO_KEY = "ABUSEIPDB_API_KEY is empty or holds signs that a key cannot have. Set it to the key alone, without quotes."


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    body: Any
    is_json: bool
    size: int


class AbuseIPDB:
    """The client. Stateless: caching, quota and single flight are `bot.intel.lookup`'s.

    ConfigError for a `url` over which the key would travel in the clear: plain http is for loopback only.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        key: SecretStr,
        url: str,
        clock: Clock,
        *,
        window_days: int = 30,
        timeout: float = TOTAL_TIMEOUT,
    ) -> None:
        self._client, self._key, self._clock = client, key, clock
        self._url = _checked(url)
        self._window_days, self._timeout = window_days, timeout

    async def check(self, address: str) -> tuple[Outcome, QuotaState | None]:
        """What AbuseIPDB says of `address`; at most two calls, the second only after a 5xx or a lost connection."""
        if not _sendable(self._key.get_secret_value()):
            return Refused(_NO_KEY), None
        outcome, quota = await self._once(address)
        if not isinstance(outcome, _Again):
            return outcome, quota
        await asyncio.sleep(outcome.pause)
        outcome, quota = await self._once(address)
        return (outcome.instead if isinstance(outcome, _Again) else outcome), quota

    async def _once(self, address: str) -> tuple[Outcome | _Again, QuotaState | None]:
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._ask(address)
        except (TimeoutError, httpx.TimeoutException):
            return _again(f"AbuseIPDB did not answer within {self._timeout:g} s"), None
        except _TooLarge:
            return Unavailable(f"AbuseIPDB's answer was larger than {MAX_BODY // 1024 // 1024} MB"), None
        except httpx.TransportError as lost:
            return _again(f"AbuseIPDB could not be reached ({type(lost).__name__})"), None
        except httpx.HTTPError as broken:
            return Unavailable(f"AbuseIPDB's answer could not be read ({type(broken).__name__})"), None
        now = self._clock.now()
        said = wire.quota(reply.headers, now)
        if reply.size <= _INLINE:
            return self._read(reply, address, now), said
        return await asyncio.to_thread(self._read, reply, address, now), said

    async def _ask(self, address: str) -> _Reply:
        params = {"ipAddress": address, "maxAgeInDays": str(self._window_days), "verbose": ""}
        headers = {
            "Key": self._key.get_secret_value(),
            "Accept": "application/json",
            "User-Agent": f"tocsin/{__version__}",
        }
        request = self._client.stream("GET", self._url, params=params, headers=headers, follow_redirects=False)
        async with request as response:
            raw = await _bounded(response)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().casefold()
        body, is_json = await _parse(raw) if kind.endswith(("/json", "+json")) else (None, False)
        return _Reply(response.status_code, response.headers, body, is_json, len(raw))

    def _read(self, reply: _Reply, address: str, now: datetime) -> Outcome | _Again:
        if reply.status == 200:
            return _found(reply, address, self._window_days, now)
        if reply.status == 429:
            return self._too_many(reply, now)
        if reply.status >= 500:
            return _again(f"AbuseIPDB is down ({reply.status})", wire.retry_after(reply.headers))
        return self._refusal(reply, address)

    def _too_many(self, reply: _Reply, now: datetime) -> Outcome:
        listed, said = wire.errors(reply.body), wire.quota(reply.headers, now)
        wait = wire.retry_after(reply.headers)
        if any(parameter == "ip" or "report the same" in detail for detail, parameter in listed):
            return Refused("AbuseIPDB took the call for a second report of the same address within 15 minutes.")
        if not reply.is_json and said is None:
            return Unavailable("AbuseIPDB's front door asks for fewer calls (429, not in JSON)", wait)
        pause = timedelta(seconds=wait) if wait else _CLOSED_WITHOUT_RESET
        return QuotaExceeded(said.resets_at if said and said.resets_at else now + pause)

    def _refusal(self, reply: _Reply, address: str) -> Outcome:
        detail = self._without_key(" ".join(text for text, _ in wire.errors(reply.body)))
        said = f': "{detail}".' if detail else "."
        if reply.status in (401, 402):
            return Refused((_KEY if reply.status == 401 else _PLAN) + said)
        if not reply.is_json:
            return Unavailable(f"AbuseIPDB answered with {reply.status} and something other than JSON")
        if reply.status == 403:
            return Refused(_DENIED + said)
        if reply.status in (400, 404, 422):
            return Refused(f"AbuseIPDB cannot check {address} ({reply.status}){said} Check the address.")
        return Unavailable(f"AbuseIPDB answered with an unexpected status ({reply.status}){said}")

    def _without_key(self, text: str) -> str:
        return text.replace(self._key.get_secret_value(), "[key]")


@dataclass(frozen=True, slots=True)
class _Again:
    """Worth a second try after `pause` seconds; `instead` is the outcome when there is none."""

    instead: Unavailable
    pause: float


class _TooLarge(Exception):
    """The body passed MAX_BODY."""


def _again(reason: str, wait: float | None = None) -> Outcome | _Again:
    outcome = Unavailable(reason, wait)
    if wait is not None and wait > LONGEST_WAIT:
        return outcome
    return _Again(outcome, max(wait or 0.0, RETRY_PAUSE))


def _found(reply: _Reply, address: str, window_days: int, now: datetime) -> Outcome:
    if not reply.is_json:
        return Unavailable("AbuseIPDB answered with something other than JSON, perhaps a challenge page")
    if wire.says_not_public(reply.body):
        return NotPublic()
    source: Source = "sandbox" if reply.headers.get(SANDBOX_HEADER) == "1" else "AbuseIPDB"
    try:
        return Found(wire.reputation(reply.body, address, window_days, now), source)
    except ValueError as fault:
        return Unavailable(f"AbuseIPDB's answer could not be understood: {fault}")


def _checked(base: str) -> httpx.URL:
    try:
        url = httpx.URL(f"{base.rstrip('/')}/check")
    except httpx.InvalidURL as wrong:
        raise ConfigError([f"ABUSEIPDB_URL is not a web address ({wrong}). The default is {DEFAULT_URL}"]) from wrong
    if url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host)):
        return url
    raise ConfigError(
        [f"ABUSEIPDB_URL must be https (http on loopback only), or the key is shown to all. Default: {DEFAULT_URL}"]
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_BODY:
            raise _TooLarge
    return bytes(body)


async def _parse(raw: bytes) -> tuple[Any, bool]:
    """(value, True), or (None, False) for what is not JSON."""
    try:
        return (json.loads(raw) if len(raw) <= _INLINE else await asyncio.to_thread(json.loads, raw)), True
    except (ValueError, RecursionError):
        return None, False


def _sendable(key: str) -> bool:
    """Whether the key can stand in a header: an illegal one would be quoted in the transport's error."""
    return bool(key) and all("!" <= sign <= "~" for sign in key)
