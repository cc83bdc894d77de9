"""The people, groups and channels that every workspace starts with."""

from __future__ import annotations

from dataclasses import dataclass

BOT_USER = "U0TOCSIN"
BOT_ID = "B0TOCSIN"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the workspace. `about` says in a few words what the person may do in the demo.

    `display_name` is empty until somebody chooses one, as with Slack; then the name stands.
    """

    id: str
    handle: str
    name: str
    email: str
    about: str
    is_bot: bool = False
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, or with `im_user` the direct conversation of that person with the bot."""

    id: str
    name: str
    topic: str
    members: tuple[str, ...]
    im_user: str = ""


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A user group (the thing behind @secops-analysts)."""

    id: str
    handle: str
    name: str
    members: tuple[str, ...]


ANA = Person("U0ANA", "ana", "Ana Torres", "ana.torres@northwind.example", "analyst")
BO = Person("U0BO", "bo", "Bo Lindqvist", "bo.lindqvist@northwind.example", "approver")
SAM = Person("U0SAM", "sam", "Sam Reyes", "sam.reyes@northwind.example", "no role")
BOT = Person(BOT_USER, "tocsin", "Tocsin", "", "app", is_bot=True)

_EVERYONE = (ANA.id, BO.id, SAM.id, BOT.id)


def seed_people() -> dict[str, Person]:
    """The members, by id."""
    return {person.id: person for person in (ANA, BO, SAM, BOT)}


def seed_groups() -> dict[str, UserGroup]:
    """The user groups, by id."""
    analysts = UserGroup("S0ANALYST", "secops-analysts", "SecOps analysts", (ANA.id,))
    approvers = UserGroup("S0APPROVER", "secops-approvers", "SecOps approvers", (BO.id,))
    return {group.id: group for group in (analysts, approvers)}


def seed_channels() -> dict[str, Channel]:
    """The channels, by id. The bot is not a member of #general, so that `not_in_channel` can be met."""
    rooms = (
        Channel("C0SECOPS", "secops", "Alerts from Microsoft Sentinel", _EVERYONE),
        Channel("C0APPROVE", "secops-approvals", "Requests to block an address, decided by a second person", _EVERYONE),
        Channel("C0GENERAL", "general", "Everything else", (ANA.id, BO.id, SAM.id)),
    )
    return {room.id: room for room in rooms}
