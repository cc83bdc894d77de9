"""Questions are on disk before they are acknowledged, many in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.services.answers import Lookup
from bot.store.database import Database
from bot.store.intake import GroupIntake
from bot.store.schema import upgrade

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 't.db'}"
    upgrade(url)
    database = Database(url)
    yield database
    await database.close()


def question(n: int) -> Lookup:
    return Lookup(f"LKP-{n:04}", "203.0.113.66", "U0ANA", "sealed", NOON + timedelta(seconds=n))


async def test_all_that_wait_are_written_and_come_back_oldest_first(database: Database) -> None:
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    sa.event.listen(database._engine.sync_engine, "commit", count)
    intake = GroupIntake(database)
    await asyncio.gather(*(intake.write(question(n), again=False) for n in reversed(range(100))))
    assert commits <= 2
    assert [each.id for each in await intake.waiting(NOON, 3)] == ["LKP-0000", "LKP-0001", "LKP-0002"]
    assert await intake.get("LKP-0042") == question(42)


async def test_a_question_that_slack_repeats_is_not_asked_twice_but_a_person_may_ask_again(database: Database) -> None:
    intake = GroupIntake(database)
    await intake.write(question(1), again=False)
    await intake.done("LKP-0001", NOON)
    await intake.write(question(1), again=True)
    assert await intake.waiting(NOON, 9) == []
    await intake.write(question(1), again=False)
    assert [each.id for each in await intake.waiting(NOON, 9)] == ["LKP-0001"]


async def test_a_repeat_of_a_question_that_was_lost_is_asked(database: Database) -> None:
    intake = GroupIntake(database)
    await intake.write(question(1), again=True)
    assert len(await intake.waiting(NOON, 9)) == 1


async def test_what_keeps_a_question_from_the_disk_is_told_to_all_who_wait(tmp_path: Path) -> None:
    broken = Database(f"sqlite:///{tmp_path / 'none.db'}")
    intake = GroupIntake(broken)
    said = await asyncio.gather(*(intake.write(question(n), again=False) for n in range(3)), return_exceptions=True)
    assert all(isinstance(each, sa.exc.OperationalError) for each in said)
    await broken.close()


async def test_a_question_too_old_for_an_answer_is_left_and_later_forgotten(database: Database) -> None:
    intake = GroupIntake(database)
    await intake.write(question(1), again=False)
    assert await intake.waiting(NOON + timedelta(minutes=31), 9) == []
    await intake.forget(NOON + timedelta(days=1))
    assert await intake.get("LKP-0001") is None
