"""What the commands of the command line do, as values that can be printed or turned into JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.app import Core, SystemClock, core, require_tables
from bot.config import Settings, load_settings
from bot.domain.alert import Alert, RuleState
from bot.domain.incident import State
from bot.domain.reputation import Found, NotPublic
from bot.domain.schedule import last_finished_slot
from bot.domain.view_lookup import local_view, lookup_view, not_understood, one_at_a_time
from bot.engine.client import EngineClient
from bot.engine.lock import FileLock
from bot.errors import NotFound, SourceError, StoreInUse, TocsinError
from bot.policy import Policy, load_policy
from bot.services.check import Local, NothingUnderstood, OnlyOne
from bot.services.ports import Detection
from bot.services.work import evaluate

PATIENCE = timedelta(seconds=60)
"""How long `rules run` waits for the engine."""

_EVENTS = 100


def configured(environ: Mapping[str, str]) -> tuple[Settings, Policy]:
    """Settings and policy. Raises ConfigError with every mistake in the settings, or every one in the policy."""
    settings = load_settings(environ)
    return settings, load_policy(settings.tocsin_config)


@asynccontextmanager
async def _core(environ: Mapping[str, str]) -> AsyncIterator[Core]:
    settings, policy = configured(environ)
    await asyncio.to_thread(require_tables, settings)
    async with core(settings, policy, SystemClock()) as built:
        yield built


async def check_address(environ: Mapping[str, str], text: str, *, fresh: bool) -> dict[str, Any]:
    """What is known of the address in the text. Raises TocsinError when there is not exactly one."""
    async with _core(environ) as built:
        what = built.check().understand(text)
        now, thresholds = built.clock.now(), built.policy.thresholds
        if isinstance(what, NothingUnderstood):
            raise TocsinError(not_understood(what.reasons))
        if isinstance(what, OnlyOne):
            raise TocsinError(one_at_a_time(what.found))
        if isinstance(what, Local):
            view = local_view(what.address, thresholds=thresholds, now=now)
            return {"address": view.address, "known": True, "verdict": view.view.verdict, "summary": view.summary}
        report = await built.check().report(what.address, fresh=fresh)
        view = lookup_view(report.answer, thresholds=thresholds, now=now, seen_in=report.seen_in, block=report.block)
        outcome = report.answer.outcome
        return {
            "address": view.address,
            "known": isinstance(outcome, Found | NotPublic),
            "verdict": view.view.verdict,
            "summary": view.summary,
            **{field.label.lower(): field.value for field in view.fields},
            "seen": view.seen,
            "block": view.block.words if view.block else None,
            "source": " · ".join(view.footer),
            "reputation": outcome.reputation.to_dict() if isinstance(outcome, Found) else None,
        }


async def list_rules(environ: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Every usable rule with its state, and a sentence for each file that cannot be used."""
    async with _core(environ) as built:
        async with built.store.read() as tx:
            states = {rule_id: await tx.detections.state(rule_id) for rule_id in built.detections}
        rules = [_rule(built, detection, states[detection.id]) for detection in built.detections.values()]
        return rules, [str(problem) for problem in built.rules.problems]


def _rule(built: Core, detection: Detection, state: RuleState) -> dict[str, Any]:
    settle = built.policy.detection.settle
    next_end = last_finished_slot(built.clock.now(), detection.frequency, settle).end + detection.frequency
    return {
        "id": detection.id,
        "name": detection.name,
        "frequency": str(detection.frequency),
        "mode": detection.mode,
        "last_run": _time(state.looked_at),
        "next_run": _time(next_end + settle),
        "evaluated_up_to": _time(state.watermark),
        "rows": state.rows,
        "failures": state.failures,
        "problem": state.problem,
    }


async def run_rule(environ: Mapping[str, str], rule_id: str) -> dict[str, Any]:
    """Evaluate now, in the engine that runs, or in one started for it. Raises SourceError when the source refused."""
    settings, policy = configured(environ)
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(_with_engine(settings, policy))
        detection = built.detections.get(rule_id.lower()) or built.detections.get(rule_id)
        if detection is None:
            raise NotFound(f"There is no rule {rule_id}. `tocsin rules list` shows the rules.")
        began = built.clock.now()
        async with built.store.write() as tx:
            before = await tx.detections.state(detection.id)
            await tx.enqueue(evaluate(detection.id, began))
        after = await _evaluated(built, detection.id, before, began)
        async with built.store.read() as tx:
            raised = [alert for alert in await tx.incidents.recent(_EVENTS) if alert.created_at >= began]
        return {
            "rule": detection.name,
            "rows": after.rows,
            "new": len(raised),
            "incidents": [_incident(alert) for alert in raised],
        }


@asynccontextmanager
async def _with_engine(settings: Settings, policy: Policy) -> AsyncIterator[Core]:
    """The engine that runs, if one does; else one of our own, for as long as this takes."""
    if not _runs_elsewhere(settings):
        from bot.serve import running

        async with running(settings, policy, SystemClock()) as bot:
            yield bot.core
            await _delivered(bot.core)
        return
    async with AsyncExitStack() as stack:
        late: dict[str, EngineClient] = {}
        built = await stack.enter_async_context(
            core(settings, policy, SystemClock(), lambda connection, job: late["client"].enqueue(connection, job))
        )
        database = built.database.sync_engine()
        stack.callback(database.dispose)
        late["client"] = await asyncio.to_thread(EngineClient, database)
        stack.callback(late["client"].close)
        yield built


def _runs_elsewhere(settings: Settings) -> bool:
    url = sa.make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() != "sqlite":
        return True
    try:
        with FileLock(Path(str(url.database))):
            return False
    except StoreInUse:
        return True


async def _evaluated(built: Core, rule_id: str, before: RuleState, began: datetime) -> RuleState:
    while built.clock.now() - began < PATIENCE:
        async with built.store.read() as tx:
            state = await tx.detections.state(rule_id)
        if state.looked_at is not None and state.looked_at >= began:
            return state
        if state.failures > before.failures:
            raise SourceError(f"The rule could not be evaluated: {state.problem}")
        await asyncio.sleep(0.1)
    raise SourceError(f"The engine did not evaluate the rule within {PATIENCE.seconds} s; its log says why.")


async def _delivered(built: Core) -> None:
    """Wait a little for the messages; what is not posted by then is posted at the next start."""
    for _ in range(100):
        async with built.store.read() as tx:
            if not await tx.deliveries.undone(built.clock.now()):
                return
        await asyncio.sleep(0.2)


async def list_incidents(environ: Mapping[str, str], *, open_only: bool, limit: int) -> list[dict[str, Any]]:
    """The newest incidents first."""
    states = (State.OPEN.value, State.ACKNOWLEDGED.value) if open_only else ()
    async with _core(environ) as built, built.store.read() as tx:
        return [_incident(alert) for alert in await tx.incidents.recent(limit, states=states)]


async def show_incident(environ: Mapping[str, str], incident_id: str) -> dict[str, Any]:
    """One incident. Raises NotFound."""
    async with _core(environ) as built, built.store.read() as tx:
        alert = await tx.incidents.get(incident_id.upper())
        if alert is None:
            raise NotFound(f"There is no incident {incident_id}. `tocsin incidents list` shows the newest.")
        found = alert.incident.id
        requests = await tx.requests.of(found)
        entries = await tx.audit.of([found, *(request.id for request in requests)])
        deliveries = await tx.deliveries.of(found)
        for request in requests:
            deliveries += await tx.deliveries.of(request.id)
        timeline = [(entry.at, f"{entry.action} by {entry.actor}", entry.after) for entry in entries]
        timeline += [
            (each.posted_at or each.created_at, f"{each.kind.value} {each.state.value}", {"id": each.id})
            for each in deliveries
        ]
        return {
            **_incident(alert),
            "rule": alert.rule_name,
            "addresses": await tx.incidents.addresses(found),
            "blocks": [
                {"id": r.id, "address": r.address, "state": r.state.value, "ends_at": _time(r.ends_at)}
                for r in requests
            ],
            "event_rows": [
                {"at": _time(e.at), "what": e.what, "target": e.target, "from": ", ".join(e.addresses)}
                for e in await tx.incidents.events(found, _EVENTS)
            ],
            "timeline": [
                {"at": _time(at), "what": what, "detail": ", ".join(f"{k}={v}" for k, v in after.items() if v)}
                for at, what, after in sorted(timeline, key=lambda each: each[0])
            ],
        }


def _incident(alert: Alert) -> dict[str, Any]:
    incident = alert.incident
    return {
        "id": incident.id,
        "severity": alert.severity,
        "state": incident.state.value,
        "title": alert.title,
        "who": alert.who,
        "place": alert.place,
        "events": alert.events,
        "first_seen": _time(alert.first_seen),
        "last_seen": _time(alert.last_seen),
        "owner": incident.owner.name if incident.owner else None,
        "classification": incident.classification.value if incident.classification else None,
        "comment": incident.comment,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
