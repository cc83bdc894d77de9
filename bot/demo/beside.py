"""What stands beside the bot in the demo: the workspace with its page, and the AbuseIPDB sandbox."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from bot.demo.logs import append_purge
from bot.demo.run import Ports, Secrets
from bot.demo.sandbox import build_sandbox
from bot.demo.workspace import WorkspaceSettings, build_workspace, serve_workspace
from bot.demo.workspace.page.detection import DemoControls, DetectionClock
from bot.domain.schedule import SETTLE, last_finished_slot
from bot.services.ports import Clock
from bot.store.database import Database
from bot.store.detections import SqlDetections

RULE = "247a992b-f36d-4efe-baa6-c77d8b9220c0"
LOOK_EVERY = timedelta(seconds=10)
HOUR = timedelta(hours=1)


@asynccontextmanager
async def beside_the_bot(
    folder: Path, ports: Ports, kept: Secrets, env: Mapping[str, str], clock: Clock, sandbox: socket.socket | None
) -> AsyncIterator[str]:
    """Serve the workspace, and on the held port the sandbox, until the block ends. Yields the page's address."""
    async with AsyncExitStack() as stack:
        if sandbox is not None:
            await stack.enter_async_context(_serving_sandbox(sandbox, clock))
        controls = _Controls(folder, env, clock)
        stack.push_async_callback(controls.aclose)
        settings = WorkspaceSettings(
            bot_url=f"http://127.0.0.1:{ports.bot}/slack/events",
            bot_token=kept.bot_token,
            signing_secret=kept.signing_secret,
            state_path=folder / "workspace.json",
        )
        workspace = build_workspace(settings, clock=clock, controls=controls)
        running = await serve_workspace(workspace, port=ports.page)
        stack.push_async_callback(running.stop)
        yield running.url


@asynccontextmanager
async def _serving_sandbox(listener: socket.socket, clock: Clock) -> AsyncIterator[None]:
    config = uvicorn.Config(build_sandbox(clock), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Controls(DemoControls):
    """The panel's buttons. "Run now" is the command that an operator would use."""

    def __init__(self, folder: Path, env: Mapping[str, str], clock: Clock) -> None:
        self._folder, self._env, self._clock = folder, env, clock
        self._database = Database(env["DATABASE_URL"])

    async def status(self) -> DetectionClock:
        """When the rule was last evaluated, and when the hour that runs now is."""
        try:
            async with self._database.read() as connection:
                state = await SqlDetections(connection).state(RULE)
        except SQLAlchemyError:
            return DetectionClock(None, None, "The bot is starting.")
        due = last_finished_slot(self._clock.now(), HOUR).end + HOUR + SETTLE
        return DetectionClock(state.looked_at, due, state.problem)

    async def run_now(self) -> str:
        """Evaluate the rule up to this moment."""
        said = await self._tocsin("rules", "run", RULE, "--json")
        if not said:
            return "The detection could not be run; the bot's log says why."
        found = json.loads(said)
        new = {0: "nothing new", 1: "1 new incident"}.get(found["new"], f"{found['new']} new incidents")
        return f"The detection ran: {found['rows']} rows in its window, {new}."

    async def simulate(self) -> str:
        """Append log rows; nothing else."""
        await asyncio.to_thread(append_purge, self._folder / "logs", now=self._clock.now())
        wait = int(LOOK_EVERY.total_seconds())
        return f"Three secrets were purged from a bad address. The detection finds the rows by itself within {wait} s."

    async def aclose(self) -> None:
        """Release the connections."""
        await self._database.close()

    async def _tocsin(self, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", *command, env=self._env, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return out.decode() if process.returncode == 0 else ""
