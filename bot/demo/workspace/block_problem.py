"""One thing that is wrong with blocks, and the small checks that all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.demo.workspace import limits


@dataclass(frozen=True, slots=True)
class BlockProblem:
    """`pointer` is a JSON pointer into the blocks; `message` says what is wrong and which limit it breaks."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


def check_text(value: Any, where: str, limit: int, *, plain_only: bool = False) -> Iterator[BlockProblem]:
    """A text object: known type, not empty, not too long, plain_text where Slack allows nothing else."""
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        yield BlockProblem(where, "must be a text object")
        return
    kind = value.get("type")
    if kind not in {"plain_text", "mrkdwn"}:
        yield BlockProblem(f"{where}/type", f"unknown text type {kind!r}")
    elif plain_only and kind != "plain_text":
        yield BlockProblem(f"{where}/type", "must be plain_text here")
    yield from check_length(value["text"], f"{where}/text", limit)


def check_length(value: Any, where: str, limit: int, *, smallest: int = 1) -> Iterator[BlockProblem]:
    """A string of `smallest` to `limit` characters."""
    if not isinstance(value, str):
        yield BlockProblem(where, "must be a string")
    elif len(value) < smallest:
        yield BlockProblem(where, "must not be empty")
    elif len(value) > limit:
        yield BlockProblem(where, f"must be less than {limit + 1} characters, has {len(value)}")


def check_items(value: Any, where: str, most: int) -> Iterator[BlockProblem]:
    """A list of one to `most` items."""
    if not isinstance(value, list) or not value:
        yield BlockProblem(where, "must be a list with at least one item")
    elif len(value) > most:
        yield BlockProblem(where, f"must have at most {most} items, has {len(value)}")


def check_url(value: Any, where: str) -> Iterator[BlockProblem]:
    """A web address."""
    yield from check_length(value, where, limits.URL)
    if isinstance(value, str) and not value.startswith(("http://", "https://", "mailto:", "slack:")):
        yield BlockProblem(where, "must be a valid URL")
