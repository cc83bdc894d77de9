"""Reading KQL just far enough to pin its clock and to tell what kind of rule it is.

Nothing here parses KQL: strings and comments are blanked out, and the rest is scanned. String forms are those of
https://learn.microsoft.com/kusto/query/scalar-data-types/string.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

_TEXT = re.compile(
    r"""//[^\n]*
    | ```.*?(?:```|\Z) | ~~~.*?(?:~~~|\Z)
    | @'(?:''|[^'\n])*'? | @"(?:""|[^"\n])*"?
    | '(?:\\.|[^'\\\n])*'? | "(?:\\.|[^"\\\n])*"?
    """,
    re.VERBOSE | re.DOTALL,
)
# After `..` in a between range the call is a call; after one dot it is the member of something else.
_CALL = re.compile(r"(?:(?<![\w.])|(?<=\.\.))(ago|now)\s*\(")
_MOVING = re.compile(r"(?<!\w)(?:ago|now|ingestion_time|externaldata)\s*\(")
_LET = re.compile(r"\s*let\s+[\w\[\]\s]+=")
_SOURCE = re.compile(r"\s*[A-Za-z_]\w*\s*")
_OPERATOR = re.compile(r"\s*([a-z]+(?:-[a-z]+){0,2})(?![\w-])")
_ROW_OPERATORS = frozenset(
    [
        "where",
        "filter",
        "extend",
        "project",
        "project-away",
        "project-keep",
        "project-rename",
        "project-reorder",
        "parse",
        "parse-where",
        "parse-kv",
        "mv-expand",
        "mvexpand",
    ]
)


def pin_clock(kql: str, clock: datetime) -> str:
    """The query with each now() and ago(x) replaced by a fixed moment; nothing else changes.

    now() becomes datetime(S), now(x) becomes (datetime(S) + (x)) and ago(x) becomes (datetime(S) - (x)), where S is
    `clock`, which must be aware. A call without its closing parenthesis is left for the engine to complain about.
    """
    if clock.tzinfo is None:
        raise ValueError("the clock of a query must know its time zone")
    mask = _masked(kql)
    closing = _closing_parentheses(mask)
    moment = f"datetime({clock.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%f')}Z)"
    edits: list[tuple[int, int, str]] = []
    for call in _CALL.finditer(mask):
        close = closing.get(call.end() - 1)
        if close is not None:
            edits += _edits(call, close, moment, empty=not mask[call.end() : close].strip())
    return _edited(kql, edits)


def classify(kql: str) -> Literal["row", "window"]:
    """Whether each row of the answer stands for one row of the log (`row`), or for the window asked about (`window`).

    A row query filters and reshapes one table: where, extend, project, parse and mv-expand, scalar lets, no ago() or
    now(). Whatever is not plainly that is a window query, which is the class that is never wrong, only dearer.
    """
    mask = _masked(kql)
    statements = [statement for statement in mask.split(";") if statement.strip()]
    if not statements or _MOVING.search(mask):
        return "window"
    *lets, body = statements
    if any("|" in let or not _LET.match(let) for let in lets):
        return "window"
    source, *steps = body.split("|")
    plain = _SOURCE.fullmatch(source) and all(map(_keeps_rows, steps))
    return "row" if plain else "window"


def _keeps_rows(step: str) -> bool:
    operator = _OPERATOR.match(step)
    return operator is not None and operator[1] in _ROW_OPERATORS and step.count("(") == step.count(")")


def _masked(kql: str) -> str:
    """The text with comments blanked out and of each string only a quote left, every character at its old place."""
    return _TEXT.sub(_blank, kql)


def _blank(match: re.Match[str]) -> str:
    blank = re.sub(r"[^\n]", " ", match[0])
    return blank if match[0].startswith("//") else '"' + blank[1:]


def _closing_parentheses(mask: str) -> dict[int, int]:
    """The place of each closing parenthesis by the place of its opening one."""
    pairs: dict[int, int] = {}
    open_at: list[int] = []
    for match in re.finditer(r"[()]", mask):
        if match[0] == "(":
            open_at.append(match.start())
        elif open_at:
            pairs[open_at.pop()] = match.start()
    return pairs


def _edits(call: re.Match[str], close: int, moment: str, *, empty: bool) -> list[tuple[int, int, str]]:
    if empty:
        return [(call.start(), close + 1, moment)] if call[1] == "now" else []
    sign = "+" if call[1] == "now" else "-"
    return [(call.start(), call.end(), f"({moment} {sign} ("), (close, close + 1, "))")]


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    pieces, done = [], 0
    for start, end, new in sorted(edits):
        pieces += [text[done:start], new]
        done = end
    return "".join([*pieces, text[done:]])
