"""Closes a connection without an answer, as a network does."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_EXTENSION = "tocsin.transport"


def with_droppable_connections(app: ASGIApp) -> ASGIApp:
    """Make the server's transport reachable for `NoAnswer`.

    ASGI has no word for "hang up". uvicorn's `send` is a method of the object that holds the transport.
    """

    async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("extensions", {})[_EXTENSION] = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return droppable


class NoAnswer(Response):
    """A response that never comes. Without a real server the caller meets a ConnectionResetError instead."""

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        transport: Any = scope.get("extensions", {}).get(_EXTENSION)
        if transport is None:
            raise ConnectionResetError("the local workspace dropped the answer, as it was told to")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            continue
