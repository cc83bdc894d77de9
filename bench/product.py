"""The product as `serve` runs it, beside a local Slack, for the time of a measurement."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.app import SystemClock
from bot.demo.sandbox import build_sandbox
from bot.demo.workspace import Workspace, WorkspaceSettings, build_workspace, serve_workspace

POLICY = """\
[channels]
default = "C0SECOPS"
[reputation]
known_addresses = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]
"""


@dataclass(frozen=True, slots=True)
class Product:
    url: str
    pid: int
    started_in: float
    signing_secret: str
    workspace: Workspace
    env: dict[str, str]
    answers: str


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def product(folder: Path, logs: Path) -> AsyncIterator[Product]:
    """Start it, wait until it is ready, stop it by SIGTERM."""
    port = free_port()
    settings = WorkspaceSettings(bot_url=f"http://127.0.0.1:{port}/slack/events")
    workspace = build_workspace(settings, clock=SystemClock())
    running = await serve_workspace(workspace)
    sandbox = await _serve(build_sandbox(SystemClock()))
    sink = await asyncio.start_server(_swallow, "127.0.0.1", 0)
    (folder / "tocsin.toml").write_text(POLICY)
    env = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{folder / 'tocsin.db'}",
        "SLACK_BOT_TOKEN": settings.bot_token.get_secret_value(),
        "SLACK_SIGNING_SECRET": settings.signing_secret.get_secret_value(),
        "SLACK_API_URL": f"{running.url}/api/",
        "ABUSEIPDB_API_KEY": "sandbox",
        "ABUSEIPDB_URL": f"http://127.0.0.1:{sandbox[0]}/api/v2/",
        "AUDIT_KEY": "a-key-for-measurements-only",
        "LOGS_PATH": str(logs),
        "TOCSIN_CONFIG": str(folder / "tocsin.toml"),
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }
    began = time.perf_counter()
    bot = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot.cli", "serve", env=env)
    try:
        url = f"http://127.0.0.1:{port}"
        await _ready(url)
        started = time.perf_counter() - began
        yield Product(
            url,
            bot.pid,
            started,
            env["SLACK_SIGNING_SECRET"],
            workspace,
            env,
            f"http://127.0.0.1:{sink.sockets[0].getsockname()[1]}/answer",
        )
    finally:
        if bot.returncode is None:
            bot.terminate()
        await bot.wait()
        await running.stop()
        sandbox[1].cancel()
        sink.close()


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Where answers to the load go: taken, and forgotten."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"content-length" in line), 0)
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()


async def _ready(url: str) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(60):
        while True:
            try:
                if (await client.get(f"{url}/livez")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)


async def _serve(app: object) -> tuple[int, asyncio.Task[None]]:
    import uvicorn

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    return listener.getsockname()[1], asyncio.create_task(server.serve(sockets=[listener]))
