"""Fingerprints, held against a slow oracle that compares rows pair by pair."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.fingerprint import canonical_json, fingerprints

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text('ab\u00e9"\\', max_size=3)
    | st.sampled_from([0.5, 1.25, 1e300])
)
cells = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("xy"), scalars, max_size=2)
rows = st.lists(st.dictionaries(st.sampled_from("ABC"), cells, max_size=3), max_size=8)


def same(left, right) -> bool:
    """Equality of JSON values, with True and 1 apart."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right, strict=True))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


@given(rows)
def test_one_digest_for_each_row_and_all_distinct(answer):
    digests = fingerprints("rule", answer)
    assert len(digests) == len(answer) == len(set(digests))
    assert all(len(digest) == 64 for digest in digests)


@given(rows, st.randoms(use_true_random=False))
def test_order_does_not_matter(answer, chance: random.Random):
    shuffled = [dict(sorted(row.items(), reverse=True)) for row in answer]
    chance.shuffle(shuffled)
    assert Counter(fingerprints("rule", shuffled)) == Counter(fingerprints("rule", answer))


@given(rows, rows)
def test_shared_digests_are_the_shared_rows(before, after):
    unmatched, shared = list(before), 0
    for row in after:
        twin = next((index for index, other in enumerate(unmatched) if same(row, other)), None)
        if twin is not None:
            unmatched.pop(twin)
            shared += 1
    common = set(fingerprints("rule", before)) & set(fingerprints("rule", after))
    assert len(common) == shared


@given(rows)
def test_another_rule_shares_nothing(answer):
    assert not set(fingerprints("a", answer)) & set(fingerprints("b", answer))


def test_the_digest_is_part_of_the_stored_state_and_must_not_drift():
    assert fingerprints("r", [{"B": 1, "A": "x"}, {"A": "x", "B": 1}]) == [
        "8109bc9677b02372300d672f5fae3ba6906d1c5376c2c2c302f314590d0b301f",
        "7ee881271f13e1c91f3ba98ac1a54ba5c35dbeb624a0bee9948b5790a6c1bf10",
    ]


def test_a_moment_is_the_same_in_every_zone():
    utc = datetime(2026, 3, 1, 10, 0, 0, 5, tzinfo=UTC)
    there = utc.astimezone(timezone(timedelta(hours=2)))
    assert canonical_json(utc) == canonical_json(there) == '"2026-03-01T10:00:00.000005+00:00"'
    assert canonical_json(utc.replace(tzinfo=None)) == canonical_json(utc)


def test_a_whole_float_is_its_integer():
    assert canonical_json({"n": 200.0}) == canonical_json({"n": 200}) == '{"n":200}'
    assert canonical_json(0.1) == "0.1"
    assert canonical_json(-0.0) == "0"


def test_not_a_number_has_a_text():
    assert [canonical_json(float(name)) for name in ("nan", "inf", "-inf")] == ['"nan"', '"inf"', '"-inf"']


def test_lists_keep_their_order_and_dicts_do_not_matter():
    assert canonical_json([2, 1]) != canonical_json([1, 2])
    assert canonical_json({"b": [{"d": 1, "c": 2}], "a": None}) == '{"a":null,"b":[{"c":2,"d":1}]}'


def test_true_is_not_one_and_a_number_is_not_its_text():
    assert len({canonical_json(value) for value in (True, 1, "1", "true")}) == 4


def test_other_kinds():
    assert canonical_json(timedelta(seconds=1.5)) == '"1500000us"'
    assert canonical_json(UUID(int=1)) == '"00000000-0000-0000-0000-000000000001"'
    with pytest.raises(TypeError, match="a set cannot be part of a row"):
        canonical_json({1})


@given(cells)
def test_canonical_json_is_json_of_the_same_value(value):
    assert same(json.loads(canonical_json(value)), value)
