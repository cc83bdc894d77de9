"""The templates that ship: each state has the right buttons, and no value breaks or forges anything."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from bot.demo.workspace.block_check import check_blocks, check_view, is_too_large
from bot.domain.alert import Alert, Event
from bot.domain.block import BlockRequest, BlockState
from bot.domain.incident import Action, Classification, Deed, Incident, Person, State
from bot.domain.reputation import (
    Answer,
    Comment,
    Count,
    Found,
    NotPublic,
    Outcome,
    QuotaExceeded,
    Refused,
    Reports,
    Reputation,
    Thresholds,
    Unavailable,
)
from bot.domain.view_address import AddressView, address_view
from bot.domain.view_block import ApprovalView, BlockLine, PlanLine, approval_view
from bot.domain.view_forms import (
    Choice,
    CloseForm,
    DetailsView,
    EscalateForm,
    NotBlockable,
    RowLine,
    close_form,
    details_view,
    escalate_form,
)
from bot.domain.view_lines import LineKind, ThreadLine
from bot.domain.view_lookup import LookupView, QuotaLeft, local_view, lookup_view
from bot.domain.views import AddressLine, AlertFacts, AlertView, Link, StateLine, alert_view
from bot.render.renderer import Renderer

TEMPLATES = Path(__file__).parents[2] / "templates"
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
    targets=("db-admin", "db-reader"),
    more_targets=2,
    first_seen=NOW - timedelta(minutes=9),
    last_seen=NOW - timedelta(minutes=2),
    count=4,
    addresses=(ADDRESS,),
    created_at=NOW,
)
HOSTILE = (
    '"}],<!channel>',
    "<@U0ANA>",
    "<https://evil.example|click>",
    "https://evil.example/x",
    "*bold* _it_ ~no~ `code`",
    "&lt;!here&gt;",
    "@here @channel",
    "{{ view.id }}{% if %}",
    '\\\\"\n\u202e\u200b\ue0000\ue001\ud800',
    "x" * 5_000,
    "word " * 900,
    "&<>" * 700,
    "",
)
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))
DATE = r"<!date\^\d+\^[^|<>&]+\|[^<>&]+>"
OWN_LINK = r"<https://www\.abuseipdb\.com/check/[A-Za-z0-9.:%_~-]*\|AbuseIPDB>"


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer([TEMPLATES])


def reputation(score: int = 82, **more: Any) -> Reputation:
    values: dict[str, Any] = {
        "address": ADDRESS,
        "total_reports": 47,
        "distinct_reporters": 22,
        "window_days": 90,
        "fetched_at": NOW,
        "last_reported_at": NOW - timedelta(hours=2),
        "isp": "Example Hosting",
        "usage_type": "Data Center/Web Hosting/Transit",
        "country_code": "NL",
        "reports": Reports(categories=(Count("SSH", 12), Count("Brute-Force", 9))),
        **more,
    }
    return Reputation(score=score, **values)


def request(state: BlockState = BlockState.PENDING, **more: Any) -> BlockRequest:
    is_decided = state not in (BlockState.PENDING, BlockState.LAPSED)
    values: dict[str, Any] = {
        "id": "BLK-0123456789",
        "incident_id": "INC-ABCDEFGHIJ",
        "address": ADDRESS,
        "ttl": timedelta(hours=24),
        "reason": "Purges secrets",
        "requested_by": ANA,
        "requested_at": NOW - timedelta(minutes=5),
        "decide_by": NOW + timedelta(minutes=55),
        "decided_by": BO if is_decided else None,
        "decided_at": NOW if is_decided else None,
        "ends_at": NOW + timedelta(hours=24) if is_decided else None,
        **more,
    }
    return BlockRequest(state=state, **values)


def incident(state: State = State.OPEN, by: Person = ANA) -> Incident:
    deed = {State.ACKNOWLEDGED: Action.ACKNOWLEDGE, State.CLOSED: Action.CLOSE}.get(state)
    last = Deed(deed, by, NOW - timedelta(minutes=2)) if deed else None
    kind = Classification.FALSE_POSITIVE if state is State.CLOSED else None
    return Incident("INC-ABCDEFGHIJ", state, 3, None, kind, last=last)


def card(state: State = State.OPEN, facts: AlertFacts = FACTS, **more: Any) -> AlertView:
    given: dict[str, Any] = {
        "answers": {ADDRESS: Answer(ADDRESS, Found(reputation()))},
        "thresholds": Thresholds(),
        "now": NOW,
        **more,
    }
    return alert_view(incident(state), facts, **given)


def strings(node: Any, kind: str) -> list[str]:
    """The text of every text object of that type."""
    if isinstance(node, list):
        return [text for child in node for text in strings(child, kind)]
    if not isinstance(node, dict):
        return []
    own = [node["text"]] if node.get("type") == kind else []
    return own + [text for child in node.values() for text in strings(child, kind)]


def buttons(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [button for child in node for button in buttons(child)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "button" else []
    return own + [button for child in node.values() for button in buttons(child)]


def hold_together(made: dict[str, Any]) -> None:
    """What Slack takes as a message, and nothing in it that a value could have made."""
    assert check_blocks(made["blocks"]) == []
    assert not is_too_large(made["blocks"])
    assert made["text"].strip()
    hold_no_forgery(made)


def hold_no_forgery(made: dict[str, Any]) -> None:
    for block in made["blocks"]:
        assert Block.parse(block).to_dict()["type"] == block["type"]
    for text in [made.get("text", ""), *strings(made, "mrkdwn")]:
        rest = re.sub(f"{DATE}|{OWN_LINK}", "", text)
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", rest), text
    for button in buttons(made):
        assert re.fullmatch(r"(INC|BLK|CHK)-[A-Z0-9]{10}@\d+", button.get("value", "INC-ABCDEFGHIJ@1"))
    json.dumps(made).encode()


def everything_said(made: dict[str, Any]) -> str:
    return "\n".join([made.get("text", ""), *strings(made, "mrkdwn"), *strings(made, "plain_text")])


def test_every_template_compiles(renderer: Renderer) -> None:
    assert renderer.faults() == []


VIEWS = (AlertView, AlertFacts, StateLine, AddressLine, AddressView, BlockLine, ApprovalView, PlanLine, ThreadLine)
VIEWS_OF_FORMS = (LookupView, CloseForm, EscalateForm, NotBlockable, Choice, DetailsView, RowLine, Link)


@pytest.mark.parametrize("view", VIEWS + VIEWS_OF_FORMS)
def test_the_reference_names_all_that_a_template_may_use(view: type) -> None:
    reference = (TEMPLATES.parent / "docs" / "reference" / "templates.md").read_text(encoding="utf-8")
    assert [field.name for field in fields(view) if f"`{field.name}`" not in reference] == []


def test_the_reference_names_every_template(renderer: Renderer) -> None:
    reference = (TEMPLATES.parent / "docs" / "reference" / "templates.md").read_text(encoding="utf-8")
    assert [name for name in renderer.names() if f"`slack/{name}.json`" not in reference] == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.OPEN, ["incident:acknowledge", "incident:close:open", "incident:escalate:open", "incident:details"]),
        (
            State.ACKNOWLEDGED,
            ["incident:unacknowledge", "incident:close:open", "incident:escalate:open", "incident:details"],
        ),
        (State.CLOSED, ["incident:reopen", "incident:details"]),
    ],
)
def test_buttons_follow_the_state(renderer: Renderer, state: State, expected: list[str]) -> None:
    made = renderer.message("alert", view=card(state))
    row = buttons(made["blocks"][-1])
    assert [button["action_id"] for button in row] == [*expected, "open:abuseipdb"]
    assert {button["value"] for button in row if "url" not in button} == {"INC-ABCDEFGHIJ@3"}
    assert not any("confirm" in button for button in row)
    styles = {button["action_id"]: button["style"] for button in row if "style" in button}
    assert set(styles.items()) <= {("incident:acknowledge", "primary"), ("incident:escalate:open", "danger")}


@pytest.mark.parametrize(
    ("severity", "sign"), [("High", "🔴"), ("Medium", "🟠"), ("Low", "🟡"), ("Informational", "⚪"), ("Odd", "⚪")]
)
def test_the_severity_can_be_seen_before_it_is_read(renderer: Renderer, severity: str, sign: str) -> None:
    made = renderer.message("alert", view=card(facts=replace(FACTS, severity=severity)))
    assert made["blocks"][0]["text"]["text"] == f"{sign} {severity} · Secrets purged"
    assert made["text"].startswith(f"{sign} {severity}: Secrets purged: 4 events by svc-deploy")


def test_the_card_answers_the_five_questions_and_shows_the_verdict(renderer: Renderer) -> None:
    made = renderer.message("alert", view=card())
    assert [block["type"] for block in made["blocks"]] == [
        "header",
        "section",
        "section",
        "section",
        "context",
        "actions",
    ]
    fields = [field["text"].partition("\n") for field in made["blocks"][1]["fields"]]
    assert [label for label, _, _ in fields] == ["*Who*", "*Where*", "*When*", "*From*"]
    what = made["blocks"][2]["text"]["text"]
    assert what == ("*4 events*: 3 × `SecretPurge`, 1 × `KeyDelete`\n*Targets:*\n`db-admin`\n`db-reader`\nand 2 more")
    address = made["blocks"][3]
    two_hours_ago = int((NOW - timedelta(hours=2)).timestamp())
    assert address["text"]["text"].splitlines() == [
        "🔴 `198.51.100.7` *High risk* `████████░░ 82/100`",
        f"47 reports by 22 reporters in 90 days, last <!date^{two_hours_ago}^{{ago}}|2026-03-02 01:10:00 UTC>",
        "Example Hosting · Data Center/Web Hosting/Transit · NL",
        "SSH ×12, Brute-Force ×9",
    ]
    page = buttons(made["blocks"][-1])[-1]
    assert (page["action_id"], page["url"]) == ("open:abuseipdb", "https://www.abuseipdb.com/check/198.51.100.7")


def test_the_card_says_where_it_stands(renderer: Renderer) -> None:
    said = everything_said(renderer.message("alert", view=card(State.CLOSED)))
    assert "*Closed as false positive by Ana* <!date^" in said
    assert "`INC-ABCDEFGHIJ` · Key Vault deletions" in said


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (None, "*Looking up*"),
        (NotPublic(), "Nobody was asked: documentation range."),
        (QuotaExceeded(NOW + timedelta(hours=2)), "quota is used up until 05:10 UTC"),
        (Unavailable("timed out"), "AbuseIPDB did not answer (timed out)"),
        (Refused("The key is wrong."), "AbuseIPDB will not answer (The key is wrong)"),
        (Found(reputation(0, total_reports=0, distinct_reporters=0, last_reported_at=None)), "*No reports*"),
        (Found(reputation(10)), "*Low score*"),
        (Found(reputation(30)), "*Suspicious*"),
    ],
)
def test_every_answer_about_an_address_is_shown_and_none_acquits(
    renderer: Renderer, outcome: Outcome | None, said: str
) -> None:
    answers = {ADDRESS: Answer(ADDRESS, outcome)} if outcome else {}
    made = renderer.message("alert", view=card(answers=answers))
    hold_together(made)
    assert said in everything_said(made)
    assert not re.search(r"\b(clean|safe|harmless|benign|trusted)\b", everything_said(made), re.IGNORECASE)


@pytest.mark.parametrize("state", BlockState)
def test_the_state_of_a_block_is_on_the_card(renderer: Renderer, state: BlockState) -> None:
    made = renderer.message("alert", view=card(requests=[request(state)]))
    hold_together(made)
    assert "Block" in made["blocks"][3]["text"]["text"]


def test_a_block_in_force_names_its_end_and_approver(renderer: Renderer) -> None:
    made = renderer.message("alert", view=card(requests=[request(BlockState.ACTIVE)]))
    ends = int((NOW + timedelta(hours=24)).timestamp())
    assert re.search(rf"🚫 \*Blocked\* until <!date\^{ends}\^.*> \(approved by Bo\)", made["blocks"][3]["text"]["text"])


def test_links_open_pages_and_a_bad_one_is_left_out(renderer: Renderer) -> None:
    links = [Link("sentinel", "Sentinel", "https://portal.azure.com/#x"), Link("bad", "Bad", "javascript:alert(1)")]
    row = buttons(renderer.message("alert", view=card(links=links))["blocks"][-1])
    assert [button["action_id"] for button in row][-2:] == ["open:abuseipdb", "open:sentinel"]


def test_notes_are_shown_only_when_there_is_something_to_note(renderer: Renderer) -> None:
    plain = renderer.message("alert", view=card())["blocks"][-2]["elements"]
    assert len(plain) == 2
    noted = card(facts=replace(FACTS, late="2 events reached the log late."), sandbox=True, repeated=True)
    elements = renderer.message("alert", view=noted)["blocks"][-2]["elements"]
    assert [element["text"].split(" ", 1)[1] for element in elements[2:]] == [
        "2 events reached the log late.",
        "Possible repeat: the first try to post this was never confirmed",
        "Sandbox data: the reputation is made up",
    ]


def test_more_addresses_than_fit_are_counted(renderer: Renderer) -> None:
    many = tuple(f"198.51.100.{n}" for n in range(30))
    answers = {a: Answer(a, Found(reputation(address=a, isp="I" * 200, is_tor=True))) for a in many}
    made = renderer.message("alert", view=card(facts=replace(FACTS, addresses=many), answers=answers))
    hold_together(made)
    assert everything_said(made).count("|AbuseIPDB>") == 8
    assert "and 22 more addresses, none of them worse: see Details" in everything_said(made)
    assert next(button["action_id"] for button in buttons(made["blocks"][-1])) == "incident:acknowledge"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(words=st.lists(hostile, min_size=12, max_size=12), state=st.sampled_from(State))
def test_no_value_on_a_card_becomes_a_mention_a_link_or_structure(
    renderer: Renderer, words: list[str], state: State
) -> None:
    who, where, title, rule, operation, target, late, isp, country, category, person, severity = words
    facts = replace(
        FACTS,
        who=who,
        where=where,
        title=title,
        rule_name=rule,
        operations=(Count(operation, 3), Count(title, 1)),
        targets=(target, where, who),
        late=late,
        severity=severity,
        addresses=(ADDRESS, who or "-"),
    )
    found = Found(reputation(isp=isp, country_code=country, reports=Reports(categories=(Count(category, 2),))))
    view = alert_view(
        incident(state, Person("U0BAD", person)),
        facts,
        answers={ADDRESS: Answer(ADDRESS, found), who or "-": Answer(who, Unavailable(late))},
        requests=[request(BlockState.ACTIVE, decided_by=Person("U0BAD", person))],
        thresholds=Thresholds(),
        now=NOW,
    )
    hold_together(renderer.message("alert", view=view))


def approval(state: BlockState = BlockState.PENDING, **more: Any) -> Any:
    address = address_view(ADDRESS, Answer(ADDRESS, Found(reputation())), thresholds=Thresholds(), now=NOW)
    plans = [PlanLine("Blocklist", "1 line more"), PlanLine("IP group", "It is full", possible=False)]
    given: dict[str, Any] = {"incident_title": "Secrets purged", "address": address, "plans": plans, **more}
    return approval_view(request(state), now=NOW, **given)


def test_an_approval_is_confirmed_and_a_rejection_is_not(renderer: Renderer) -> None:
    made = renderer.message("approval", view=approval())
    hold_together(made)
    approve, reject = buttons(made["blocks"][-1])
    assert (approve["action_id"], reject["action_id"]) == ("block:approve", "block:reject")
    assert approve["value"] == reject["value"] == "BLK-0123456789@1"
    assert "confirm" in approve
    assert "confirm" not in reject
    assert approve["style"] == "danger"
    said = everything_said(made)
    for expected in ("for 1 day?", "Purges secrets", "*High risk*", "• *Blocklist*: 1 line more", "⚠️ *IP group*"):
        assert expected in said


@pytest.mark.parametrize("state", [state for state in BlockState if state is not BlockState.PENDING])
def test_a_decided_request_has_no_buttons_and_says_how_it_stands(renderer: Renderer, state: BlockState) -> None:
    made = renderer.message("approval", view=approval(state, address=None, plans=()))
    hold_together(made)
    assert buttons(made) == []
    assert made["blocks"][-1]["type"] == "context"


@pytest.mark.parametrize("kind", LineKind)
def test_the_log_is_one_quiet_line(renderer: Renderer, kind: LineKind) -> None:
    made = renderer.message("thread", line=ThreadLine(kind, "Ana did *this*: “<!channel>”."))
    hold_together(made)
    assert [block["type"] for block in made["blocks"]] == ["context"]
    (element,) = made["blocks"][0]["elements"]
    assert element["type"] == "plain_text"
    assert element["text"].endswith("Ana did *this*: “<!channel>”.")


def alert(title: str = "Secrets purged") -> Alert:
    return Alert(Incident("INC-ABCDEFGHIJ"), "g", 1, "r", "Rule", "", "High", title, "", "", NOW, NOW, 1, NOW)


def test_a_look_up_is_two_lines_facts_and_a_footer(renderer: Renderer) -> None:
    newest = (Comment("see https://evil.example", NOW - timedelta(hours=1), "US"),)
    reports = Reports((Count("SSH", 12),), last_day=1, last_week=2, newest=newest)
    view = lookup_view(
        Answer(ADDRESS, Found(reputation(reports=reports))),
        thresholds=Thresholds(),
        now=NOW,
        seen_in=[alert()],
        block=request(BlockState.ACTIVE),
        quota=QuotaLeft(412, 1000),
        reference="CHK-ABCDEFGHIJ@1",
    )
    made = renderer.message("ipcheck", view=view)
    hold_together(made)
    first, second = made["blocks"][0]["text"]["text"].splitlines()
    assert first == "🔴 *High risk* `198.51.100.7` `████████░░ 82/100`"
    assert second.startswith("47 reports by 22 reporters in 90 days, last <!date^")
    said = everything_said(made)
    for expected in (
        "*ISP*\nExample Hosting",
        "*Reported for*\nSSH ×12",
        "1 in the last 24 hours, 2 in the last 7 days",
        "🚫 *Blocked* until",
        "*Seen in 1 incident here*\n`INC-ABCDEFGHIJ` Secrets purged",
        "“see https[:]//evil.example”",
        "AbuseIPDB · reports of 90 days · asked just now · 412 of 1,000 calls left today",
    ):
        assert expected in said
    assert [button["action_id"] for button in buttons(made)] == ["ipcheck:share", "open:abuseipdb"]
    assert buttons(made)[0]["value"] == "CHK-ABCDEFGHIJ@1"
    assert not any("style" in button for button in buttons(made))


def test_a_private_address_gets_a_local_answer_without_buttons(renderer: Renderer) -> None:
    made = renderer.message("ipcheck", view=local_view("10.1.2.3", thresholds=Thresholds(), now=NOW))
    hold_together(made)
    assert buttons(made) == []
    assert "Nobody was asked: private network." in everything_said(made)


def test_the_first_answer_echoes_what_was_understood(renderer: Renderer) -> None:
    made = renderer.message("ipcheck_looking", address="2001:db8::7")
    hold_together(made)
    assert made["text"] == "Looking up 2001:db8::7…"


def test_a_refusal_keeps_its_lines(renderer: Renderer) -> None:
    made = renderer.message("refusal", sentence="Nothing changed:\nBo was first.")
    hold_together(made)
    assert made["blocks"][0]["text"] == {"type": "mrkdwn", "text": "Nothing changed:\nBo was first.", "verbatim": True}


def hold_view(made: dict[str, Any]) -> None:
    assert check_view(made) == []
    hold_no_forgery(made)


def inputs(made: dict[str, Any]) -> dict[str, Any]:
    return {block["block_id"]: block["element"] for block in made["blocks"] if block["type"] == "input"}


def test_the_close_form_asks_what_it_was(renderer: Renderer) -> None:
    made = renderer.view("close_form", form=close_form(incident(), "Secrets purged"))
    hold_view(made)
    assert (made["callback_id"], made["private_metadata"]) == ("incident:close", "INC-ABCDEFGHIJ@3")
    asked = inputs(made)
    assert list(asked) == ["classification", "comment"]
    assert [option["value"] for option in asked["classification"]["options"]] == [c.value for c in Classification]


def escalation(addresses: tuple[str, ...], refused: dict[str, str]) -> Any:
    views = [address_view(address, None, thresholds=Thresholds(), now=NOW) for address in addresses]
    return escalate_form(
        incident(),
        "Secrets purged",
        views,
        refused=refused,
        max_ttl=timedelta(days=30),
        decide_within=timedelta(hours=1),
    )


def test_the_escalate_form_chooses_the_obvious(renderer: Renderer) -> None:
    made = renderer.view("escalate_form", form=escalation((ADDRESS, "10.0.0.4"), {"10.0.0.4": "It is protected."}))
    hold_view(made)
    assert (made["callback_id"], made["private_metadata"]) == ("incident:escalate", "INC-ABCDEFGHIJ@3")
    asked = inputs(made)
    assert list(asked) == ["address", "ttl", "reason"]
    assert asked["address"]["initial_option"] in asked["address"]["options"]
    assert asked["ttl"]["initial_option"]["value"] == "86400"
    assert asked["ttl"]["initial_option"] in asked["ttl"]["options"]
    assert "🔒 It is protected." in everything_said(made)


def test_an_incident_with_nothing_to_block_offers_nothing(renderer: Renderer) -> None:
    refused = {f"10.0.0.{n}": "It is protected." for n in range(12)}
    made = renderer.view("escalate_form", form=escalation(tuple(refused), refused))
    hold_view(made)
    assert "submit" not in made
    assert inputs(made) == {}
    assert "and 4 more addresses that cannot be blocked" in everything_said(made)


def details(words: str = "SecretPurge", facts: AlertFacts = FACTS, rows: int = 25, links: Any = ()) -> Any:
    row = {
        "TimeGenerated": "2026-03-02T03:01:00Z",
        "CallerIPAddress": ADDRESS,
        "Vault": "kv-payments",
        words or "-": words,
    }
    events = [Event(f"f{n}", NOW, NOW, words, words, (ADDRESS,), row) for n in range(rows)]
    timeline = [ThreadLine(LineKind.OTHER, words, NOW if n % 2 else None) for n in range(25)]
    answers = {ADDRESS: Answer(ADDRESS, Found(reputation()))}
    return details_view(
        incident(State.CLOSED, Person("U0BAD", words or "Ana")),
        facts,
        events,
        timeline,
        answers=answers,
        thresholds=Thresholds(),
        now=NOW,
        links=links,
        sandbox=True,
    )


def test_details_show_rows_runbook_and_what_happened(renderer: Renderer) -> None:
    links = [Link("runbook", "Runbook", "https://runbooks.example/keyvault")]
    made = renderer.view("details", view=details(facts=replace(FACTS, count=25), links=links))
    hold_view(made)
    said = everything_said(made)
    for expected in (
        "A purge cannot be undone.",
        "*25 events*, the first 20 of them",
        "*SecretPurge* `SecretPurge` from `198.51.100.7`",
        "Vault: kv-payments",
        "and 5 more events, in the log itself",
        "*What happened since*, without the first 5",
        "`198.51.100.7` *High risk* 82/100: 47 reports by 22 reporters in 90 days",
    ):
        assert expected in said
    assert [button["action_id"] for button in buttons(made)] == ["open:runbook"]


slow = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(words=st.lists(hostile, min_size=5, max_size=5), state=st.sampled_from(BlockState))
def test_no_value_of_a_request_becomes_markup(renderer: Renderer, words: list[str], state: BlockState) -> None:
    name, reason, title, plan, isp = words
    address = address_view(
        ADDRESS, Answer(ADDRESS, Found(reputation(isp=isp, domain=isp))), thresholds=Thresholds(), now=NOW
    )
    asked = request(state, reason=reason, requested_by=Person("U0BAD", name))
    view = approval_view(asked, now=NOW, incident_title=title, address=address, plans=[PlanLine(plan, plan)])
    hold_together(renderer.message("approval", view=view))


@slow
@given(words=st.lists(hostile, min_size=6, max_size=6))
def test_no_value_of_a_look_up_becomes_markup(renderer: Renderer, words: list[str]) -> None:
    isp, domain, comment, title, category, name = words
    newest = tuple(Comment(comment, NOW, category) for _ in range(5))
    reports = Reports((Count(category, 2),), last_day=1, last_week=1, newest=newest)
    known = reputation(isp=isp, domain=domain, hostnames=(domain, isp), country_name=title, reports=reports)
    view = lookup_view(
        Answer(ADDRESS, Found(known), timedelta(hours=2), Unavailable(comment)),
        thresholds=Thresholds(),
        now=NOW,
        seen_in=[alert(title)] * 4,
        block=request(BlockState.REJECTED, decided_by=Person("U0BAD", name)),
        reference="CHK-ABCDEFGHIJ@1",
        shared_by=name,
    )
    hold_together(renderer.message("ipcheck", view=view))


@slow
@given(words=hostile)
def test_no_value_in_a_form_a_line_or_the_details_becomes_markup(renderer: Renderer, words: str) -> None:
    hold_together(renderer.message("thread", line=ThreadLine(LineKind.CLOSED, words)))
    hold_together(renderer.message("refusal", sentence=words))
    hold_together(renderer.message("ipcheck_looking", address=words))
    hold_view(renderer.view("close_form", form=close_form(incident(), words)))
    hold_view(
        renderer.view(
            "escalate_form", form=replace(escalation((ADDRESS, "10.0.0.4"), {"10.0.0.4": words}), title=words)
        )
    )
    facts = replace(FACTS, title=words, description=words, rule_name=words, late=words, severity=words)
    hold_view(renderer.view("details", view=details(words, facts)))
