"""Rows become one incident for each group, and the same rows make the same incident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.finding import Finding, group_key, grouped, incident_id

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SHARED = [("Actor", "ana@contoso.example"), ("KeyVaultName", "kv-pay")]


def finding(group: str, minute: int, n: int) -> Finding:
    at = NOON + timedelta(minutes=minute)
    return Finding(f"f{n}", at, group, "t", "High", "", "", "", "", (), {})


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 59))))
def test_each_row_is_in_exactly_one_group_in_the_order_of_time(rows: list[tuple[str, int]]) -> None:
    findings = [finding(group, minute, n) for n, (group, minute) in enumerate(rows)]
    groups = grouped(findings)
    assert sorted(f.fingerprint for g in groups.values() for f in g) == sorted(f.fingerprint for f in findings)
    for key, members in groups.items():
        assert {member.group for member in members} == {key}
        assert [member.at for member in members] == sorted(member.at for member in members)


def test_another_rule_actor_vault_or_hour_is_another_incident() -> None:
    keys = [
        group_key("r1", SHARED, NOON),
        group_key("r2", SHARED, NOON),
        group_key("r1", [("Actor", "bo@contoso.example"), SHARED[1]], NOON),
        group_key("r1", [SHARED[0], ("KeyVaultName", "kv-hr")], NOON),
        group_key("r1", SHARED, NOON + timedelta(hours=1)),
    ]
    assert len(set(keys)) == 5
    assert group_key("r1", list(SHARED), NOON) == keys[0]


def test_values_cannot_be_shifted_between_the_parts_of_a_key() -> None:
    assert group_key("r", [("a", "b|c")], NOON) != group_key("r", [("a", "b"), ("c", "")], NOON)


def test_an_id_is_short_and_the_next_generation_has_another() -> None:
    key = group_key("r1", SHARED, NOON)
    assert len(incident_id(key, 1)) == 14
    assert incident_id(key, 1) == incident_id(key, 1) != incident_id(key, 2)
