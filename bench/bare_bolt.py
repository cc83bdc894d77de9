"""The yardstick: a Bolt app that acknowledges `/ipcheck` and does nothing else, served as the product is.

Usage: python bench/bare_bolt.py PORT SIGNING_SECRET
"""

from __future__ import annotations

import sys

import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def bare(signing_secret: str) -> Starlette:
    async def authorize(**_: object) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T0TOCSIN", bot_token="xoxb-bench")

    app = AsyncApp(
        client=AsyncWebClient(), signing_secret=signing_secret, authorize=authorize, process_before_response=True
    )

    @app.command("/ipcheck")
    async def ipcheck(ack: AsyncAck) -> None:
        await ack()

    handler = AsyncSlackRequestHandler(app)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


if __name__ == "__main__":
    uvicorn.run(bare(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
