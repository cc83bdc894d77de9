"""The audit chain as it lies in the database: appended by many, changed by nobody."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.domain.audit import Entry, Head
from bot.domain.work import Job
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.store import SqlStore
from tests.store import databases
from tests.store.databases import postgres_stops_with_the_session  # noqa: F401 - a fixture

T0 = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)


class Word(enum.StrEnum):
    RED = "red"


@dataclass
class Chain:
    database: Database
    store: SqlStore

    async def add(self, count: int) -> None:
        async with self.store.write() as tx:
            for number in range(count):
                await tx.audit.append(Entry(T0, "U1", "a.b", "INC-A", {"n": number}, {}))

    async def by_hand(self, statement: str) -> None:
        async with self.database.write() as connection:
            await connection.exec_driver_sql(statement)

    async def without_guards(self, statement: str) -> None:
        sqlite = ["DROP TRIGGER tocsin_audit_no_update", "DROP TRIGGER tocsin_audit_no_delete"]
        drops = sqlite if self.database.is_sqlite else ["ALTER TABLE tocsin_audit DISABLE TRIGGER ALL"]
        for each in [*drops, statement]:
            await self.by_hand(each)


def no_jobs(connection: sa.Connection, job: Job) -> None:
    raise AssertionError(job)


@pytest.fixture(params=[databases.sqlite, databases.postgres], ids=lambda url: url.__name__)
async def chain(request) -> AsyncIterator[Chain]:
    with request.param() as url:
        database = Database(url)
        yield Chain(database, SqlStore(database, audit_key=SecretStr("key"), enqueue=no_jobs))
        await database.close()


async def test_fifty_at_once_make_one_chain(chain: Chain) -> None:
    await asyncio.gather(*(chain.add(1) for _ in range(50)))
    assert await chain.store.verify_chain() is None
    assert (await chain.store.audit_head()).seq == 50


async def test_an_empty_chain_stands(chain: Chain) -> None:
    assert await chain.store.verify_chain() is None
    assert await chain.store.audit_head() == Head()


async def test_a_chain_longer_than_what_is_read_at_once_stands(chain: Chain) -> None:
    await chain.add(1000)
    await chain.add(203)
    assert await chain.store.verify_chain() is None
    assert (await chain.store.audit_head()).seq == 1203


async def test_what_a_database_changes_on_the_way_does_not_break_a_seal(chain: Chain) -> None:
    odd = {"at": T0, "word": Word.RED, "tuple": (1, 2), "float": 1.0, 10: "ten", 9: "nine", "nul": "\x00\ud800"}
    async with chain.store.write() as tx:
        await tx.audit.append(Entry(T0, "U\x00", "a\ud800", "INC\x00", odd, {"x": {"y": None}}))
    assert await chain.store.verify_chain() is None
    async with chain.store.read() as tx:
        [entry] = await tx.audit.of(["INC\x00"])
    assert entry.before["at"] == "2026-03-04T05:06:07.000089+00:00"
    assert entry.before["tuple"] == [1, 2]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE tocsin_audit SET actor = 'U2'", "DELETE FROM tocsin_audit", "DELETE FROM tocsin_audit WHERE seq = 3"],
)
async def test_the_database_refuses_a_change(chain: Chain, statement: str) -> None:
    await chain.add(3)
    with pytest.raises(sa.exc.DBAPIError, match="only ever added to"):
        await chain.by_hand(statement)
    assert await chain.store.verify_chain() is None


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE tocsin_audit SET actor = 'U2' WHERE seq = 2", 2),
        ("UPDATE tocsin_audit SET before = '{\"n\": 7}' WHERE seq = 3", 3),
        ("UPDATE tocsin_audit SET before = 'no json' WHERE seq = 3", 3),
        ("UPDATE tocsin_audit SET at = 9223372036854775807 WHERE seq = 4", 4),
        ("DELETE FROM tocsin_audit WHERE seq = 2", 2),
        ("DELETE FROM tocsin_audit WHERE seq > 3", 4),
    ],
)
async def test_a_change_with_the_guards_off_is_found(chain: Chain, statement: str, where: int) -> None:
    await chain.add(5)
    await chain.without_guards(statement)
    found = await chain.store.verify_chain()
    assert found is not None
    assert found.seq == where


async def test_another_key_does_not_verify(chain: Chain) -> None:
    await chain.add(2)
    found = await SqlStore(chain.database, audit_key=None, enqueue=no_jobs).verify_chain()
    assert found is not None
    assert found.seq == 1


async def test_a_chain_without_its_end_takes_no_more(chain: Chain) -> None:
    await chain.by_hand("DELETE FROM tocsin_audit_head")
    with pytest.raises(StoreError, match="tocsin_audit_head"):
        await chain.add(1)
