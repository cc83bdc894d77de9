"""`tocsin serve`: the engine, Slack and HTTP in one process and one loop.

Ready in this order: the lock, the tables, the engine (which takes up what an earlier process left), then the door.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
import uvicorn
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.applications import Starlette

from bot.app import Core, core, intake, log_source, ready_tables, template_folders
from bot.blocking.feed import FeedBackend
from bot.config import Settings
from bot.domain.view_lookup import QuotaLeft
from bot.domain.work import Job
from bot.engine.durable import DurableEngine, Queue, Schedule
from bot.engine.lock import FileLock
from bot.errors import ConfigError, TocsinError
from bot.jobs import Jobs
from bot.policy import Policy
from bot.render.renderer import Renderer
from bot.services.answers import Answers, Lookup
from bot.services.contain import Contain, Terms
from bot.services.deliver import Deliver
from bot.services.enrich import Enrich
from bot.services.mend import Mend
from bot.services.ports import Clock, LogSource
from bot.services.respond import Respond
from bot.services.work import CHAT, DETECT, MACHINE, PEOPLE
from bot.slack.app import bolt_app
from bot.slack.client import SlackClients, open_clients
from bot.slack.delivery import SlackChat
from bot.slack.desk import Afterwards, Desk
from bot.slack.identity import SlackIdentity
from bot.slack.seal import Seal
from bot.slack.studio import SlackStudio
from bot.slack.studio import Terms as StudioTerms
from bot.web.app import web_app
from bot.web.feed import Feed
from bot.web.health import Health

KEPT = timedelta(days=1)
"""How long answered questions and the notes of requests are kept."""

_LARGEST_TICK = timedelta(seconds=60)

log = logging.getLogger("tocsin.serve")


@dataclass(frozen=True, slots=True)
class Running:
    """A bot at work. `web` is its HTTP application, whose lifespan is already entered."""

    core: Core
    jobs: Jobs
    web: Starlette


class _Late:
    """Lets the store be built before the engine that its work goes to."""

    engine: DurableEngine | None = None

    def enqueue(self, connection: sa.Connection, job: Job) -> None:
        """Hand the job to the engine."""
        if self.engine is None:
            raise RuntimeError("the engine is not started")
        self.engine.enqueue(connection, job)


@asynccontextmanager
async def running(settings: Settings, policy: Policy, clock: Clock) -> AsyncIterator[Running]:
    """The whole bot, but for the listening socket. Raises StoreInUse when another process has the database."""
    late = _Late()
    async with AsyncExitStack() as stack:
        _hold_database(stack, settings)
        await asyncio.to_thread(ready_tables, settings)
        built = await stack.enter_async_context(core(settings, policy, clock, late.enqueue))
        for problem in built.rules.problems:
            log.error("a rule is left out: %s", problem)
        source = await stack.enter_async_context(log_source(settings))
        clients = await open_clients(_token(settings), base_url=settings.slack_api_url)
        stack.push_async_callback(clients.aclose)
        made = _Made(built, clients, source)
        late.engine = await _started(stack, made)
        stack.push_async_callback(made.afterwards.close)
        await _pump(stack, made.answers)
        yield Running(built, made.jobs, made.web())


def _hold_database(stack: AsyncExitStack, settings: Settings) -> None:
    url = sa.make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite":
        stack.enter_context(FileLock(Path(str(url.database))))


class _Made:
    """The services of one bot, each made once."""

    def __init__(self, built: Core, clients: SlackClients, source: LogSource) -> None:
        policy, store, clock = built.policy, built.store, built.clock
        self.core, self.clients = built, clients
        self.chat = SlackChat(clients)
        self.identity = SlackIdentity(clients)
        backends = (FeedBackend(store, clock),)
        terms = Terms(
            max_ttl=policy.blocking.max_ttl,
            decide_within=policy.blocking.approval_expires,
            protected=policy.never_blocked,
            known=policy.reputation.known_addresses,
        )
        self.contain = Contain(store, clock, policy.access, policy, terms, backends)
        self.studio = SlackStudio(
            store,
            built.lookup,
            Renderer(template_folders(built.settings)),
            clock,
            StudioTerms(
                policy.thresholds,
                policy.blocking.max_ttl,
                policy.blocking.default_ttl,
                policy.blocking.approval_expires,
            ),
            refusal=self.contain.refusal,
            backends=backends,
        )
        self.check = built.check()
        self.intake = intake(built)
        self.afterwards = Afterwards()
        signing = built.settings.slack_signing_secret or SecretStr("")
        self.answers = Answers(self.intake, Seal(signing), clock, self._answer)
        self.respond = Respond(store, clock, policy.access)
        self.jobs = Jobs(
            store=store,
            clock=clock,
            detect=built.detect(source),
            deliver=Deliver(store, self.chat, self.studio, clock),
            enrich=Enrich(store, built.lookup, clock),
            contain=self.contain,
            mend=Mend(store, clock),
            refresh_members=self._refresh_members,
            tidy=self._tidy,
        )

    def web(self) -> Starlette:
        """The HTTP application."""
        settings = self.core.settings
        desk = Desk(
            client=self.clients.posting,
            chat=self.chat,
            clock=self.core.clock,
            respond=self.respond,
            contain=self.contain,
            check=self.check,
            forms=self.studio,
            answers=self.answers,
            afterwards=self.afterwards,
        )
        signing = settings.slack_signing_secret
        slack = (
            bolt_app(self.clients.posting, bot_token=_token(settings), signing_secret=signing, desk=desk)
            if signing
            else None
        )
        feed = Feed(self.core.store, self.core.clock, settings.blocklist_tokens)
        health = Health({"database": self._database_problem, "rules": self._rules_problem}, CollectorRegistry())
        return web_app(slack=slack, feed=feed, health=health)

    async def _answer(self, lookup: Lookup, address: SecretStr, shared: bool) -> None:
        report = await self.check.report(lookup.address)
        ledger = await self.core.lookup.quota()
        message = self.studio.report(
            report,
            quota=QuotaLeft(ledger.remaining, ledger.limit),
            reference="" if shared else f"{lookup.id}@1",
            shared_by=await self._name(lookup.user_id) if shared else "",
        )
        where = {"response_type": "in_channel", "replace_original": False} if shared else {"response_type": "ephemeral"}
        await self.chat.respond(address, {**message, **where})

    async def _name(self, user_id: str) -> str:
        """The name in the records; of somebody without a role, as Slack has it."""
        person = await self.respond.person(user_id, "")
        return person.name if person.name != user_id else await self.identity.name_of(user_id)

    async def _refresh_members(self) -> None:
        groups = sorted(self.core.policy.access.groups)
        if not groups:
            return
        members = await self.identity.members_of(groups)
        names = {user: await self.identity.name_of(user) for users in members.values() for user in users}
        async with self.core.store.write() as tx:
            for group, users in members.items():
                await tx.directory.set_group(group, sorted(users))
            for user, name in names.items():
                await tx.directory.set_name(user, name)

    async def _tidy(self) -> None:
        await self.intake.forget(self.core.clock.now() - KEPT)

    async def _database_problem(self) -> str | None:
        try:
            await self.core.database.ping()
        except TocsinError as failed:
            return str(failed)
        return None

    async def _rules_problem(self) -> str | None:
        if self.core.detections:
            return None
        return f"There is no usable rule in {self.core.settings.rules_path}."


async def _started(stack: AsyncExitStack, made: _Made) -> DurableEngine:
    database = made.core.database.sync_engine()
    stack.callback(database.dispose)
    policy = made.core.policy
    engine = DurableEngine(
        database,
        handlers=made.jobs.handlers(),
        queues=(
            Queue(CHAT, pace=policy.chat.pace),
            Queue(PEOPLE, poll=timedelta(milliseconds=100)),
            Queue(MACHINE),
            Queue(DETECT),
        ),
        schedules=_schedules(policy),
    )
    await engine.start()
    stack.push_async_callback(engine.stop)
    return engine


def _schedules(policy: Policy) -> tuple[Schedule, ...]:
    """The clockwork, seconds first. The tick is as dense as the policy wants to look."""
    every = min(policy.detection.look_every or _LARGEST_TICK, _LARGEST_TICK)
    seconds = max(1, int(every.total_seconds()))
    return (
        Schedule("tick", "tick", f"*/{seconds} * * * * *" if seconds < _LARGEST_TICK.seconds else "0 * * * * *"),
        Schedule("sweep", "sweep", "30 * * * * *"),
        Schedule("members", "members", "15 */5 * * * *"),
        Schedule("tidy", "tidy", "45 7 * * * *"),
    )


async def _pump(stack: AsyncExitStack, answers: Answers) -> None:
    task = asyncio.create_task(answers.pump())

    async def stop() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(stop)


def _token(settings: Settings) -> SecretStr:
    if settings.slack_bot_token is None:
        raise ConfigError(
            ["SLACK_BOT_TOKEN is not set: it must be the Bot User OAuth Token (xoxb-…) of your Slack app."]
        )
    return settings.slack_bot_token


async def serve(settings: Settings, policy: Policy, clock: Clock) -> None:
    """Run until SIGINT or SIGTERM."""
    async with running(settings, policy, clock) as bot:
        config = uvicorn.Config(
            bot.web,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
            proxy_headers=False,
            server_header=False,
        )
        await _begin(bot)
        log.info("Tocsin listens on http://%s:%d with %d rules", settings.host, settings.port, len(bot.core.detections))
        await uvicorn.Server(config).serve()


async def _begin(bot: Running) -> None:
    """What the schedules would do soon, at once: the first evaluation, the members, what was left behind."""
    for step in (bot.jobs.members, bot.jobs.tick, bot.jobs.sweep):
        try:
            await step("start")
        except TocsinError as failed:
            log.warning("at the start: %s", failed)
