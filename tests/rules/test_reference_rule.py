"""The rule that Tocsin was asked to run must stay what it was, to the letter."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import duckdb_kql
import pytest

from bot.rules.loader import load_rule

ROOT = Path(__file__).parents[2]
SHA256 = "5e6b7b44a588e54bfc428059d8902d3bfc9d5965959f4d2134b05e8e92e70b9b"


@pytest.fixture
def rule():
    parsed = load_rule(ROOT / "rules" / "keyvault-deletions" / "rule.yaml")
    assert parsed.problems == ()
    return parsed.rule


def test_the_query_is_unchanged(rule):
    assert hashlib.sha256(rule.query.encode()).hexdigest() == SHA256


def test_it_is_valid_kql_and_a_row_rule(rule):
    assert duckdb_kql.validate(rule.query) == []
    assert rule.rule_class == "row"


def test_it_runs_every_hour_and_fires_on_the_first_row(rule):
    assert rule.query_frequency == rule.query_period == timedelta(hours=1)
    assert rule.fires(1)
    assert not rule.fires(0)
    assert rule.enabled


def test_it_maps_who_and_from_where(rule):
    assert rule.columns_of("IP") == ("IPAddressofActor",)
    assert rule.columns_of("Account") == ("Actor",)
    assert dict(rule.custom_details) == {
        "KeyVault": "KeyVaultName",
        "Operation": "OperationName",
        "Target": "KeyVaultTarget",
    }
    assert (rule.severity, rule.tactics, rule.techniques) == ("High", ("Impact",), ("T1485",))
    assert rule.grouping.entities == ("Account",)
    assert rule.grouping.custom_details == ("KeyVault",)
    assert rule.grouping.lookback == timedelta(hours=1)
    assert rule.notes == ()
