"""Migrations: they make the tables that the code expects, once, and leave the durable engine's alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.domain.work import Job
from bot.engine.durable import DurableEngine, Queue
from bot.errors import StoreError
from bot.store.database import Database, migration_engine
from bot.store.schema import HEAD, alembic_config, configured, is_current, upgrade
from bot.store.store import SqlStore
from bot.store.tables import metadata
from tests.store import databases
from tests.store.databases import postgres_stops_with_the_session  # noqa: F401 - a fixture


@pytest.fixture(params=[databases.empty_sqlite, databases.empty_postgres], ids=lambda url: url.__name__)
def url(request) -> Iterator[str]:
    with request.param() as made:
        yield made


def differences(url: str) -> list[object]:
    made: dict[str, object] = {}

    class Asked:
        def configure(self, **options: object) -> None:
            made.update(options)

    engine = migration_engine(url)
    with engine.connect() as connection:
        configured(Asked(), connection)
        made.pop("connection")
        context = MigrationContext.configure(connection, opts={**made, "compare_server_default": True})
        found = compare_metadata(context, metadata)
    engine.dispose()
    return list(found)


def tables(url: str) -> set[str]:
    engine = migration_engine(url)
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_what_the_migrations_make_is_what_the_code_expects(url: str) -> None:
    upgrade(url)
    assert differences(url) == []
    assert set(metadata.tables) == {name for name in tables(url) if name.startswith("tocsin_")} - {"tocsin_schema"}


def test_a_second_upgrade_does_nothing(url: str) -> None:
    assert not is_current(url)
    assert upgrade(url) == ["0001"]
    assert is_current(url)
    assert upgrade(url) == []


def test_upgrades_at_once_happen_once(url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(upgrade, [url] * 3))
    assert sorted(done) == [[], [], ["0001"]]
    assert is_current(url)


def test_this_release_knows_its_last_revision(url: str) -> None:
    engine = migration_engine(url)
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(alembic_config(connection))
    engine.dispose()
    assert script.get_heads() == [HEAD]


def test_a_database_of_a_newer_release_is_refused_and_left_alone(url: str) -> None:
    upgrade(url)
    engine = migration_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tocsin_schema SET version_num = '9999'")
    engine.dispose()
    assert not is_current(url)
    with pytest.raises(StoreError, match=r"revision 9999.*newer release"):
        upgrade(url)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"postgresql://u:\*+@127\.0\.0\.1:1/d does not answer") as failed:
        upgrade("postgresql://u:hunter2@127.0.0.1:1/d")
    assert "hunter2" not in str(failed.value)


def test_a_failed_upgrade_leaves_no_table_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = migration_engine(url)
    with engine.begin() as connection:
        # In the way of the last table that the first revision makes.
        connection.exec_driver_sql("CREATE TABLE tocsin_audit_head (mine INTEGER)")
    engine.dispose()
    with pytest.raises(sa.exc.DBAPIError):
        upgrade(url)
    assert tables(url) == {"tocsin_audit_head"}


def test_looking_whether_tables_are_current_does_not_import_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from bot.store.schema import is_current; from bot.store.store import SqlStore;"
        f"assert not is_current('sqlite:///{tmp_path}/t.db');"
        "assert not {'alembic', 'dbos'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True, timeout=60)


async def test_the_durable_engines_tables_are_beside_ours_and_nobody_touches_them() -> None:
    ran = asyncio.Event()

    async def handler(key: str) -> None:
        assert key == "kept"
        ran.set()

    with databases.empty_sqlite() as url:
        await asyncio.to_thread(upgrade, url)
        database = Database(url)
        sync = database.sync_engine()
        queue = Queue("fast")
        engine = DurableEngine(sync, handlers={"work": handler}, queues=[queue])
        await engine.start()
        store = SqlStore(database, audit_key=None, enqueue=engine.enqueue)
        try:
            with pytest.raises(ZeroDivisionError):
                await enqueues_and_fails(store)
            async with store.write() as tx:
                await tx.enqueue(Job("work", "kept", "fast"))
                await tx.enqueue(Job("work", "kept", "fast"))
            async with asyncio.timeout(20):
                await ran.wait()
        finally:
            await engine.stop()
            sync.dispose()
            await database.close()
        assert "workflow_status" in tables(url)
        assert differences(url) == []
        assert upgrade(url) == []


async def enqueues_and_fails(store: SqlStore) -> None:
    async with store.write() as tx:
        await tx.enqueue(Job("work", "lost", "fast"))
        raise ZeroDivisionError
