"""What every ReputationStore must hold. An adapter joins by adding its factory to FACTORIES."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.reputation import Comment, Count, Found, Refused, Reports, Reputation, Unavailable
from bot.intel.ports import Denied, Kept, Ledger, QuotaState, ReputationStore
from bot.store.database import Database
from bot.store.reputations import SqlReputations
from tests.intel.memory_store import MemoryStore
from tests.store import databases
from tests.store.databases import postgres_stops_with_the_session  # noqa: F401 - a fixture

Factory = Callable[[], AbstractAsyncContextManager[ReputationStore]]


@asynccontextmanager
async def in_memory() -> AsyncIterator[ReputationStore]:
    yield MemoryStore()


@asynccontextmanager
async def in_sqlite() -> AsyncIterator[ReputationStore]:
    with databases.sqlite() as url:
        database = Database(url)
        try:
            yield SqlReputations(database)
        finally:
            await database.close()


@asynccontextmanager
async def in_postgres() -> AsyncIterator[ReputationStore]:
    with databases.postgres() as url:
        database = Database(url)
        try:
            yield SqlReputations(database)
        finally:
            await database.close()


FACTORIES: list[Factory] = [in_memory, in_sqlite, in_postgres]

T0 = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ADDRESS = "2001:db8::7"
FOUND = Found(
    Reputation(
        address=ADDRESS,
        score=81,
        total_reports=12,
        distinct_reporters=8,
        window_days=30,
        fetched_at=T0,
        last_reported_at=T0 - timedelta(hours=2),
        hostnames=("a.example.org", "b.example.org"),
        is_whitelisted=None,
        reports=Reports(
            categories=(Count("SSH", 3),),
            countries=(Count("DE", 2),),
            last_day=1,
            last_week=4,
            newest=(Comment("größer als „alles“ 🔔", T0, "DE"),),
        ),
    ),
    "sandbox",
)
DOWN = Unavailable("down", 12.5)


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__)
async def store(request) -> AsyncIterator[ReputationStore]:
    async with request.param() as made:
        yield made


class TestAnswers:
    async def test_nothing_is_known_at_first(self, store: ReputationStore):
        assert await store.get(ADDRESS, 30) == Kept()

    async def test_a_good_answer_comes_back_equal_in_every_part(self, store: ReputationStore):
        await store.put(ADDRESS, 30, FOUND, T0)
        assert await store.get(ADDRESS, 30) == Kept(found=FOUND)

    async def test_windows_and_addresses_are_apart(self, store: ReputationStore):
        await store.put(ADDRESS, 30, FOUND, T0)
        assert await store.get(ADDRESS, 90) == Kept()
        assert await store.get("2001:db8::8", 30) == Kept()

    async def test_a_failure_leaves_the_last_good_answer_beside_it(self, store: ReputationStore):
        await store.put(ADDRESS, 30, FOUND, T0)
        await store.put(ADDRESS, 30, DOWN, T0 + timedelta(hours=1))
        assert await store.get(ADDRESS, 30) == Kept(FOUND, DOWN, T0 + timedelta(hours=1))

    async def test_a_later_failure_replaces_the_earlier_one(self, store: ReputationStore):
        await store.put(ADDRESS, 30, DOWN, T0)
        await store.put(ADDRESS, 30, Refused("no"), T0 + timedelta(minutes=1))
        assert await store.get(ADDRESS, 30) == Kept(None, Refused("no"), T0 + timedelta(minutes=1))

    async def test_a_good_answer_clears_failure_and_older_answer(self, store: ReputationStore):
        newer = replace(FOUND, reputation=replace(FOUND.reputation, score=3, fetched_at=T0 + timedelta(days=1)))
        await store.put(ADDRESS, 30, FOUND, T0)
        await store.put(ADDRESS, 30, DOWN, T0)
        await store.put(ADDRESS, 30, newer, T0 + timedelta(days=1))
        assert await store.get(ADDRESS, 30) == Kept(found=newer)

    async def test_forgetting_deletes_what_is_older_and_counts_addresses_gone(self, store: ReputationStore):
        await store.put("2001:db8::1", 30, FOUND, T0)
        await store.put("2001:db8::2", 30, DOWN, T0)
        await store.put("2001:db8::3", 30, FOUND, T0)
        await store.put("2001:db8::3", 30, DOWN, T0 + timedelta(hours=2))
        assert await store.forget(T0 + timedelta(hours=1)) == 2
        assert await store.get("2001:db8::1", 30) == Kept()
        assert await store.get("2001:db8::2", 30) == Kept()
        assert await store.get("2001:db8::3", 30) == Kept(None, DOWN, T0 + timedelta(hours=2))

    async def test_what_is_as_old_as_the_moment_stays(self, store: ReputationStore):
        await store.put(ADDRESS, 30, FOUND, T0)
        assert await store.forget(T0) == 0
        assert await store.get(ADDRESS, 30) == Kept(found=FOUND)

    async def test_one_address_written_by_many_at_once_is_one_record(self, store: ReputationStore):
        await asyncio.gather(*(store.put(ADDRESS, 30, FOUND, T0) for _ in range(10)))
        assert await store.get(ADDRESS, 30) == Kept(found=FOUND)


class TestQuota:
    async def test_the_ledger_is_fresh_before_the_first_call(self, store: ReputationStore):
        assert await store.quota() == Ledger()

    async def test_each_call_is_counted(self, store: ReputationStore):
        assert await store.reserve(T0, 0) is None
        assert await store.quota() == Ledger(1000, 999, T0, None)

    async def test_what_the_provider_says_is_recorded(self, store: ReputationStore):
        await store.record(QuotaState(5000, 1234), T0)
        assert await store.quota() == Ledger(5000, 1234, T0, None)

    async def test_callers_at_once_get_no_more_than_is_left(self, store: ReputationStore):
        await store.record(QuotaState(100, 27), T0)
        denied = await asyncio.gather(*(store.reserve(T0, 20) for _ in range(30)))
        assert denied.count(None) == 7
        assert (await store.quota()).remaining == 20

    async def test_people_may_take_what_alerts_must_leave(self, store: ReputationStore):
        await store.record(QuotaState(100, 20), T0)
        assert await store.reserve(T0, 20) == Denied(T0 + timedelta(hours=1), kept_for_people=True)
        assert await store.reserve(T0, 0) is None

    async def test_a_closed_ledger_opens_by_itself_with_the_whole_limit(self, store: ReputationStore):
        reset = T0 + timedelta(hours=3)
        await store.record(QuotaState(100, 0), T0)
        await store.close(reset)
        assert await store.reserve(reset - timedelta(seconds=1), 0) == Denied(reset, kept_for_people=False)
        assert await store.reserve(reset, 20) is None
        assert await store.quota() == Ledger(100, 99, reset, None)
