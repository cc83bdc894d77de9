"""Brings a database's tables to this release, and tells whether they are there.

Alembic is imported only when something is to be done: a start with current tables costs one select.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import StoreError
from bot.store.database import migration_engine, unreachable
from bot.store.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The last revision of this release."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION_TABLE = "tocsin_schema"
# Any number that nobody else on the server uses: "tocsin" in ASCII.
_LOCK = 0x746F6373696E


def is_current(database_url: str) -> bool:
    """Whether the tables are those of this release. Raises StoreError when the database cannot be asked."""
    with _opened(database_url) as connection:
        return _revision(connection) == HEAD


def upgrade(database_url: str) -> list[str]:
    """Bring the tables to this release, whole or not at all; the revisions that this took, oldest first.

    Blocks. Of several processes that start at once one does the work and the others wait for it. Raises StoreError
    when the database cannot be asked, or a newer release has been at it.
    """
    with _opened(database_url) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        before = _revision(connection)
        return [] if before == HEAD else _upgraded(connection, before)


@contextlib.contextmanager
def _opened(database_url: str) -> Iterator[sa.Connection]:
    engine = migration_engine(database_url)
    try:
        try:
            connection = engine.connect()
        except SQLAlchemyError as failed:
            raise unreachable(engine.url, failed) from failed
        with connection:
            yield connection
    finally:
        engine.dispose()


def configured(context: Any, connection: sa.Connection) -> None:
    """Configure an Alembic environment for our tables: those of the durable engine are none of its business."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=_VERSION_TABLE,
        render_as_batch=True,
        include_name=_is_ours,
        transactional_ddl=True,
    )


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or (name or "").startswith("tocsin_")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    version = sa.table(_VERSION_TABLE, sa.column("version_num", sa.Text))
    return connection.scalar(sa.select(version.c.version_num))


def _upgraded(connection: sa.Connection, before: str | None) -> list[str]:
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(connection)
    script = ScriptDirectory.from_config(config)
    known = [each.revision for each in reversed(list(script.walk_revisions()))]
    if before is not None and before not in known:
        raise StoreError(
            f"The database's tables are of revision {before}, which this release does not know: a newer release has "
            f"been at it. Start that release, or restore the backup from before its upgrade."
        )
    command.upgrade(config, "head")
    return known if before is None else known[known.index(before) + 1 :]


def alembic_config(connection: sa.Connection) -> Config:
    """Alembic's configuration for this connection, without any file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
