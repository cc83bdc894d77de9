"""chat.* and reactions.*: https://docs.slack.dev/reference/methods"""

from __future__ import annotations

from typing import Any

from bot.demo.workspace import limits
from bot.demo.workspace.arguments import required
from bot.demo.workspace.block_check import check_blocks, is_too_large
from bot.demo.workspace.core import Core
from bot.demo.workspace.people import BOT_USER, Channel
from bot.demo.workspace.refusal import Refused
from bot.demo.workspace.state import Message


def checked_content(arguments: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The text and blocks of a message. Raises Refused: no_text, msg_too_long, invalid_blocks, msg_blocks_too_long."""
    text, blocks = str(arguments.get("text") or ""), arguments.get("blocks") or []
    if not text and not blocks:
        raise Refused("no_text")
    if len(text) > limits.MESSAGE_TEXT:
        raise Refused("msg_too_long")
    problems = check_blocks(blocks)
    if problems:
        messages = [str(problem) for problem in problems]
        raise Refused("invalid_blocks", errors=messages, response_metadata={"messages": messages})
    if is_too_large(blocks):
        raise Refused("msg_blocks_too_long")
    return text, blocks


def with_block_ids(core: Core, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks as Slack stores them: each has a block_id."""
    return [{"block_id": core.state.next_id("b"), **block} for block in blocks]


def known_channel(core: Core, arguments: dict[str, Any]) -> Channel:
    """The channel that the call names. Raises Refused("channel_not_found")."""
    channel = core.state.find_channel(required(arguments, "channel"))
    if channel is None:
        raise Refused("channel_not_found")
    return channel


def _own_message(core: Core, arguments: dict[str, Any], not_mine: str) -> Message:
    channel = known_channel(core, arguments)
    message = core.state.find(channel.id, required(arguments, "ts"))
    if message is None or message.seen_by:
        raise Refused("message_not_found")
    if message.user != BOT_USER:
        raise Refused(not_mine)
    return message


def _checked_metadata(arguments: dict[str, Any]) -> dict[str, Any] | None:
    metadata = arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= metadata.keys():
        raise Refused("invalid_metadata_format")
    return metadata


def _writable(core: Core, arguments: dict[str, Any]) -> Channel:
    channel = known_channel(core, arguments)
    if BOT_USER not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _known_thread(core: Core, channel: Channel, arguments: dict[str, Any]) -> str:
    thread_ts = str(arguments.get("thread_ts") or "")
    if thread_ts and core.state.find(channel.id, thread_ts) is None:
        raise Refused("thread_not_found")
    return thread_ts


async def post_message(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """chat.postMessage."""
    channel = _writable(core, arguments)
    text, blocks = checked_content(arguments)
    message = Message(
        channel=channel.id,
        ts=core.state.next_ts(),
        user=BOT_USER,
        text=text,
        blocks=with_block_ids(core, blocks),
        thread_ts=_known_thread(core, channel, arguments),
        metadata=_checked_metadata(arguments),
        visible_at=core.state.now() + core.faults.history_delay,
    )
    core.state.add(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_slack(with_metadata=True)}


async def post_ephemeral(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """chat.postEphemeral."""
    channel = _writable(core, arguments)
    reader = required(arguments, "user")
    text, blocks = checked_content(arguments)
    if reader not in channel.members:
        raise Refused("user_not_in_channel")
    thread_ts = _known_thread(core, channel, arguments)
    stored = with_block_ids(core, blocks)
    ts = core.state.next_ts()
    core.state.add(Message(channel.id, ts, BOT_USER, text, stored, thread_ts, seen_by=reader))
    return {"message_ts": ts}


async def update(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """chat.update. Text and blocks that are not sent are removed, as Slack does when one of them is sent."""
    message = _own_message(core, arguments, "cant_update_message")
    text, blocks = checked_content(arguments)
    metadata = _checked_metadata(arguments)
    message.text, message.blocks = text, with_block_ids(core, blocks)
    message.metadata = metadata or message.metadata
    message.edited_ts = core.state.next_ts()
    core.state.tell_message(message)
    return {"channel": message.channel, "ts": message.ts, "text": text, "message": message.as_slack()}


async def delete(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """chat.delete."""
    message = _own_message(core, arguments, "cant_delete_message")
    core.state.remove(message)
    return {"channel": message.channel, "ts": message.ts}


async def permalink(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """chat.getPermalink."""
    channel = known_channel(core, arguments)
    message = core.state.find(channel.id, required(arguments, "message_ts"))
    if message is None:
        raise Refused("message_not_found")
    return {"channel": channel.id, "permalink": f"{core.public_url}/?channel={channel.id}#m{message.ts}"}


async def add_reaction(core: Core, arguments: dict[str, Any]) -> dict[str, Any]:
    """reactions.add."""
    channel = known_channel(core, arguments)
    message = core.state.find(channel.id, required(arguments, "timestamp"))
    if message is None:
        raise Refused("message_not_found")
    users = message.reactions.setdefault(required(arguments, "name").strip(":"), [])
    if BOT_USER in users:
        raise Refused("already_reacted")
    users.append(BOT_USER)
    core.state.tell_message(message)
    return {}
