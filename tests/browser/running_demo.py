"""`tocsin demo` as a child on free ports, in a folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

STARTS_WITHIN = 60.0
"""Seconds. On an idle machine it takes three."""


@dataclass(frozen=True, slots=True)
class RunningDemo:
    """The addresses of a demo that runs."""

    page: str
    bot: str
    folder: Path

    def blocklist(self) -> str:
        """The feed, as a firewall reads it."""
        token = json.loads((self.folder / "secrets.json").read_text(encoding="utf-8"))["feed_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.bot}/blocklist.txt", headers=headers, trust_env=False).raise_for_status().text


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[RunningDemo]:
    """Start it, wait until it answers, and end it with the block. What it logs goes to `demo.log` in the folder."""
    bot, page = _free_port(), _free_port()
    command = ("demo", "--folder", str(folder), "--bot-port", str(bot), "--page-port", str(page))
    passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    with (folder / "demo.log").open("ab") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", *command, env=passed, stdout=log, stderr=log
        )
    try:
        demo = RunningDemo(f"http://127.0.0.1:{page}", f"http://127.0.0.1:{bot}", folder)
        async with asyncio.timeout(STARTS_WITHIN):
            await _ready(child, (f"{demo.bot}/readyz", demo.page))
        yield demo
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        await child.wait()


async def _ready(child: asyncio.subprocess.Process, urls: tuple[str, ...]) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for url in urls:
            while not await _answers(http, url):
                assert child.returncode is None, "the demo ended by itself: its demo.log says why"
                await asyncio.sleep(0.1)


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
