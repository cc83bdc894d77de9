"""The templates that ship: each state has the right buttons, and no value breaks or forges anything."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from bot.demo.workspace.block_check import check_blocks, is_too_large
from bot.domain.block import BlockRequest, BlockState
from bot.domain.incident import Action, Classification, Deed, Incident, Person, State
from bot.domain.reputation import (
    Answer,
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
from bot.domain.views import AlertFacts, AlertView, Link, alert_view
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


def hold_together(made: dict[str, Any], own_links: str = "(?!)") -> None:
    """What Slack takes, and nothing in it that a value could have made."""
    assert check_blocks(made["blocks"]) == []
    assert not is_too_large(made["blocks"])
    for block in made["blocks"]:
        assert Block.parse(block).to_dict()["type"] == block["type"]
    for text in [made["text"], *strings(made, "mrkdwn")]:
        rest = re.sub(f"{DATE}|{own_links}", "", text)
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", rest), text
    for button in buttons(made):
        assert re.fullmatch(r"(INC|BLK|CHK)-[A-Z0-9]{10}@\d+", button.get("value", "INC-ABCDEFGHIJ@1"))
    assert made["text"].strip()
    json.dumps(made).encode()


def everything_said(made: dict[str, Any]) -> str:
    return "\n".join([made["text"], *strings(made, "mrkdwn"), *strings(made, "plain_text")])


def test_every_template_compiles(renderer: Renderer) -> None:
    assert renderer.faults() == []


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
    assert [button["action_id"] for button in row] == expected
    assert {button["value"] for button in row} == {"INC-ABCDEFGHIJ@3"}
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
    assert what == ("*4 events*: 3 × `SecretPurge`, 1 × `KeyDelete`\n*Targets:* `db-admin`, `db-reader` and 2 more")
    address = made["blocks"][3]
    two_hours_ago = int((NOW - timedelta(hours=2)).timestamp())
    assert address["text"]["text"].splitlines() == [
        "🔴 `198.51.100.7` *High risk* `████████░░ 82/100`",
        f"47 reports by 22 reporters in 90 days, last <!date^{two_hours_ago}^{{ago}}|2026-03-02 01:10:00 UTC>",
        "Example Hosting · Data Center/Web Hosting/Transit · NL",
        "SSH ×12, Brute-Force ×9",
    ]
    assert address["accessory"]["url"] == "https://www.abuseipdb.com/check/198.51.100.7"
    assert address["accessory"]["action_id"] == "open:abuseipdb"


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
    assert [button["action_id"] for button in row][-2:] == ["incident:details", "open:sentinel"]


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
    assert sum("accessory" in block for block in made["blocks"]) == 8
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
