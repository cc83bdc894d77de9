"""What the embedded engine says when it refuses a query, in words for the author of the rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bot.errors import QueryRefused, SourceError, SourceUnavailable

_ELSEWHERE = "Rewrite that part, or run the rule against Azure (LOG_ANALYTICS_WORKSPACE_ID)."
_LINE_COMMENT_OR_SPACE = re.compile(r"\s+|//[^\n]*(\n|$)")
_BUSY = {"IOException", "OutOfMemoryException", "TransactionException", "InterruptException"}


def refuse_command(kql: str) -> None:
    """Control commands (`.show`, `.drop`) are no queries: the Log Analytics API has none either."""
    start = 0
    while match := _LINE_COMMENT_OR_SPACE.match(kql, start):
        start = match.end()
    if kql.startswith(".", start):
        raise QueryRefused(f"{_where(kql, start)}: commands that begin with a dot are not queries. Remove it.")


def in_words(error: Exception, kql: str, folder: Path) -> SourceError:
    """The error of the translator or the database as one of ours, with line:column (from 1) where known."""
    name = type(error).__name__
    if name == "KqlSyntaxError":
        return _syntax(error, kql)
    if name == "KqlUnsupportedError":
        return _unsupported(error)
    if name in ("CatalogException", "KqlSchemaError"):
        return _table(error, kql, folder)
    if name == "BinderException":
        return _column(error, kql)
    if name == "RecursionError":
        return QueryRefused("The query is nested too deeply for the embedded log source. Split it with let statements.")
    if name in _BUSY:
        return SourceUnavailable(f"The embedded log source stopped the query ({_first(error)}). Narrow it and retry.")
    return QueryRefused(f"The query cannot be run on these rows: {_first(error)}.")


def _syntax(error: Any, kql: str) -> QueryRefused:
    if not error.diagnostics:
        return QueryRefused("The query cannot be parsed. Check its syntax.")
    span = error.diagnostics[0].span
    lines = kql.splitlines() or [""]
    line = lines[min(span.line, len(lines)) - 1]
    return QueryRefused(
        f"{span.line}:{span.column + 1}: the query cannot be parsed here. Check the syntax.\n"
        f"    {line[:200]}\n    {' ' * span.column}^"
    )


def _unsupported(error: Any) -> QueryRefused:
    construct = str(error.construct).split(":")[-1]
    where = f"{error.span.line}:{error.span.column + 1}: " if error.span else ""
    return QueryRefused(f"{where}`{construct}` is not supported by the embedded log source. {_ELSEWHERE}")


def _table(error: Exception, kql: str, folder: Path) -> QueryRefused:
    found = re.search(r"Table with name (.+?) does not exist|schema error for '(.+?)' \(unknown table", str(error))
    if found is None:
        return QueryRefused(f"The query cannot be bound: {_first(error)}. {_ELSEWHERE}")
    table = found[1] or found[2]
    if re.search(rf"\blet\s+{re.escape(table)}\s*=", kql):
        # The translator names the variable when it cannot know the columns of what the variable reads.
        return QueryRefused(
            f"{_place(kql, table)}{table} reads a table that {folder} does not hold. Put each table that the query "
            "names there, as <Table>.jsonl."
        )
    return QueryRefused(
        f"{_place(kql, table)}there is no table {table}. Correct the name, or put {table}.jsonl into {folder}."
    )


def _column(error: Exception, kql: str) -> QueryRefused:
    found = re.search(r'(?:Referenced column|column named) "(.+?)"', str(error))
    if found is None:
        return QueryRefused(f"The query does not fit the columns: {_first(error)}.")
    return QueryRefused(f"{_place(kql, found[1])}there is no column {found[1]} at this point. Correct the name.")


def _place(kql: str, name: str) -> str:
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", kql)
    return f"{_where(kql, found.start())}: " if found else ""


def _where(kql: str, offset: int) -> str:
    before = kql[:offset]
    return f"{before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
