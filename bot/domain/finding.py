"""One alerting row, and how rows of one evaluation become incidents.

The grouping key of an incident is (rule, what the rule's own grouping says that rows must share, hour of the event).
The hour is the slot of the rule's frequency that the event time falls in, so a row that arrives late joins the incident
of the hour in which it happened, not of the hour in which it was seen.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.table import Row


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that a detection returned. Texts are empty where the row says nothing."""

    fingerprint: str
    at: datetime
    group: str
    title: str
    severity: str
    who: str
    what: str
    where: str
    target: str
    addresses: tuple[str, ...]
    row: Row


def group_key(rule_id: str, shared: Iterable[tuple[str, str]], bucket: datetime) -> str:
    """The key that rows of one incident share, as 64 hexadecimal characters."""
    body = json.dumps([rule_id, [list(pair) for pair in shared], bucket.isoformat()], ensure_ascii=True)
    return hashlib.sha256(body.encode()).hexdigest()


def incident_id(group: str, generation: int) -> str:
    """`INC-` and ten characters A-Z and 2-7, the same for the same rows at every evaluation.

    `generation` counts from 1; the next one begins when rows arrive for an incident that is already closed.
    """
    digest = hashlib.sha256(f"{group}|{generation}".encode()).digest()
    return "INC-" + base64.b32encode(digest)[:10].decode("ascii")


def grouped(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings by group, groups in the order of their first event, events of a group by time."""
    by_group: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda each: (each.at, each.fingerprint)):
        by_group.setdefault(finding.group, []).append(finding)
    return by_group
