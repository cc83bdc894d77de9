"""Makes every message and form from the record: view, template, limits. What fails to render goes out plain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from bot.domain.alert import Alert, Delivery, DeliveryKind
from bot.domain.audit import Entry
from bot.domain.block import BlockRequest, BlockState
from bot.domain.reputation import Answer, Found, Thresholds
from bot.domain.view_address import address_view
from bot.domain.view_block import ApprovalView, PlanLine, approval_view
from bot.domain.view_forms import close_form, details_view, escalate_form
from bot.domain.view_lines import ThreadLine, thread_line
from bot.domain.view_lookup import (
    LookupView,
    QuotaLeft,
    local_view,
    lookup_view,
    not_understood,
    one_at_a_time,
)
from bot.domain.views import AlertView, alert_view, facts_of
from bot.errors import NotFound, TemplateError
from bot.render.renderer import Renderer, minimal_message
from bot.services.check import Local, NothingUnderstood, OnlyOne, Report, Understood
from bot.services.contain import Backend
from bot.services.deliver import Drawing
from bot.services.ports import Clock, Message
from bot.services.storage import Store, Transaction

_ROWS = 1000
"""How many rows of an incident a card counts."""

_INCIDENTS = 5
_ADDRESSES = 1000
"""How many first answers to `/ipcheck` are kept."""

log = logging.getLogger("tocsin.studio")


class Known(Protocol):
    """What the records say of addresses, without asking anybody."""

    async def known(self, addresses: Iterable[str]) -> dict[str, Answer]:
        """Answers by address; one that is still being looked up is absent."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What forms offer and cards judge by."""

    thresholds: Thresholds
    max_ttl: timedelta
    default_ttl: timedelta
    decide_within: timedelta


class SlackStudio:
    """Draws deliveries (`bot.services.deliver.Studio`) and forms (`bot.slack.desk.Forms`)."""

    def __init__(
        self,
        store: Store,
        known: Known,
        renderer: Renderer,
        clock: Clock,
        terms: Terms,
        *,
        refusal: Callable[[str], str | None],
        backends: Sequence[Backend],
    ) -> None:
        self._store, self._known, self._renderer, self._clock = store, known, renderer, clock
        self._terms, self._refusal, self._backends = terms, refusal, backends
        self._looking_made: dict[str, Message] = {}

    async def draw(self, delivery: Delivery, *, repeated: bool = False) -> Drawing:
        """The message of a delivery, from what is true now."""
        match delivery.kind:
            case DeliveryKind.CARD:
                return await self._card(delivery, repeated)
            case DeliveryKind.APPROVAL:
                return await self._approval(delivery)
            case _:
                return await self._line(delivery)

    async def _card(self, delivery: Delivery, repeated: bool) -> Drawing:
        async with self._store.read() as tx:
            alert = await _alert(tx, delivery.subject)
            events = await tx.incidents.events(delivery.subject, _ROWS)
            addresses = await tx.incidents.addresses(delivery.subject)
            requests = await tx.requests.of(delivery.subject)
        answers = await self._known.known(addresses)
        view = alert_view(
            alert.incident,
            facts_of(alert, events, addresses),
            answers=answers,
            requests=requests,
            thresholds=self._terms.thresholds,
            now=self._clock.now(),
            sandbox=_is_sandbox(answers.values()),
            repeated=repeated,
        )
        plain = minimal_message(view.summary, _plain_lines(view), "")
        return Drawing(self._message("alert", plain, view=view), plain, alert.revision)

    async def _approval(self, delivery: Delivery) -> Drawing:
        async with self._store.read() as tx:
            request = await tx.requests.get(delivery.subject)
            alert = await tx.incidents.get(request.incident_id) if request else None
        if request is None:
            raise NotFound(f"{delivery.subject} is not in Tocsin's records.")
        view = await self._approval_view(request, alert)
        sentence = f"Block {view.target} for {view.ttl}? {view.state.words}"
        plain = minimal_message(sentence, [view.reason, f"{view.id} of {view.incident_id}"], "")
        return Drawing(self._message("approval", plain, view=view), plain, request.version)

    async def _approval_view(self, request: BlockRequest, alert: Alert | None) -> ApprovalView:
        answers = await self._known.known([request.address])
        now = self._clock.now()
        plans = [(backend.name, await backend.plan(request)) for backend in self._backends]
        return approval_view(
            request,
            now=now,
            incident_title=alert.title if alert else "",
            address=address_view(
                request.address, answers.get(request.address), thresholds=self._terms.thresholds, now=now
            ),
            plans=[PlanLine(name, plan.sentence, plan.possible) for name, plan in plans],
            sandbox=_is_sandbox(answers.values()),
        )

    async def _line(self, delivery: Delivery) -> Drawing:
        named = delivery.body.get("request")
        async with self._store.read() as tx:
            request = await tx.requests.get(str(named)) if named else None
        line = thread_line(delivery.body, request)
        plain = minimal_message(line.sentence, [], "")
        return Drawing(self._message("thread", plain, line=line), plain, 0)

    async def close(self, alert: Alert) -> Message:
        """The form to close an incident."""
        return self._renderer.view("close_form", form=close_form(alert.incident, alert.title))

    async def escalate(self, alert: Alert) -> Message:
        """The form to ask for a block."""
        async with self._store.read() as tx:
            addresses = await tx.incidents.addresses(alert.incident.id)
        answers = await self._known.known(addresses)
        now = self._clock.now()
        views = [address_view(a, answers.get(a), thresholds=self._terms.thresholds, now=now) for a in addresses]
        refused = {address: why for address in addresses if (why := self._refusal(address)) is not None}
        form = escalate_form(
            alert.incident,
            alert.title,
            views,
            refused=refused,
            max_ttl=self._terms.max_ttl,
            decide_within=self._terms.decide_within,
            default_ttl=self._terms.default_ttl,
        )
        return self._renderer.view("escalate_form", form=form)

    async def details(self, alert: Alert) -> Message:
        """Everything about an incident."""
        incident_id = alert.incident.id
        async with self._store.read() as tx:
            events = await tx.incidents.events(incident_id, _ROWS)
            addresses = await tx.incidents.addresses(incident_id)
            requests = {request.id: request for request in await tx.requests.of(incident_id)}
            entries = await tx.audit.of([incident_id, *requests])
            names = {entry.actor: await tx.directory.name(entry.actor) for entry in entries}
        answers = await self._known.known(addresses)
        view = details_view(
            alert.incident,
            facts_of(alert, events, addresses),
            events,
            [_told(entry, names, requests) for entry in entries],
            answers=answers,
            thresholds=self._terms.thresholds,
            now=self._clock.now(),
            sandbox=_is_sandbox(answers.values()),
        )
        return self._renderer.view("details", view=view)

    def say(self, sentence: str) -> Message:
        """A private sentence."""
        return self._message("refusal", minimal_message(sentence, [], ""), sentence=sentence)

    def understood(self, what: Understood) -> Message:
        """The first answer to `/ipcheck`: the whole one where nobody has to be asked."""
        match what:
            case NothingUnderstood(_, reasons):
                return self.say(not_understood(reasons))
            case OnlyOne(found):
                return self.say(one_at_a_time(found))
            case Local(address, _):
                view = local_view(address, thresholds=self._terms.thresholds, now=self._clock.now())
                return self._answer(view)
            case _:
                return self._looking(what.address)

    def _looking(self, address: str) -> Message:
        """Made once for each address: it is all that stands between a command and its acknowledgement."""
        made = self._looking_made.get(address)
        if made is None:
            plain = minimal_message(f"Looking up {address}…", [], "")
            made = self._message("ipcheck_looking", plain, address=address)
            if len(self._looking_made) >= _ADDRESSES:
                self._looking_made.clear()
            self._looking_made[address] = made
        return made

    def report(self, report: Report, *, quota: QuotaLeft | None, reference: str = "", shared_by: str = "") -> Message:
        """The answer to `/ipcheck`."""
        view = lookup_view(
            report.answer,
            thresholds=self._terms.thresholds,
            now=report.at,
            seen_in=report.seen_in,
            and_more=len(report.seen_in) >= _INCIDENTS,
            block=report.block,
            quota=quota,
            reference=reference,
            shared_by=shared_by,
        )
        return self._answer(view)

    def _answer(self, view: LookupView) -> Message:
        return self._message("ipcheck", minimal_message(view.summary, [], ""), view=view)

    def _message(self, template: str, plain: Message, **values: Any) -> Message:
        """The rendered template; the plain message when an operator's template is broken."""
        try:
            return self._renderer.message(template, **values)
        except TemplateError as broken:
            log.error("the plain card goes out, because a template is broken: %s", broken)
            return plain


async def _alert(tx: Transaction, incident_id: str) -> Alert:
    alert = await tx.incidents.get(incident_id)
    if alert is None:
        raise NotFound(f"{incident_id} is not in Tocsin's records.")
    return alert


def _is_sandbox(answers: Iterable[Answer]) -> bool:
    return any(isinstance(answer.outcome, Found) and answer.outcome.source == "sandbox" for answer in answers)


def _plain_lines(view: AlertView) -> list[str]:
    lines = [f"{line.view.address}: {line.view.verdict}. {line.view.sentence}" for line in view.addresses]
    return [f"{view.state.words} · {view.id}", *lines]


def _told(entry: Entry, names: Mapping[str, str | None], requests: Mapping[str, BlockRequest]) -> ThreadLine:
    """An audit entry as a sentence of the timeline."""
    area, _, what = entry.action.partition(".")
    request = requests.get(entry.subject)
    if area == "block" and request is not None and what in tuple(BlockState):
        line = thread_line({"kind": f"block_{what}"}, request)
    elif what == "raised":
        line = ThreadLine(thread_line({}).kind, "Tocsin raised this incident.")
    elif what == "joined":
        more = int(entry.after.get("events", 0)) - int(entry.before.get("events", 0))
        line = thread_line({"kind": "more_events", "count": more})
    else:
        name = names.get(entry.actor) or entry.actor
        line = thread_line({"kind": what, "name": name, **entry.after})
    return ThreadLine(line.kind, line.sentence, entry.at)
