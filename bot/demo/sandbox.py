"""A stand-in for AbuseIPDB on loopback: the real API's shapes, made-up data, documentation addresses only.

Each answer carries `X-Tocsin-Sandbox: 1`, from which the client tells that the data is made up. What it says of an
address is the same at every call; report times follow the clock. Nothing here may be mistaken for the provider:
outside 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 (RFC 5737) and 2001:db8::/32 (RFC 3849) it knows nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bot.demo.sandbox_data import Address, check_data, is_documentation, reports_of
from bot.services.ports import Clock

_UNKNOWN = (
    "The sandbox knows only documentation addresses (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32)."
)
_ENDPOINTS = {"check": 1.0, "reports": 0.1, "check-block": 0.1}
"""Each endpoint's daily quota as a part of `daily_limit`, in the proportion of the free plan."""


@dataclass(slots=True)
class Faults:
    """What goes wrong on purpose; change it while the sandbox runs. `calls` counts requests by path."""

    down: bool = False
    html: bool = False
    unauthorized: bool = False
    exhausted: bool = False
    slow: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        """Everything works again; the counts stay."""
        self.down = self.html = self.unauthorized = self.exhausted = False
        self.slow = 0.0


class Wrong(Exception):
    """An error in the provider's form."""

    def __init__(self, status: int, detail: str, parameter: str | None = None) -> None:
        self.status, self.detail, self.parameter = status, detail, parameter
        super().__init__(detail)


@dataclass(slots=True)
class _Meter:
    """Calls of one endpoint since the last reset, which is 05:00 UTC here so that nobody relies on midnight."""

    limit: int
    used: int = 0
    resets_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    def take(self, now: datetime) -> bool:
        if now >= self.resets_at:
            self.used, self.resets_at = 0, next_reset(now)
        self.used += 1
        return self.used <= self.limit

    def headers(self) -> dict[str, str]:
        left = max(0, self.limit - self.used)
        return {"X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(left)}


def next_reset(now: datetime) -> datetime:
    """The first 05:00 UTC after `now`."""
    today = datetime.combine(now.astimezone(UTC).date(), time(5), UTC)
    return today if now < today else today + timedelta(days=1)


class Sandbox:
    """The answers behind the routes of `build_sandbox`."""

    def __init__(self, clock: Clock, faults: Faults, daily_limit: int) -> None:
        self._clock, self._faults = clock, faults
        self._meters = {name: _Meter(max(1, int(daily_limit * part))) for name, part in _ENDPOINTS.items()}

    async def check(self, request: Request) -> Response:
        """GET check: one address."""
        return await self._metered(request, "check", self._check)

    async def reports(self, request: Request) -> Response:
        """GET reports: one address, page by page."""
        return await self._metered(request, "reports", self._reports)

    async def check_block(self, request: Request) -> Response:
        """GET check-block: a network of at most 256 addresses."""
        return await self._metered(request, "check-block", self._check_block)

    async def _metered(self, request: Request, name: str, answer: Callable[[Request], dict[str, Any]]) -> Response:
        self._faults.calls[name] += 1
        if broken := await self._fault(request):
            return broken
        meter, now = self._meters[name], self._clock.now()
        if self._faults.unauthorized or not request.headers.get("key"):
            return _error(Wrong(401, "Authentication failed. Your API key is either missing, incorrect, or revoked."))
        if not meter.take(now) or self._faults.exhausted:
            return _exhausted(meter, now)
        try:
            return JSONResponse({"data": answer(request)}, headers=meter.headers())
        except Wrong as wrong:
            return _error(wrong, meter.headers())

    async def _fault(self, request: Request) -> Response | None:
        if self._faults.slow:
            await asyncio.sleep(self._faults.slow)
        if self._faults.down:
            return HTMLResponse("<h1>503 Service Unavailable</h1>", 503)
        if self._faults.html or "application/json" not in request.headers.get("accept", ""):
            return HTMLResponse("<!doctype html><title>Just a moment...</title><p>Checking your browser.</p>")
        return None

    def _check(self, request: Request) -> dict[str, Any]:
        address, days = _address(request), _whole(request, "maxAgeInDays", 30, 365)
        return check_data(address, self._clock.now(), days, verbose="verbose" in request.query_params)

    def _reports(self, request: Request) -> dict[str, Any]:
        address, days = _address(request), _whole(request, "maxAgeInDays", 30, 365)
        page, size = _whole(request, "page", 1, 1_000_000), _whole(request, "perPage", 25, 100)
        listed = reports_of(address, self._clock.now(), days)
        shown, last = listed[(page - 1) * size : page * size], max(1, math.ceil(len(listed) / size))
        return {
            "total": len(listed),
            "page": page,
            "count": len(shown),
            "perPage": size,
            "lastPage": last,
            "nextPageUrl": _page_url(request, page + 1) if page < last else None,
            "previousPageUrl": _page_url(request, page - 1) if page > 1 else None,
            "results": shown,
        }

    def _check_block(self, request: Request) -> dict[str, Any]:
        network, days = _network(request), _whole(request, "maxAgeInDays", 30, 365)
        now = self._clock.now()
        known = [check_data(address, now, days, verbose=False) for address in network]
        return {
            "networkAddress": str(network.network_address),
            "netmask": str(network.netmask),
            "minAddress": str(network[0]),
            "maxAddress": str(network[-1]),
            "numPossibleHosts": network.num_addresses,
            "addressSpaceDesc": "Documentation",
            "reportedAddress": [_block_row(data) for data in known if data["totalReports"]],
        }


def build_sandbox(clock: Clock, *, daily_limit: int = 1000, faults: Faults | None = None) -> Starlette:
    """The sandbox as an ASGI app. Its `Faults` are also at `app.state.faults`. Serve it on loopback only."""
    faults = faults or Faults()
    sandbox = Sandbox(clock, faults, daily_limit)
    routes = [
        Route("/api/v2/check", _marked(sandbox.check)),
        Route("/api/v2/reports", _marked(sandbox.reports)),
        Route("/api/v2/check-block", _marked(sandbox.check_block)),
    ]
    app = Starlette(routes=routes, exception_handlers={404: _marked_error, 405: _marked_error})
    app.state.faults = faults
    return app


def _marked(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def marked(request: Request) -> Response:
        response = await answer(request)
        response.headers["X-Tocsin-Sandbox"] = "1"
        return response

    return marked


async def _marked_error(request: Request, error: Exception) -> Response:
    response = _error(Wrong(getattr(error, "status_code", 404), f"The sandbox has no {request.url.path}."))
    response.headers["X-Tocsin-Sandbox"] = "1"
    return response


def _error(wrong: Wrong, headers: dict[str, str] | None = None) -> Response:
    entry: dict[str, Any] = {"detail": wrong.detail, "status": wrong.status}
    if wrong.parameter:
        entry["source"] = {"parameter": wrong.parameter}
    return JSONResponse({"errors": [entry]}, wrong.status, headers)


def _exhausted(meter: _Meter, now: datetime) -> Response:
    detail = (
        f"Daily rate limit of {meter.limit} requests exceeded for this endpoint. See headers for additional details."
    )
    response = _error(Wrong(429, detail), meter.headers())
    response.headers["X-RateLimit-Remaining"] = "0"
    response.headers["Retry-After"] = str(math.ceil((meter.resets_at - now).total_seconds()))
    response.headers["X-RateLimit-Reset"] = str(int(meter.resets_at.timestamp()))
    return response


def _address(request: Request) -> Address:
    raw = request.query_params.get("ipAddress", "")
    try:
        address = ipaddress.ip_address(raw)
    except ValueError as wrong:
        raise Wrong(422, "The ip address must be a valid IPv4 or IPv6 address (e.g. 8.8.8.8).", "ipAddress") from wrong
    if not is_documentation(address):
        raise Wrong(404, _UNKNOWN)
    return address


def _network(request: Request) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(request.query_params.get("network", ""))
    except ValueError as wrong:
        raise Wrong(422, "The network must be a valid CIDR block.", "network") from wrong
    if not is_documentation(network.network_address):
        raise Wrong(404, _UNKNOWN)
    if network.num_addresses > 256:
        raise Wrong(402, "You may not check a block larger than /24 with this plan.")
    return network


def _whole(request: Request, name: str, default: int, highest: int) -> int:
    raw = request.query_params.get(name, str(default))
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw) <= highest):
        raise Wrong(422, f"The {name} must be between 1 and {highest}.", name)
    return int(raw)


def _page_url(request: Request, page: int) -> str:
    return str(request.url.include_query_params(page=page))


def _block_row(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "ipAddress": data["ipAddress"],
        "numReports": data["totalReports"],
        "mostRecentReport": data["lastReportedAt"],
        "abuseConfidenceScore": data["abuseConfidenceScore"],
        "countryCode": data["countryCode"],
    }
