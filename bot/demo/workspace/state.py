"""What the workspace remembers: messages, views, reactions and who is where."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.demo.workspace.people import (
    BOT_ID,
    BOT_USER,
    Channel,
    Person,
    UserGroup,
    seed_channels,
    seed_groups,
    seed_people,
)
from bot.services.ports import Clock

_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Message:
    """One message. `seen_by` names the only reader of an ephemeral one; `visible_at` is a Unix time in seconds."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    metadata: dict[str, Any] | None = None
    seen_by: str = ""
    edited_ts: str = ""
    visible_at: float = 0.0
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)

    def as_slack(self, *, with_metadata: bool = False) -> dict[str, Any]:
        """The message as conversations.history shows it."""
        body: dict[str, Any] = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        if self.user == BOT_USER:
            body |= {"bot_id": BOT_ID, "app_id": "A0TOCSIN"}
        optional: dict[str, Any] = {
            "blocks": self.blocks,
            "thread_ts": self.thread_ts,
            "files": self.files,
            "edited": {"user": self.user, "ts": self.edited_ts} if self.edited_ts else None,
            "reactions": [{"name": n, "users": u, "count": len(u)} for n, u in self.reactions.items()],
            "metadata": self.metadata if with_metadata else None,
        }
        return body | {name: value for name, value in optional.items() if value}


@dataclass(slots=True)
class OpenView:
    """A modal that stands open for one person, or (type "home") that person's App Home."""

    id: str
    user: str
    view: dict[str, Any]
    hash: str
    root_id: str
    previous_id: str = ""
    errors: dict[str, str] = field(default_factory=dict)


class WorkspaceState:
    """The whole memory. Every change is told to the subscribers (the pages that stand open)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.people: dict[str, Person] = seed_people()
        self.groups: dict[str, UserGroup] = seed_groups()
        self.channels: dict[str, Channel] = seed_channels()
        self.messages: list[Message] = []
        self.views: dict[str, OpenView] = {}
        self.homes: dict[str, OpenView] = {}
        self._last_moment = clock.now() - _MICROSECOND
        self._serial = 0
        self._subscribers: set[asyncio.Queue[dict[str, Any]]] = set()

    def now(self) -> float:
        """Unix time in seconds."""
        return self._clock.now().timestamp()

    def next_ts(self) -> str:
        """A message time that no other message has: Slack's seconds, point, six digits."""
        self._last_moment = max(self._clock.now(), self._last_moment + _MICROSECOND)
        return f"{int(self._last_moment.timestamp())}.{self._last_moment.microsecond:06d}"

    def keep_ts_after(self, ts: str) -> None:
        """Make sure that the next message comes after `ts` (messages that were read from a file)."""
        seconds, _, micro = ts.partition(".")
        age = timedelta(seconds=int(seconds), microseconds=int(micro or 0))
        now = self._clock.now()
        self._last_moment = max(self._last_moment, now - timedelta(seconds=now.timestamp()) + age)

    def next_id(self, prefix: str) -> str:
        """An id that this workspace has not given out yet."""
        self._serial += 1
        return f"{prefix}{int(self.now()):X}{self._serial:04X}"

    def find(self, channel: str, ts: str) -> Message | None:
        """The message, ephemeral ones included."""
        return next((m for m in self.messages if m.channel == channel and m.ts == ts), None)

    def find_channel(self, name: str) -> Channel | None:
        """By id, by name, or by the id of a person (their direct conversation with the bot)."""
        if name in self.channels:
            return self.channels[name]
        if name in self.people:
            return self.direct(name)
        return next((c for c in self.channels.values() if c.name == name.removeprefix("#")), None)

    def direct(self, user: str) -> Channel:
        """The direct conversation of a person with the bot, opened when there is none."""
        channel_id = "D" + user[1:]
        if channel_id not in self.channels:
            name = self.people[user].name
            self.channels[channel_id] = Channel(channel_id, name, f"Tocsin and {name}", (user, BOT_USER), user)
            self.tell({"kind": "channels"})
        return self.channels[channel_id]

    def add(self, message: Message) -> Message:
        """Keep a message and tell the pages."""
        self.messages.append(message)
        self.tell_message(message)
        return message

    def remove(self, message: Message) -> None:
        """Forget a message and tell the pages."""
        self.messages.remove(message)
        self.tell_message(message)

    def history(self, channel: str) -> list[Message]:
        """What an app can read of the channel now: newest first, no ephemeral and no delayed messages."""
        now = self.now()
        seen = [m for m in self.messages if m.channel == channel and not m.seen_by and m.visible_at <= now]
        return sorted(seen, key=lambda m: m.ts, reverse=True)

    def subscribe(self) -> asyncio.Queue[dict[str, Any]]:
        """A queue that receives every change until `unsubscribe`."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._subscribers.add(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[dict[str, Any]]) -> None:
        """Stop telling this queue."""
        self._subscribers.discard(queue)

    def tell(self, change: dict[str, Any]) -> None:
        """Hand a change to every subscriber."""
        for queue in self._subscribers:
            queue.put_nowait(change)

    def tell_message(self, message: Message) -> None:
        """Tell that a message came, changed or went."""
        self.tell(
            {
                "kind": "message",
                "channel": message.channel,
                "ts": message.ts,
                "thread_ts": message.thread_ts,
                "seen_by": message.seen_by,
            }
        )
