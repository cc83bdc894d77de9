from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intel.text import one_line


@given(st.text(max_size=600), st.integers(min_value=1, max_value=200))
def test_the_line_is_short_visible_and_stable(text, limit):
    line = one_line(text, limit)
    assert len(line) <= limit
    assert not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in line)
    assert line == line.strip()
    assert "  " not in line
    assert one_line(line, limit) == line


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("", 10, ""),
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two…"),
        ("one two three", 8, "one two…"),
        ("unbreakable", 5, "unbr…"),
        ("tab\tand\r\nline\u2028end", 50, "tab and line end"),
        ("ev\u202eil\u2066\u200b\ufeff", 50, "evil"),
        ("\U000e0041\U000e0042tag", 50, "tag"),
        ("lone \ud800 half", 50, "lone half"),
        ("größer 🔔", 50, "größer 🔔"),
    ],
)
def test_examples(text, limit, expected):
    assert one_line(text, limit) == expected


def test_a_megabyte_of_text_is_not_read_to_its_end():
    assert one_line("\u200b" * 1_000_000 + "late", 200) == ""
