"""The hands of the people in the workspace: what they type, click and submit, and what follows from the answer."""

from __future__ import annotations

from typing import Any

from bot.demo.workspace import payloads
from bot.demo.workspace.answers import show_answer, tell_privately
from bot.demo.workspace.core import Core
from bot.demo.workspace.input_values import Answers, Raw, find_element, missing_answers, state_values
from bot.demo.workspace.methods_views import checked_view, close_views, replace_view, show_view
from bot.demo.workspace.outgoing import Ack, Outgoing
from bot.demo.workspace.refusal import Refused
from bot.demo.workspace.state import Message, OpenView
from bot.errors import NotFound

NOT_SENT = Ack(0, {}, "not_sent")


class Acting:
    """Acts for a person. Every call returns when the bot has acknowledged, or has failed to.

    Raises NotFound for a message, view or element that is not there.
    """

    def __init__(self, core: Core, outgoing: Outgoing) -> None:
        self._core, self._outgoing = core, outgoing

    def say(self, user: str, channel: str, text: str, thread_ts: str = "") -> Message:
        """A plain message. The app is not told: it asks for no message events."""
        ts = self._core.state.next_ts()
        return self._core.state.add(Message(channel, ts, user, text, thread_ts=thread_ts))

    async def slash(self, user: str, channel: str, line: str) -> Ack:
        """A slash command as typed, e.g. `/ipcheck 192.0.2.1`; the body of the acknowledgement is shown."""
        command, _, text = line.strip().partition(" ")
        payload = payloads.command_payload(self._core, user, channel, command, text.strip())
        ack = await self._outgoing.command(payload)
        if not ack.is_ok:
            why = {"http_timeout": "operation_timeout", "connection_failed": "dispatch_failed"}
            reason = why.get(ack.problem, "dispatch_unknown_error")
            tell_privately(self._core, channel, user, f"{command} failed with the error \u201c{reason}\u201d")
        elif ack.body.get("text") or ack.body.get("blocks"):
            self._show_command_answer(user, channel, payload, ack)
        return ack

    def _show_command_answer(self, user: str, channel: str, payload: dict[str, Any], ack: Ack) -> None:
        try:
            shown = show_answer(self._core, channel, user, ack.body)
        except Refused as refusal:
            tell_privately(self._core, channel, user, f"{payload['command']} failed with the error {refusal.code}")
            return
        key = payload["response_url"].rsplit("/", 1)[-1]
        self._core.tickets.responses[key].message_ts = shown.ts

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str = "",
        chosen: Raw = None,
        answers: Answers | None = None,
    ) -> Ack:
        """A click on an element of a message; `chosen` is the value of the option for selects and overflow menus."""
        message = self._core.state.find(channel, ts)
        if message is None or message.seen_by not in {"", user}:
            raise NotFound(f"There is no message {ts} in {channel} for {user}")
        action = self._action(message.blocks, action_id, block_id, chosen)
        payload = payloads.message_action(self._core, user, message, action, answers or {})
        ack = await self._outgoing.interaction(payload)
        if not ack.is_ok:
            self._say_unanswered(user, channel)
        return ack

    async def click_view(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str = "",
        chosen: Raw = None,
        answers: Answers | None = None,
    ) -> Ack:
        """A click inside a modal or the App Home."""
        opened = self._view(user, view_id)
        action = self._action(opened.view["blocks"], action_id, block_id, chosen)
        return await self._outgoing.interaction(payloads.view_action(self._core, opened, action, answers or {}))

    def _action(self, blocks: list[dict[str, Any]], action_id: str, block_id: str, chosen: Raw) -> dict[str, Any]:
        found = find_element(blocks, action_id, block_id)
        if found is None:
            raise NotFound(f"There is no element {action_id} {block_id}".rstrip())
        return payloads.action_of(self._core, *found, chosen)

    def _view(self, user: str, view_id: str) -> OpenView:
        home = self._core.state.homes.get(user)
        opened = home if home and home.id == view_id else self._core.state.views.get(view_id)
        if opened is None or opened.user != user:
            raise NotFound(f"{user} has no view {view_id} open")
        return opened

    async def submit(self, user: str, view_id: str, answers: Answers) -> Ack:
        """Submit a modal. Empty required inputs are refused here, as Slack's client does, and nothing is sent."""
        opened = self._view(user, view_id)
        blocks = opened.view["blocks"]
        opened.errors = missing_answers(blocks, state_values(blocks, answers))
        if opened.errors:
            return NOT_SENT
        ack = await self._outgoing.interaction(payloads.submission(self._core, opened, answers))
        if ack.is_ok:
            self._follow(opened, ack.body)
        else:
            opened.errors = {"": "We had some trouble connecting. Try again?"}
        return ack

    def _follow(self, opened: OpenView, answer: dict[str, Any]) -> None:
        action = answer.get("response_action")
        if action == "errors":
            opened.errors = {str(block): str(text) for block, text in answer.get("errors", {}).items()}
        elif action == "update":
            replace_view(self._core, opened, checked_view(answer.get("view")))
        elif action == "push":
            show_view(self._core, opened.user, checked_view(answer.get("view")), opened)
        elif action == "clear":
            close_views(self._core, opened.user)
        else:
            self._forget(opened)

    def _forget(self, opened: OpenView) -> None:
        self._core.state.views.pop(opened.id, None)
        self._core.state.tell({"kind": "view", "user": opened.user})

    async def close(self, user: str, view_id: str) -> Ack:
        """Close a modal; the bot is told when the view asks for it."""
        opened = self._view(user, view_id)
        self._forget(opened)
        if not opened.view.get("notify_on_close"):
            return NOT_SENT
        return await self._outgoing.interaction(payloads.closed(self._core, opened))

    async def open_home(self, user: str, tab: str = "home") -> Ack:
        """Open the App Home tab of the bot."""
        channel = self._core.state.direct(user).id
        moment = self._core.state.next_ts()
        event: dict[str, Any] = {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab}
        return await self.event(event | {"event_ts": moment})

    async def event(self, event: dict[str, Any]) -> Ack:
        """Any event, in its envelope, repeated when it is not acknowledged."""
        return await self._outgoing.event(payloads.event_envelope(self._core, event))

    def _say_unanswered(self, user: str, channel: str) -> None:
        tell_privately(self._core, channel, user, "The app did not answer in time. Is it running?")
