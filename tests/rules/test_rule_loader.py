"""Rule files as people and vendors write them: what loads, and what a broken one is told."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules.durations import parse_duration, write_duration
from bot.rules.loader import MAX_BYTES, load_rule, load_rules, parse_rule

GOOD = dedent("""\
    id: 0a1b2c3d-0000-4000-8000-000000000001
    name: Too many reads
    description: |
      'Somebody reads a lot.'
    severity: Medium
    queryFrequency: 1h
    queryPeriod: 1d
    triggerOperator: GreaterThan
    triggerThreshold: 3
    tactics:
      - CredentialAccess
    relevantTechniques:
      - T1003.001
    query: |
      AzureDiagnostics
        | where ResultType == "Success"
    entityMappings:
      - entityType: IP
        fieldMappings:
          - identifier: Address
            columnName: CallerIPAddress
    """)
HERE = Path("somewhere/rule.yaml")


def parse(text: str):
    return parse_rule(text, HERE)


def problems(text: str) -> list[tuple[int, int, str]]:
    answer = parse(text)
    assert answer.rule is None
    return [(problem.line, problem.column, problem.message) for problem in answer.problems]


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.lstrip().startswith(start))


def test_a_good_rule():
    rule = parse(GOOD).rule
    assert rule.id == "0a1b2c3d-0000-4000-8000-000000000001"
    assert rule.name == "Too many reads"
    assert rule.description == "Somebody reads a lot."
    assert rule.severity == "Medium"
    assert rule.kind == "Scheduled"
    assert rule.enabled
    assert rule.query == 'AzureDiagnostics\n  | where ResultType == "Success"\n'
    assert rule.rule_class == "row"
    assert (rule.query_frequency, rule.query_period) == (timedelta(hours=1), timedelta(days=1))
    assert rule.trigger_operator == "gt"
    assert [rule.fires(count) for count in (3, 4)] == [False, True]
    assert rule.tactics == ("CredentialAccess",)
    assert rule.techniques == ("T1003.001",)
    assert rule.columns_of("ip") == ("CallerIPAddress",)
    assert rule.suppression == timedelta(0)
    assert rule.extension.lookback == timedelta(days=1)
    assert rule.notes == ()


def test_everything_optional():
    text = GOOD.replace(
        "columnName: CallerIPAddress\n",
        "columnName: CallerIPAddress\n"
        + dedent("""\
        customDetails:
          Vault: Resource
        alertDetailsOverride:
          alertDisplayNameFormat: "{{Actor}} reads"
          alertSeverityColumnName: Sev
        eventGroupingSettings:
          aggregationKind: alertperresult
        suppressionEnabled: true
        suppressionDuration: PT5H
        incidentConfiguration:
          createIncident: false
          groupingConfiguration:
            enabled: true
            reopenClosedIncident: true
            lookbackDuration: 2h
            matchingMethod: Selected
            groupByEntities: [ip]
            groupByAlertDetails: [Severity]
            groupByCustomDetails: [Vault]
        enabled: false
        version: 1.10
        tocsin:
          what: OperationName
          where: Resource
          clock: live
          class: window
          lookback: 2d
        """),
    )
    rule = parse(text).rule
    assert rule.custom_details == (("Vault", "Resource"),)
    assert rule.alert_details.name_format == "{{Actor}} reads"
    assert rule.alert_details.severity_column == "Sev"
    assert rule.event_grouping == "AlertPerResult"
    assert rule.suppression == timedelta(hours=5)
    assert not rule.create_incident
    assert rule.grouping.enabled
    assert rule.grouping.lookback == timedelta(hours=2)
    assert rule.grouping.matching_method == "Selected"
    assert rule.grouping.entities == ("IP",)
    assert rule.grouping.custom_details == ("Vault",)
    assert not rule.enabled
    assert rule.version == "1.10"
    assert (rule.extension.what, rule.extension.where, rule.extension.target) == ("OperationName", "Resource", "")
    assert (rule.extension.clock, rule.rule_class) == ("live", "window")
    assert rule.extension.lookback == timedelta(days=2)


@pytest.mark.parametrize(
    ("old", "new", "start", "column", "message"),
    [
        ("severity: Medium", "severity: Hihg", "severity", 11, "severity cannot be “Hihg”; did you mean High?"),
        (
            "CredentialAccess",
            "CredentialAcess",
            "- Cred",
            5,
            "tactics cannot be “CredentialAcess”; did you mean CredentialAccess?",
        ),
        ("GreaterThan", "more", "triggerOp", 18, "triggerOperator cannot be “more”"),
        ("triggerThreshold: 3", "triggerThreshold: -1", "triggerTh", 19, "a whole number from 0 to 10,000, not “-1”"),
        ("queryFrequency: 1h", "queryFrequency: hourly", "queryFreq", 17, "“hourly” is not a duration"),
        ("queryFrequency: 1h", "queryFrequency: 1m", "queryFreq", 17, "must lie between 5m and 14d, not 1m"),
        ("queryPeriod: 1d", "queryPeriod: 30m", "queryPeriod", 14, "queryPeriod 30m is shorter than queryFrequency 1h"),
        ("T1003.001", "T103", "- T103", 5, "a technique reads T1485"),
        ("0a1b2c3d-0000-4000-8000-000000000001", "rule-1", "id", 5, "id must be a GUID, not “rule-1”"),
        ("columnName: CallerIPAddress", "columnName: a b", "columnName", 21, "“a b” is no column name"),
        ("severity: Medium", "severity: [Medium]", "severity", 11, "severity must be text, not a list"),
        ("name: Too many reads", "name: ''", "name", 7, "name is empty"),
    ],
)
def test_a_wrong_field_is_named_with_its_place(old, new, start, column, message):
    text = GOOD.replace(old, new)
    [(line, at, said)] = problems(text)
    assert line == line_of(text, start)
    assert at == column
    assert message in said


def test_all_wrong_fields_are_reported_at_once():
    text = GOOD.replace("Medium", "Huge").replace("queryPeriod: 1d\n", "").replace("GreaterThan", "x")
    assert len(problems(text)) == 3


def test_a_missing_field_and_its_misspelling():
    [(line, column, message)] = problems(GOOD.replace("queryPeriod", "queryPeriodd"))
    assert (line, column) == (1, 1)
    assert message == "the rule has no queryPeriod; is queryPeriodd a misspelling of it?"


def test_unknown_keys_are_kept_as_notes():
    text = GOOD + "customDetail:\n  A: B\n"
    rule = parse(text).rule
    [note] = rule.notes
    assert (note.line, note.column) == (line_of(text, "customDetail"), 1)
    assert note.message == "unknown key customDetail; it is ignored; did you mean customDetails?"


def test_a_wrong_identifier_is_a_note_and_its_column_counts():
    rule = parse(GOOD.replace("identifier: Address", "identifier: address")).rule
    assert rule.columns_of("IP") == ("CallerIPAddress",)
    assert [note.message for note in rule.notes] == ["IP has no identifier address; did you mean Address?"]


def test_a_key_that_is_there_twice():
    [(line, _, message)] = problems(GOOD + "severity: Low\n")
    assert line == len(GOOD.splitlines()) + 1
    assert message == "severity is there twice: keep one of them"


def test_selected_grouping_must_select():
    text = GOOD + dedent("""\
        incidentConfiguration:
          groupingConfiguration:
            matchingMethod: Selected
        """)
    assert "selects nothing" in problems(text)[0][2]


def test_nrt_rules_have_no_schedule():
    lines = [line for line in GOOD.splitlines() if not line.startswith(("queryF", "queryP", "trigger"))]
    rule = parse("\n".join([*lines, "kind: NRT"])).rule
    assert rule.kind == "NRT"
    assert rule.fires(1)


@pytest.mark.parametrize(
    "quirk",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("queryFrequency: 1h", "queryFrequency: 1h   "),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "kind: Scheduled\n",
        lambda text: "kind: Scheduled\nstatus: Available\ntags: [x]\n" + text,
        lambda text: text.replace("query: |\n", "query: |+\n"),
        lambda text: text.replace("query: |\n      ", "query:  | \n ").replace("        |", "  |"),
    ],
)
def test_quirks_of_shipped_files(quirk, tmp_path):
    path = tmp_path / "A rule (1) 100%.yaml"
    path.write_bytes(quirk(GOOD).encode())
    parsed = load_rule(path)
    assert parsed.problems == ()
    assert parsed.rule.query_frequency == timedelta(hours=1)
    assert parsed.rule.query.startswith("AzureDiagnostics\n")


def test_broken_yaml_is_named_with_its_place():
    [(line, column, message)] = problems("id: x\nname: [a, b\nseverity: High\n")
    assert line == 3
    assert column > 0
    assert message.startswith("the YAML is broken: ")


@pytest.mark.parametrize(
    "text", ["", "just text", "- a\n- b\n", "%%%", "a: b: c", "!!python/object:os.system x", "\x00", "--- 1\n--- 2\n"]
)
def test_what_is_no_rule_is_a_problem(text):
    assert problems(text)


def test_deep_nesting_and_alias_bombs_are_bounded():
    began = time.monotonic()
    assert "nested too deeply" in problems("[" * 5000)[0][2]
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
    )
    assert problems(bomb + "tactics: *a19\nid: &loop [*loop]\n")
    assert time.monotonic() - began < 5


def test_a_large_file_of_small_things_is_refused_quickly():
    began = time.monotonic()
    assert problems("a: b\n" * 200_000) == [(0, 0, "the file holds more than 10,000 entries: it is no rule")]
    assert time.monotonic() - began < 10


def test_a_large_file_may_hold_a_long_comment():
    assert parse(GOOD + "# note\n" * 20_000).rule


def test_a_file_has_a_largest_size(tmp_path):
    path = tmp_path / "rule.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "larger than 1024 KiB" in str(load_rule(path).problems[0])


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "rule.yaml"
    path.write_bytes(b"name: \xff")
    assert "not UTF-8" in str(load_rule(path).problems[0])


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name / "rule.yaml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_a_broken_rule_does_not_stop_the_others(tmp_path):
    write(tmp_path, "good", GOOD)
    broken = write(tmp_path, "broken", GOOD.replace("Medium", "Huge"))
    (tmp_path / "good" / "rows.jsonl").write_text("{}")
    loaded = load_rules(tmp_path)
    assert [rule.name for rule in loaded.rules] == ["Too many reads"]
    assert [problem.path for problem in loaded.problems] == [broken]
    assert str(loaded.problems[0]).startswith(f"{broken}:5:11: severity")
    assert loaded.find("0A1B2C3D-0000-4000-8000-000000000001") is loaded.rules[0]


def test_twins_are_named_in_both_files_and_neither_runs(tmp_path):
    first, second = write(tmp_path, "a", GOOD), write(tmp_path, "b", GOOD.replace("0a1b", "0A1B"))
    other = write(tmp_path, "c", GOOD.replace("000000000001", "000000000002"))
    loaded = load_rules(tmp_path)
    assert [rule.path for rule in loaded.rules] == [other]
    assert {problem.path for problem in loaded.problems} == {first, second}
    assert str(second) in loaded.problems[0].message
    assert str(first) in loaded.problems[1].message


def test_a_folder_that_is_not_there(tmp_path):
    assert "no such folder" in str(load_rules(tmp_path / "nowhere").problems[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5h", timedelta(hours=5)),
        (" 30M ", timedelta(minutes=30)),
        ("14d", timedelta(days=14)),
        ("1.00:00:00", timedelta(days=1)),
        ("01:30:00", timedelta(minutes=90)),
        ("00:05:00.0000000", timedelta(minutes=5)),
        ("PT1H", timedelta(hours=1)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("P2W", timedelta(days=14)),
    ],
)
def test_durations(text, expected):
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "1", "h", "P", "PT", "-1h", "1.5h", "1h30m", "1y", "99999999999d", "1:2:3:4"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.integers(1, 20_000).map(lambda minutes: timedelta(minutes=minutes)))
def test_a_written_duration_reads_back(duration):
    assert parse_duration(write_duration(duration)) == duration


@given(st.text(max_size=200))
def test_any_text_is_a_rule_or_a_problem(text):
    parsed = parse(text)
    assert (parsed.rule is None) == bool(parsed.problems)
