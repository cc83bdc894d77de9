"""Runs a workspace on a loopback port."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import uvicorn

from bot.demo.workspace.persistence import keep_saving
from bot.demo.workspace.workspace import Workspace
from bot.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RunningWorkspace:
    """A workspace that answers at `url` (no slash at the end) until `stop`."""

    url: str
    workspace: Workspace
    _server: uvicorn.Server
    _task: asyncio.Task[None]
    _saving: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Stop serving; returns when the port is free."""
        await self.workspace.aclose()
        self._server.should_exit = True
        await self._task
        if self._saving is not None:
            await self._saving


async def serve_workspace(workspace: Workspace, *, host: str = "127.0.0.1", port: int = 0) -> RunningWorkspace:
    """Serve on a loopback address; port 0 takes a free one. Returns when it answers.

    Raises ConfigError for an address that others could reach, and for a port that is taken.
    """
    listener = _listener(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    workspace.core.public_url = url
    config = uvicorn.Config(workspace.app, log_config=None, access_log=False, timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    return RunningWorkspace(url, workspace, server, task, await _start_saving(workspace))


async def _start_saving(workspace: Workspace) -> asyncio.Task[None] | None:
    path = workspace.core.settings.state_path
    if path is None:
        return None
    task = asyncio.create_task(keep_saving(workspace.state, path))
    await asyncio.sleep(0)  # it subscribes before the first change
    return task


def _listener(host: str, port: int) -> socket.socket:
    if not ipaddress.ip_address(host).is_loopback:
        raise ConfigError([f"The demo workspace has no login, so it listens on loopback only, not on {host}"])
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError([f"Port {port} on {host} is taken: stop what runs there or choose another"]) from error
    return listener
