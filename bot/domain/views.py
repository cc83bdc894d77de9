"""What people are shown, before any platform's layout: plain values, every sentence finished.

This module holds the card of an incident. Beside it: `view_address` (one address), `view_block` (requests to block),
`view_lines` (the log under a card), `view_lookup` (the answer to a look-up), `view_forms` (forms and details).
Texts that come from logs, reporters or people are passed on as they are: the renderer makes them harmless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alert import Alert, Event
from bot.domain.block import BlockRequest
from bot.domain.incident import Action, Classification, Incident, State, offered
from bot.domain.reputation import Answer, Count, Thresholds, Tier
from bot.domain.view_address import AddressView, Standing, address_view
from bot.domain.view_block import BlockLine, block_line, newest_of
from bot.domain.view_words import age, counted

ADDRESSES_SHOWN = 8
OPERATIONS_SHOWN = 8
TARGETS_SHOWN = 3
LATE_AFTER = timedelta(hours=2)
"""An hourly rule sees a row at the latest an hour and its settling time after it happened."""

CLASSIFIED: Mapping[Classification, str] = {
    Classification.TRUE_POSITIVE: "true positive",
    Classification.BENIGN_POSITIVE: "benign positive",
    Classification.FALSE_POSITIVE: "false positive",
    Classification.UNDETERMINED: "undetermined",
}
_WORST_FIRST = (Tier.HIGH, Tier.SUSPICIOUS, None, Tier.LOW, Tier.NO_REPORTS)


@dataclass(frozen=True, slots=True)
class Link:
    """A web page about the incident. `id` is a short word of ours that tells links apart."""

    id: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """What the rows of an incident say. Empty texts are unknown.

    `operations` counts what was done, most frequent first. `targets` is a sample, `more_targets` counts the others.
    `addresses` are in the order in which they were seen. `late` is a sentence when rows came late.
    """

    rule_name: str
    severity: str
    title: str
    description: str
    who: str
    where: str
    operations: tuple[Count, ...]
    targets: tuple[str, ...]
    more_targets: int
    first_seen: datetime
    last_seen: datetime
    count: int
    addresses: tuple[str, ...]
    created_at: datetime
    late: str = ""


@dataclass(frozen=True, slots=True)
class StateLine:
    """Where the incident stands, who brought it there and when: `words`, then the time that has passed since `at`."""

    state: State
    words: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddressLine:
    """One address on a card, with the block that was asked for, if any."""

    view: AddressView
    block: BlockLine | None = None


@dataclass(frozen=True, slots=True)
class AlertView:
    """The card of an incident at one moment. `reference` names the version that its buttons are about.

    `summary` is the whole of it in one line, for a notification. `more_*` count what is not shown,
    `uncounted` the events that no operation stands for.
    `repeated` is true when the card may stand in the channel twice.
    """

    id: str
    reference: str
    facts: AlertFacts
    state: StateLine
    summary: str
    operations: tuple[Count, ...]
    more_operations: int
    uncounted: int
    addresses: tuple[AddressLine, ...]
    more_addresses: int
    actions: tuple[Action, ...]
    links: tuple[Link, ...] = ()
    sandbox: bool = False
    repeated: bool = False


def facts_of(alert: Alert, events: Sequence[Event], addresses: Sequence[str]) -> AlertFacts:
    """The facts of a stored incident. Operations and targets are those of `events`, which may be a part of its rows."""
    operations = Counter(event.what for event in events if event.what)
    targets = tuple(dict.fromkeys(event.target for event in events if event.target))
    return AlertFacts(
        rule_name=alert.rule_name,
        severity=alert.severity,
        title=alert.title,
        description=alert.description,
        who=alert.who,
        where=alert.place,
        operations=tuple(Count(name, count) for name, count in operations.most_common()),
        targets=targets[:TARGETS_SHOWN],
        more_targets=len(targets[TARGETS_SHOWN:]),
        first_seen=alert.first_seen,
        last_seen=alert.last_seen,
        count=alert.events,
        addresses=tuple(addresses),
        created_at=alert.created_at,
        late=late_note(events),
    )


def late_note(events: Sequence[Event]) -> str:
    """A sentence about rows that were found long after they happened; empty when there are none."""
    delays = [event.found_at - event.at for event in events if event.found_at - event.at > LATE_AFTER]
    if not delays:
        return ""
    found, they = ("was", "it") if len(delays) == 1 else ("were", "they")
    return f"{counted(len(delays), 'event')} {found} found late, up to {age(max(delays))} after {they} happened."


def state_line(incident: Incident) -> StateLine:
    """Where the incident stands, in words."""
    last = incident.last
    by = f" by {last.by.name}" if last else ""
    match incident.state:
        case State.OPEN:
            words = {Action.UNACKNOWLEDGE: f"Open, given back{by}", Action.REOPEN: f"Reopened{by}"}
            said = words.get(last.action, "Open") if last else "Open"
        case State.ACKNOWLEDGED:
            said = f"Acknowledged by {incident.owner.name}" if incident.owner else f"Acknowledged{by}"
        case State.CLOSED:
            kind = CLASSIFIED[incident.classification] if incident.classification else ""
            said = f"Closed as {kind}{by}" if kind else f"Closed{by}"
    return StateLine(incident.state, said, last.at if last else None)


def alert_view(
    incident: Incident,
    facts: AlertFacts,
    *,
    answers: Mapping[str, Answer],
    requests: Sequence[BlockRequest] = (),
    thresholds: Thresholds,
    now: datetime,
    links: Sequence[Link] = (),
    sandbox: bool = False,
    repeated: bool = False,
) -> AlertView:
    """The card. An address without an answer is still being looked up."""
    lines = address_lines(facts.addresses, answers, requests, thresholds=thresholds, now=now)
    shown = lines if len(lines) <= ADDRESSES_SHOWN else sorted(lines, key=_rank)[:ADDRESSES_SHOWN]
    state = state_line(incident)
    return AlertView(
        id=incident.id,
        reference=f"{incident.id}@{incident.version}",
        facts=facts,
        state=state,
        summary=_summary(facts, state, sorted(lines, key=_rank)),
        operations=facts.operations[:OPERATIONS_SHOWN],
        more_operations=len(facts.operations[OPERATIONS_SHOWN:]),
        uncounted=max(0, facts.count - sum(operation.count for operation in facts.operations)),
        addresses=tuple(shown),
        more_addresses=len(lines) - len(shown),
        actions=actions_of(incident.state, facts.addresses),
        links=tuple({link.id: link for link in links}.values()),
        sandbox=sandbox,
        repeated=repeated,
    )


def actions_of(state: State, addresses: Sequence[str]) -> tuple[Action, ...]:
    """What the card offers. There is nothing to escalate without an address."""
    return tuple(action for action in offered(state) if addresses or action is not Action.ESCALATE)


def address_lines(
    addresses: Sequence[str],
    answers: Mapping[str, Answer],
    requests: Sequence[BlockRequest],
    *,
    thresholds: Thresholds,
    now: datetime,
) -> list[AddressLine]:
    """A line for each address, in the order given."""
    lines = []
    for address in dict.fromkeys(addresses):
        request = newest_of(requests, address)
        view = address_view(address, answers.get(address), thresholds=thresholds, now=now)
        lines.append(AddressLine(view, block_line(request, now) if request else None))
    return lines


def _rank(line: AddressLine) -> tuple[bool, int, int]:
    """The worst first, so that what a card leaves out is never the reason to act."""
    local = line.view.standing is Standing.NOT_PUBLIC
    return local, _WORST_FIRST.index(line.view.tier), -(line.view.score or 0)


def _summary(facts: AlertFacts, state: StateLine, worst_first: Sequence[AddressLine]) -> str:
    parts = [f"{facts.severity}: {facts.title}", counted(facts.count, "event")]
    parts += [f"by {facts.who}"] if facts.who else []
    parts += [f"in {facts.where}"] if facts.where else []
    if worst_first:
        view = worst_first[0].view
        score = f" ({view.verdict.lower()}, {view.score}/100)" if view.score is not None else ""
        others = f" and {len(worst_first) - 1} more" if len(worst_first) > 1 else ""
        parts.append(f"from {view.address}{score}{others}")
    said = f"{parts[0]}: {' '.join(parts[1:])}"
    return said if state.state is State.OPEN else f"{said}. {state.words}"
