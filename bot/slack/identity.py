"""Who people are, and who Tocsin is, asked of Slack. Nothing is kept here: the caller decides for how long."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.delivery import Refused
from bot.errors import TocsinError
from bot.intel.text import one_line
from bot.slack.client import SlackClients
from bot.slack.errors import answered, reason, response_to

NAME_LENGTH = 80
"""https://docs.slack.dev/reference/objects/user-object#profile, where Slack cuts a display name."""

_FIELDS = ("user_id", "bot_id", "team_id", "team", "url")
_NO_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})

log = logging.getLogger("tocsin.slack")


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Whom the token belongs to. `scopes` are those that the token holds; empty when Slack did not name them."""

    user_id: str
    bot_id: str
    name: str
    team_id: str
    team: str
    url: str
    scopes: frozenset[str]


class SlackIdentity:
    """Reads people and groups. A call may wait when Slack asks for it: it has no place before an acknowledgement."""

    def __init__(self, clients: SlackClients) -> None:
        self._reading = clients.reading

    async def members_of(self, groups: Sequence[str]) -> dict[str, frozenset[str]]:
        """The user ids in each user group (S…). A group that Slack does not know has no members, and is logged.

        Raises TocsinError when a group cannot be read: an unknown answer must not be taken for an empty one.
        """
        return {group: await self._members(group) for group in dict.fromkeys(groups)}

    async def name_of(self, user_id: str) -> str:
        """The name that the person goes by, on one line and not escaped; the id when Slack does not say."""
        answer = await answered(self._reading.users_info(user=user_id))
        if not isinstance(answer, dict):
            log.warning("the name of a user cannot be read: %s", reason(answer))
            return user_id
        user = answer.get("user") or {}
        profile = user.get("profile") or {}
        named = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
        return next((name for name in map(_name, named) if name), user_id)

    async def who_am_i(self) -> BotIdentity:
        """auth.test. Raises TocsinError with what to do when the token is not accepted or Slack cannot be reached."""
        response = await response_to(self._reading.auth_test())
        if not isinstance(response, AsyncSlackResponse):
            raise TocsinError(f"Slack does not say who Tocsin is: {reason(response)}")
        fields = {name: one_line(str(response.get(name) or ""), 200) for name in _FIELDS}
        return BotIdentity(name=_name(response.get("user")), scopes=_scopes(response.headers), **fields)

    async def _members(self, group: str) -> frozenset[str]:
        answer = await answered(self._reading.usergroups_users_list(usergroup=group))
        if isinstance(answer, Refused) and answer.code in _NO_GROUP:
            log.error("the user group %s gives nobody a role: %s", group, answer.sentence)
            return frozenset()
        if not isinstance(answer, dict):
            raise TocsinError(f"The members of the user group {group} cannot be read: {reason(answer)}")
        return frozenset(str(user) for user in answer.get("users") or ())


def _name(value: Any) -> str:
    return one_line(str(value or ""), NAME_LENGTH)


def _scopes(headers: Mapping[str, str]) -> frozenset[str]:
    listed = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), "")
    return frozenset(scope.strip() for scope in listed.split(",") if scope.strip())
