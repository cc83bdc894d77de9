"""Durable work: a job, once committed, is driven until it is done, through crashes and restarts.

There is one workflow shape for every kind of job: run the handler, sleep for as long as it asked, run it again, until
it asks for nothing more. Handlers read what is true from our tables and are safe to repeat, so the engine's record
holds no truth and its list of steps never changes between releases.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

from bot.domain.work import Job
from bot.engine.client import APPLICATION, EngineClient

Handler: TypeAlias = Callable[[str], Awaitable[timedelta | None]]
"""Does the work named by the key. Answers how long to wait before the next run, or None when it is done."""

_VERSION = "1"  # constant: another value strands all work in flight
_FIRST_RETRY, _LONGEST_RETRY = timedelta(seconds=1), timedelta(minutes=5)
_FAILURES = 50

log = logging.getLogger("tocsin.engine")


@dataclass(frozen=True, slots=True)
class Queue:
    """Where jobs wait. With `pace`, the jobs of one partition start at least so far apart, over all processes."""

    name: str
    poll: timedelta = timedelta(milliseconds=250)
    pace: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A kind of job that starts by the clock. `cron` has seconds first; the job's key is the tick's ISO time."""

    name: str
    kind: str
    cron: str


class DurableEngine:
    """The engine of one process. Create it inside the running loop; only one can be started at a time."""

    def __init__(
        self,
        database: sa.Engine,
        *,
        handlers: Mapping[str, Handler],
        queues: Sequence[Queue],
        schedules: Sequence[Schedule] = (),
        executor: str = "tocsin",
    ) -> None:
        self._database, self._handlers = database, handlers
        self._queues, self._schedules, self._executor = queues, schedules, executor
        self._client: EngineClient | None = None

    async def start(self) -> None:
        """Migrate the engine's tables, take up unfinished work, start queues and schedules."""
        DBOS(config=self._config())
        workflows = {kind: _workflow(kind, handler) for kind, handler in self._handlers.items()}
        ticks = {s.name: _tick(s, workflows[s.kind]) for s in self._schedules}
        DBOS.launch()
        for queue in self._queues:
            await _register(queue)
        await self._apply_schedules(ticks)
        self._client = await asyncio.to_thread(EngineClient, self._database)

    async def stop(self) -> None:
        """Stop taking work. What runs is taken up again at the next start."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)
            self._client = None
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    def enqueue(self, connection: sa.Connection, job: Job) -> None:
        """Add the job in the caller's transaction: it runs if, and only if, that commits."""
        if self._client is None:
            raise RuntimeError("the engine is not started")
        self._client.enqueue(connection, job)

    def _config(self) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "system_database_engine": self._database,
            "application_version": _VERSION,
            "executor_id": self._executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "scheduler_polling_interval_sec": 1.0,
            "notification_listener_polling_interval_sec": 1.0,
        }

    async def _apply_schedules(self, ticks: Mapping[str, Any]) -> None:
        for known in await asyncio.to_thread(DBOS.list_schedules):
            if known["schedule_name"] not in ticks:
                await asyncio.to_thread(DBOS.delete_schedule, known["schedule_name"])
        if ticks:
            await DBOS.apply_schedules_async(
                [
                    {"schedule_name": s.name, "workflow_fn": ticks[s.name], "schedule": s.cron, "context": None}
                    for s in self._schedules
                ]
            )


async def _register(queue: Queue) -> None:
    limit: dict[str, Any] = {}
    if queue.pace is not None:
        limit["partition_limiter"] = {"limit": 1, "period": queue.pace.total_seconds()}
    await DBOS.register_queue_async(queue.name, polling_interval_sec=queue.poll.total_seconds(), **limit)


def _workflow(kind: str, handler: Handler) -> Callable[[str], Awaitable[None]]:
    @DBOS.workflow(name=kind)
    async def drive(key: str) -> None:
        failures = 0
        while True:
            pause, failed = await DBOS.run_step_async({"name": kind}, _attempt, kind, handler, key, failures)
            if pause is None:
                return
            failures = failures + 1 if failed else 0
            await DBOS.sleep_async(pause)

    return drive


def _tick(schedule: Schedule, drive: Callable[[str], Awaitable[None]]) -> Callable[[datetime, Any], Awaitable[None]]:
    @DBOS.workflow(name=f"tick:{schedule.name}")
    async def tick(scheduled_at: datetime, _context: Any) -> None:
        await drive(scheduled_at.isoformat())

    return tick


async def _attempt(kind: str, handler: Handler, key: str, failures: int) -> tuple[float | None, bool]:
    """Run the handler once: (seconds to wait or None, whether it failed). Raises after too many failures in a row."""
    try:
        pause = await handler(key)
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("job %s:%s failed, reference %s", kind, key, reference)
        if failures + 1 >= _FAILURES:
            raise
        with contextlib.suppress(OverflowError):
            return min(_FIRST_RETRY * 2**failures, _LONGEST_RETRY).total_seconds(), True
        return _LONGEST_RETRY.total_seconds(), True
    return (None if pause is None else pause.total_seconds()), False
