"""/control/...: faults, record and memory for tests in another process. Served on loopback only."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.demo.workspace.core import Core
from bot.demo.workspace.faults import Fault, FaultKind


class FaultOrder(BaseModel):
    """The body of POST /control/faults."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    method: str = "*"
    times: int = Field(default=1, ge=1)
    seconds: float = Field(default=1.0, ge=0)
    status: int = Field(default=503, ge=500, le=599)


class HistoryDelay(BaseModel):
    """The body of POST /control/history-delay."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(ge=0)


def _wrong(error: ValidationError) -> Response:
    problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return JSONResponse({"ok": False, "problems": problems}, status_code=422)


async def order_fault(core: Core, request: Request) -> Response:
    """POST /control/faults."""
    try:
        order = FaultOrder.model_validate_json(await request.body())
    except ValidationError as error:
        return _wrong(error)
    core.faults.add(Fault(order.method, order.kind, order.times, order.seconds, order.status))
    return JSONResponse({"ok": True})


async def delay_history(core: Core, request: Request) -> Response:
    """POST /control/history-delay."""
    try:
        core.faults.history_delay = HistoryDelay.model_validate_json(await request.body()).seconds
    except ValidationError as error:
        return _wrong(error)
    return JSONResponse({"ok": True})


async def clear_faults(core: Core, _request: Request) -> Response:
    """DELETE /control/faults."""
    core.faults.clear()
    return JSONResponse({"ok": True})


async def show_traffic(core: Core, _request: Request) -> Response:
    """GET /control/traffic."""
    return JSONResponse({"traffic": [exchange.as_json() for exchange in core.traffic.all()]})


async def show_messages(core: Core, request: Request) -> Response:
    """GET /control/messages, of ?channel= or all; ephemeral ones carry `seen_by`."""
    channel = request.query_params.get("channel")
    shown = [m for m in core.state.messages if channel in {None, m.channel}]
    bodies: list[dict[str, Any]] = [
        m.as_slack(with_metadata=True) | {"channel": m.channel, "seen_by": m.seen_by} for m in shown
    ]
    return JSONResponse({"messages": bodies})
