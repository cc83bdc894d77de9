"""SQLite as the durable engine needs it.

The engine's tables default their times to `unixepoch('subsec')`, which SQLite older than 3.42 answers with NULL; Debian
12 ships 3.40. Older libraries get that function from Python. https://www.sqlite.org/lang_datefunc.html
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from bot.errors import StoreError

_OLDEST = (3, 35, 0)  # RETURNING: https://www.sqlite.org/lang_returning.html
_KNOWS_SUBSEC = (3, 42, 0)

PRAGMAS = (
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_mode=WAL",
    # NORMAL can lose the last commits when power fails: a lost alert, or one posted twice.
    "PRAGMA synchronous=FULL",
)


def require_supported_sqlite(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> None:
    """Raise StoreError when this Python's SQLite is too old for the engine."""
    if version < _OLDEST:
        found = ".".join(map(str, version))
        raise StoreError(
            f"This Python has SQLite {found}; Tocsin needs 3.35 or newer. Use a newer Python or PostgreSQL."
        )


def prepare_connections(engine: sa.Engine) -> None:
    """Give every new connection of a SQLite engine the settings that the durable engine relies on."""

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        if sqlite3.sqlite_version_info < _KNOWS_SUBSEC:
            connection.create_function("unixepoch", -1, unixepoch)
        for pragma in PRAGMAS:
            connection.execute(pragma)


def unixepoch(*arguments: str) -> float | int:
    """What SQLite 3.42 answers for the present moment, whole seconds unless 'subsec' is asked for."""
    now = time.time()
    return now if "subsec" in arguments or "subsecond" in arguments else int(now)


def sqlite_engine(path: str) -> sa.Engine:
    """A synchronous engine on the file at `path`, ready to be handed to the durable engine."""
    require_supported_sqlite()
    engine = sa.create_engine(f"sqlite:///{path}", pool_size=10, max_overflow=10)
    prepare_connections(engine)
    return engine
