"""Which incident a row belongs to, who acted and from where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.model import AlertDetails, EntityMapping, Extension, FieldMapping, Grouping, Rule
from bot.rules.reading import alert_name, alert_severity, entities, grouping_key

ACCOUNT = EntityMapping("Account", (FieldMapping("FullName", "Actor"),))
IP = EntityMapping("IP", (FieldMapping("Address", "From"),))
RULE = Rule(
    path=Path("rule.yaml"),
    id="r",
    name="Deletions",
    description="",
    severity="High",
    query="T",
    query_frequency=timedelta(hours=1),
    query_period=timedelta(hours=1),
    rule_class="row",
    entity_mappings=(IP, ACCOUNT),
    custom_details=(("KeyVault", "Vault"), ("Operation", "Op")),
    grouping=Grouping(enabled=True, matching_method="Selected", entities=("Account",), custom_details=("KeyVault",)),
)
ROW = {"Actor": "Ann@Contoso.com ", "From": "9.9.9.9", "Vault": "KV-ONE", "Op": "KeyDelete"}


def grouped(**changes) -> Rule:
    return replace(RULE, grouping=replace(RULE.grouping, **changes))


def test_selected_columns_make_the_key():
    assert grouping_key(RULE, ROW) == (("Actor", "ann@contoso.com"), ("Vault", "kv-one"))


def test_case_and_blanks_do_not_part_rows():
    assert grouping_key(RULE, ROW) == grouping_key(RULE, ROW | {"Actor": "ANN@contoso.COM", "Vault": " kv-one"})


@pytest.mark.parametrize("column", ["From", "Op"])
def test_what_is_not_selected_does_not_part_rows(column):
    assert grouping_key(RULE, ROW) == grouping_key(RULE, ROW | {column: "other"})


@pytest.mark.parametrize("column", ["Actor", "Vault"])
def test_what_is_selected_parts_rows(column):
    assert grouping_key(RULE, ROW) != grouping_key(RULE, ROW | {column: "other"})


@pytest.mark.parametrize("nobody", ["", "  ", None, [], {}])
def test_two_service_principals_without_a_name_are_not_merged(nobody):
    first, second = ROW | {"Actor": nobody}, ROW | {"Actor": nobody, "From": "8.8.8.8"}
    assert grouping_key(RULE, first) != grouping_key(RULE, second)
    assert grouping_key(RULE, first) == (("Actor", ""), ("Vault", "kv-one"), ("From", "9.9.9.9"))


def test_an_address_that_a_person_used_is_not_in_the_key():
    two = replace(
        RULE, entity_mappings=(*RULE.entity_mappings, EntityMapping("Account", (FieldMapping("Name", "App"),)))
    )
    assert grouping_key(two, ROW | {"Actor": "", "App": "runner"}) == (
        ("Actor", ""),
        ("App", "runner"),
        ("Vault", "kv-one"),
    )


def test_the_stand_in_is_for_actors_only():
    by_vault = grouped(entities=())
    assert grouping_key(by_vault, ROW | {"Actor": ""}) == (("Vault", "kv-one"),)


def test_without_grouping_accounts_and_the_place_make_the_key():
    rule = replace(RULE, grouping=Grouping(), extension=Extension(where="Vault"))
    assert grouping_key(rule, ROW) == (("Actor", "ann@contoso.com"), ("Vault", "kv-one"))
    assert grouping_key(rule, ROW | {"Actor": ""})[-1] == ("From", "9.9.9.9")
    assert grouping_key(replace(rule, extension=Extension()), ROW) == (("Actor", "ann@contoso.com"),)


def test_all_entities():
    rule = grouped(matching_method="AllEntities")
    assert grouping_key(rule, ROW) == (("From", "9.9.9.9"), ("Actor", "ann@contoso.com"))
    assert grouping_key(rule, ROW | {"Actor": ""}) == (("From", "9.9.9.9"), ("Actor", ""))


def test_any_alert_puts_all_rows_together():
    rule = grouped(matching_method="AnyAlert")
    assert grouping_key(rule, ROW) == grouping_key(rule, {}) == ()


def test_alert_details():
    rule = replace(
        grouped(entities=(), custom_details=("keyvault", "Unknown"), alert_details=("DisplayName", "Severity")),
        alert_details=AlertDetails(name_format="{{Op}} in {{ Vault }}", severity_column="Sev"),
    )
    assert grouping_key(rule, ROW | {"Sev": "low"}) == (
        ("Vault", "kv-one"),
        ("(DisplayName)", "keydelete in kv-one"),
        ("(Severity)", "low"),
    )


def test_names_and_severities_fall_back_to_the_rule():
    rule = replace(RULE, alert_details=AlertDetails(name_format="{{Op}} in {{Gone}}", severity_column="Sev"))
    assert alert_name(rule, ROW) == "Deletions"
    assert alert_severity(rule, ROW | {"Sev": "Enormous"}) == "High"
    assert alert_severity(RULE, ROW) == "High"


def test_a_value_in_a_row_is_not_a_placeholder():
    rule = replace(RULE, alert_details=AlertDetails(name_format="{{Op}}"))
    assert alert_name(rule, ROW | {"Op": "{{Vault}}"}) == "{{Vault}}"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("9.9.9.9", ("9.9.9.9",)),
        ("9.9.9.9:50123", ("9.9.9.9",)),
        ("[2001:db8::1]:443", ("2001:db8::1",)),
        ('["9.9.9.9","8.8.8.8"]', ("9.9.9.9", "8.8.8.8")),
        (["9.9.9.9:1", "8.8.8.8", "9.9.9.9"], ("9.9.9.9", "8.8.8.8")),
        ([["9.9.9.9"], None, 5], ("9.9.9.9",)),
        ({"ip": "9.9.9.9", "also": ["8.8.8.8"]}, ("8.8.8.8", "9.9.9.9")),
        ("9.9.9.9, 8.8.8.8", ("9.9.9.9", "8.8.8.8")),
        ("unknown", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_addresses_of_a_cell(cell, expected):
    assert entities(RULE, ROW | {"From": cell}).addresses == expected


def test_many_addresses_are_cut_and_counted():
    found = entities(RULE, ROW | {"From": [f"9.9.{n}.1" for n in range(70)]})
    assert (len(found.addresses), found.cut) == (50, 20)


def test_several_ip_mappings_in_order():
    rule = replace(RULE, entity_mappings=(IP, EntityMapping("ip", (FieldMapping("Address", "To"),))))
    assert entities(rule, ROW | {"To": "1.1.1.1"}).addresses == ("9.9.9.9", "1.1.1.1")


@pytest.mark.parametrize(
    ("fields", "row", "who"),
    [
        ({"FullName": "A"}, {"A": " Ann "}, "Ann"),
        ({"Name": "A", "UPNSuffix": "B"}, {"A": "ann", "B": "contoso.com"}, "ann@contoso.com"),
        ({"Name": "A", "NTDomain": "B"}, {"A": "ann", "B": "CONTOSO"}, "CONTOSO\\ann"),
        ({"Name": "A", "AadUserId": "B"}, {"A": "", "B": "0-1"}, "0-1"),
        ({"SID": "A"}, {"A": "S-1-5"}, "S-1-5"),
        ({"FullName": "A"}, {}, ""),
    ],
)
def test_who(fields, row, who):
    mapping = EntityMapping("Account", tuple(FieldMapping(name, column) for name, column in fields.items()))
    assert entities(replace(RULE, entity_mappings=(mapping,)), row).who == who


def test_two_accounts_are_joined_once_each():
    rule = replace(
        RULE, entity_mappings=(ACCOUNT, EntityMapping("Account", (FieldMapping("FullName", "By"),)), ACCOUNT)
    )
    assert entities(rule, {"Actor": "ann", "By": "bob"}).who == "ann, bob"


cells = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=3)
)


@given(st.dictionaries(st.sampled_from(["Actor", "From", "Vault"]), cells))
def test_any_row_has_a_key(row):
    key = grouping_key(RULE, row)
    assert key == grouping_key(RULE, dict(reversed(row.items())))
    assert all(value == value.strip() for _, value in key)
    entities(RULE, row)
