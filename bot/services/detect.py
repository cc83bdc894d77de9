"""Detect: evaluate a rule over its next window, and turn new rows into incidents.

Everything that an evaluation leads to is one transaction: which rows are known, the incidents, their messages and
look-ups, and how far the rule has come. Killed before it, nothing happened; killed after it, all of it did. An
evaluation that is repeated finds its rows known already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alert import Alert, RuleState
from bot.domain.audit import Entry
from bot.domain.finding import Finding, grouped, incident_id
from bot.domain.incident import Incident, State
from bot.domain.schedule import EPOCH, Slot, due_slots, last_finished_slot, period_window, row_window, slot_of
from bot.domain.table import Table, Window
from bot.errors import NotFound, SourceError
from bot.services.outbox import add_card, add_line
from bot.services.ports import Clock, Detection, LogSource, Rooms
from bot.services.storage import Store, Transaction
from bot.services.work import look_up, redraw

OURSELVES = "tocsin"
"""The actor in the audit record when nobody clicked."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When rules are due. `settle` is the wait behind a slot's end; `look_every` also looks into the running slot."""

    settle: timedelta
    look_every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one evaluation found. `raised` and `joined` are ids of incidents."""

    rows: int
    new: int
    raised: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    partial: bool = False


class Detect:
    """Evaluates rules. Repeats are harmless, at the same time too: a row is new to one of them only."""

    def __init__(
        self,
        detections: Mapping[str, Detection],
        source: LogSource,
        store: Store,
        clock: Clock,
        rooms: Rooms,
        pace: Pace,
    ) -> None:
        self._detections, self._source, self._store = detections, source, store
        self._clock, self._rooms, self._pace = clock, rooms, pace

    async def due(self) -> list[tuple[str, datetime]]:
        """The evaluations that are due now, as (rule id, end of the window), oldest first for each rule.

        A rule that never ran is due at once for the last finished slot, without the wait for late rows.
        """
        now = self._clock.now()
        async with self._store.read() as tx:
            states = {rule_id: await tx.detections.state(rule_id) for rule_id in self._detections}
        return [
            (rule_id, end)
            for rule_id, state in states.items()
            for end in self._due_ends(self._detections[rule_id], state, now)
        ]

    def _due_ends(self, detection: Detection, state: RuleState, now: datetime) -> list[datetime]:
        settle = timedelta(0) if state.watermark is None else self._pace.settle
        ends = [slot.end for slot in due_slots(state.watermark, now, detection.frequency, settle)]
        if detection.mode == "row":
            # One query over the whole span finds what the slots between would have found.
            ends = ends[-1:]
        return ends or self._early_look(detection, state, now)

    def _early_look(self, detection: Detection, state: RuleState, now: datetime) -> list[datetime]:
        every = self._pace.look_every
        if every is None or detection.mode != "row" or state.looked_at is None:
            return []
        return [now] if now - state.looked_at >= every else []

    async def is_covered(self, rule_id: str, end: datetime) -> bool:
        """Whether nothing is left to do up to `end`: it was committed, or for a row rule a later slot has finished.

        Raises NotFound for an unknown rule.
        """
        detection = self._known(rule_id)
        async with self._store.read() as tx:
            state = await tx.detections.state(rule_id)
        if state.watermark is not None and end <= state.watermark:
            return True
        later = last_finished_slot(self._clock.now(), detection.frequency, self._pace.settle)
        return detection.mode == "row" and later.end > end

    def _known(self, rule_id: str) -> Detection:
        detection = self._detections.get(rule_id)
        if detection is None:
            raise NotFound(f"There is no rule {rule_id}. `tocsin rules list` shows the rules.")
        return detection

    async def run(self, rule_id: str, end: datetime) -> Evaluated:
        """Evaluate one rule up to `end`, which is a slot's end or, for a look ahead, any moment.

        Raises NotFound for an unknown rule, and SourceError when the source did not answer: the rule's state then says
        so, and the same window is due again.
        """
        detection = self._known(rule_id)
        async with self._store.read() as tx:
            state = await tx.detections.state(rule_id)
        slot = Slot(end - detection.frequency, end)
        window = self._window(detection, state, slot)
        try:
            table = await self._source.query(detection.query, window=window, clock=end)
        except SourceError as failed:
            await self._note_failure(rule_id, str(failed))
            raise
        return await self._commit(detection, state, slot, window, table)

    @staticmethod
    def _window(detection: Detection, state: RuleState, slot: Slot) -> Window:
        if detection.mode == "row":
            return row_window(state.watermark, slot, detection.frequency, detection.lookback)
        return period_window(slot, detection.period)

    async def _note_failure(self, rule_id: str, problem: str) -> None:
        async with self._store.write() as tx:
            await tx.detections.fail(rule_id, at=self._clock.now(), problem=problem)

    async def _commit(
        self, detection: Detection, state: RuleState, slot: Slot, window: Window, table: Table
    ) -> Evaluated:
        found = detection.findings(table.rows, slot) if detection.fires(len(table.rows)) else []
        now = self._clock.now()
        whole = slot_of(slot.start, detection.frequency) == slot and not table.partial
        async with self._store.write() as tx:
            unseen = await tx.detections.unseen(detection.id, found)
            new = [each for each in unseen if each.at >= _since(detection, state, slot)]
            raised, joined = await self._raise(tx, detection, new, now)
            await tx.detections.advance(
                detection.id, watermark=slot.end if whole else None, at=now, rows=len(table.rows)
            )
            if table.partial:
                await tx.detections.fail(detection.id, at=now, problem=f"The answer was not complete. {table.note}")
            elif detection.mode == "row":
                await tx.detections.forget(detection.id, window.start)
        return Evaluated(len(table.rows), len(new), tuple(raised), tuple(joined), table.partial)

    async def _raise(
        self, tx: Transaction, detection: Detection, new: Sequence[Finding], now: datetime
    ) -> tuple[list[str], list[str]]:
        raised, joined = [], []
        for group, members in grouped(new).items():
            known = await tx.incidents.latest(group)
            if known is None or known.incident.state is State.CLOSED:
                alert = _new_alert(detection, group, members, 1 if known is None else known.generation + 1, now)
                await self._add(tx, alert, members, now)
                raised.append(alert.incident.id)
            else:
                await _join(tx, known, members, now)
                joined.append(known.incident.id)
        return raised, joined

    async def _add(self, tx: Transaction, alert: Alert, members: Sequence[Finding], now: datetime) -> None:
        incident = alert.incident.id
        await tx.incidents.add(alert)
        await tx.incidents.join(incident, members, now)
        await tx.audit.append(Entry(now, OURSELVES, "incident.raised", incident, {}, {"events": len(members)}))
        await add_card(tx, incident, self._rooms.channel_for(alert.severity, alert.rule_id), now)
        for job in look_up(incident, alert.revision + 1):
            await tx.enqueue(job)


def _since(detection: Detection, state: RuleState, slot: Slot) -> datetime:
    """From when on a new row raises an alert.

    A rule that never ran begins with the last finished slot. What its look-back holds beside that is noted as known:
    nobody wants yesterday's alerts on the first day, nor to get them as late rows on the second run.
    """
    if state.watermark is not None or state.looked_at is not None:
        return EPOCH
    return last_finished_slot(slot.end, detection.frequency, timedelta(0)).start


async def _join(tx: Transaction, known: Alert, members: Sequence[Finding], now: datetime) -> None:
    incident = known.incident.id
    await tx.incidents.join(incident, members, now)
    await tx.audit.append(
        Entry(
            now,
            OURSELVES,
            "incident.joined",
            incident,
            {"events": known.events},
            {"events": known.events + len(members)},
        )
    )
    revision = known.revision + 1
    await add_line(tx, incident, f"more:{revision}", {"kind": "more_events", "count": len(members)}, now)
    for job in look_up(incident, revision):
        await tx.enqueue(job)
    await tx.enqueue(redraw(incident, revision, by_person=False))


def _new_alert(detection: Detection, group: str, members: Sequence[Finding], generation: int, now: datetime) -> Alert:
    first, last = members[0], members[-1]
    return Alert(
        incident=Incident(incident_id(group, generation)),
        group=group,
        generation=generation,
        rule_id=detection.id,
        rule_name=detection.name,
        description=detection.description,
        severity=first.severity,
        title=first.title,
        who=first.who,
        place=first.where,
        first_seen=first.at,
        last_seen=last.at,
        events=0,
        created_at=now,
    )
