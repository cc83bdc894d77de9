"""What every Store must hold, on every database. An adapter joins by adding its factory to FACTORIES."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.domain.alert import Alert, Delivery, DeliveryKind, DeliveryState, Event, RuleState
from bot.domain.audit import Entry
from bot.domain.block import BlockAction, BlockRequest, advance, judge
from bot.domain.finding import Finding
from bot.domain.incident import Action, Classification, Command, Incident, Person, State, decide
from bot.domain.work import Job
from bot.errors import NotFound
from bot.services.storage import Store
from bot.store.database import Database
from bot.store.store import SqlStore
from tests.store import databases
from tests.store.databases import postgres_stops_with_the_session  # noqa: F401 - a fixture

T0 = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANA, BO = Person("U1", "Ana"), Person("U2", "Bo")


@dataclass
class Opened:
    """A store, another on the same database, and a way to ask for the ids of the committed jobs."""

    store: Store
    other: Store
    jobs: Callable[[], Awaitable[list[str]]]


class JobTable:
    """Stands in for the engine's tables: jobs live in the same database, so that a rollback takes them along."""

    table = sa.Table("work", sa.MetaData(), sa.Column("id", sa.Text, primary_key=True))

    def __init__(self, database: Database) -> None:
        self.database = database

    async def create(self) -> None:
        async with self.database.write() as connection:
            await connection.run_sync(self.table.create)

    async def drop(self) -> None:
        async with self.database.write() as connection:
            await connection.run_sync(self.table.drop)

    def enqueue(self, connection: sa.Connection, job: Job) -> None:
        connection.execute(self.table.insert().values(id=job.id))

    async def committed(self) -> list[str]:
        async with self.database.read() as connection:
            return sorted((await connection.execute(sa.select(self.table.c.id))).scalars())


def sql(url: databases.Url) -> Callable[[], AbstractAsyncContextManager[Opened]]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Opened]:
        with url() as text:
            opened_twice = [Database(text), Database(text)]
            work = JobTable(opened_twice[0])
            await work.create()
            stores = [SqlStore(each, audit_key=SecretStr("k"), enqueue=work.enqueue) for each in opened_twice]
            try:
                yield Opened(*stores, work.committed)
            finally:
                await work.drop()
                for each in opened_twice:
                    await each.close()

    opened.__name__ = url.__name__
    return opened


FACTORIES = [sql(databases.sqlite), sql(databases.postgres)]


@pytest.fixture(params=FACTORIES, ids=lambda factory: factory.__name__)
async def opened(request) -> AsyncIterator[Opened]:
    async with request.param() as made:
        yield made


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened.store


@pytest.fixture
def other(opened: Opened) -> Store:
    """The same database, from another process as it were."""
    return opened.other


def an_alert(name: str = "INC-A", **changed: Any) -> Alert:
    return replace(
        Alert(
            incident=Incident(name),
            group=f"group of {name}",
            generation=1,
            rule_id="r1",
            rule_name="Many failed sign-ins",
            description="größer als „alles“",
            severity="High",
            title="Failed sign-ins of 🦊",
            who="ana@example.org",
            place="vault-1",
            first_seen=T0,
            last_seen=T0,
            events=0,
            created_at=T0,
        ),
        **changed,
    )


def a_finding(fingerprint: str = "f1", at: datetime = T0, *addresses: str, **changed: Any) -> Finding:
    return replace(
        Finding(fingerprint, at, "group of INC-A", "t", "High", "who", "what", "where", "target", addresses, {}),
        **changed,
    )


def a_card(incident: str = "INC-A", at: datetime = T0, **changed: Any) -> Delivery:
    return replace(Delivery(f"card:{incident}", DeliveryKind.CARD, incident, "C1", at), **changed)


def a_request(name: str = "q1", address: str = "192.0.2.1", **changed: Any) -> BlockRequest:
    return replace(
        BlockRequest(name, "INC-A", address, timedelta(minutes=90, microseconds=3), "why", ANA, T0, T0 + HOUR),
        **changed,
    )


def an_entry(action: str = "incident.raised", subject: str = "INC-A", **after: Any) -> Entry:
    return Entry(T0, "U1", action, subject, {"state": "open"}, after)


async def held(store: Store, *alerts: Alert) -> None:
    async with store.write() as tx:
        for alert in alerts or (an_alert(),):
            await tx.incidents.add(alert)


async def writes_everything_and_fails(store: Store) -> None:
    async with store.write() as tx:
        await tx.incidents.add(an_alert())
        await tx.incidents.join("INC-A", [a_finding("f1", T0, "192.0.2.1")], T0)
        await tx.detections.unseen("r1", [a_finding()])
        await tx.detections.advance("r1", watermark=T0, at=T0, rows=1)
        await tx.deliveries.add(a_card())
        await tx.requests.add(a_request())
        await tx.directory.set_group("S1", ["U1"])
        await tx.directory.set_name("U1", "Ana")
        await tx.inbox.take("key", T0)
        await tx.audit.append(an_entry())
        assert len(await tx.audit.of(["INC-A"])) == 1
        await tx.enqueue(Job("post", "a", "chat"))
        raise ZeroDivisionError


class TestTransactions:
    async def test_what_is_committed_is_there_for_others(self, store: Store, other: Store, opened: Opened):
        async with store.write() as tx:
            await tx.incidents.add(an_alert())
            await tx.enqueue(Job("post", "a", "chat"))
        async with other.read() as tx:
            assert await tx.incidents.get("INC-A") == an_alert()
        assert await opened.jobs() == ["post:a"]

    async def test_a_block_that_raises_leaves_nothing(self, store: Store, opened: Opened):
        with pytest.raises(ZeroDivisionError):
            await writes_everything_and_fails(store)
        async with store.write() as tx:
            assert await tx.incidents.get("INC-A") is None
            assert await tx.incidents.addresses("INC-A") == []
            assert await tx.detections.state("r1") == RuleState()
            assert await tx.detections.unseen("r1", [a_finding()]) == [a_finding()]
            assert await tx.deliveries.get("card:INC-A") is None
            assert await tx.requests.get("q1") is None
            assert await tx.directory.groups_of("U1") == frozenset()
            assert await tx.directory.name("U1") is None
            assert await tx.inbox.take("key", T0)
            assert await tx.audit.of(["INC-A"]) == []
        assert await opened.jobs() == []

    async def test_a_cancelled_block_leaves_nothing_and_the_store_goes_on(self, store: Store):
        entered = asyncio.Event()

        async def waits() -> None:
            async with store.write() as tx:
                await tx.incidents.add(an_alert())
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(waits())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(20):
            await held(store)

    async def test_a_reading_transaction_refuses_to_write(self, store: Store):
        with pytest.raises(sa.exc.DBAPIError):
            async with store.read() as tx:
                await tx.incidents.add(an_alert())
        await held(store)

    async def test_a_reading_transaction_sees_one_moment(self, store: Store, other: Store):
        async with store.read() as tx:
            assert await tx.incidents.recent(5) == []
            await held(other)
            assert await tx.incidents.recent(5) == []

    async def test_read_then_write_is_one_thing(self, store: Store, other: Store):
        await held(store)

        async def more(one: Store) -> None:
            async with one.write() as tx:
                alert = await tx.incidents.get("INC-A")
                assert alert
                await asyncio.sleep(0)
                await tx.incidents.join("INC-A", [a_finding(f"f{id(alert)}")], T0)

        await asyncio.gather(*(more(each) for each in [store, other] * 5))
        async with store.read() as tx:
            alert = await tx.incidents.get("INC-A")
            assert alert
            assert alert.revision == 11


class TestIncidents:
    async def test_every_part_comes_back_equal(self, store: Store):
        closed = replace(
            decide(Incident("INC-A"), Command(Action.CLOSE, 1, ANA, T0, Classification.TRUE_POSITIVE, "ja\n„so“")),
            owner=BO,
        )
        alert = an_alert(incident=closed, events=3, revision=7, last_seen=T0 + HOUR)
        await held(store, alert)
        async with store.read() as tx:
            assert await tx.incidents.get("INC-A") == alert
            assert await tx.incidents.get("INC-B") is None

    async def test_moments_of_any_zone_are_the_same_moment(self, store: Store):
        there = T0.astimezone(timezone(timedelta(hours=5, minutes=30)))
        await held(store, an_alert(created_at=there))
        async with store.read() as tx:
            alert = await tx.incidents.get("INC-A")
            assert alert
            assert alert.created_at == T0
            assert alert.created_at.tzinfo is UTC

    async def test_the_latest_generation_of_a_group(self, store: Store):
        second = an_alert("INC-B", group="g", generation=2, created_at=T0 - HOUR)
        await held(store, an_alert("INC-A", group="g"), second, an_alert("INC-C", group="h", generation=9))
        async with store.read() as tx:
            assert await tx.incidents.latest("g") == second
            assert await tx.incidents.latest("nobody's") is None

    async def test_rows_widen_the_times_and_count_and_are_kept(self, store: Store):
        await held(store, an_alert(events=0))
        row = {"TimeGenerated": T0, "n": 1, "x": None, "list": [1, "a"], "dyn": {"k": 1.5}}
        early = a_finding("f2", T0 - HOUR, "192.0.2.2", "192.0.2.1", row=row, what="w", target="v")
        async with store.write() as tx:
            await tx.incidents.join("INC-A", [a_finding("f1", T0 + HOUR), early], T0 + 2 * HOUR)
        async with store.read() as tx:
            alert = await tx.incidents.get("INC-A")
            kept = {**row, "TimeGenerated": "2026-03-04T05:06:07.000089+00:00"}
            assert alert == an_alert(events=2, revision=2, first_seen=T0 - HOUR, last_seen=T0 + HOUR)
            assert await tx.incidents.events("INC-A", 1) == [
                Event("f2", T0 - HOUR, T0 + 2 * HOUR, "w", "v", ("192.0.2.2", "192.0.2.1"), kept)
            ]
            assert [each.fingerprint for each in await tx.incidents.events("INC-A", 9)] == ["f2", "f1"]

    async def test_a_row_that_is_there_already_is_not_counted_again(self, store: Store):
        await held(store)
        async with store.write() as tx:
            await tx.incidents.join("INC-A", [a_finding("f1"), a_finding("f2")], T0)
            await tx.incidents.join("INC-A", [a_finding("f2"), a_finding("f3")], T0 + HOUR)
            alert = await tx.incidents.get("INC-A")
            assert alert
            assert (alert.events, alert.revision) == (3, 3)
            assert [each.found_at for each in await tx.incidents.events("INC-A", 9)] == [T0, T0, T0 + HOUR]

    async def test_addresses_keep_the_order_in_which_they_were_seen(self, store: Store):
        await held(store)
        async with store.write() as tx:
            await tx.incidents.join("INC-A", [a_finding("f1", T0, "b", "a"), a_finding("f2", T0, "a", "c")], T0)
            await tx.incidents.join("INC-A", [a_finding("f3", T0, "d", "b", "0")], T0)
            assert await tx.incidents.addresses("INC-A") == ["b", "a", "c", "d", "0"]

    async def test_very_many_rows_at_once(self, store: Store):
        await held(store)
        async with store.write() as tx:
            many = [a_finding(f"f{n}", T0, f"address {n}") for n in range(5000)]
            await tx.incidents.join("INC-A", many, T0)
            alert = await tx.incidents.get("INC-A")
            assert alert
            assert alert.events == 5000
            assert await tx.incidents.addresses("INC-A") == [f"address {n}" for n in range(5000)]

    async def test_rows_for_no_incident_are_an_error(self, store: Store):
        with pytest.raises(NotFound, match="INC-X"):
            async with store.write() as tx:
                await tx.incidents.join("INC-X", [a_finding()], T0)

    async def test_what_no_database_can_hold_becomes_a_sign_for_it(self, store: Store):
        await held(store, an_alert(title="a\x00b\ud800c"))
        async with store.write() as tx:
            await tx.incidents.join("INC-A", [a_finding(what="\x00", row={"k\x00": "\x00\udfff"})], T0)
            alert = await tx.incidents.get("INC-A")
            assert alert
            assert alert.title == "a\ufffdb\ufffdc"
            [event] = await tx.incidents.events("INC-A", 1)
            assert event.what == "\ufffd"
            assert event.row == {"k\x00": "\x00\udfff"}

    async def test_of_two_decisions_at_once_one_wins(self, store: Store, other: Store):
        await held(store)

        async def close(one: Store, by: Person) -> bool:
            async with one.read() as tx:
                alert = await tx.incidents.get("INC-A")
            assert alert
            after = decide(alert.incident, Command(Action.CLOSE, 1, by, T0, Classification.UNDETERMINED))
            assert isinstance(after, Incident)
            await both_have_read.wait()
            async with one.write() as tx:
                return await tx.incidents.decide(alert.incident, after)

        both_have_read = asyncio.Barrier(2)
        won = await asyncio.gather(close(store, ANA), close(other, BO))
        assert sorted(won) == [False, True]
        async with store.read() as tx:
            alert = await tx.incidents.get("INC-A")
            assert alert
            assert alert.incident.state is State.CLOSED
            assert (alert.incident.version, alert.revision) == (2, 2)
            assert alert.incident.last
            assert alert.incident.last.by == (ANA if won[0] else BO)

    async def test_a_decision_on_what_is_not_there_is_lost(self, store: Store):
        async with store.write() as tx:
            assert not await tx.incidents.decide(Incident("INC-X"), Incident("INC-X", version=2))

    async def test_a_redraw_moves_the_revision_alone(self, store: Store):
        await held(store)
        async with store.write() as tx:
            await tx.incidents.redraw("INC-A")
            assert await tx.incidents.get("INC-A") == an_alert(revision=2)

    async def test_recent_incidents_newest_first_and_by_state(self, store: Store):
        done = Incident("INC-C", state=State.CLOSED)
        old, new = an_alert("INC-A"), an_alert("INC-B", created_at=T0 + HOUR)
        newest = an_alert("INC-C", incident=done, created_at=T0 + 2 * HOUR)
        await held(store, new, newest, old)
        async with store.read() as tx:
            assert await tx.incidents.recent(9) == [newest, new, old]
            assert await tx.incidents.recent(1) == [newest]
            assert await tx.incidents.recent(9, states=["open", "acknowledged"]) == [new, old]

    async def test_incidents_seen_with_an_address(self, store: Store):
        await held(store, an_alert("INC-A"), an_alert("INC-B", created_at=T0 + HOUR), an_alert("INC-C"))
        async with store.write() as tx:
            for name in ("INC-A", "INC-B"):
                await tx.incidents.join(name, [a_finding("f1", T0, "192.0.2.1")], T0)
            assert [each.incident.id for each in await tx.incidents.seen_with("192.0.2.1", 9)] == ["INC-B", "INC-A"]
            assert [each.incident.id for each in await tx.incidents.seen_with("192.0.2.1", 1)] == ["INC-B"]
            assert await tx.incidents.seen_with("192.0.2.2", 9) == []


class TestDeliveries:
    async def test_every_part_comes_back_equal(self, store: Store):
        line = Delivery("line:1", DeliveryKind.LINE, "INC-A", "C1", T0, "card:INC-A", {"kind": "more", "n": 2})
        async with store.write() as tx:
            assert await tx.deliveries.add(line)
            assert not await tx.deliveries.add(replace(line, channel="C2"))
        async with store.read() as tx:
            assert await tx.deliveries.get("line:1") == line
            assert await tx.deliveries.get("line:2") is None

    async def test_a_claim_gives_it_as_it_was_but_for_the_attempt_and_makes_it_unsure(self, store: Store):
        async with store.write() as tx:
            await tx.deliveries.add(a_card())
            claimed = await tx.deliveries.claim("card:INC-A", by="a", now=T0 + HOUR, until=T0 + 2 * HOUR)
            assert claimed == a_card(attempts=1, first_tried_at=T0 + HOUR)
            assert await tx.deliveries.get("card:INC-A") == replace(claimed, unsure=True)

    async def test_while_a_claim_holds_nobody_else_gets_it(self, store: Store):
        async with store.write() as tx:
            await tx.deliveries.add(a_card())
            assert await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + HOUR)
            just_before = T0 + HOUR - timedelta(microseconds=1)
            assert await tx.deliveries.claim("card:INC-A", by="b", now=just_before, until=T0 + 2 * HOUR) is None
            again = await tx.deliveries.claim("card:INC-A", by="b", now=T0 + HOUR, until=T0 + 2 * HOUR)
            assert again == a_card(attempts=2, first_tried_at=T0, unsure=True)

    async def test_who_holds_a_claim_may_claim_again(self, store: Store):
        async with store.write() as tx:
            await tx.deliveries.add(a_card())
            assert await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + HOUR)
            assert await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + 2 * HOUR)
            assert await tx.deliveries.claim("card:INC-A", by="b", now=T0 + HOUR, until=T0 + 3 * HOUR) is None

    async def test_of_many_claims_at_once_one_succeeds(self, store: Store, other: Store):
        async def claim(one: Store, by: str) -> Delivery | None:
            async with one.write() as tx:
                return await tx.deliveries.claim("card:INC-A", by=by, now=T0, until=T0 + HOUR)

        async with store.write() as tx:
            await tx.deliveries.add(a_card())
        claimed = await asyncio.gather(*(claim(one, f"p{n}") for n, one in enumerate([store, other] * 5)))
        assert [each for each in claimed if each] == [a_card(attempts=1, first_tried_at=T0)]

    async def test_what_is_not_known_cannot_be_claimed(self, store: Store):
        async with store.write() as tx:
            assert await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + HOUR) is None

    async def test_a_posted_message_stays_posted_where_it_is(self, store: Store):
        async with store.write() as tx:
            await tx.deliveries.add(a_card())
            await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + HOUR)
            await tx.deliveries.posted("card:INC-A", channel="C9", ts="1.2", at=T0 + HOUR, drawn=3)
            await tx.deliveries.posted("card:INC-A", channel="C8", ts="3.4", at=T0 + 2 * HOUR, drawn=1)
            await tx.deliveries.not_posted("card:INC-A", unsure=True, problem="late")
            await tx.deliveries.refused("card:INC-A", problem="late")
            assert await tx.deliveries.get("card:INC-A") == a_card(
                state=DeliveryState.POSTED,
                attempts=1,
                first_tried_at=T0,
                posted_channel="C9",
                posted_ts="1.2",
                posted_at=T0 + HOUR,
                drawn=3,
            )
            assert await tx.deliveries.claim("card:INC-A", by="a", now=T0 + HOUR, until=T0 + 2 * HOUR) is None

    @pytest.mark.parametrize("unsure", [True, False])
    async def test_after_an_attempt_that_ended_anybody_may_try_again(self, store: Store, unsure: bool):
        async with store.write() as tx:
            await tx.deliveries.add(a_card())
            await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + HOUR)
            await tx.deliveries.not_posted("card:INC-A", unsure=unsure, problem="no answer")
            waits = a_card(attempts=1, first_tried_at=T0, unsure=unsure, problem="no answer")
            assert await tx.deliveries.get("card:INC-A") == waits
            claimed = await tx.deliveries.claim("card:INC-A", by="b", now=T0, until=T0 + HOUR)
            assert claimed == replace(waits, attempts=2)

    async def test_a_refused_message_is_not_claimed(self, store: Store):
        async with store.write() as tx:
            await tx.deliveries.add(a_card())
            await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + HOUR)
            await tx.deliveries.refused("card:INC-A", problem="no such channel")
            refused = a_card(state=DeliveryState.REFUSED, attempts=1, first_tried_at=T0, problem="no such channel")
            assert await tx.deliveries.get("card:INC-A") == refused
            assert await tx.deliveries.claim("card:INC-A", by="a", now=T0, until=T0 + HOUR) is None

    async def test_all_of_a_subject_oldest_first(self, store: Store):
        line = Delivery("a line", DeliveryKind.LINE, "INC-A", "C1", T0 + HOUR)
        async with store.write() as tx:
            for each in (line, a_card(), a_card("INC-B")):
                await tx.deliveries.add(each)
            assert await tx.deliveries.of("INC-A") == [a_card(), line]

    async def test_undone_are_those_that_wait_or_were_refused_for_long(self, store: Store):
        async with store.write() as tx:
            for name, at in [("W", T0), ("R", T0 + HOUR), ("P", T0), ("new", T0 + 2 * HOUR)]:
                await tx.deliveries.add(a_card(name, at))
            await tx.deliveries.refused("card:R", problem="no")
            await tx.deliveries.posted("card:P", channel="C", ts="1", at=T0, drawn=1)
            assert [each.subject for each in await tx.deliveries.undone(T0 + 2 * HOUR)] == ["W", "R"]

    async def test_stale_are_posted_cards_behind_their_incident(self, store: Store):
        await held(store, *(an_alert(name, revision=3) for name in "ABCD"))
        async with store.write() as tx:
            for name, drawn in [("A", 2), ("B", 3), ("C", 1)]:
                await tx.deliveries.add(a_card(name))
                await tx.deliveries.posted(f"card:{name}", channel="C1", ts="1", at=T0, drawn=drawn)
            await tx.deliveries.add(a_card("D"))
            await tx.deliveries.add(Delivery("line", DeliveryKind.LINE, "A", "C1", T0))
            await tx.deliveries.posted("line", channel="C1", ts="2", at=T0, drawn=0)
            assert [each.subject for each in await tx.deliveries.stale(9)] == ["A", "C"]
            assert [each.subject for each in await tx.deliveries.stale(1)] == ["A"]
            await tx.deliveries.drawn("card:A", 3)
            assert [each.subject for each in await tx.deliveries.stale(9)] == ["C"]


class TestDetections:
    async def test_a_rule_that_never_ran_is_fresh(self, store: Store):
        async with store.read() as tx:
            assert await tx.detections.state("r1") == RuleState()

    async def test_a_good_evaluation_clears_failures(self, store: Store):
        async with store.write() as tx:
            await tx.detections.fail("r1", at=T0, problem="down")
            await tx.detections.fail("r1", at=T0, problem="still down")
            assert await tx.detections.state("r1") == RuleState(failures=2, problem="still down")
            await tx.detections.advance("r1", watermark=T0, at=T0 + HOUR, rows=4)
            assert await tx.detections.state("r1") == RuleState(T0, T0 + HOUR, 4)

    async def test_a_watermark_never_moves_back(self, store: Store):
        async with store.write() as tx:
            await tx.detections.advance("r1", watermark=T0, at=T0, rows=1)
            await tx.detections.advance("r1", watermark=T0 - HOUR, at=T0 + HOUR, rows=2)
            await tx.detections.advance("r1", watermark=None, at=T0 + 2 * HOUR, rows=3)
            await tx.detections.fail("r1", at=T0 + 3 * HOUR, problem="down")
            assert await tx.detections.state("r1") == RuleState(T0, T0 + 2 * HOUR, 3, 1, "down")
            assert await tx.detections.state("r2") == RuleState()

    async def test_a_row_is_new_once_for_each_rule(self, store: Store):
        first, second, third = a_finding("f1"), a_finding("f2"), a_finding("f3")
        async with store.write() as tx:
            assert await tx.detections.unseen("r1", [second, first]) == [second, first]
        async with store.write() as tx:
            assert await tx.detections.unseen("r1", [first, third, second, third]) == [third]
            assert await tx.detections.unseen("r1", []) == []
            assert await tx.detections.unseen("r2", [first]) == [first]

    async def test_a_row_is_new_to_one_of_two_evaluations_at_once(self, store: Store, other: Store):
        findings = [a_finding(f"f{n}") for n in range(200)]

        async def unseen(one: Store, mine: list[Finding]) -> list[Finding]:
            async with one.write() as tx:
                return await tx.detections.unseen("r1", mine)

        new = await asyncio.gather(unseen(store, findings), unseen(other, findings[::-1]))
        assert sorted(map(len, new)) == [0, 200]

    async def test_forgetting_drops_what_lies_before(self, store: Store):
        old, edge = a_finding("old", T0 - timedelta(microseconds=1)), a_finding("edge", T0)
        async with store.write() as tx:
            await tx.detections.unseen("r1", [old, edge])
            await tx.detections.unseen("r2", [old])
            await tx.detections.forget("r1", T0)
            assert await tx.detections.unseen("r1", [old, edge]) == [old]
            assert await tx.detections.unseen("r2", [old]) == []


def moved(request: BlockRequest, *actions: BlockAction, at: datetime = T0) -> BlockRequest:
    for action in actions:
        if action in (BlockAction.APPROVE, BlockAction.REJECT):
            after = judge(request, action, version=request.version, by=BO, approver=True, at=at)
        else:
            after = advance(request, action, at=at)
        assert isinstance(after, BlockRequest)
        request = after
    return request


class TestRequests:
    async def test_every_part_comes_back_equal(self, store: Store):
        await held(store)
        async with store.write() as tx:
            assert await tx.requests.add(a_request())
            assert not await tx.requests.add(a_request(reason="another"))
            assert await tx.requests.get("q1") == a_request()
            assert await tx.requests.get("q2") is None
            approved = moved(a_request(), BlockAction.APPROVE)
            assert await tx.requests.save(a_request(), approved)
            assert await tx.requests.get("q1") == approved

    async def test_of_two_judgements_one_counts(self, store: Store, other: Store):
        await held(store)
        async with store.write() as tx:
            await tx.requests.add(a_request())

        async def save(one: Store, after: BlockRequest) -> bool:
            async with one.write() as tx:
                return await tx.requests.save(a_request(), after)

        both = [moved(a_request(), BlockAction.APPROVE), moved(a_request(), BlockAction.REJECT)]
        won = await asyncio.gather(save(store, both[0]), save(other, both[1]))
        assert sorted(won) == [False, True]
        async with store.read() as tx:
            assert await tx.requests.get("q1") == both[won.index(True)]

    async def test_of_an_incident_oldest_first(self, store: Store):
        await held(store, an_alert("INC-A"), an_alert("INC-B"))
        later = a_request("a later one", requested_at=T0 + HOUR)
        async with store.write() as tx:
            for each in (later, a_request(), a_request("other", incident_id="INC-B")):
                await tx.requests.add(each)
            assert await tx.requests.of("INC-A") == [a_request(), later]

    async def test_alive_is_undecided_approved_or_in_force(self, store: Store):
        await held(store)
        later = T0 + 3 * HOUR
        ends: dict[str, tuple[bool, BlockRequest]] = {
            "1": (True, a_request()),
            "2": (False, moved(a_request(), BlockAction.REJECT)),
            "3": (False, moved(a_request(), BlockAction.LAPSE, at=later)),
            "4": (True, approved := moved(a_request(), BlockAction.APPROVE)),
            "5": (True, active := moved(approved, BlockAction.APPLY)),
            "6": (False, moved(active, BlockAction.EXPIRE, at=later)),
            "7": (False, moved(active, BlockAction.UNDO)),
        }
        async with store.write() as tx:
            for name, (_, request) in ends.items():
                await tx.requests.add(replace(request, id=name, address=f"192.0.2.{name}"))
            for name, (alive, _) in ends.items():
                found = await tx.requests.alive(f"192.0.2.{name}")
                assert (found is not None and found.id == name) is alive, name
            assert [each.id for each in await tx.requests.unfinished()] == ["1", "4", "5"]

    async def test_of_two_who_ask_for_one_address_at_once_the_second_sees_the_first(self, store: Store, other: Store):
        await held(store)

        async def ask(one: Store, name: str) -> bool:
            async with one.write() as tx:
                alive = await tx.requests.alive("192.0.2.1")
                await asyncio.sleep(0.01)
                return alive is None and await tx.requests.add(a_request(name))

        assert sorted(await asyncio.gather(ask(store, "q1"), ask(other, "q2"))) == [False, True]

    async def test_in_force_goes_by_the_clock(self, store: Store):
        await held(store)
        active = moved(a_request(), BlockAction.APPROVE, BlockAction.APPLY)
        assert active.ends_at
        async with store.write() as tx:
            for name, address in [("b", "192.0.2.9"), ("a", "192.0.2.10")]:
                await tx.requests.add(replace(active, id=name, address=address))
            await tx.requests.add(replace(moved(a_request(), BlockAction.APPROVE), id="approved"))
            just_before = active.ends_at - timedelta(microseconds=1)
            assert [each.id for each in await tx.requests.in_force(just_before)] == ["a", "b"]
            assert await tx.requests.in_force(active.ends_at) == []


class TestDirectoryAndInbox:
    async def test_a_groups_members_are_replaced(self, store: Store):
        async with store.write() as tx:
            await tx.directory.set_group("S1", ["U1", "U2", "U1"])
            await tx.directory.set_group("S2", ["U1"])
            assert await tx.directory.groups_of("U1") == {"S1", "S2"}
            await tx.directory.set_group("S1", ["U3"])
            assert await tx.directory.groups_of("U1") == {"S2"}
            assert await tx.directory.groups_of("U2") == frozenset()
            await tx.directory.set_group("S1", [])
            assert await tx.directory.groups_of("U3") == frozenset()

    async def test_the_last_name_counts(self, store: Store):
        async with store.write() as tx:
            assert await tx.directory.name("U1") is None
            await tx.directory.set_name("U1", "Ana")
            await tx.directory.set_name("U1", "Ana B.")
            await tx.directory.set_name("U2", "Bo")
            assert await tx.directory.name("U1") == "Ana B."

    async def test_a_request_is_taken_once(self, store: Store):
        async with store.write() as tx:
            assert await tx.inbox.take("a", T0)
            assert not await tx.inbox.take("a", T0 + HOUR)
            assert await tx.inbox.take("b", T0)

    async def test_a_request_that_comes_twice_at_once_is_taken_once(self, store: Store, other: Store):
        async def take(one: Store) -> bool:
            async with one.write() as tx:
                return await tx.inbox.take("a", T0)

        assert sorted(await asyncio.gather(*(take(each) for each in [store, other] * 3))) == [False] * 5 + [True]


class TestAudit:
    async def test_entries_come_back_in_order_for_their_subjects(self, store: Store):
        entries = [an_entry("a", n=1), an_entry("b", "q1", at="x"), an_entry("c", "INC-B"), an_entry("d", kept=None)]
        async with store.write() as tx:
            for entry in entries[:2]:
                await tx.audit.append(entry)
        async with store.write() as tx:
            for entry in entries[2:]:
                await tx.audit.append(entry)
            assert await tx.audit.of(["q1", "INC-A"]) == [entries[0], entries[1], entries[3]]
        async with store.read() as tx:
            assert await tx.audit.of(["q1", "INC-A"]) == [entries[0], entries[1], entries[3]]
            assert await tx.audit.of([]) == []

    async def test_transactions_that_take_things_in_another_order_do_not_block_each_other(
        self, store: Store, other: Store
    ):
        await held(store)

        async def decides(one: Store, audit_first: bool) -> None:
            async with one.write() as tx:
                if audit_first:
                    await tx.audit.append(an_entry())
                    await asyncio.sleep(0.05)
                await tx.incidents.redraw("INC-A")
                if not audit_first:
                    await asyncio.sleep(0.05)
                    await tx.audit.append(an_entry())

        await asyncio.gather(*(decides(one, n % 2 == 0) for n, one in enumerate([store, other] * 3)))
        async with store.read() as tx:
            assert len(await tx.audit.of(["INC-A"])) == 6
