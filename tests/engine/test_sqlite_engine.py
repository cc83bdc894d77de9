"""The engine's SQLite: old libraries start, one process holds a file."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.engine.lock import FileLock
from bot.engine.sqlite import require_supported_sqlite, sqlite_engine, unixepoch
from bot.errors import StoreError, StoreInUse


def test_the_clock_function_that_the_engine_needs_answers_on_every_supported_sqlite(tmp_path: Path) -> None:
    engine = sqlite_engine(str(tmp_path / "t.db"))
    with engine.connect() as connection:
        answer = connection.scalar(sa.text("select unixepoch('subsec')"))
    engine.dispose()
    assert abs(float(answer) - time.time()) < 60


def test_whole_seconds_unless_a_fraction_is_asked_for() -> None:
    assert isinstance(unixepoch("now"), int)
    assert isinstance(unixepoch("now", "subsec"), float)


def test_a_commit_survives_a_power_cut(tmp_path: Path) -> None:
    engine = sqlite_engine(str(tmp_path / "t.db"))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("pragma synchronous")) == 2
        assert connection.scalar(sa.text("pragma journal_mode")) == "wal"
        assert connection.scalar(sa.text("pragma foreign_keys")) == 1
    engine.dispose()


def test_a_sqlite_without_returning_is_refused_with_what_to_do() -> None:
    with pytest.raises(StoreError, match=r"SQLite 3\.34\.1; Tocsin needs 3\.35"):
        require_supported_sqlite((3, 34, 1))
    require_supported_sqlite((3, 35, 0))


HOLD = """
import pathlib, sys
from bot.engine.lock import FileLock
with FileLock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_refuses_and_names_the_first_until_it_is_killed(tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(StoreInUse, match=f"process {first.pid}"), FileLock(database):
            pass
        first.kill()
        first.wait()
    with FileLock(database):
        pass
