"""No secret in the database: an answer address is unreadable at rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.slack.seal import Seal

KEY, OTHER = SecretStr("8f742231b10e8888abcd99yyyzzz85a5"), SecretStr("another")


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_what_is_sealed_is_opened_again_and_by_nobody_else(address: str) -> None:
    sealed = Seal(KEY).close(SecretStr(address))
    opened = Seal(KEY).open(sealed)
    assert opened is not None
    assert opened.get_secret_value() == address
    assert Seal(OTHER).open(sealed) is None


def test_the_sealed_text_does_not_show_the_address() -> None:
    assert "hooks" not in Seal(KEY).close(SecretStr("https://hooks.slack.example/canary"))


def test_a_changed_seal_is_not_opened() -> None:
    sealed = Seal(KEY).close(SecretStr("https://hooks.slack.example/canary"))
    assert Seal(KEY).open(sealed[:-2]) is None
