"""Opening a database from its URL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.errors import StoreError
from bot.store.database import Database, migration_engine, parsed
from tests.store import databases
from tests.store.databases import postgres_stops_with_the_session  # noqa: F401 - a fixture

ENGINES = pytest.mark.parametrize(
    "opened", [databases.empty_sqlite, databases.empty_postgres], ids=lambda url: url.__name__
)


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        ("sqlite:///tocsin.db", "sqlite", "tocsin.db"),
        ("sqlite+aiosqlite:////var/lib/tocsin.db", "sqlite", "/var/lib/tocsin.db"),
        ("postgresql://u:p@h:5433/d", "postgresql", "d"),
        ("postgres://u:p@h/d", "postgresql", "d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql", "d"),
    ],
)
def test_urls_that_name_a_driver_or_not_are_the_same(url: str, kind: str, name: str) -> None:
    assert (parsed(url).drivername, parsed(url).database) == (kind, name)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "cannot be read"),
        ("", "cannot be read"),
        ("mysql://u:hunter2@h/d", "names a mysql database"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_what_cannot_be_used_is_refused_without_the_password(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as refused:
        parsed(url)
    assert "hunter2" not in str(refused.value)


async def test_a_database_that_does_not_answer_is_named_without_the_password() -> None:
    database = Database("postgresql://u:hunter2@127.0.0.1:1/d")
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/d does not answer") as failed:
        await database.ping()
    await database.close()
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize("open_it", [Database, migration_engine])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, open_it: Callable[[str], object]) -> None:
    with pytest.raises(StoreError, match=rf"there is no folder {tmp_path}/none\. Create it"):
        open_it(f"sqlite:///{tmp_path}/none/t.db")


@ENGINES
async def test_a_database_that_answers_is_well(opened: databases.Url) -> None:
    with opened() as url:
        database = Database(url)
        await database.ping()
        engine = database.sync_engine()
        with engine.connect() as connection:
            assert connection.scalar(sa.text("select 1")) == 1
        engine.dispose()
        await database.close()


@ENGINES
async def test_an_error_does_not_tell_what_was_written(opened: databases.Url) -> None:
    with opened() as url:
        database = Database(url)
        with pytest.raises(sa.exc.DBAPIError) as failed:
            await writes_to_nowhere(database)
        await database.close()
    assert "hunter2" not in str(failed.value)


async def writes_to_nowhere(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(sa.text("INSERT INTO nowhere VALUES (:word)"), {"word": "hunter2"})


async def test_sqlite_connections_have_the_engines_settings_and_its_clock() -> None:
    with databases.empty_sqlite() as url:
        database = Database(url)
        async with database.read() as connection:
            asked = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"]
            found = [(await connection.exec_driver_sql(f"PRAGMA {each}")).scalar_one() for each in asked]
            assert found == ["wal", 2, 1, 30_000]
            assert (await connection.exec_driver_sql("SELECT unixepoch('subsec')")).scalar_one() > 1.7e9
        await database.close()


async def test_a_sqlite_write_is_alone_from_its_first_statement_on() -> None:
    with databases.empty_sqlite() as url:
        database, other = Database(url), Database(url)
        order = []

        async def second() -> None:
            async with other.write():
                order.append("second")

        async with database.write():
            task = asyncio.create_task(second())
            await asyncio.sleep(0.1)
            order.append("first")
        await task
        await database.close()
        await other.close()
        assert order == ["first", "second"]
