"""Forms that an incident's buttons open, and the window with its details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alert import Event
from bot.domain.incident import Classification, Incident
from bot.domain.reputation import Answer, Thresholds
from bot.domain.view_address import AddressView
from bot.domain.view_lines import ThreadLine
from bot.domain.view_words import length, one_line
from bot.domain.views import AddressLine, AlertFacts, Link, StateLine, address_lines, state_line

ROWS_SHOWN = 20
COLUMNS_SHOWN = 12
TIMELINE_SHOWN = 20
CELL_LENGTH = 120
TTLS = (timedelta(hours=1), timedelta(hours=24), timedelta(days=7), timedelta(days=30))


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen: the value that comes back, its name, and what it means."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CloseForm:
    """Asks what an incident turned out to be."""

    reference: str
    id: str
    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class NotBlockable:
    """An address that cannot be asked for. `why` is a sentence that names it."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class EscalateForm:
    """Asks which address to block, for how long and why. Without `addresses` there is nothing to ask.

    `ttls` hold seconds. `waits` is how long an approver has.
    """

    reference: str
    id: str
    title: str
    addresses: tuple[Choice, ...]
    not_blockable: tuple[NotBlockable, ...]
    ttls: tuple[Choice, ...]
    ttl: Choice
    waits: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a row, as text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RowLine:
    """One row of the log. `cells` are its filled columns that say more than the rest of the line, the first of them."""

    at: datetime
    what: str
    target: str
    addresses: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class DetailsView:
    """Everything about an incident, as far as one window holds it. `more_rows` and `earlier` count what it does not."""

    id: str
    facts: AlertFacts
    state: StateLine
    description: str
    addresses: tuple[AddressLine, ...]
    rows: tuple[RowLine, ...]
    more_rows: int
    timeline: tuple[ThreadLine, ...]
    earlier: int
    links: tuple[Link, ...] = ()
    sandbox: bool = False


_CLASSIFICATIONS: Mapping[Classification, tuple[str, str]] = {
    Classification.TRUE_POSITIVE: ("True positive", "It happened, and it was not meant to"),
    Classification.BENIGN_POSITIVE: ("Benign positive", "It happened, and it was expected"),
    Classification.FALSE_POSITIVE: ("False positive", "The rule or its data is wrong"),
    Classification.UNDETERMINED: ("Undetermined", "It cannot be told"),
}


def close_form(incident: Incident, title: str) -> CloseForm:
    """The form to close an incident."""
    choices = tuple(Choice(kind.value, label, hint) for kind, (label, hint) in _CLASSIFICATIONS.items())
    return CloseForm(_reference(incident), incident.id, title, choices)


def escalate_form(
    incident: Incident,
    title: str,
    addresses: Sequence[AddressView],
    *,
    refused: Mapping[str, str],
    max_ttl: timedelta,
    decide_within: timedelta,
    default_ttl: timedelta = timedelta(hours=24),
    choices: Sequence[timedelta] = TTLS,
) -> EscalateForm:
    """The form to ask for a block. `refused` has a sentence, with the address in it, for each that cannot be.

    Of the `choices` those within `max_ttl` are offered; the longest that is not over `default_ttl` is chosen at first.
    """
    spans = sorted({span for span in choices if span <= max_ttl}) or [max_ttl]
    default = max((span for span in spans if span <= default_ttl), default=spans[0])
    ttls = {span: Choice(str(int(span.total_seconds())), length(span)) for span in spans}
    return EscalateForm(
        reference=_reference(incident),
        id=incident.id,
        title=title,
        addresses=tuple(_address_choice(view) for view in addresses if view.address not in refused),
        not_blockable=tuple(NotBlockable(v.address, refused[v.address]) for v in addresses if v.address in refused),
        ttls=tuple(ttls.values()),
        ttl=ttls[default],
        waits=length(decide_within),
    )


def details_view(
    incident: Incident,
    facts: AlertFacts,
    events: Sequence[Event],
    timeline: Sequence[ThreadLine],
    *,
    answers: Mapping[str, Answer],
    thresholds: Thresholds,
    now: datetime,
    links: Sequence[Link] = (),
    sandbox: bool = False,
) -> DetailsView:
    """The details. `events` are the first rows, `timeline` is what happened, oldest first."""
    shown = events[:ROWS_SHOWN]
    return DetailsView(
        id=incident.id,
        facts=facts,
        state=state_line(incident),
        description=facts.description.strip(),
        addresses=tuple(address_lines(facts.addresses, answers, (), thresholds=thresholds, now=now)),
        rows=tuple(_row(event) for event in shown),
        more_rows=max(0, facts.count - len(shown)),
        timeline=tuple(timeline[-TIMELINE_SHOWN:]),
        earlier=len(timeline[:-TIMELINE_SHOWN]),
        links=tuple({link.id: link for link in links}.values()),
        sandbox=sandbox,
    )


def _reference(incident: Incident) -> str:
    return f"{incident.id}@{incident.version}"


def _address_choice(view: AddressView) -> Choice:
    score = f", {view.score}/100" if view.score is not None else ""
    caution = f". {view.cautions[0].value}" if view.cautions else ""
    return Choice(view.address, view.address, f"{view.verdict}{score}{caution}")


def _row(event: Event) -> RowLine:
    said = {"", "None", event.what, event.target, *event.addresses}
    columns = ((str(name), str(value)) for name, value in event.row.items() if name != "TimeGenerated")
    filled = [(name, value) for name, value in columns if value not in said]
    cells = tuple(Cell(name, one_line(value, CELL_LENGTH)) for name, value in filled[:COLUMNS_SHOWN])
    return RowLine(event.at, event.what, event.target, event.addresses, cells)
