"""What people are told, and that it is true at the moment of telling."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.alert import Alert, Event
from bot.domain.block import BlockRequest, BlockState
from bot.domain.incident import Action, Classification, Deed, Incident, Person, State
from bot.domain.reputation import (
    Answer,
    Caution,
    Comment,
    Count,
    Found,
    NotPublic,
    QuotaExceeded,
    Refused,
    Reports,
    Reputation,
    Thresholds,
    Tier,
    Unavailable,
)
from bot.domain.view_address import Standing, address_view
from bot.domain.view_block import approval_view, block_line
from bot.domain.view_forms import close_form, details_view, escalate_form
from bot.domain.view_lines import (
    LineKind,
    ThreadLine,
    block_event_line,
    block_failed_line,
    decision_line,
    more_events_line,
    reputation_line,
    thread_line,
)
from bot.domain.view_lookup import QuotaLeft, local_view, lookup_view, not_understood, one_at_a_time
from bot.domain.view_words import age, length, one_line
from bot.domain.views import AlertFacts, Link, alert_view, facts_of, late_note, state_line

NOW = datetime(2026, 3, 2, 3, 10, tzinfo=UTC)
ANA, BO = Person("U0ANA", "Ana"), Person("U0BO", "Bo")
ADDRESS = "198.51.100.7"
FACTS = AlertFacts(
    rule_name="Key Vault deletions",
    severity="High",
    title="Secrets purged",
    description="A purge cannot be undone.",
    who="svc-deploy@northwind.example",
    where="kv-payments",
    operations=(Count("SecretPurge", 3), Count("KeyDelete", 1)),
    targets=("db-admin",),
    more_targets=2,
    first_seen=NOW - timedelta(minutes=9),
    last_seen=NOW - timedelta(minutes=2),
    count=4,
    addresses=(ADDRESS,),
    created_at=NOW,
)


def reputation(score: int = 82, **more: Any) -> Reputation:
    values: dict[str, Any] = {
        "address": ADDRESS,
        "total_reports": 47,
        "distinct_reporters": 22,
        "window_days": 90,
        "fetched_at": NOW,
        **more,
    }
    return Reputation(score=score, **values)


def about(answer: Answer | None):
    return address_view(ADDRESS, answer, thresholds=Thresholds(), now=NOW)


def card(incident: Incident | None = None, facts: AlertFacts = FACTS, **more: Any):
    given: dict[str, Any] = {"answers": {}, "thresholds": Thresholds(), "now": NOW, **more}
    return alert_view(incident or Incident("INC-ABCDEFGHIJ"), facts, **given)


def request(**more: Any) -> BlockRequest:
    values: dict[str, Any] = {
        "id": "BLK-0123456789",
        "incident_id": "INC-ABCDEFGHIJ",
        "address": ADDRESS,
        "ttl": timedelta(hours=24),
        "reason": "Purges secrets",
        "requested_by": ANA,
        "requested_at": NOW - timedelta(minutes=5),
        "decide_by": NOW + timedelta(minutes=55),
        **more,
    }
    return BlockRequest(**values)


def decided(state: BlockState, **more: Any) -> BlockRequest:
    ends_at = NOW + timedelta(hours=24)
    return request(state=state, version=3, decided_by=BO, decided_at=NOW, **{"ends_at": ends_at, **more})


@pytest.mark.parametrize(
    ("state", "action", "classification", "said"),
    [
        (State.OPEN, None, None, "Open"),
        (State.OPEN, Action.UNACKNOWLEDGE, None, "Open, given back by Ana"),
        (State.OPEN, Action.REOPEN, None, "Reopened by Ana"),
        (State.ACKNOWLEDGED, Action.ACKNOWLEDGE, None, "Acknowledged by Ana"),
        (State.CLOSED, Action.CLOSE, Classification.FALSE_POSITIVE, "Closed as false positive by Ana"),
        (State.CLOSED, Action.CLOSE, Classification.UNDETERMINED, "Closed as undetermined by Ana"),
        (State.CLOSED, None, None, "Closed"),
    ],
)
def test_the_state_says_who_did_what_and_when(state, action, classification, said) -> None:
    at = NOW - timedelta(minutes=2)
    last = Deed(action, ANA, at) if action else None
    line = state_line(Incident("INC-ABCDEFGHIJ", state, 2, classification=classification, last=last))
    assert line.words == said
    assert line.at == (at if action else None)


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.OPEN, (Action.ACKNOWLEDGE, Action.CLOSE, Action.ESCALATE)),
        (State.ACKNOWLEDGED, (Action.UNACKNOWLEDGE, Action.CLOSE, Action.ESCALATE)),
        (State.CLOSED, (Action.REOPEN,)),
    ],
)
def test_a_card_offers_what_the_state_allows_on_the_version_that_it_shows(state, offered) -> None:
    view = card(Incident("INC-ABCDEFGHIJ", state, version=7))
    assert view.actions == offered
    assert view.reference == "INC-ABCDEFGHIJ@7"


def test_without_an_address_there_is_nothing_to_escalate() -> None:
    assert Action.ESCALATE not in card(facts=replace(FACTS, addresses=())).actions


def test_a_verdict_rests_on_counted_reports_in_a_named_window() -> None:
    view = about(Answer(ADDRESS, Found(reputation(82, isp="Example Hosting", country_code="NL", is_tor=True))))
    assert (view.verdict, view.score, view.tier) == ("High risk", 82, Tier.HIGH)
    assert view.sentence == "47 reports by 22 reporters in 90 days"
    assert view.facts == ("Example Hosting", "NL", "Tor exit")
    assert Caution.TOR in view.cautions


def test_no_reports_is_not_called_anything_better() -> None:
    view = about(Answer(ADDRESS, Found(reputation(0, total_reports=0, distinct_reporters=0))))
    assert (view.verdict, view.sentence) == ("No reports", "No reports in 90 days")


def test_one_of_a_thing_is_not_plural() -> None:
    view = about(Answer(ADDRESS, Found(reputation(9, total_reports=1, distinct_reporters=1, window_days=1))))
    assert view.sentence == "1 report by 1 reporter in 1 day"


@pytest.mark.parametrize(
    ("outcome", "standing", "sentence"),
    [
        (
            QuotaExceeded(datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
            Standing.QUOTA,
            "The AbuseIPDB quota is used up until 05:00 UTC.",
        ),
        (
            QuotaExceeded(datetime(2026, 3, 3, 5, 0, tzinfo=UTC)),
            Standing.QUOTA,
            "The AbuseIPDB quota is used up until 2026-03-03 05:00 UTC.",
        ),
        (
            QuotaExceeded(datetime(2026, 3, 3, 0, 0, tzinfo=UTC), kept_for_people=True),
            Standing.QUOTA,
            "The rest of the AbuseIPDB quota is kept for people until 00:00 UTC.",
        ),
        (Unavailable("timed out."), Standing.UNAVAILABLE, "AbuseIPDB did not answer (timed out)."),
        (Refused("The key is wrong."), Standing.REFUSED, "AbuseIPDB will not answer (The key is wrong)."),
        (NotPublic(), Standing.NOT_PUBLIC, "Nobody was asked: documentation range."),
    ],
)
def test_what_is_not_known_says_why_and_shows_no_score(outcome, standing, sentence) -> None:
    view = about(Answer(ADDRESS, outcome))
    assert (view.standing, view.sentence) == (standing, sentence)
    assert view.score is None
    assert view.tier is None


def test_a_missing_answer_is_still_being_looked_up() -> None:
    assert about(None).standing is Standing.LOOKING


def test_an_old_answer_says_how_old_and_why() -> None:
    quota = QuotaExceeded(datetime(2026, 3, 2, 5, 0, tzinfo=UTC))
    view = about(Answer(ADDRESS, Found(reputation()), timedelta(hours=30), quota))
    assert view.note == "This answer is 1 d old: the AbuseIPDB quota is used up until 05:00 UTC."
    assert view.score == 82


@pytest.mark.parametrize(
    ("given", "words", "holds"),
    [
        (request(), "Block requested by Ana, waits for approval", False),
        (request(decide_by=NOW), "Block requested by Ana lapsed: nobody decided in time", False),
        (request(state=BlockState.LAPSED), "Block requested by Ana lapsed: nobody decided in time", False),
        (decided(BlockState.REJECTED, ends_at=None), "Block rejected by Bo", False),
        (decided(BlockState.APPROVED), "Block approved by Bo, being put in place", False),
        (decided(BlockState.ACTIVE), "Blocked", True),
        (decided(BlockState.ACTIVE, ends_at=NOW), "Block ended", False),
        (decided(BlockState.EXPIRED), "Block ended", False),
        (decided(BlockState.UNDONE), "Block undone", False),
    ],
)
def test_a_block_is_told_by_the_clock(given: BlockRequest, words: str, holds: bool) -> None:
    line = block_line(given, NOW)
    assert (line.words, line.holds) == (words, holds)


def test_a_block_in_force_names_its_end_and_its_approver() -> None:
    line = block_line(decided(BlockState.ACTIVE), NOW)
    assert (line.until, line.note) == (NOW + timedelta(hours=24), "approved by Bo")


def test_the_newest_request_for_an_address_is_the_one_told() -> None:
    old = decided(BlockState.REJECTED, requested_at=NOW - timedelta(hours=2))
    view = card(requests=(request(), old))
    assert view.addresses[0].block == block_line(request(), NOW)


@pytest.mark.parametrize(
    ("given", "offers"),
    [(request(), 2), (request(decide_by=NOW), 0), (decided(BlockState.ACTIVE), 0)],
)
def test_approvers_are_asked_only_while_their_word_counts(given: BlockRequest, offers: int) -> None:
    view = approval_view(given, now=NOW)
    assert len(view.actions) == offers
    assert view.reference == f"BLK-0123456789@{given.version}"
    assert view.ttl == "1 day"


def test_what_a_long_card_leaves_out_is_never_the_worst() -> None:
    many = tuple(f"198.51.100.{n}" for n in range(1, 13))
    answers = {
        address: Answer(address, Found(reputation(90 if n == 11 else 0, address=address, total_reports=0)))
        for n, address in enumerate(many)
    }
    view = card(facts=replace(FACTS, addresses=many), answers=answers)
    assert len(view.addresses) == 8
    assert view.more_addresses == 4
    assert view.addresses[0].view.address == "198.51.100.12"
    assert "198.51.100.12 (high risk, 90/100) and 11 more" in view.summary


def test_eight_addresses_keep_their_order() -> None:
    many = tuple(f"198.51.100.{n}" for n in range(1, 9))
    view = card(facts=replace(FACTS, addresses=many))
    assert tuple(line.view.address for line in view.addresses) == many


def test_the_summary_can_be_read_from_a_locked_screen() -> None:
    answers = {ADDRESS: Answer(ADDRESS, Found(reputation(82)))}
    assert card(answers=answers).summary == (
        "High: Secrets purged: 4 events by svc-deploy@northwind.example in kv-payments "
        "from 198.51.100.7 (high risk, 82/100)"
    )
    closed = Incident("INC-ABCDEFGHIJ", State.ACKNOWLEDGED, 2, ANA, last=Deed(Action.ACKNOWLEDGE, ANA, NOW))
    assert card(closed, replace(FACTS, who="", where="", addresses=())).summary == (
        "High: Secrets purged: 4 events. Acknowledged by Ana"
    )


def test_two_links_of_one_kind_become_one() -> None:
    twice = (Link("runbook", "Runbook", "https://a.example"), Link("runbook", "Runbook", "https://b.example"))
    assert card(links=twice).links == twice[1:]


def event(what: str, target: str, late: timedelta = timedelta(0)) -> Event:
    return Event(f"{what}{target}", NOW, NOW + late, what, target, (ADDRESS,), {})


def test_facts_count_what_was_done_and_sample_what_it_was_done_to() -> None:
    alert = Alert(
        Incident("INC-ABCDEFGHIJ"), "g", 1, "r", "Rule", "Why", "High", "Title", "who", "where", NOW, NOW, 9, NOW
    )
    events = [event("KeyDelete", "k"), *(event("SecretPurge", f"s{n % 6}") for n in range(8))]
    facts = facts_of(alert, events, [ADDRESS])
    assert facts.operations == (Count("SecretPurge", 8), Count("KeyDelete", 1))
    assert facts.targets == ("k", "s0", "s1")
    assert facts.more_targets == 4
    assert (facts.count, facts.where, facts.addresses) == (9, "where", (ADDRESS,))


def test_late_rows_are_confessed() -> None:
    assert late_note([event("a", "b", timedelta(minutes=90))]) == ""
    one = [event("a", "b", timedelta(hours=3))]
    assert late_note(one) == "1 event was found late, up to 3 h after it happened."
    rows = [*one, event("a", "c", timedelta(hours=5)), event("a", "d")]
    assert late_note(rows) == "2 events were found late, up to 5 h after they happened."


def test_events_that_no_operation_stands_for_are_counted() -> None:
    assert card(facts=replace(FACTS, count=10)).uncounted == 6


@pytest.mark.parametrize(
    ("action", "classification", "comment", "sentence"),
    [
        (Action.ACKNOWLEDGE, None, "", "Ana acknowledged this."),
        (Action.UNACKNOWLEDGE, None, "", "Ana gave this back: it is open again."),
        (Action.REOPEN, None, "", "Ana reopened this."),
        (Action.CLOSE, Classification.BENIGN_POSITIVE, "", "Ana closed this as benign positive."),
        (
            Action.CLOSE,
            Classification.TRUE_POSITIVE,
            "Rotated\nthe key ",
            "Ana closed this as true positive: “Rotated the key”.",
        ),
    ],
)
def test_each_decision_is_one_sentence_of_the_log(action, classification, comment, sentence) -> None:
    assert decision_line(action, "Ana", classification, comment).sentence == sentence
    stored = {
        "kind": action.value,
        "by": "U0ANA",
        "name": "Ana",
        "classification": classification.value if classification else None,
        "comment": comment,
    }
    assert thread_line(stored).sentence == sentence


def test_more_events_are_counted_in_the_log() -> None:
    assert more_events_line(1).sentence == "1 more event joined this incident."
    assert thread_line({"kind": "more_events", "count": 3}).sentence == "3 more events joined this incident."


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (
            BlockState.PENDING,
            (
                "Ana asked to block 198.51.100.7 for 1 day: “Purges secrets”. "
                "It waits for an approver until 2026-03-02 04:05 UTC."
            ),
        ),
        (BlockState.APPROVED, "Bo approved the block of 198.51.100.7 until 2026-03-03 03:10 UTC."),
        (BlockState.REJECTED, "Bo rejected the block of 198.51.100.7."),
        (
            BlockState.LAPSED,
            "The request to block 198.51.100.7 lapsed: nobody decided in time. Ask again if it matters.",
        ),
        (BlockState.ACTIVE, "198.51.100.7 is blocked until 2026-03-03 03:10 UTC."),
        (BlockState.EXPIRED, "The block of 198.51.100.7 ended: its time was over."),
        (BlockState.UNDONE, "The block of 198.51.100.7 was undone before its time."),
    ],
)
def test_a_step_of_a_block_is_told_as_that_step_whatever_came_later(state: BlockState, sentence: str) -> None:
    later = decided(BlockState.EXPIRED)
    assert block_event_line(later, state).sentence == sentence
    line = thread_line({"kind": f"block_{state.value}", "request": later.id}, later)
    assert (line.sentence, line.kind) == (sentence, LineKind(f"block_{state.value}"))


def test_a_block_that_failed_says_why() -> None:
    line = thread_line({"kind": "block_failed", "problem": "The feed is full."}, decided(BlockState.APPROVED))
    assert line.sentence == "198.51.100.7 could not be blocked: The feed is full. It is being tried again."
    assert block_failed_line(request(), "").sentence == "198.51.100.7 could not be blocked. It is being tried again."


@pytest.mark.parametrize("body", [{}, {"kind": "from a later version"}, {"kind": "block_active"}])
def test_a_line_of_unknown_kind_still_says_something(body: dict[str, Any]) -> None:
    assert thread_line(body).kind is LineKind.OTHER


def test_only_an_answer_that_changes_the_tier_is_worth_a_line() -> None:
    looking = about(None)
    high = about(Answer(ADDRESS, Found(reputation(100))))
    low = about(Answer(ADDRESS, Found(reputation(3))))
    assert reputation_line(looking, about(Answer(ADDRESS, Unavailable("down")))) is None
    assert reputation_line(high, about(Answer(ADDRESS, Found(reputation(80))))) is None
    line = reputation_line(looking, high)
    assert line is not None
    assert line.sentence == "198.51.100.7: high risk, 100/100. 47 reports by 22 reporters in 90 days."
    line = reputation_line(low, high)
    assert line is not None
    assert line.sentence.endswith(" It was: low score.")


def found(**more: Any) -> Answer:
    return Answer(ADDRESS, Found(reputation(**more)))


def look(answer: Answer, **more: Any):
    return lookup_view(answer, thresholds=Thresholds(), now=NOW, **more)


def test_a_look_up_leads_with_the_verdict_and_ends_with_its_source() -> None:
    view = look(found(), quota=QuotaLeft(412, 1000))
    assert view.summary == "198.51.100.7: High risk, 82/100. 47 reports by 22 reporters in 90 days."
    assert view.footer == ("AbuseIPDB", "reports of 90 days", "asked just now", "412 of 1,000 calls left today")


def test_an_answer_from_the_cache_and_from_the_sandbox_says_so() -> None:
    view = look(Answer(ADDRESS, Found(reputation(), "sandbox"), timedelta(hours=3)))
    assert view.footer[0] == "Sandbox data, made up"
    assert view.footer[2] == "asked 3 h ago"


def test_a_look_up_lists_what_is_known_and_leaves_out_what_is_not() -> None:
    view = look(found(isp="Example", domain="example.com", hostnames=("example.com", "a.example.com")))
    assert {field.label: field.value for field in view.fields} == {
        "ISP": "Example",
        "Domain": "example.com, a.example.com",
        "Tor": "not a known exit",
    }
    assert view.freshness == ""


def test_the_three_newest_comments_are_shown_without_a_link() -> None:
    comments = [Comment(f"see https://evil.example/{n}", NOW - timedelta(hours=n), "US") for n in range(1, 5)]
    view = look(found(reports=Reports(last_day=3, last_week=1200, newest=(*comments,))))
    assert [comment.text for comment in view.comments] == [f"see https[:]//evil.example/{n}" for n in (1, 2, 3)]
    assert view.comments[1].told == "2 h ago, US"
    assert view.freshness == "3 in the last 24 hours, 1,200 in the last 7 days"


def alert(number: int) -> Alert:
    return Alert(Incident(f"INC-{number:010}"), "g", 1, "r", "Rule", "", "High", "Purged", "", "", NOW, NOW, 1, NOW)


@pytest.mark.parametrize(
    ("seen", "and_more", "said"),
    [
        (None, False, ""),
        ([], False, "Not seen in any incident here"),
        ([alert(1)], False, "Seen in 1 incident here"),
        ([alert(n) for n in range(5)], True, "Seen in at least 5 incidents here"),
    ],
)
def test_a_look_up_remembers_where_the_address_was_seen(seen, and_more: bool, said: str) -> None:
    view = look(found(), seen_in=seen, and_more=and_more)
    assert view.seen == said
    assert len(view.incidents) == min(3, len(seen or ()))


def test_a_private_address_is_answered_here() -> None:
    view = local_view("10.1.2.3", thresholds=Thresholds(), now=NOW)
    assert view.summary == "10.1.2.3: Not public. Nobody was asked: private network."
    assert (view.footer, view.view.page) == ((), "")


def test_a_command_that_was_not_understood_says_what_to_write() -> None:
    assert not_understood(["leading zeros are ambiguous"]) == (
        "I could not find an address: leading zeros are ambiguous. "
        "Write one address, for example 203.0.113.7 or 2001:db8::7."
    )
    assert "I understood 1.1.1.1, 8.8.8.0/24." in one_at_a_time(["1.1.1.1", "8.8.8.0/24"])
    assert "and 3 more" in one_at_a_time([f"198.51.100.{n}" for n in range(8)])


def test_closing_asks_for_one_of_four_words() -> None:
    form = close_form(Incident("INC-ABCDEFGHIJ", version=4), "Secrets purged")
    assert [choice.value for choice in form.choices] == [kind.value for kind in Classification]
    assert form.reference == "INC-ABCDEFGHIJ@4"


def escalation(max_ttl: timedelta, refused: dict[str, str] | None = None):
    views = [about(found(is_tor=True)), replace(about(None), address="10.0.0.4")]
    return escalate_form(
        Incident("INC-ABCDEFGHIJ"),
        "Secrets purged",
        views,
        refused=refused or {},
        max_ttl=max_ttl,
        decide_within=timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("most", "offered", "default"),
    [
        (timedelta(days=30), ["3600", "86400", "604800", "2592000"], "86400"),
        (timedelta(hours=12), ["3600"], "3600"),
        (timedelta(minutes=30), ["1800"], "1800"),
    ],
)
def test_no_time_to_live_beyond_policy_is_offered(most: timedelta, offered: list[str], default: str) -> None:
    form = escalation(most)
    assert [choice.value for choice in form.ttls] == offered
    assert form.ttl.value == default


def test_policy_chooses_the_times_to_live() -> None:
    form = escalate_form(
        Incident("INC-ABCDEFGHIJ"),
        "Secrets purged",
        [about(None)],
        refused={},
        max_ttl=timedelta(days=2),
        decide_within=timedelta(hours=1),
        default_ttl=timedelta(hours=4),
        choices=[timedelta(days=7), timedelta(days=1), timedelta(hours=4)],
    )
    assert [choice.label for choice in form.ttls] == ["4 hours", "1 day"]
    assert form.ttl.label == "4 hours"


def test_only_what_can_be_blocked_is_offered_with_its_verdict() -> None:
    form = escalation(timedelta(days=30), {"10.0.0.4": "It is protected."})
    assert [choice.value for choice in form.addresses] == [ADDRESS]
    assert form.addresses[0].hint == "High risk, 82/100. Tor exit: many people share this address"
    assert [(one.address, one.why) for one in form.not_blockable] == [("10.0.0.4", "It is protected.")]


def test_details_show_the_first_twenty_rows_and_count_the_rest() -> None:
    row = {"TimeGenerated": "2026-03-02T03:01:00Z", "Actor": "", "Note": "two\nlines", "Empty": None, "Number": 0}
    events = [replace(event("SecretPurge", f"s{n}"), row=row) for n in range(25)]
    lines = [ThreadLine(LineKind.OTHER, f"line {n}", NOW) for n in range(23)]
    view = details_view(
        Incident("INC-ABCDEFGHIJ"),
        replace(FACTS, count=40),
        events,
        lines,
        answers={},
        thresholds=Thresholds(),
        now=NOW,
    )
    assert (len(view.rows), view.more_rows) == (20, 20)
    assert (len(view.timeline), view.earlier) == (20, 3)
    assert [(cell.name, cell.value) for cell in view.rows[0].cells] == [
        ("Note", "two lines"),
        ("Number", "0"),
    ]
    assert view.timeline[-1].sentence == "line 22"


@pytest.mark.parametrize(
    ("span", "short", "full"),
    [
        (timedelta(seconds=-3), "0 s", "less than a minute"),
        (timedelta(seconds=59), "59 s", "less than a minute"),
        (timedelta(minutes=1), "1 min", "1 minute"),
        (timedelta(minutes=90), "1 h", "1 hour 30 minutes"),
        (timedelta(days=7), "7 d", "7 days"),
    ],
)
def test_spans_as_people_say_them(span: timedelta, short: str, full: str) -> None:
    assert (age(span), length(span)) == (short, full)


def test_what_a_stranger_wrote_is_one_bounded_line() -> None:
    assert one_line("a \n b\t c") == "a b c"
    assert len(one_line("x" * 9_000, 160)) == 160
