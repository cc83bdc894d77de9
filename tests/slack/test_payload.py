"""Slack's payloads, read into our words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.payload import Target, click, received, submission, target

CLICK = {
    "type": "block_actions",
    "user": {"id": "U0ANA", "username": "ana", "name": "ana"},
    "channel": {"id": "C0SECOPS", "name": "secops"},
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.example/actions/secret",
    "actions": [{"action_id": "incident:acknowledge", "block_id": "b", "value": "INC-ABCDE23456@7"}],
}


def test_a_click_names_its_person_its_target_and_the_version_on_the_card() -> None:
    seen = click(CLICK, {}, "raw")
    assert (seen.user_id, seen.user_name, seen.channel) == ("U0ANA", "ana", "C0SECOPS")
    assert seen.target == Target("INC-ABCDE23456", 7)


def test_the_address_for_the_answer_is_a_secret() -> None:
    assert "actions/secret" not in repr(click(CLICK, {}, "raw"))


@pytest.mark.parametrize(
    "value",
    ["", "INC-ABCDE23456", "INC-ABCDE23456@", "INC-ABCDE23456@-1", "inc-abcde23456@1", "INC-ABCDE23456@1 ", "x@1"],
)
def test_a_value_that_is_not_ours_has_no_target(value: str) -> None:
    assert target(value) is None


@given(st.text())
def test_no_value_is_too_strange_to_read(value: str) -> None:
    found = target(value)
    assert found is None or f"{found.id}@{found.version}" == value or value.split("@")[1].startswith("0")


def test_a_repeat_has_the_key_of_the_first_and_says_that_it_is_one() -> None:
    first, again = received({}, "body"), received({"x-slack-retry-num": ["1"]}, "body")
    assert (first.key, first.again) == (again.key, False)
    assert again.again
    assert received({}, "another body").key != first.key


def test_a_form_gives_its_texts_and_choices_by_block() -> None:
    body = {
        "user": {"id": "U0ANA", "name": "ana"},
        "view": {
            "id": "V1",
            "callback_id": "incident:close",
            "private_metadata": "INC-ABCDE23456@2",
            "state": {
                "values": {
                    "comment": {"a": {"type": "plain_text_input", "value": "a drill"}},
                    "empty": {"a": {"type": "plain_text_input", "value": None}},
                    "classification": {"b": {"type": "static_select", "selected_option": {"value": "TruePositive"}}},
                }
            },
        },
    }
    seen = submission(body, {}, "raw")
    assert seen.answers == {"comment": "a drill", "empty": "", "classification": "TruePositive"}
    assert (seen.form, seen.view_id, seen.target) == ("incident:close", "V1", Target("INC-ABCDE23456", 2))
