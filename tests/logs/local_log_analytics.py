"""A Log Analytics query API on loopback: the real client speaks to it, KQL runs on local files.

Faults are chosen by the workspace's name: `slow`, `throttled`, `throttled-silently`, `bad-gateway`, `time-out`,
`forbidden`, `absent`, `partial`, `partial-empty`. Every other name answers. Requests are kept in `asked`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.table import Table, Window
from bot.errors import QueryRefused, SourceUnavailable
from bot.logs.embedded import EmbeddedLogs

_FAULTS = {
    "throttled": (429, {"Retry-After": "7"}),
    "throttled-silently": (429, {}),
    "bad-gateway": (502, {}),
    "time-out": (504, {}),
    "forbidden": (403, {}),
    "absent": (404, {}),
    "sign-in": (401, {}),
}
_PARTIAL = {
    "code": "PartialError",
    "message": "There were some errors when processing your query.",
    "details": [],
    "innererror": {
        "code": "-2133196797",
        "message": "The results of this query exceed the set limit of 500000 records.",
    },
}


@dataclass
class LocalLogAnalytics:
    """The service. `running` is how many queries it is busy with, `most` the most it ever was."""

    logs: EmbeddedLogs
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    delay: float = 0.0
    running: int = 0
    most: int = 0

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body | {"prefer": request.headers.get("prefer", "")})
        workspace = request.path_params["workspace"]
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await self._answer(workspace, body)
        finally:
            self.running -= 1

    async def _answer(self, workspace: str, body: dict[str, Any]) -> Response:
        await asyncio.sleep(60 if workspace == "slow" else self.delay)
        if workspace in _FAULTS:
            status, headers = _FAULTS[workspace]
            return JSONResponse({"error": {"code": "Fault", "message": workspace}}, status, headers)
        try:
            window = _window(body["timespan"])
            table = await self.logs.query(body["query"], window=window, clock=datetime.now(UTC))
        except QueryRefused as error:
            return JSONResponse(_refusal(str(error)), 400)
        except SourceUnavailable as error:
            return JSONResponse({"error": {"code": "GatewayTimeout", "message": str(error)}}, 504)
        if workspace == "partial-empty":
            return JSONResponse({"tables": [], "error": _PARTIAL})
        partial = {"error": _PARTIAL} if workspace == "partial" else {}
        return JSONResponse({"tables": [_table(table)]} | partial)


@asynccontextmanager
async def local_log_analytics(logs: EmbeddedLogs) -> AsyncIterator[LocalLogAnalytics]:
    """Serve `logs` on a free loopback port until the block ends."""
    service = LocalLogAnalytics(logs)
    app = Starlette(routes=[Route("/v1/workspaces/{workspace}/query", service.answer, methods=["POST"])])
    config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    service.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn tells it by this flag only
            await asyncio.sleep(0.01)
        yield service
    finally:
        server.should_exit = True
        await serving
        listening.close()


def _window(timespan: str) -> Window:
    start, _, end = timespan.partition("/")
    return Window(datetime.fromisoformat(start), datetime.fromisoformat(end))


def _refusal(message: str) -> dict[str, Any]:
    found = message.split(":", 2)
    place = f" [line,position]: [{found[0]},{found[1]}]" if found[0].isdigit() else ""
    inner = {"code": "SYN0002", "message": f"Query could not be parsed at{place}: {found[-1].strip()}"}
    return {
        "error": {
            "message": "The request had some invalid properties",
            "code": "BadArgumentError",
            "innererror": {"code": "SyntaxError", "message": "A recognition error occurred.", "innererror": inner},
        }
    }


def _table(table: Table) -> dict[str, Any]:
    kinds = [_kind([row[name] for row in table.rows]) for name in table.columns]
    return {
        "name": "PrimaryResult",
        "columns": [{"name": name, "type": kind} for name, kind in zip(table.columns, kinds, strict=True)],
        "rows": [
            [_wire(row[name], kind) for name, kind in zip(table.columns, kinds, strict=True)] for row in table.rows
        ],
    }


def _kind(cells: list[Any]) -> str:
    types = {type(cell) for cell in cells if cell is not None}
    if types & {list, dict}:
        return "dynamic"
    known = {datetime: "datetime", bool: "bool", int: "long", float: "real"}
    return known.get(types.pop(), "string") if len(types) == 1 else "string"


def _wire(cell: Any, kind: str) -> Any:
    if cell is None:
        return None
    if kind == "dynamic":
        return json.dumps(cell)
    return cell.isoformat().replace("+00:00", "Z") if kind == "datetime" else cell
