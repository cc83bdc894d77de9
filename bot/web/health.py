"""Is it alive, is it ready, and what does it count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

Probe = Callable[[], Awaitable[str | None]]
"""None when the thing is well; else what is wrong with it."""


class Health:
    """`/livez`: the loop turns. `/readyz`: every probe is content. `/metrics`: Prometheus' text format."""

    def __init__(self, probes: Mapping[str, Probe], registry: CollectorRegistry) -> None:
        self._probes, self._registry = probes, registry

    async def live(self, _request: Request) -> Response:
        """200 as long as the process answers at all."""
        return PlainTextResponse("ok\n")

    async def ready(self, _request: Request) -> Response:
        """200 when everything that requests need is there; 503 with the reasons when not."""
        problems = {name: said for name, probe in self._probes.items() if (said := await probe()) is not None}
        return JSONResponse({"ready": not problems, "problems": problems}, status_code=503 if problems else 200)

    async def metrics(self, _request: Request) -> Response:
        """The counters."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
