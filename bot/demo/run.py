"""`tocsin demo`: the bot as `serve` runs it, a local Slack workspace, sample logs and an AbuseIPDB sandbox.

The bot is a process of its own and knows nothing of the demo: what it is given is what a real deployment gives it, in
its environment and in a `tocsin.toml`. Everything lives in one folder; started again, the demo goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from bot.demo.logs import append_purge, write_day
from bot.demo.sandbox import build_sandbox
from bot.demo.workspace import WorkspaceSettings, build_workspace, serve_workspace
from bot.demo.workspace.page.detection import DemoControls, DetectionClock
from bot.domain.schedule import SETTLE, last_finished_slot
from bot.errors import ConfigError
from bot.services.ports import Clock
from bot.store.database import Database
from bot.store.detections import SqlDetections

RULE = "247a992b-f36d-4efe-baa6-c77d8b9220c0"
LOOK_EVERY = timedelta(seconds=10)
HOUR = timedelta(hours=1)

_POLICY = """\
# Written by `tocsin demo`. docs/reference/policy.md explains every key.
[channels]
default = "C0SECOPS"
approvals = "C0APPROVE"

[roles.analyst]
groups = ["S0ANALYST"]

[roles.approver]
groups = ["S0APPROVER"]

[protected]
networks = ["198.51.100.128/25"]

[reputation]
# The demo's addresses are from the ranges kept for documentation, which are not public.
known_addresses = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]

[detection]
# Also look into the running hour, so that what you simulate is found within seconds.
look_every = "10s"
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo listens, on loopback."""

    bot: int = 8000
    page: int = 8080


@dataclass(frozen=True, slots=True)
class Secrets:
    """The demo's own secrets: made once, kept in its folder."""

    bot_token: SecretStr
    signing_secret: SecretStr
    feed_token: SecretStr
    audit_key: SecretStr


async def run_demo(
    folder: Path, ports: Ports, *, clock: Clock, environ: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Run until Ctrl-C. Answers the bot's exit code."""
    _refuse_taken(ports.bot)
    kept = await asyncio.to_thread(_furnish, folder, clock)
    async with _sandbox(clock, environ) as abuseipdb:
        env = bot_environment(folder, ports, kept, abuseipdb, environ)
        settings = WorkspaceSettings(
            bot_url=f"http://127.0.0.1:{ports.bot}/slack/events",
            bot_token=kept.bot_token,
            signing_secret=kept.signing_secret,
            state_path=folder / "workspace.json",
        )
        controls = _Controls(folder, env, clock)
        workspace = build_workspace(settings, clock=clock, controls=controls)
        running = await serve_workspace(workspace, port=ports.page)
        say(f"The workspace is at {running.url}")
        say(f"The blocklist is at http://127.0.0.1:{ports.bot}/blocklist.txt (bearer token in {folder}/secrets.json)")
        try:
            return await _bot(env)
        finally:
            await running.stop()
            await controls.aclose()


def bot_environment(
    folder: Path, ports: Ports, kept: Secrets, abuseipdb: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """What the bot is given: nothing but settings that every deployment has."""
    passed = {name: environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in environ}
    return passed | {
        "DATABASE_URL": f"sqlite:///{(folder / 'tocsin.db').resolve()}",
        "SLACK_BOT_TOKEN": kept.bot_token.get_secret_value(),
        "SLACK_SIGNING_SECRET": kept.signing_secret.get_secret_value(),
        "SLACK_API_URL": f"http://127.0.0.1:{ports.page}/api/",
        "LOGS_PATH": str((folder / "logs").resolve()),
        "TOCSIN_CONFIG": str((folder / "tocsin.toml").resolve()),
        "BLOCKLIST_TOKENS": f"firewall:{kept.feed_token.get_secret_value()}",
        "AUDIT_KEY": kept.audit_key.get_secret_value(),
        "HOST": "127.0.0.1",
        "PORT": str(ports.bot),
        **{name: environ[name] for name in ("RULES_PATH", "TEMPLATES_PATH", "LOG_LEVEL") if environ.get(name)},
        **abuseipdb,
    }


def _furnish(folder: Path, clock: Clock) -> Secrets:
    """The folder with everything that the demo needs; what is there stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "logs" / "AzureDiagnostics.jsonl").exists():
        write_day(folder / "logs", until=clock.now())
    (folder / "tocsin.toml").write_text(_POLICY, encoding="utf-8")
    return _secrets(folder / "secrets.json")


def _secrets(path: Path) -> Secrets:
    if not path.exists():
        made = {
            "bot_token": "xoxb-" + secrets.token_hex(12),
            "signing_secret": secrets.token_hex(16),
            "feed_token": secrets.token_urlsafe(24),
            "audit_key": secrets.token_urlsafe(32),
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(made, file, indent=2)
    return Secrets(**{name: SecretStr(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()})


@asynccontextmanager
async def _sandbox(clock: Clock, environ: Mapping[str, str]) -> AsyncIterator[dict[str, str]]:
    """The settings of AbuseIPDB: the real one when the environment has a key, else a sandbox that runs meanwhile."""
    if environ.get("ABUSEIPDB_API_KEY"):
        yield {name: environ[name] for name in ("ABUSEIPDB_API_KEY", "ABUSEIPDB_URL") if environ.get(name)}
        return
    async with _serving(build_sandbox(clock)) as url:
        yield {"ABUSEIPDB_API_KEY": "sandbox", "ABUSEIPDB_URL": f"{url}/api/v2/"}


@asynccontextmanager
async def _serving(app: ASGIApp) -> AsyncIterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def _bot(env: Mapping[str, str]) -> int:
    """Run the bot; a signal to stop reaches it once, however it was sent."""
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "serve", env=env, start_new_session=True
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: bot.send_signal(signal.SIGTERM) if bot.returncode is None else None)
    return await bot.wait()


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            mistake = f"Port {port} on 127.0.0.1 is taken: stop what runs there, or use --bot-port"
            raise ConfigError([mistake]) from taken


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
        return f"The detection ran: {found['rows']} rows in its window, {found['new']} new."

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
