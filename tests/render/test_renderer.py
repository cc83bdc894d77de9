"""What a rendered Slack message may and may not contain."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from bot.errors import TemplateError
from bot.render.environment import TemplateFault
from bot.render.renderer import Renderer, minimal_message

CARD = """{
 "text": "{{ a }} in {{ b }}",
 "metadata": {"event_type": "alert", "event_payload": {"key": "{{ a }}"}},
 "blocks": [
  {"type": "header", "text": {"type": "plain_text", "text": "{{ a }}"}},
  {"type": "section", "text": {"type": "mrkdwn", "text": "*Who:* {{ a }} {{ code(b) }} {{ bold(c) }} {{ link(a, b) }}"},
   "fields": [
    {% for item in items %}{"type": "mrkdwn", "text": "{{ item }}"},{% endfor %}
    {"type": "plain_text", "text": "{{ c }}"}
   ]},
  {"type": "context", "elements": [{"type": "mrkdwn", "text": "{{ join(items) }} {{ cut(a, 20) }} {{ when(seen) }}"}]},
  {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "{{ a }}"}]}]},
  {"type": "actions", "block_id": "{{ b }}", "elements": [
   {"type": "button", "action_id": "incident:acknowledge", "value": "{{ a }}",
    "text": {"type": "plain_text", "text": "{{ b }}"}}]}
 ]
}"""
SEEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NASTY = [
    '"}],',
    "{}",
    "\\",
    "\n",
    "<!channel>",
    "<http://x|y>",
    "*bold*",
    "`",
    "@here",
    "&lt;",
    "\ud800",
    "\ue0000\ue001",
    "\u202e",
    "a" * 80,
    "word " * 50,
    "&" * 30,
    "x" * 3500,
    "https://e.example/",
    ":fire:",
    "|",
    "^",
]
texts = st.lists(st.one_of(st.text(max_size=20), st.sampled_from(NASTY)), max_size=8).map("".join)
DATE = r"<!date\^\d+\^[^|<>&]+\|[^<>&]+>"
LINK = r"<https?://[^<>|\s]+\|[^<>]*>"


def render(tmp_path: Path, source: str, **values: Any) -> dict[str, Any]:
    (tmp_path / "slack").mkdir(exist_ok=True)
    (tmp_path / "slack" / "card.json").write_text(source, encoding="utf-8")
    return Renderer([tmp_path]).message("card", **values)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    folder = tmp_path_factory.mktemp("templates")
    (folder / "slack").mkdir()
    (folder / "slack" / "card.json").write_text(CARD, encoding="utf-8")
    return Renderer([folder])


def shape(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: shape(value) for key, value in node.items()}
    return [shape(value) for value in node] if isinstance(node, list) else type(node)


def mrkdwn_of(message: dict[str, Any]) -> list[str]:
    found = [message["text"]]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "mrkdwn":
                found.append(node["text"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(message)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(a=texts, b=texts, c=texts, items=st.lists(texts, min_size=3, max_size=3))
def test_no_value_changes_the_structure_or_becomes_markup(
    card: Renderer, a: str, b: str, c: str, items: list[str]
) -> None:
    message = card.message("card", a=a, b=b, c=c, items=items, seen=SEEN)
    harmless = card.message("card", a="a", b="b", c="c", items=["i"] * 3, seen=SEEN)
    if len(json.dumps(harmless["blocks"])) + sum(map(len, [a, b, c, *items])) < 5_000:
        assert shape(message) == shape(harmless)
    for text in mrkdwn_of(message):
        rest = re.sub(f"{DATE}|{LINK}", "", text)
        assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", rest), text
    json.dumps(message).encode()
    json.dumps(message, ensure_ascii=False).encode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(a=texts, b=texts, c=texts, items=st.lists(texts, max_size=14))
def test_every_limit_holds(card: Renderer, a: str, b: str, c: str, items: list[str]) -> None:
    message = card.message("card", a=a, b=b, c=c, items=items, seen=SEEN)
    blocks = message["blocks"]
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.to_dict()
        for field in block.get("fields", []):
            assert 1 <= len(field["text"]) <= 2_000
    assert len(blocks) <= 50
    assert len(message["text"]) <= 3_000
    assert all(text.strip() for text in mrkdwn_of(message))
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 12_500
    assert blocks[-1]["type"] == "actions"


def test_an_address_that_is_not_http_takes_its_button_along(tmp_path: Path) -> None:
    source = """{"text": "x", "blocks": [{"type": "actions", "elements": [
      {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": "{{ url }}"},
      {"type": "button", "text": {"type": "plain_text", "text": "Check"},
       "url": "https://www.abuseipdb.com/check/{{ ip }}"}]}]}"""
    message = render(tmp_path, source, url="javascript:alert(1)", ip="::1/../?a=b#c")
    assert [e["url"] for e in message["blocks"][0]["elements"]] == [
        "https://www.abuseipdb.com/check/%3A%3A1%2F..%2F%3Fa%3Db%23c"
    ]


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ('{\n"text": "{{ a|safe }}"}', 2, "filter `safe`"),
        ('{"text": "{% macro m() %}x{% endmacro %}"}', 1, "macro"),
        ('\n\n{% set x %}"{{ a }}"{% endset %}{"text": "{{ x }}"}', 3, "set block"),
        ('{% filter upper %}{"text": "x"}{% endfilter %}', 1, "filter block"),
        ('{% extends "other" %}', 1, "extends"),
        ('{"text": "\ue0000\ue001"}', 1, "reserved"),
        ('{"text": "\\ue0000"}', 1, "reserved"),
        ('{\n"text": "{{ missing }}"}', 2, "missing"),
        ('{"text": {{ a }} }', 0, "not JSON"),
        ('{"{{ a }}": 1}', 0, "name of a key"),
        ('{"text": "<{{ a }}|click>"}', 0, "inside `<…>`"),
        ('{"text": "x", "blocks": [{"type": "{{ a }}"}]}', 0, "`type`"),
        ('{"text": "{{ a }"}', 1, "unexpected"),
        ("[]", 0, "one JSON object"),
    ],
)
def test_a_template_that_would_defeat_the_encoding_is_refused(
    tmp_path: Path, source: str, line: int, words: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        render(tmp_path, source, a="a")
    assert isinstance(caught.value, TemplateFault)
    assert words in caught.value.sentence
    assert (caught.value.template, caught.value.line) == ("slack/card.json", line)


def test_literals_stand_alone_only_when_asked(tmp_path: Path) -> None:
    made = render(
        tmp_path, '{"text": "{{ n }}", "unfurl_links": "{{ json(flag) }}", "x": "{{ json(n) }}"}', n=7, flag=False
    )
    assert made == {"text": "7", "unfurl_links": False, "x": 7}


def test_fragments_encode_themselves_for_mrkdwn_and_for_plain_text(tmp_path: Path) -> None:
    both = (
        "{{ code('a`b') }} {{ when(t) }} {{ bar(82) }} {{ user('U1') }} {{ user('<!x>') }} {{ plural(2, 'address') }}"
    )
    source = '{"text": "BOTH", "blocks": [{"type": "section", "text": {"type": "plain_text", "text": "BOTH"}}]}'
    made = render(tmp_path, source.replace("BOTH", both), t=SEEN)
    assert made["text"] == (
        "`aˋb` <!date^1767323045^{date_short_pretty} {time_secs}|2026-01-02 03:04:05 UTC> ████████░░ 82/100 "
        "<@U1> &lt;!x&gt; 2 addresses"
    )
    assert made["blocks"][0]["text"]["text"] == ("a`b 2026-01-02 03:04:05 UTC ████████░░ 82/100 U1 <!x> 2 addresses")


def test_a_list_says_how_many_were_cut(tmp_path: Path) -> None:
    names = [f"10.0.{n // 256}.{n % 256}" for n in range(1_000)]
    text = render(tmp_path, '{"text": "From {{ items|join(\', \') }}."}', items=names)["text"]
    shown = text.removeprefix("From ").removesuffix(".").split(", ")
    assert len(text) <= 3_000
    assert shown[:-1] == names[: len(shown) - 1]
    assert shown[-1] == f"… {1_000 - len(shown) + 1} more"
    assert len(text) > 2_900


def test_too_many_blocks_leave_a_note_and_the_last_buttons(tmp_path: Path) -> None:
    source = """{"text": "x", "blocks": [{% for n in range(70) %}{"type": "divider"},{% endfor %}
      {"type": "actions", "elements": [
        {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}}]}]}"""
    blocks = render(tmp_path, source)["blocks"]
    assert len(blocks) == 50
    assert blocks[-2]["elements"][0]["text"] == "… 22 more"
    assert blocks[-1]["type"] == "actions"


def test_the_first_folder_wins_and_includes_share_the_values(tmp_path: Path) -> None:
    for folder, word in (("own", "mine"), ("shipped", "theirs")):
        (tmp_path / folder / "slack").mkdir(parents=True)
        (tmp_path / folder / "slack" / "_part.json").write_text(f'"{word} {{{{ a }}}}"')
    (tmp_path / "shipped" / "slack" / "card.json").write_text('{"text": {% include "slack/_part.json" %}}')
    renderer = Renderer([tmp_path / "own", tmp_path / "shipped"])
    assert renderer.message("card", a='"<') == {"text": 'mine "&lt;'}
    assert renderer.names() == ["card"]


@given(title=texts, lines=st.lists(texts, max_size=5), link=texts)
def test_the_minimal_message_always_fits(title: str, lines: list[str], link: str) -> None:
    message = minimal_message(title, lines, link)
    assert 1 <= len(message["text"]) <= 3_000
    assert not re.search("[<>]", message["text"])
    for block in message["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.to_dict()
