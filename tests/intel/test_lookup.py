from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.demo.sandbox import Faults, build_sandbox
from bot.domain.reputation import Found, NotPublic, QuotaExceeded, Refused, Reputation, Unavailable
from bot.intel.abuseipdb import AbuseIPDB
from bot.intel.lookup import Lookup, Policy
from bot.intel.quota import QuotaState
from tests.intel.loopback import NOON, HandClock, new_client, serving
from tests.intel.memory_store import MemoryStore

ADDRESS = "203.0.113.66"
DOWN = Unavailable("down")


class Provider:
    """Answers from a list and notes who was asked for; `gate` holds the answers back while it is cleared."""

    def __init__(self, clock: HandClock, *outcomes) -> None:
        self.clock, self.outcomes, self.asked = clock, list(outcomes), []
        self.gate, self.said = asyncio.Event(), None
        self.gate.set()

    async def check(self, address: str):
        self.asked.append(address)
        await self.gate.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else self.found(address)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome, self.said

    def found(self, address: str, score: int = 81) -> Found:
        return Found(Reputation(address, score, 9, 5, 30, self.clock.now()))


class Bench:
    def __init__(self, *outcomes, policy: Policy | None = None) -> None:
        self.clock, self.store = HandClock(), MemoryStore()
        self.provider = Provider(self.clock, *outcomes)
        self.policy = policy or Policy()
        self.lookup = self.another()

    def another(self) -> Lookup:
        """A second replica, or the same one after a restart."""
        return Lookup(self.provider, self.store, self.clock, self.policy, is_public=lambda a: not a.startswith("10."))

    async def alert(self, address: str = ADDRESS):
        return await self.lookup.look_up(address, purpose="alert")

    async def person(self, address: str = ADDRESS, *, fresh: bool = False):
        return await self.lookup.look_up(address, purpose="person", fresh=fresh)

    @property
    def calls(self) -> int:
        return len(self.provider.asked)


async def test_an_answer_counts_for_twelve_hours_also_after_a_restart():
    bench = Bench()
    first = await bench.alert()
    bench.clock.advance(hours=11, minutes=59)
    second = await bench.another().look_up(ADDRESS, purpose="alert")
    assert (bench.calls, first.age, second.age) == (1, None, timedelta(hours=11, minutes=59))
    assert (second.outcome, second.stale_because) == (first.outcome, None)
    bench.clock.advance(minutes=1)
    assert ((await bench.alert()).age, bench.calls) == (None, 2)


async def test_a_person_may_ask_past_the_records_an_alert_may_not():
    bench = Bench()
    await bench.alert()
    await bench.lookup.look_up(ADDRESS, purpose="alert", fresh=True)
    assert bench.calls == 1
    await bench.person(fresh=True)
    assert bench.calls == 2


async def test_callers_at_once_share_one_call():
    bench = Bench()
    bench.provider.gate.clear()
    asking = [asyncio.create_task(bench.alert() if n % 2 else bench.person()) for n in range(40)]
    await asyncio.sleep(0.01)
    bench.provider.gate.set()
    answers = await asyncio.gather(*asking)
    assert bench.calls == 1
    assert len({id(answer) for answer in answers}) == 1


async def test_a_caller_who_leaves_does_not_take_the_answer_from_the_others():
    bench = Bench()
    bench.provider.gate.clear()
    first, second = asyncio.create_task(bench.alert()), asyncio.create_task(bench.alert())
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0)
    bench.provider.gate.set()
    assert isinstance((await second).outcome, Found)
    assert bench.calls == 1


async def test_a_fault_of_ours_reaches_every_caller_and_is_not_kept():
    bench = Bench(RuntimeError("bug"))
    bench.provider.gate.clear()
    asking = [asyncio.create_task(bench.alert()) for _ in range(3)]
    await asyncio.sleep(0.01)
    bench.provider.gate.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(result) for result in results] == ["bug"] * 3
    assert isinstance((await bench.alert()).outcome, Found)


async def test_closing_ends_the_calls_under_way():
    bench = Bench()
    bench.provider.gate.clear()
    asking = asyncio.create_task(bench.alert())
    await asyncio.sleep(0.01)
    await bench.lookup.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_an_address_that_is_not_public_costs_nothing():
    bench = Bench()
    assert (await bench.person("10.1.2.3", fresh=True)).outcome == NotPublic()
    assert (bench.calls, bench.store.ledger.counted_at) == (0, None)


@pytest.mark.parametrize("text", ["", "example.org", "1.2.3", "1.2.3.4/24", "203.0.113.66:22", "١.1.1.1"])
async def test_what_is_no_address_is_refused_here(text):
    bench = Bench()
    assert isinstance((await bench.person(text)).outcome, Refused)
    assert bench.calls == 0


async def test_every_spelling_of_an_address_is_one_record():
    bench = Bench()
    for text in ["2001:db8::1", "2001:DB8:0::0001", " 2001:db8:0:0:0:0:0:1 "]:
        await bench.alert(text)
    for text in ["203.0.113.9", "::ffff:203.0.113.9"]:
        await bench.alert(text)
    assert bench.provider.asked == ["2001:db8::1", "203.0.113.9"]


async def test_an_ipv4_address_in_ipv6_clothes_is_still_private():
    bench = Bench()
    assert (await bench.alert("::ffff:10.0.0.1")).outcome == NotPublic()


async def test_a_failure_is_remembered_shortly_for_alerts_and_not_for_people():
    bench = Bench(DOWN, DOWN)
    assert (await bench.alert()).outcome == DOWN
    assert (await bench.alert()).outcome == DOWN
    assert bench.calls == 1
    await bench.person()
    assert bench.calls == 2
    bench.clock.advance(minutes=2)
    assert isinstance((await bench.alert()).outcome, Found)


@pytest.mark.parametrize("failure", [DOWN, QuotaExceeded(NOON + timedelta(hours=40)), Refused("key")])
async def test_an_old_answer_stands_in_with_its_age_and_the_reason(failure):
    bench = Bench()
    good = (await bench.alert()).outcome
    bench.clock.advance(hours=13)
    bench.provider.outcomes = [failure]
    answer = await bench.alert()
    assert (answer.outcome, answer.age, answer.stale_because) == (good, timedelta(hours=13), failure)


async def test_an_answer_older_than_a_day_does_not_stand_in():
    bench = Bench()
    await bench.alert()
    bench.clock.advance(hours=24, seconds=1)
    bench.provider.outcomes = [DOWN]
    assert (await bench.alert()).outcome == DOWN


async def test_a_quota_refusal_stops_every_call_until_the_reset_also_after_a_restart():
    reset = NOON + timedelta(hours=5)
    bench = Bench(QuotaExceeded(reset))
    bench.provider.said = QuotaState(1000, 0, reset)
    assert (await bench.alert()).outcome == QuotaExceeded(reset)
    for address in ["203.0.113.1", "203.0.113.2", ADDRESS]:
        assert (await bench.person(address, fresh=True)).outcome == QuotaExceeded(reset)
    assert (await bench.another().look_up("203.0.113.3", purpose="person")).outcome == QuotaExceeded(reset)
    assert bench.calls == 1
    bench.clock.advance(hours=5)
    assert isinstance((await bench.alert()).outcome, Found)


async def test_a_storm_of_alerts_leaves_the_peoples_share():
    bench = Bench(policy=Policy(for_people=0.2))
    bench.store.ledger = bench.store.ledger.record(QuotaState(10, 10), NOON)
    stormy = await asyncio.gather(*(bench.alert(f"203.0.113.{n}") for n in range(20)))
    denied = [answer.outcome for answer in stormy if not isinstance(answer.outcome, Found)]
    assert denied == [QuotaExceeded(NOON + timedelta(hours=1), kept_for_people=True)] * 12
    assert isinstance((await bench.person("203.0.113.100")).outcome, Found)
    assert isinstance((await bench.person("203.0.113.101")).outcome, Found)
    assert bench.calls == 10


async def test_a_person_does_not_stand_in_the_queue_of_a_storm_and_no_call_is_made_twice():
    bench = Bench(policy=Policy(alerts_at_once=2))
    bench.provider.gate.clear()
    storm = [asyncio.create_task(bench.alert(f"203.0.113.{n}")) for n in range(10)]
    await asyncio.sleep(0.01)
    assert bench.provider.asked == ["203.0.113.0", "203.0.113.1"]
    people = [asyncio.create_task(bench.person(f"203.0.113.{n}")) for n in (1, 9)]
    await asyncio.sleep(0.01)
    assert bench.provider.asked == ["203.0.113.0", "203.0.113.1", "203.0.113.9"]
    bench.provider.gate.set()
    answers = await asyncio.gather(*people, *storm)
    assert all(isinstance(answer.outcome, Found) for answer in answers)
    assert sorted(bench.provider.asked) == [f"203.0.113.{n}" for n in range(10)]


async def test_a_person_who_joins_an_alert_that_is_denied_still_gets_an_answer():
    bench = Bench()
    bench.store.ledger = bench.store.ledger.record(QuotaState(10, 2), NOON)
    alert, person = await asyncio.gather(bench.alert(), bench.person())
    assert alert.outcome == QuotaExceeded(NOON + timedelta(hours=1), kept_for_people=True)
    assert isinstance(person.outcome, Found)


async def test_an_alert_finds_out_by_itself_that_a_new_day_has_begun():
    bench = Bench()
    bench.store.ledger = bench.store.ledger.record(QuotaState(1000, 150), NOON)
    assert isinstance((await bench.alert()).outcome, QuotaExceeded)
    bench.clock.advance(hours=1)
    bench.provider.said = QuotaState(1000, 999)
    assert isinstance((await bench.alert()).outcome, Found)
    assert isinstance((await bench.alert("203.0.113.1")).outcome, Found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttl": timedelta(hours=25), "keep": timedelta(hours=25)},
        {"ttl": timedelta(0)},
        {"ttl": timedelta(hours=2), "keep": timedelta(hours=1)},
        {"for_people": 1.0},
        {"for_people": -0.1},
    ],
)
def test_a_policy_beyond_the_terms_is_refused(wrong):
    with pytest.raises(ValueError, match=r"24 h|share"):
        Policy(**wrong)


@asynccontextmanager
async def demo(daily_limit: int = 1000):
    clock, faults = HandClock(), Faults()
    async with serving(build_sandbox(clock, daily_limit=daily_limit, faults=faults)) as base, new_client() as client:
        provider = AbuseIPDB(client, SecretStr("demo"), f"{base}/api/v2/", clock)
        yield Lookup(provider, MemoryStore(), clock, Policy(), is_public=lambda _: True), clock, faults


async def test_with_the_sandbox_a_spent_day_is_bridged_and_ends_at_the_named_reset():
    async with demo(daily_limit=5) as (lookup, clock, faults):
        reset = NOON.replace(hour=5) + timedelta(days=1)
        for n in range(5):
            assert isinstance((await lookup.look_up(f"203.0.113.{n}", purpose="person")).outcome, Found)
        clock.advance(seconds=10)
        assert (await lookup.look_up("203.0.113.5", purpose="person")).outcome == QuotaExceeded(reset)
        clock.advance(hours=13)
        stale = await lookup.look_up("203.0.113.0", purpose="person")
        assert isinstance(stale.outcome, Found)
        assert stale.outcome.source == "sandbox"
        assert (stale.age, stale.stale_because) == (timedelta(hours=13, seconds=10), QuotaExceeded(reset))
        assert faults.calls["check"] == 6
        clock.moment = reset
        assert (await lookup.look_up("203.0.113.0", purpose="person")).age is None
        assert (await lookup.quota()).remaining == 4


async def test_with_the_sandbox_a_provider_that_is_down_is_said_to_be_down_and_heals():
    async with demo() as (lookup, clock, faults):
        faults.down = True
        assert isinstance((await lookup.look_up(ADDRESS, purpose="alert")).outcome, Unavailable)
        faults.clear()
        clock.advance(minutes=2)
        assert isinstance((await lookup.look_up(ADDRESS, purpose="alert")).outcome, Found)
