"""Log files on disk as lines of JSON, read from where the last reading stopped."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import UnreadableLog

SUFFIXES = (".jsonl", ".parquet", ".csv")
_BATCH_BYTES = 16 * 1024 * 1024
_BATCH_ROWS = 50_000
_PROBE = 4096
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file changed: size in bytes, modification time in ns, identity on the disk."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a JSONL file was read: `offset` in bytes, `newlines` passed, and the bytes at both ends."""

    offset: int = 0
    newlines: int = 0
    head: bytes = b""
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as JSON text, each with its line in the file (counted from 1)."""

    rows: list[str]
    lines: list[int]


def tables_in(folder: Path) -> dict[str, Path]:
    """Table name to file. Two files for one table are refused, because nobody could say which one counts."""
    found: dict[str, Path] = {}
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UnreadableLog(f"{folder}: cannot list the log folder ({error.strerror}). Check LOGS_PATH.") from error
    for path in entries:
        if path.suffix not in SUFFIXES or not _TABLE_NAME.fullmatch(path.stem):
            continue
        if path.stem in found:
            raise UnreadableLog(f"{path}: {found[path.stem].name} holds the same table. Keep one of the two files.")
        found[path.stem] = path
    return found


def stamp(path: Path) -> Stamp:
    """The present stamp of `path`."""
    try:
        stat = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return Stamp(stat.st_size, stat.st_mtime_ns, stat.st_ino)


def unreadable(path: Path, error: OSError) -> UnreadableLog:
    """The error for a file that the system does not let us read."""
    return UnreadableLog(
        f"{path}: cannot be read ({error.strerror}). Check that the file is there and its permissions."
    )


def only_grew(path: Path, mark: Mark, size: int) -> bool:
    """Whether the part of a JSONL file that was already read still stands, so that reading may go on at the mark."""
    if size <= mark.offset:
        return False
    with path.open("rb") as file:
        if file.read(len(mark.head)) != mark.head:
            return False
        file.seek(mark.offset - len(mark.tail))
        return file.read(len(mark.tail)) == mark.tail


class JsonLines:
    """The rows of a JSONL file from `mark` on. After the iteration `mark` tells where the next reading starts.

    A last line without its newline is taken when it is a whole JSON object, and otherwise left for the next reading:
    somebody is still writing it.
    """

    def __init__(self, path: Path, mark: Mark) -> None:
        self._path, self.mark = path, mark

    def __iter__(self) -> Iterator[Batch]:
        try:
            with self._path.open("rb") as file:
                file.seek(self.mark.offset)
                while chunk := self._whole_lines(file.read(_BATCH_BYTES), file):
                    yield self._batch(chunk)
        except OSError as error:
            raise unreadable(self._path, error) from error

    def _whole_lines(self, chunk: bytes, file: Any) -> bytes:
        if not chunk.endswith(b"\n"):
            chunk += file.readline()
        if chunk and not chunk.endswith(b"\n"):
            kept, newline, last = chunk.rpartition(b"\n")
            chunk = chunk if _whole_object(last) else kept + newline
            file.seek(self.mark.offset + len(chunk))
        return chunk

    def _batch(self, chunk: bytes) -> Batch:
        first = self.mark.newlines + 1
        mark = self.mark
        head = (mark.head + chunk)[:_PROBE] if mark.offset < _PROBE else mark.head
        self.mark = Mark(
            mark.offset + len(chunk), mark.newlines + chunk.count(b"\n"), head, (mark.tail + chunk)[-_PROBE:]
        )
        try:
            text = chunk.decode("utf-8-sig" if mark.offset == 0 else "utf-8")
        except UnicodeDecodeError as error:
            line = first + chunk[: error.start].count(b"\n")
            raise UnreadableLog(f"{self._path}:{line}: not UTF-8 text. Save the file as UTF-8.") from error
        numbered = [(row, line) for line, row in enumerate(text.split("\n"), first) if row.strip()]
        return Batch([row for row, _ in numbered], [line for _, line in numbered])


def _whole_object(last: bytes) -> bool:
    try:
        return isinstance(json.loads(last), dict)
    except ValueError:
        return False


def csv_rows(path: Path) -> Iterator[Batch]:
    """The rows of a CSV file with a header. Numbers, true, false, objects and lists are read as such, '' as null."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = _csv_rows(path, csv.DictReader(file, strict=True))
            while some := list(itertools.islice(rows, _BATCH_ROWS)):
                yield Batch([row for row, _ in some], [line for _, line in some])
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise UnreadableLog(f"{path}: not UTF-8 text. Save the file as UTF-8.") from error


def _csv_rows(path: Path, reader: csv.DictReader[str]) -> Iterator[tuple[str, int]]:
    try:
        for row in reader:
            if None in row:
                raise UnreadableLog(f"{path}:{reader.line_num}: more cells than the header has. Quote the commas.")
            yield json.dumps({name: _typed(text) for name, text in row.items()}), reader.line_num
    except csv.Error as error:
        raise UnreadableLog(
            f"{path}:{reader.reader.line_num}: not a row of CSV ({error}). Export the file again."
        ) from error


def _typed(text: str | None) -> Any:
    if not text:
        return None
    if text in ("true", "True", "false", "False"):
        return text.lower() == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if text[0] in "{[":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
