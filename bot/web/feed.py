"""The blocklist feed: what is blocked now, for firewalls that read a list.

One address or network a line, sorted, LF, ASCII, a final newline; every firewall with external lists reads that, see
https://docs.paloaltonetworks.com/pan-os/11-0/pan-os-admin/policy/use-an-external-dynamic-list-in-policy.
A list that is empty by mistake unblocks everything, so on any failure the answer is 503, which makes consumers keep
what they have.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Mapping

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.services.ports import Clock
from bot.services.storage import Store

log = logging.getLogger("tocsin.feed")


class Feed:
    """Serves the list to those who hold a token. Without any token there is no feed."""

    def __init__(self, store: Store, clock: Clock, tokens: Mapping[str, SecretStr]) -> None:
        self._store, self._clock, self._tokens = store, clock, tokens

    async def serve(self, request: Request) -> Response:
        """The list, or 304 when the reader has it, 401 without a good token, 503 when it cannot be told."""
        if not self._tokens:
            return PlainTextResponse("The feed is off: set BLOCKLIST_TOKENS.\n", status_code=404)
        consumer = self._consumer(request.headers.get("authorization", ""))
        if consumer is None:
            return PlainTextResponse(
                "A bearer token is needed.\n", status_code=401, headers={"WWW-Authenticate": "Bearer"}
            )
        try:
            body = await self.text()
        except Exception:
            log.exception("the blocklist could not be read")
            return PlainTextResponse(
                "The list cannot be read now; keep the one you have.\n", status_code=503, headers={"Retry-After": "60"}
            )
        tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        return PlainTextResponse(body, headers=headers)

    async def text(self) -> str:
        """The list at this moment. Expiry is judged here, by the clock, whatever else has stopped."""
        async with self._store.read() as tx:
            blocked = await tx.requests.in_force(self._clock.now())
        networks = {ipaddress.ip_network(request.address, strict=False) for request in blocked}
        lines = [_line(network) for network in sorted(networks, key=lambda n: (n.version, n))]
        return "".join(f"{line}\n" for line in lines)

    def _consumer(self, authorization: str) -> str | None:
        """Whose token it is. Every token is compared, in constant time, so the time taken tells nothing."""
        scheme, _, given = authorization.partition(" ")
        found = None
        for name, token in self._tokens.items():
            same = hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
            found = name if same and scheme.lower() == "bearer" else found
        return found


def _line(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    return str(network.network_address) if network.num_addresses == 1 else str(network)
