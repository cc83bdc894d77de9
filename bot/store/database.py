"""One database, opened from its URL: a SQLite file or PostgreSQL, read and written the same way.

A SQLite file holds the durable engine's tables too, so both sides use the same settings. PostgreSQL connections notice
within about a minute that the other side is gone: https://www.postgresql.org/docs/current/libpq-connect.html
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.engine.sqlite import prepare_connections, require_supported_sqlite, sqlite_engine
from bot.errors import StoreError

_READS = "tocsin_reads"
_KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
_POOL: dict[str, Any] = {"pool_size": 5, "max_overflow": 5}
# Errors go to logs; what people and log rows say must not.
_QUIET: dict[str, Any] = {"hide_parameters": True}


def parsed(url: str) -> sa.URL:
    """The URL with the driver's name left out. Raises StoreError, without the password, when it cannot be used."""
    try:
        made = sa.make_url(url)
    except ArgumentError:
        raise StoreError(
            "DATABASE_URL cannot be read. Use sqlite:///tocsin.db or postgresql://user:password@host/database."
        ) from None
    kind = made.get_backend_name()
    if kind in ("postgresql", "postgres"):
        return made.set(drivername="postgresql")
    if kind != "sqlite":
        raise StoreError(f"DATABASE_URL names a {kind} database; Tocsin works with sqlite and postgresql.")
    if made.database in (None, "", ":memory:"):
        raise StoreError("DATABASE_URL names a SQLite database in memory; Tocsin needs a file: sqlite:///tocsin.db")
    return made.set(drivername="sqlite")


def migration_engine(url: str) -> sa.Engine:
    """A synchronous engine on which a transaction, changes of tables included, happens whole or not at all."""
    made = parsed(url)
    if made.drivername == "postgresql":
        return sa.create_engine(made.set(drivername="postgresql+psycopg"), connect_args=_KEEPALIVE, **_QUIET)
    engine = sqlite_engine(_sqlite_file(made))
    _begin_explicitly(engine)
    return engine


def unreachable(url: sa.URL, failed: Exception) -> StoreError:
    """The error for a database that does not answer, without the password."""
    where = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
    return StoreError(f"The database {where} does not answer: {failed}. Check DATABASE_URL.")


class Database:
    """The connections of one process. Create it anywhere, use it in one loop, and close it there.

    Raises StoreError when the URL cannot be used, or names a file in a folder that does not exist.
    """

    def __init__(self, url: str) -> None:
        self._url = parsed(url)
        self._engine = _async_engine(self._url)
        reads: dict[str, Any] = {_READS: True}
        self._writing: AbstractAsyncContextManager[Any] = contextlib.nullcontext()
        if self.is_sqlite:
            # SQLite has one writer at a time: waiting here costs nothing, waiting there is polling.
            self._writing = asyncio.Lock()
        else:
            reads = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self._engine.execution_options(**reads)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self._url.drivername == "sqlite"

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change things; on SQLite it is alone from its first statement on."""
        async with self._writing, self._engine.begin() as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one moment of the database, and is refused any change of it."""
        async with self._reader.begin() as connection:
            yield connection

    async def ping(self) -> None:
        """Raise StoreError when the database does not answer."""
        try:
            async with self._reader.connect() as connection:
                await connection.execute(sa.select(1))
        except (SQLAlchemyError, OSError) as failed:
            raise unreachable(self._url, failed) from failed

    def sync_engine(self) -> sa.Engine:
        """A new engine on the same database for the durable engine. Whoever asked for it disposes of it."""
        if self.is_sqlite:
            return sqlite_engine(_sqlite_file(self._url))
        url = self._url.set(drivername="postgresql+psycopg")
        return sa.create_engine(url, connect_args=_KEEPALIVE, pool_pre_ping=True, **_POOL, **_QUIET)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def _sqlite_file(url: sa.URL) -> str:
    file = Path(str(url.database))
    if not file.parent.is_dir():
        raise StoreError(f"DATABASE_URL names {file}, but there is no folder {file.parent}. Create it.")
    return str(file)


def _async_engine(url: sa.URL) -> AsyncEngine:
    if url.drivername == "postgresql":
        psycopg = url.set(drivername="postgresql+psycopg")
        return create_async_engine(psycopg, connect_args=_KEEPALIVE, pool_pre_ping=True, **_POOL, **_QUIET)
    require_supported_sqlite()
    file = url.set(drivername="sqlite+aiosqlite", database=_sqlite_file(url))
    engine = create_async_engine(file, **_POOL, **_QUIET)
    prepare_connections(engine.sync_engine)
    _begin_explicitly(engine.sync_engine)
    return engine


def _begin_explicitly(engine: sa.Engine) -> None:
    """Begin where SQLAlchemy says so. Python's driver begins before the first write: after what was read for it.

    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#sqlite-transactions
    """

    @event.listens_for(engine, "connect")
    def _leave_it_to_us(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get(_READS, False):
            connection.exec_driver_sql("PRAGMA query_only=ON")
            connection.exec_driver_sql("BEGIN DEFERRED")
        else:
            connection.exec_driver_sql("PRAGMA query_only=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
