"""Live updates of the page as Server-Sent Events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.demo.workspace.core import Core

KEEP_ALIVE_SECONDS = 15.0


async def stream(core: Core, request: Request) -> Response:
    """GET /ui/stream?as=<person>: every change that this person may see."""
    changes = _changes(core, request.query_params.get("as", ""))
    return StreamingResponse(changes, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _changes(core: Core, user: str) -> AsyncIterator[str]:
    queue = core.state.subscribe()
    try:
        # From here on nothing is missed: the page now fetches what came before.
        yield 'retry: 1000\ndata: {"kind": "ready"}\n\n'
        while True:
            try:
                change = await asyncio.wait_for(queue.get(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if change["kind"] == "closing":
                return
            if change.get("seen_by", "") in {"", user} and change.get("user", user) == user:
                yield f"data: {json.dumps(change)}\n\n"
    finally:
        core.state.unsubscribe(queue)
