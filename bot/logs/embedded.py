"""KQL over log files in a folder, by DuckDB and duckdb-kql. The only module that imports them, and only when used."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.table import Table, Window
from bot.errors import SourceUnavailable, UnreadableLog
from bot.logs import files, loading
from bot.logs.files import Batch, JsonLines, Mark, Stamp
from bot.logs.normal import cell, dynamic
from bot.logs.refusals import in_words, refuse_command
from bot.logs.schemas import SHIPPED

MAX_ROWS = 500_000
"""As many rows as Log Analytics answers: https://learn.microsoft.com/azure/azure-monitor/service-limits."""

_INTERRUPT_EVERY = 0.05
_CONCURRENT = 2
_WILDCARD = re.compile(r"\b(union|find|search)\b[^;]*\*|\bsearch\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Held:
    """A table as it is in the database: its columns, the file it came from, and how far that was read."""

    columns: dict[str, str]
    path: Path | None = None
    stamp: Stamp | None = None
    mark: Mark = field(default_factory=Mark)


class EmbeddedLogs:
    """A LogSource over `<Table>.jsonl`, `<Table>.parquet` and `<Table>.csv` in `folder`.

    A file is read when a query names its table, and again when it changed. A table whose columns Tocsin ships and whose
    file is absent is empty. A query sees no file, no network and no row outside its window; one that runs longer than
    `timeout` (reading of files and waiting for a turn not counted) raises SourceUnavailable once the engine let go of
    it, which takes longest inside a `range` of many millions. The text goes to the engine unchanged.
    """

    def __init__(self, folder: Path, *, timeout: timedelta) -> None:
        import duckdb
        import duckdb_kql

        self._folder, self._timeout = folder, timeout.total_seconds()
        self._duckdb, self._kql = duckdb, duckdb_kql
        self._database = _locked(duckdb)
        self._held: dict[str, _Held] = {}
        self._loading = threading.Lock()
        # Each query uses all cores already, and the threads of the process serve people too.
        self._slots = asyncio.Semaphore(_CONCURRENT)

    async def query(self, kql: str, *, window: Window, clock: datetime) -> Table:
        """See `LogSource.query`."""
        refuse_command(kql)
        async with self._slots:
            await asyncio.to_thread(self._refresh, kql)
            return await self._bounded(kql, window, clock)

    async def aclose(self) -> None:
        """Close the database. Queries must have ended."""
        await asyncio.to_thread(self._database.close)

    async def _bounded(self, kql: str, window: Window, clock: datetime) -> Table:
        cursor = self._database.cursor()
        running = asyncio.create_task(asyncio.to_thread(self._answer, cursor, kql, window, clock))
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.shield(running)
        except TimeoutError:
            raise SourceUnavailable(
                f"The query ran longer than {self._timeout:g} s on the local logs and was stopped. "
                "Narrow it, or shorten its period."
            ) from None
        finally:
            await _ended(running, cursor)

    def _answer(self, cursor: Any, kql: str, window: Window, clock: datetime) -> Table:
        try:
            schema = self._prepare(cursor, window)
            sql = self._kql.to_sql(kql, schema=schema, query_now=clock, allow_write=False)
            cursor.execute(sql, sql.parameters)
            return _table(cursor)
        except (self._duckdb.Error, self._kql.KqlError, RecursionError) as error:
            raise in_words(error, kql, self._folder) from error

    def _prepare(self, cursor: Any, window: Window) -> dict[str, list[str]]:
        # Under the lock and in a transaction, so that a reload beside us changes neither the columns nor the rows.
        with self._loading:
            cursor.execute("BEGIN")
            for table, known in self._held.items():
                cursor.execute(_view(table, known.columns, window))
            return {table: list(known.columns) for table, known in self._held.items()}

    def _refresh(self, kql: str) -> None:
        with self._loading:
            present = files.tables_in(self._folder)
            every = bool(_WILDCARD.search(kql))
            for table in sorted(present.keys() | SHIPPED.keys() | self._held.keys()):
                if every or re.search(rf"(?<!\w){table}(?!\w)", kql):
                    self._bring_up_to_date(table, present.get(table))

    def _bring_up_to_date(self, table: str, path: Path | None) -> None:
        held = self._held.get(table)
        now = files.stamp(path) if path else None
        if held is not None and held.path == path and held.stamp == now:
            return
        cursor = self._database.cursor()
        try:
            cursor.execute("BEGIN")
            after = _load(cursor, table, path, now, held) if path and now else _absent(cursor, table)
            cursor.execute("COMMIT")
        except self._duckdb.Error as error:
            raise UnreadableLog(f"{path}: cannot be read ({str(error).splitlines()[0]}). Export it again.") from error
        finally:
            cursor.close()
        if after is None:
            self._held.pop(table, None)
        else:
            self._held[table] = after


def _locked(duckdb: Any) -> Any:
    # A query is text that somebody else wrote: it reaches neither files, nor the network, nor our variables.
    database = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    database.execute("SET GLOBAL python_enable_replacements = false")
    database.execute("CREATE SCHEMA raw")
    database.execute("SET GLOBAL lock_configuration = true")
    return database


async def _ended(running: asyncio.Task[Table], cursor: Any) -> None:
    """Wait until the thread let go of the cursor. An interrupt that comes between two statements is lost: repeat it."""
    while not running.done():
        cursor.interrupt()
        await asyncio.wait({running}, timeout=_INTERRUPT_EVERY)
    if not running.cancelled():
        running.exception()
    cursor.close()


def _absent(cursor: Any, table: str) -> _Held | None:
    if table in SHIPPED:
        return _Held(loading.create(cursor, table))
    cursor.execute(f"DROP TABLE IF EXISTS raw.{loading.quoted(table)}")
    return None


def _load(cursor: Any, table: str, path: Path, now: Stamp, held: _Held | None) -> _Held:
    goes_on = held is not None and _goes_on(held, path, now)
    columns = held.columns if held and goes_on else loading.create(cursor, table)
    if path.suffix != ".jsonl":
        for batch in files.csv_rows(path) if path.suffix == ".csv" else _parquet_rows(path):
            columns = loading.append(cursor, table, path, columns, batch)
        return _Held(columns, path, now)
    lines = JsonLines(path, held.mark if held and goes_on else Mark())
    for batch in lines:
        if batch.rows:
            columns = loading.append(cursor, table, path, columns, batch)
    return _Held(columns, path, now, lines.mark)


def _goes_on(held: _Held, path: Path, now: Stamp) -> bool:
    same = held.path == path and path.suffix == ".jsonl" and held.stamp is not None
    return same and held.stamp.inode == now.inode and files.only_grew(path, held.mark, now.size)  # type: ignore[union-attr]


def _parquet_rows(path: Path) -> Iterator[Batch]:
    """The rows of a Parquet file as JSON, read by a database of its own: the one for queries may not read files."""
    import duckdb

    with duckdb.connect(":memory:") as reader:
        reader.execute("SET TimeZone = 'UTC'")
        reader.execute("SELECT to_json(t)::VARCHAR FROM read_parquet(?) AS t", [str(path)])
        start = 1
        while rows := reader.fetchmany(50_000):
            yield Batch([row for (row,) in rows], list(range(start, start + len(rows))))
            start += len(rows)


def _view(table: str, columns: dict[str, str], window: Window) -> str:
    # Strings are never null in Kusto: https://learn.microsoft.com/kusto/query/scalar-data-types/null-values
    filled = [name for name, kind in columns.items() if kind == "VARCHAR"]
    replaced = ", ".join(f"coalesce({loading.quoted(name)}, '') AS {loading.quoted(name)}" for name in filled)
    chosen = f"* REPLACE ({replaced})" if replaced else "*"
    return (
        f"CREATE TEMP VIEW {loading.quoted(table)} AS SELECT {chosen} FROM raw.{loading.quoted(table)} "  # noqa: S608
        f"WHERE TimeGenerated >= {_moment(window.start)} AND TimeGenerated < {_moment(window.end)}"
    )


def _moment(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a window needs aware times")
    return f"TIMESTAMP '{moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')}'"


def _table(cursor: Any) -> Table:
    names = tuple(column[0] for column in cursor.description)
    parse = [dynamic if str(column[1]) == "JSON" else cell for column in cursor.description]
    found = cursor.fetchmany(MAX_ROWS + 1)
    rows = tuple(
        {name: read(value) for name, read, value in zip(names, parse, row, strict=True)} for row in found[:MAX_ROWS]
    )
    cut = len(found) > MAX_ROWS
    return Table(names, rows, cut, f"The answer was cut at {MAX_ROWS} rows: narrow the query." if cut else "")
