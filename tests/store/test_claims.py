"""A message in the outbox against a model of it: whatever comes in whatever order, it is posted by one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.alert import Delivery, DeliveryKind
from bot.store.database import Database
from bot.store.deliveries import SqlDeliveries
from tests.store import databases

T0 = datetime(2026, 3, 4, tzinfo=UTC)
LEASE = timedelta(minutes=3)


@dataclass
class Model:
    """What the outbox promises of one message, in its words."""

    state: str = "waiting"
    unsure: bool = False
    attempts: int = 0
    holder: str | None = None
    held_until: datetime = T0

    def claim(self, by: str, now: datetime) -> bool | None:
        """Whether the message was unsure before; None when it is not to be had."""
        free = self.holder is None or self.holder == by or now >= self.held_until
        if self.state != "waiting" or not free:
            return None
        before, self.unsure = self.unsure, True
        self.attempts += 1
        self.holder, self.held_until = by, now + LEASE
        return before

    def settle(self, how: str) -> None:
        if self.state == "posted" or (how.startswith("not") and self.state != "waiting"):
            return
        self.state = {"posted": "posted", "refused": "refused"}.get(how, "waiting")
        self.unsure = how == "not posted, unsure"
        self.holder = None


CLAIM = st.tuples(st.just("claim"), st.sampled_from(["a", "b", "c"]), st.integers(0, 4))
SETTLE = st.tuples(
    st.just("settle"), st.sampled_from(["posted", "refused", "not posted", "not posted, unsure"]), st.integers(0, 4)
)
# Most messages are tried a few times before they are settled for good.
STEPS = st.lists(st.one_of(CLAIM, CLAIM, SETTLE), max_size=14)


@pytest.fixture
def outbox() -> Iterator[tuple[asyncio.Runner, Database]]:
    with databases.sqlite() as url, asyncio.Runner() as runner:
        database = Database(url)
        yield runner, database
        runner.run(database.close())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_message_is_what_its_history_makes_it(
    outbox: tuple[asyncio.Runner, Database], steps: list[tuple[str, str, int]]
) -> None:
    runner, database = outbox
    runner.run(follow(database, steps))


async def follow(database: Database, steps: list[tuple[str, str, int]]) -> None:
    model, now = Model(), T0
    async with database.write() as connection:
        outbox = SqlDeliveries(connection)
        await connection.exec_driver_sql("DELETE FROM tocsin_deliveries")
        await outbox.add(Delivery("d", DeliveryKind.CARD, "INC-A", "C1", T0))
        for kind, word, minutes in steps:
            now += timedelta(minutes=minutes)
            if kind == "claim":
                got = await outbox.claim("d", by=word, now=now, until=now + LEASE)
                assert (None if got is None else got.unsure) == model.claim(word, now)
            else:
                await settle(outbox, word, now)
                model.settle(word)
            stands = await outbox.get("d")
            assert stands is not None
            assert (stands.state, stands.unsure, stands.attempts) == (model.state, model.unsure, model.attempts)


async def settle(outbox: SqlDeliveries, how: str, now: datetime) -> None:
    if how == "posted":
        await outbox.posted("d", channel="C1", ts="1.1", at=now, drawn=1)
    elif how == "refused":
        await outbox.refused("d", problem="no")
    else:
        await outbox.not_posted("d", unsure=how.endswith("unsure"), problem="")
