"""The HTTP face: one Starlette application.

`POST /slack/events` (Bolt checks the signature), `GET /blocklist.txt`, `GET /livez`, `GET /readyz`, `GET /metrics`.
"""

from __future__ import annotations

from collections.abc import Callable

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.web.feed import Feed
from bot.web.health import Health

_LARGEST_BODY = 1_000_000
"""Slack's own payloads stay far below this; a larger body is refused before it is read."""


def web_app(*, slack: AsyncApp | None, feed: Feed, health: Health) -> Starlette:
    """The application. Without `slack`, `/slack/events` does not exist."""
    routes = [
        Route("/blocklist.txt", feed.serve, methods=["GET", "HEAD"]),
        Route("/livez", health.live),
        Route("/readyz", health.ready),
        Route("/metrics", health.metrics),
    ]
    if slack is not None:
        routes.append(Route("/slack/events", _events(AsyncSlackRequestHandler(slack)), methods=["POST"]))
    return Starlette(routes=routes)


def _events(handler: AsyncSlackRequestHandler) -> Callable[[Request], object]:
    async def events(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > _LARGEST_BODY:
            return PlainTextResponse("a request needs a length of at most 1 MB\n", status_code=413)
        return await handler.handle(request)

    return events
