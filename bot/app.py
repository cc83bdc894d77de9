"""The one place where things are wired: settings and policy to adapters, to services, to the engine, to HTTP.

`Core` is what every command needs (records, rules, reputation); `running` adds the engine and Slack and is what `serve`
runs. Nothing here is imported by what it wires.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx
import sqlalchemy as sa
from pydantic import SecretStr

from bot import __version__
from bot.config import Settings
from bot.domain.addresses import is_public
from bot.domain.reputation import Outcome, Refused
from bot.domain.work import Job
from bot.errors import StoreError
from bot.intel.abuseipdb import AbuseIPDB
from bot.intel.lookup import Lookup
from bot.intel.lookup import Policy as LookupPolicy
from bot.intel.ports import Provider, QuotaState
from bot.policy import Policy
from bot.rules.clock import pin_clock
from bot.rules.detection import RuleDetection
from bot.rules.loader import load_rules
from bot.rules.model import RuleSet
from bot.services.check import Check
from bot.services.detect import Detect, Pace
from bot.services.ports import Clock, Detection, LogSource
from bot.store.database import Database
from bot.store.intake import GroupIntake
from bot.store.reputations import SqlReputations
from bot.store.schema import is_current, upgrade
from bot.store.store import SqlStore

QUERY_TIMEOUT = timedelta(minutes=3)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware UTC."""
        return datetime.now(UTC)


class NoProvider:
    """Stands in for AbuseIPDB where no key is set: every address is answered with what to do."""

    async def check(self, address: str) -> tuple[Outcome, QuotaState | None]:  # noqa: ARG002
        """Nobody is asked."""
        return Refused("No look-up: ABUSEIPDB_API_KEY is not set."), None


@dataclass(frozen=True, slots=True)
class Core:
    """What every command works with."""

    settings: Settings
    policy: Policy
    clock: Clock
    database: Database
    store: SqlStore
    rules: RuleSet
    detections: Mapping[str, Detection]
    lookup: Lookup
    may_look_up: Callable[[str], bool]

    def detect(self, source: LogSource) -> Detect:
        """The detect service over a log source."""
        pace = Pace(self.policy.detection.settle, self.policy.detection.look_every)
        return Detect(self.detections, source, self.store, self.clock, self.policy, pace)

    def check(self) -> Check:
        """The service behind `/ipcheck`."""
        return Check(self.store, self.lookup, self.clock, self.may_look_up)


Enqueue = Callable[[sa.Connection, Job], None]


def no_engine(_connection: sa.Connection, job: Job) -> None:
    """Refuses work: for commands that only read."""
    raise RuntimeError(f"this command runs no engine, so {job.id} would never be done")


@asynccontextmanager
async def core(settings: Settings, policy: Policy, clock: Clock, enqueue: Enqueue = no_engine) -> AsyncIterator[Core]:
    """Records, rules and reputation, opened and closed. The tables must be those of this release."""
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url.get_secret_value())
        stack.push_async_callback(database.close)
        store = SqlStore(database, audit_key=settings.audit_key, enqueue=enqueue)
        rules = await asyncio.to_thread(load_rules, settings.rules_path)
        may_look_up = _may_look_up(policy.reputation.known_addresses)
        provider = await stack.enter_async_context(_provider(settings, clock))
        reputation = policy.reputation
        lookup = Lookup(
            provider,
            SqlReputations(database),
            clock,
            LookupPolicy(ttl=reputation.ttl, for_people=reputation.kept_for_people),
            is_public=may_look_up,
        )
        stack.push_async_callback(lookup.aclose)
        detections: dict[str, Detection] = {rule.id: RuleDetection(rule) for rule in rules.rules if rule.enabled}
        yield Core(settings, policy, clock, database, store, rules, detections, lookup, may_look_up)


def ready_tables(settings: Settings) -> list[str]:
    """Bring the tables up to this release; the revisions that this took. Blocks."""
    url = settings.database_url.get_secret_value()
    return [] if is_current(url) else upgrade(url)


def require_tables(settings: Settings) -> None:
    """Raise StoreError when the tables are not those of this release. Blocks."""
    if not is_current(settings.database_url.get_secret_value()):
        raise StoreError("The database has no tables of this release yet: run `tocsin db upgrade` first.")


@asynccontextmanager
async def log_source(settings: Settings) -> AsyncIterator[LogSource]:
    """Where queries run: local files where LOGS_PATH is set, else the workspace in Azure."""
    source = await asyncio.to_thread(_source, settings)
    try:
        yield source
    finally:
        await source.aclose()


def _source(settings: Settings) -> LogSource:
    if settings.logs_path is not None:
        from bot.logs.embedded import EmbeddedLogs

        return EmbeddedLogs(settings.logs_path, timeout=QUERY_TIMEOUT)
    from bot.logs.azure import AzureLogs
    from bot.logs.credentials import credential

    endpoint = settings.log_analytics_endpoint
    signed_in = credential(
        settings.azure_credential,
        endpoint=endpoint,
        tenant_id=settings.azure_tenant_id or "",
        client_id=settings.azure_client_id or "",
        client_secret=settings.azure_client_secret,
    )
    return AzureLogs(
        settings.log_analytics_workspace_id or "",
        pin=pin_clock,
        credential=signed_in,
        endpoint=endpoint,
        timeout=QUERY_TIMEOUT,
    )


@asynccontextmanager
async def _provider(settings: Settings, clock: Clock) -> AsyncIterator[Provider]:
    key: SecretStr | None = settings.abuseipdb_api_key
    if key is None:
        yield NoProvider()
        return
    headers = {"User-Agent": f"tocsin/{__version__}"}
    async with httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(10, connect=5)) as client:
        yield AbuseIPDB(client, key, settings.abuseipdb_url, clock)


def _may_look_up(known: Sequence[str]) -> Callable[[str], bool]:
    """Public addresses, and those of the networks that the policy names."""

    networks = [ip_network(network) for network in known]

    def may(address: str) -> bool:
        return is_public(address) or any(ip_address(address) in network for network in networks)

    return may


def template_folders(settings: Settings) -> list[Path]:
    """The operator's folder first, then the templates that ship: beside the package, or inside it when installed."""
    package = Path(__file__).resolve().parent
    shipped = [
        folder for folder in (package.parent / "templates", package / "content" / "templates") if folder.is_dir()
    ]
    own = [settings.templates_path] if settings.templates_path is not None else []
    return [*own, *shipped[:1]]


def intake(built: Core) -> GroupIntake:
    """Where questions of people are written down."""
    return GroupIntake(built.database)
