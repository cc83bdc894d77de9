"""An incident with everything that its card says, and the messages that tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.domain.incident import Incident


@dataclass(frozen=True, slots=True)
class Alert:
    """One incident as it stands.

    `revision` grows with every change that its card shows, whoever made it; `incident.version` only with decisions.
    `place` is where it happened (a vault, a host); empty texts are unknown.
    """

    incident: Incident
    group: str
    generation: int
    rule_id: str
    rule_name: str
    description: str
    severity: str
    title: str
    who: str
    place: str
    first_seen: datetime
    last_seen: datetime
    events: int
    created_at: datetime
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Event:
    """One row of an incident, as it is kept. `found_at` is when it was first seen by a detection."""

    fingerprint: str
    at: datetime
    found_at: datetime
    what: str
    target: str
    addresses: tuple[str, ...]
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleState:
    """How far a rule has been evaluated. `watermark` is the end of the last slot whose rows are all in."""

    watermark: datetime | None = None
    looked_at: datetime | None = None
    rows: int = 0
    failures: int = 0
    problem: str = ""


class DeliveryKind(StrEnum):
    """What a message is."""

    CARD = "card"
    LINE = "line"
    APPROVAL = "approval"
    NOTICE = "notice"


class DeliveryState(StrEnum):
    """How far a message has come."""

    WAITING = "waiting"
    POSTED = "posted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel. Its id travels with the message, so that it is known again in the channel.

    `unsure` says that it may be in the channel although nobody confirmed it. `drawn` is the revision of its subject
    that the message shows. `thread` is the id of the delivery under which it belongs.
    """

    id: str
    kind: DeliveryKind
    subject: str
    channel: str
    created_at: datetime
    thread: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    state: DeliveryState = DeliveryState.WAITING
    unsure: bool = False
    attempts: int = 0
    first_tried_at: datetime | None = None
    posted_channel: str | None = None
    posted_ts: str | None = None
    posted_at: datetime | None = None
    drawn: int = 0
    problem: str = ""
