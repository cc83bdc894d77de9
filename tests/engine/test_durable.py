"""Durable work, on a real engine over a real SQLite file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from bot.domain.work import Job
from bot.engine.durable import DurableEngine, Handler, Queue, Schedule
from bot.engine.sqlite import sqlite_engine

FAST = Queue("fast", poll=timedelta(milliseconds=50))


@asynccontextmanager
async def running(
    path: Path, handler: Handler, *queues: Queue, schedule: str | None = None
) -> AsyncIterator[tuple[DurableEngine, sa.Engine]]:
    database = sqlite_engine(str(path / "t.db"))
    schedules = [Schedule("beat", "work", schedule)] if schedule else []
    engine = DurableEngine(database, handlers={"work": handler}, queues=queues or (FAST,), schedules=schedules)
    await engine.start()
    try:
        yield engine, database
    finally:
        await engine.stop()
        database.dispose()


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for is a plain fact, not an event
            await asyncio.sleep(0.02)


def committed(engine: DurableEngine, database: sa.Engine, *jobs: Job) -> None:
    with database.begin() as connection:
        for job in jobs:
            engine.enqueue(connection, job)


async def test_a_job_runs_only_when_its_transaction_commits(tmp_path: Path) -> None:
    ran: list[str] = []

    async def handler(key: str) -> None:
        ran.append(key)

    async with running(tmp_path, handler) as (engine, database):
        with database.connect() as connection:
            engine.enqueue(connection, Job("work", "undone", "fast"))
            connection.rollback()
        committed(engine, database, Job("work", "done", "fast"))
        await until(lambda: bool(ran))
        await asyncio.sleep(0.3)
    assert ran == ["done"]


async def test_the_same_job_twice_runs_once(tmp_path: Path) -> None:
    ran: list[str] = []

    async def handler(key: str) -> None:
        ran.append(key)

    async with running(tmp_path, handler) as (engine, database):
        committed(engine, database, Job("work", "a", "fast"))
        await until(lambda: bool(ran))
        committed(engine, database, Job("work", "a", "fast"), Job("work", "b", "fast"))
        await until(lambda: "b" in ran)
    assert ran == ["a", "b"]


async def test_a_job_that_asks_for_a_pause_or_fails_is_run_again(tmp_path: Path) -> None:
    ran: list[int] = []

    async def handler(key: str) -> timedelta | None:
        ran.append(len(ran))
        if len(ran) == 1:
            return timedelta(milliseconds=10)
        if len(ran) == 2:
            raise ValueError("a bad day")
        return None

    async with running(tmp_path, handler) as (engine, database):
        committed(engine, database, Job("work", "a", "fast"))
        await until(lambda: len(ran) == 3)
        await asyncio.sleep(0.2)
    assert ran == [0, 1, 2]


async def test_jobs_of_one_channel_are_paced_and_channels_do_not_wait_for_each_other(tmp_path: Path) -> None:
    started: list[tuple[str, float]] = []

    async def handler(key: str) -> None:
        started.append((key, asyncio.get_running_loop().time()))

    paced = Queue("paced", poll=timedelta(milliseconds=50), pace=timedelta(seconds=0.6))
    async with running(tmp_path, handler, paced) as (engine, database):
        jobs = [Job("work", f"{channel}{n}", "paced", partition=channel) for channel in "AB" for n in range(3)]
        committed(engine, database, *jobs)
        await until(lambda: len(started) == 6)
    for channel in "AB":
        times = sorted(at for key, at in started if key.startswith(channel))
        # Three starts are two waits of 0.6 s; the rest is room for a busy machine.
        assert times[2] - times[0] > 0.8
    assert {key[0] for key, _ in started[:2]} == {"A", "B"}


async def test_a_schedule_ticks_and_one_that_is_taken_out_stops(tmp_path: Path) -> None:
    ran: list[str] = []

    async def handler(key: str) -> None:
        ran.append(key)

    async with running(tmp_path, handler, schedule="* * * * * *"):
        await until(lambda: len(ran) >= 2)
    assert len(set(ran)) == len(ran)
    before = len(ran)
    async with running(tmp_path, handler):
        await asyncio.sleep(2.5)
    # A tick that was already enqueued may still run; a living schedule would have added two or more.
    assert len(ran) <= before + 1


WORK = """
    import asyncio, os, pathlib, sys
    from bot.domain.work import Job
    from bot.engine.durable import DurableEngine, Queue
    from bot.engine.sqlite import sqlite_engine
    from datetime import timedelta
    folder = pathlib.Path(sys.argv[1])
    async def handler(key):
        with (folder / "ran").open("a") as file:
            file.write("x")
        if not (folder / "second").exists():
            (folder / "second").touch()
            os.kill(os.getpid(), 9)
        (folder / "done").touch()
    async def main():
        database = sqlite_engine(str(folder / "t.db"))
        queue = Queue("fast", poll=timedelta(milliseconds=50))
        engine = DurableEngine(database, handlers={"work": handler}, queues=[queue])
        await engine.start()
        if len(sys.argv) > 2:
            with database.begin() as connection:
                engine.enqueue(connection, Job("work", "a", "fast"))
        for _ in range(200):
            if (folder / "done").exists():
                break
            await asyncio.sleep(0.05)
        await engine.stop()
    asyncio.run(main())
"""


def test_a_job_whose_process_is_killed_in_the_middle_is_taken_up_at_the_next_start(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    run = [sys.executable, "-c", textwrap.dedent(WORK), str(tmp_path)]
    first = subprocess.run([*run, "enqueue"], cwd=root, timeout=60, check=False, capture_output=True)
    assert first.returncode == -9, first.stderr
    subprocess.run(run, cwd=root, timeout=60, check=True, capture_output=True)
    assert (tmp_path / "done").exists()
    assert (tmp_path / "ran").read_text() == "xx"
