"""JSON rows into typed DuckDB tables.

The database is locked from its first moment (no file or network access), so rows enter as bound parameters, never by a
path. All functions take a DuckDB connection inside a transaction of the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.errors import UnreadableLog
from bot.logs.files import Batch
from bot.logs.schemas import SHIPPED, type_by_suffix

_JSON_TYPES = {
    "BIGINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "VARCHAR": "VARCHAR",
    "OBJECT": "JSON",
    "ARRAY": "JSON",
}
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d.*"
Columns = dict[str, str]


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def create(connection: Any, table: str) -> Columns:
    """An empty `raw` table with the shipped columns, or with TimeGenerated alone."""
    columns = dict(SHIPPED.get(table, {"TimeGenerated": "TIMESTAMP"}))
    body = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    connection.execute(f"CREATE OR REPLACE TABLE raw.{quoted(table)} ({body})")
    return columns


def append(connection: Any, table: str, path: Path, columns: Columns, batch: Batch) -> Columns:
    """Insert `batch`, adding and widening columns as it needs. Answers the columns after it."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE incoming AS SELECT unnest(?::VARCHAR[]) AS j, unnest(?::BIGINT[]) AS line",
        [batch.rows, batch.lines],
    )
    _refuse_broken(connection, path)
    grown = _with_new(connection, table, path, columns)
    _refuse_untimed(connection, path)
    _insert(connection, table, grown)
    connection.execute("DROP TABLE incoming")
    return grown


def _first_line(connection: Any, condition: str) -> int | None:
    found = connection.execute(f"SELECT min(line) FROM incoming WHERE {condition}").fetchone()  # noqa: S608 - ours
    return None if found is None else found[0]


def _refuse_broken(connection: Any, path: Path) -> None:
    line = _first_line(connection, "NOT json_valid(j)")
    if line is not None:
        raise UnreadableLog(f"{path}:{line}: not valid JSON. Mend or remove the line; each line holds one JSON object.")
    line = _first_line(connection, "json_type(j) <> 'OBJECT'")
    if line is not None:
        raise UnreadableLog(f'{path}:{line}: not a JSON object. Each line holds one row as {{"column": value, …}}.')


def _refuse_untimed(connection: Any, path: Path) -> None:
    line = _first_line(connection, "try_cast(json_extract_string(j, '$.TimeGenerated') AS TIMESTAMPTZ) IS NULL")
    if line is not None:
        raise UnreadableLog(
            f"{path}:{line}: TimeGenerated is missing or not a time. "
            "Every row needs one such as 2026-01-31T09:00:00Z; without it no window can be cut."
        )


def _with_new(connection: Any, table: str, path: Path, columns: Columns) -> Columns:
    """The columns after this batch: unknown keys become columns, and columns that we inferred widen when they must."""
    shipped = SHIPPED.get(table, {"TimeGenerated": "TIMESTAMP"})
    keys = {key for (key,) in connection.execute("SELECT DISTINCT unnest(json_keys(j)) FROM incoming").fetchall()}
    grown = dict(columns)
    for name, kind in sorted(_kinds(connection, keys - shipped.keys() - {""}).items()):
        if name not in grown:
            _refuse_twin(path, name, grown)
            connection.execute(f"ALTER TABLE raw.{quoted(table)} ADD COLUMN {quoted(name)} {kind}")
            grown[name] = kind
        elif (wider := _wider(grown[name], kind)) != grown[name]:
            connection.execute(f"ALTER TABLE raw.{quoted(table)} ALTER {quoted(name)} TYPE {wider}")
            grown[name] = wider
    return grown


def _refuse_twin(path: Path, name: str, columns: Columns) -> None:
    for other in columns:
        if other.lower() == name.lower():
            raise UnreadableLog(
                f"{path}: columns {other} and {name} differ only in case, which local logs cannot hold. Rename one."
            )


def _kinds(connection: Any, names: set[str]) -> Columns:
    if not names:
        return {}
    found = connection.execute(
        "SELECT e.key, list(DISTINCT e.type), "
        "coalesce(bool_and(regexp_full_match(e.value->>'$', ?)) FILTER (e.type = 'VARCHAR'), false) "
        "FROM incoming, json_each(incoming.j) AS e WHERE list_contains(?::VARCHAR[], e.key) GROUP BY e.key",
        [_ISO, sorted(names)],
    ).fetchall()
    return {name: type_by_suffix(name) or _kind(set(types) - {"NULL"}, times) for name, types, times in found}


def _kind(types: set[str], times: bool) -> str:
    kinds = {_JSON_TYPES[name] for name in types}
    if kinds == {"VARCHAR"}:
        return "TIMESTAMP" if times else "VARCHAR"
    if kinds <= {"BIGINT", "DOUBLE"} and kinds:
        return "DOUBLE" if "DOUBLE" in kinds else "BIGINT"
    return kinds.pop() if len(kinds) == 1 else "VARCHAR"


def _wider(held: str, seen: str) -> str:
    if held == seen:
        return held
    return "DOUBLE" if {held, seen} == {"BIGINT", "DOUBLE"} else "VARCHAR"


def _insert(connection: Any, table: str, columns: Mapping[str, str]) -> None:
    names = ", ".join(quoted(name) for name in columns)
    cells = ", ".join(_cell(name, kind) for name, kind in columns.items())
    shape = _text(json.dumps({name: "VARCHAR" if kind == "TIMESTAMP" else kind for name, kind in columns.items()}))
    connection.execute(
        f"INSERT INTO raw.{quoted(table)} ({names}) "  # noqa: S608 - quoted identifiers, no values
        f"SELECT {cells} FROM (SELECT json_transform(j, {shape}) AS r FROM incoming ORDER BY line)"
    )


def _cell(name: str, kind: str) -> str:
    value = f"r.{quoted(name)}"
    if kind == "TIMESTAMP":
        return f"CAST(try_cast({value} AS TIMESTAMPTZ) AS TIMESTAMP)"
    if kind == "JSON":
        # Exports carry dynamic columns as text as often as they carry them as objects.
        return (
            f"CASE WHEN json_type({value}) = 'VARCHAR' AND json_valid({value}->>'$') "
            f"THEN ({value}->>'$')::JSON ELSE {value} END"
        )
    return value
