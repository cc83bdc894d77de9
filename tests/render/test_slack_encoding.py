"""Each kind of value in each place of a Slack message."""

from __future__ import annotations

import html
import json
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render import fragments, limits, slack
from bot.render.environment import TemplateFault
from bot.render.renderer import Renderer

BREAK = "\u200b"
MOMENT = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))


def renderer(tmp_path: Path, source: str) -> Renderer:
    (tmp_path / "slack").mkdir(exist_ok=True)
    (tmp_path / "slack" / "card.json").write_text(source, encoding="utf-8")
    return Renderer([tmp_path])


def blocks(tmp_path: Path, source: str, **values: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = renderer(tmp_path, '{"blocks": [%s]}' % source).message("card", **values)["blocks"]  # noqa: UP031
    return made


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a & b < c", "a &amp; b &lt; c"),
        ("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"),
        ("*bold* _it_ ~no~", f"*{BREAK}bold* _{BREAK}it_ ~{BREAK}no~"),
        ("host_name*2", "host_name*2"),
        ("ask @here", f"ask @{BREAK}here"),
        ("ann@here.example", "ann@here.example"),
        (":fire:", f":{BREAK}fire:"),
        ("fe80::1:2 at 12:30:45", "fe80::1:2 at 12:30:45"),
        ("https://evil.example", f"https:{BREAK}//evil.example"),
        ("> quoted", f"{BREAK}&gt; quoted"),
        ("a`b", "aˋb"),
    ],
)
def test_text_in_mrkdwn_means_only_itself(text: str, shown: str) -> None:
    assert slack.mrkdwn(fragments.fragment_of(text)) == shown


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co"))))
def test_what_mrkdwn_shows_is_what_the_value_said(text: str) -> None:
    cleaned = fragments.clean(text)
    shown = html.unescape(slack.mrkdwn(fragments.fragment_of(text)).replace(BREAK, ""))
    assert shown == cleaned.replace("`", "ˋ")


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("a\u202eb\u200bc\u2066d", "abcd"),
        ("a\x00\x1b[31mb", "a[31mb"),
        ("\ud800x\udfff", "x"),
        ("\ue0001\ue001", "1"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\tb", "a b"),
        ("\U000e0041tag\U000e0101", "tag"),
        ("Zoë 東京 🔥 \ufe0f", "Zoë 東京 🔥 \ufe0f"),
    ],
)
def test_invisible_characters_are_stripped(raw: str, cleaned: str) -> None:
    assert fragments.clean(raw) == cleaned


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://portal.azure.com/#view/x?a=1&b=2", "https://portal.azure.com/#view/x?a=1&b=2"),
        ('http://e.example/a|b>c<d"', "http://e.example/a%7Cb%3Ec%3Cd%22"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//e.example", None),
        ("https://", None),
        ("https://e.example:99999/", None),
        ("https://e.example/a b", None),
        ("https://e.example\\@x", None),
        ("!channel", None),
        ("", None),
    ],
)
def test_only_web_addresses_become_links(url: str, address: str | None) -> None:
    assert slack.web_address(url) == address
    shown = slack.mrkdwn(fragments.link(url, "a|b<c>"))
    assert shown == (f"<{address}|a|b&lt;c&gt;>" if address else "a|b&lt;c&gt;")


def test_moments_are_said_in_the_readers_time_and_fall_back_to_utc() -> None:
    seconds = int(MOMENT.timestamp())
    assert slack.mrkdwn(fragments.when(MOMENT)) == (
        f"<!date^{seconds}^{{date_short_pretty}} {{time_secs}}|2026-03-29 01:30:00 UTC>"
    )
    assert slack.mrkdwn(fragments.ago(MOMENT)) == f"<!date^{seconds}^{{ago}}|2026-03-29 01:30:00 UTC>"
    assert slack.plain(fragments.when(MOMENT)) == "2026-03-29 01:30:00 UTC"
    assert fragments.fragment_of(MOMENT.astimezone(UTC)) == fragments.when(MOMENT)


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (0, "░░░░░░░░░░ 0/100"),
        (82, "████████░░ 82/100"),
        (100, "██████████ 100/100"),
        (250, "██████████ 100/100"),
        (-3, "░░░░░░░░░░ 0/100"),
        (None, "–"),
    ],
)
def test_a_score_is_drawn(score: int | None, shown: str) -> None:
    assert str(fragments.bar(score)) == shown


@pytest.mark.parametrize(
    ("number", "word", "shown"),
    [
        (1, "event", "1 event"),
        (0, "event", "0 events"),
        (1200, "address", "1,200 addresses"),
        (2, "country", "2 countries"),
        (2, "day", "2 days"),
    ],
)
def test_numbers_carry_their_word(number: int, word: str, shown: str) -> None:
    assert str(fragments.plural(number, word)) == shown


def test_only_an_id_of_slack_mentions_a_person() -> None:
    assert slack.mrkdwn(fragments.user("U02ABC", "ann")) == "<@U02ABC>"
    assert slack.plain(fragments.user("U02ABC", "ann")) == "ann"
    for forged in ("U1>", "S123", "u1", "!channel", "U1\n", "U١"):
        assert "<" not in slack.mrkdwn(fragments.user(forged))


def test_lists_keep_the_markup_of_their_parts(tmp_path: Path) -> None:
    source = "{\"text\": \"{{ names|map('code')|join(', ') }}\"}"
    assert renderer(tmp_path, source).message("card", names=["a", "<b>"])["text"] == "`a`, `&lt;b&gt;`"


def test_a_value_is_never_read_as_a_link_by_slack(tmp_path: Path) -> None:
    made = blocks(tmp_path, '{"type": "section", "text": {"type": "mrkdwn", "text": "{{ a }}"}}', a="www.evil.example")
    assert made[0]["text"] == {"type": "mrkdwn", "text": "www.evil.example", "verbatim": True}


def test_rich_text_keeps_the_words_of_a_link_that_cannot_be_followed(tmp_path: Path) -> None:
    source = """{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
      {"type": "link", "url": "{{ a }}", "text": "{{ b }}"}]}]}"""
    section = blocks(tmp_path, source, a="javascript:1", b="<b>")[0]["elements"][0]
    assert section["elements"] == [{"type": "text", "text": "<b>"}]


def test_an_image_without_an_address_goes_and_its_section_stays(tmp_path: Path) -> None:
    picture = '{"type": "image", "image_url": "{{ a }}", "alt_text": "x"}'
    section = '{"type": "section", "text": {"type": "plain_text", "text": "s"}, "accessory": %s}' % picture  # noqa: UP031
    made = blocks(tmp_path, f"{picture}, {section}", a="file:///etc/passwd")
    assert made == [{"type": "section", "text": {"type": "plain_text", "text": "s"}}]


def test_json_inside_a_value_survives_quotes(tmp_path: Path) -> None:
    source = """{"type": "actions", "elements": [{"type": "button", "action_id": "a",
      "text": {"type": "plain_text", "text": "Go"}, "value": {"id": "{{ a }}", "version": "{{ json(3) }}"}}]}"""
    value = blocks(tmp_path, source, a='"}\\')[0]["elements"][0]["value"]
    assert json.loads(value) == {"id": '"}\\', "version": 3}


def test_metadata_is_kept_as_it_is(tmp_path: Path) -> None:
    source = '{"text": "x", "metadata": {"event_type": "t", "event_payload": {"key": "{{ a }}"}}}'
    assert renderer(tmp_path, source).message("card", a="a&<b>*c*")["metadata"]["event_payload"] == {"key": "a&<b>*c*"}


@pytest.mark.parametrize("key", ["block_id", "action_id"])
def test_an_id_that_stands_twice_is_refused(tmp_path: Path, key: str) -> None:
    button = '{"type": "button", "action_id": "%s", "text": {"type": "plain_text", "text": "Go"}}'
    twins = ("b", "b") if key == "action_id" else ("b", "c")
    row = '{"type": "actions", "block_id": "r", "elements": [%s, %s]}' % tuple(button % t for t in twins)  # noqa: UP031
    with pytest.raises(TemplateFault, match=f"the {key} `.` stands twice"):
        blocks(tmp_path, f"{row}, {row}" if key == "block_id" else row)


def test_a_view_fits_too(tmp_path: Path) -> None:
    source = """{"type": "modal", "callback_id": "c", "private_metadata": "{{ a }}",
      "title": {"type": "plain_text", "text": "{{ a }}"},
      "blocks": [{% for n in range(130) %}{"type": "section", "text": {"type": "plain_text", "text": "{{ n }}"}},
      {% endfor %}]}"""
    made = renderer(tmp_path, source).view("card", a="word " * 1_000)
    assert made["title"]["text"] == "word word word word…"
    assert len(made["private_metadata"]) == limits.PRIVATE_METADATA
    assert len(made["blocks"]) == 100
    assert made["blocks"][-1] == limits.note("… 31 more")


def test_a_big_message_shortens_its_values_before_it_loses_blocks(tmp_path: Path) -> None:
    source = '{% for v in values %}{"type": "section", "text": {"type": "mrkdwn", "text": "{{ v }}"}},{% endfor %}'
    made = blocks(tmp_path, source, values=[f"{n} " + "word " * 600 for n in range(8)])
    assert [block["text"]["text"][:2] for block in made] == [f"{n} " for n in range(8)]
    assert len(json.dumps(made, ensure_ascii=False)) <= limits.BLOCKS_CHARACTERS


def test_faults_names_every_template_that_cannot_be_used(tmp_path: Path) -> None:
    rendered = renderer(tmp_path, '{"text": "{{ a|tojson }}"}')
    (tmp_path / "slack" / "_part.json").write_text("{% import 'x' as y %}")
    (tmp_path / "slack" / "fine.json").write_text('{"text": "fine"}')
    assert [fault.template for fault in rendered.faults()] == ["slack/_part.json", "slack/card.json"]


@given(
    text=st.text(alphabet="ab &<>*` ", min_size=1, max_size=400),
    limit=st.integers(min_value=40, max_value=200),
    kind=st.sampled_from([fragments.fragment_of, fragments.code, fragments.bold]),
)
def test_cutting_never_splits_an_entity_or_markup(text: str, limit: int, kind: Any) -> None:
    whole = slack.mrkdwn(kind(text))
    fitted = limits.fit(["At ", kind(text), "."], limit, slack.mrkdwn)
    assert len(fitted) <= limit
    if len(whole) + 4 <= limit:
        assert fitted == f"At {whole}."
    else:
        assert re.fullmatch(r"At [`*]?([^&<>]|&(amp|lt|gt);)*…[`*]?\.", fitted), fitted


@given(text=st.text(max_size=300), limit=st.integers(min_value=10, max_value=200))
def test_plain_text_is_only_cleaned_and_cut(text: str, limit: int) -> None:
    cleaned = fragments.clean(text)
    fitted = limits.fit([fragments.fragment_of(text)], limit, slack.plain)
    if len(cleaned) <= limit:
        assert fitted == cleaned
    else:
        assert fitted.endswith("…")
        assert cleaned.startswith(fitted[:-1])
        assert len(fitted) >= limit // 2 - 1 or cleaned[: limit - 1].rstrip() == fitted[:-1]


def test_a_hostile_amount_of_text_does_not_hold_up_the_bot(tmp_path: Path) -> None:
    source = (
        '{"text": "{{ a }}", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "{{ items|join }}"}}]}'
    )
    huge = "\u00e9&\u202e " * 250_000
    started = time.process_time()
    made = renderer(tmp_path, source).message("card", a=huge, items=[huge, *["x"] * 20_000])
    assert time.process_time() - started < 2
    assert len(made["text"]) <= limits.MESSAGE_TEXT
    assert re.fullmatch(r"(é&amp; )+é&amp;…, … 20,000 more", made["blocks"][0]["text"]["text"])
    lines = '{"text": "{% for item in items %}{{ item }} {{ code(item) }}\\n{% endfor %}"}'
    shown = renderer(tmp_path, lines).message("card", items=["x"] * 20_000)["text"]
    assert shown == "x `x`\n" * 499 + "x `x`…"
    assert time.process_time() - started < 4


def test_short_values_stay_whole_beside_a_long_one() -> None:
    pieces = [fragments.fragment_of("short"), " – ", fragments.code("x" * 500), " – ", fragments.bold("y" * 40)]
    fitted = limits.fit(pieces, 150, slack.mrkdwn)
    assert fitted == f"short – `{'x' * 94}…` – *{'y' * 40}*"
    assert len(fitted) == 150


def test_words_of_the_template_are_cut_only_outside_their_own_markup() -> None:
    pieces = ["See <https://docs.example/a|the guide> and " * 10, fragments.when(MOMENT)]
    fitted = limits.fit(pieces, 100, slack.mrkdwn)
    assert fitted == "See <https://docs.example/a|the guide> and See <https://docs.example/a|the guide> and See…"


def test_a_list_that_loses_everything_still_counts() -> None:
    assert str(fragments.cut(["a", "b", "c"], 3)) == "… 3 more"
    assert str(fragments.cut(["alpha", "beta", "gamma"], 17)) == "alpha, … 2 more"
    assert str(fragments.cut(["alpha", "beta", "gamma"], 17).parts[0]) == "alpha"
    again = fragments.shorten(fragments.cut(["alpha", "beta", "gamma", "delta"], 24), 18)
    assert str(again) == "alpha, … 3 more"
