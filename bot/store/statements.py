"""The statements that the two databases spell differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_new(connection: AsyncConnection, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there; whether it was inserted."""
    return bool(await insert_new_rows(connection, table, [values], next(iter(table.primary_key))))


async def insert_new_rows(
    connection: AsyncConnection, table: sa.Table, rows: Sequence[Mapping[str, Any]], key: sa.Column[Any]
) -> list[Any]:
    """Insert the rows whose keys are not there yet; the value of column `key` of each that was inserted."""
    if not rows:
        return []
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).on_conflict_do_nothing().returning(key)
    return list((await connection.execute(statement, list(rows))).scalars())
