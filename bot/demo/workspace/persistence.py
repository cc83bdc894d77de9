"""Keeps the messages in a JSON file, so that a restart of the demo shows what was there."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from bot.demo.workspace.state import Message, WorkspaceState
from bot.errors import ConfigError

PAUSE_SECONDS = 0.2
"""Changes within this time are written together."""


def load_messages(state: WorkspaceState, path: Path) -> None:
    """Take up the messages of the file, when there is one. Raises ConfigError for a file that cannot be read."""
    if not path.exists():
        return
    try:
        messages = [Message(**entry) for entry in json.loads(path.read_text("utf-8"))["messages"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"The kept messages of the demo workspace in {path} cannot be read ({error}): delete the file"
        raise ConfigError([problem]) from error
    for message in messages:
        if message.channel.startswith("D"):
            state.direct("U" + message.channel[1:])
        state.keep_ts_after(message.ts)
    state.messages.extend(messages)


def as_text(state: WorkspaceState) -> str:
    """All messages as they stand."""
    return json.dumps({"messages": [asdict(message) for message in state.messages]})


def write_whole(path: Path, text: str) -> None:
    """Write the file so that it is whole at every moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, "utf-8")
    draft.replace(path)


async def keep_saving(state: WorkspaceState, path: Path) -> None:
    """Write after each burst of changes, until the workspace closes."""
    queue = state.subscribe()
    try:
        while (await queue.get())["kind"] != "closing":
            await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.to_thread(write_whole, path, as_text(state))
    finally:
        state.unsubscribe(queue)
        write_whole(path, as_text(state))
