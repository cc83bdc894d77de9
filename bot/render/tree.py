"""Rendered text to a tree of JSON whose shape only the template could decide.

While a template runs, every expression leaves a token (U+E000, a number, U+E001) in place of its value. The text is
parsed as JSON before any value is looked at; then each string is split into the template's own words and the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.render.fragments import Fragment, Kind

OPEN, CLOSE = "\ue000", "\ue001"
_TOKEN = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_STRING_OR_COMMAS = re.compile(r'"(?:\\.|[^"\\])*"|([\[{]\s*)?,[\s,]*([\]}])?', re.DOTALL)

Piece: TypeAlias = str | Fragment


class BadTree(ValueError):
    """Rendered text that is not the JSON it should be. `line` counts from 1 in the rendered text."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        self.sentence, self.line = sentence, line
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Text:
    """A JSON string with values in it: the template's words and the values, in order."""

    pieces: tuple[Piece, ...]


def token(values: list[Fragment], value: Fragment) -> str:
    """Keep `value` for later and answer the mark that stands for it."""
    values.append(value)
    return f"{OPEN}{len(values) - 1}{CLOSE}"


def parse(rendered: str, values: Sequence[Fragment]) -> Any:
    """The tree of `rendered`: strings without values stay str, strings with values are Text.

    Commas too many before a bracket or after another comma are forgiven: loops leave them. Raises BadTree.
    """
    try:
        tree = json.loads(_tidy_commas(rendered), object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        near = _TOKEN.sub("{{…}}", error.doc[max(0, error.pos - 40) : error.pos + 20]).replace(OPEN, "").strip()
        raise BadTree(f"the result is not JSON: {error.msg}, near `{near}`", error.lineno) from error
    except RecursionError as error:
        raise BadTree("the result is nested too deeply") from error
    return _with_values(tree, values)


def _tidy_commas(text: str) -> str:
    return _STRING_OR_COMMAS.sub(lambda m: m[0] if m[0][0] == '"' else _comma(m), text)


def _comma(match: re.Match[str]) -> str:
    before, after = match[1] or "", match[2] or ""
    lines = "\n" * match[0].count("\n")  # the line that an error names stays right
    return before.strip() + lines + after if before or after else "," + lines


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if OPEN in key or CLOSE in key:
            raise BadTree("a value cannot be the name of a key: write the key in the template")
        if key in made:
            raise BadTree(f"the key `{key}` stands twice in one object")
        made[key] = value
    return made


def _no_constant(name: str) -> Any:
    raise BadTree(f"`{name}` is not JSON")


def _with_values(node: Any, values: Sequence[Fragment]) -> Any:
    if isinstance(node, dict):
        return {key: _with_values(child, values) for key, child in node.items()}
    if isinstance(node, list):
        return [_with_values(child, values) for child in node]
    return _text(node, values) if isinstance(node, str) else node


def _text(string: str, values: Sequence[Fragment]) -> Any:
    if OPEN not in string:
        return string
    split = _TOKEN.split(string)
    pieces = [_value(word, values) if odd % 2 else word for odd, word in enumerate(split)]
    kept = tuple(piece for piece in pieces if piece != "")
    only = kept[0] if len(kept) == 1 else None
    if isinstance(only, Fragment) and only.kind is Kind.LITERAL:
        return only.literal
    return Text(kept)


def _value(index: str, values: Sequence[Fragment]) -> Fragment:
    if int(index) >= len(values):
        raise BadTree("the template writes a private-use character that stands for a value")
    return values[int(index)]
