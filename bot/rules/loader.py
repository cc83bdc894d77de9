"""Rule files into rules. A file that cannot be used is named with line and column, and the others go on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import yaml

from bot.errors import RuleError
from bot.rules.clock import classify
from bot.rules.durations import write_duration
from bot.rules.mappings import read_alert_details, read_custom_details, read_entity_mappings, read_grouping
from bot.rules.model import Extension, Grouping, Note, Rule, RuleSet
from bot.rules.sheet import Findings, Sheet

MAX_BYTES = 1024 * 1024
"""The largest rule file that is read. Sentinel allows 10,000 characters of query and 5,000 of description."""

MAX_NODES = 10_000
"""The most values that a rule file larger than 64 KiB may hold."""

_LARGE = 64 * 1024
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=14)
_OPERATORS = {
    "gt": "gt", "lt": "lt", "eq": "eq", "ne": "ne",
    "GreaterThan": "gt", "LessThan": "lt", "Equal": "eq", "NotEqual": "ne",
}  # fmt: skip
_TACTICS = [
    "Reconnaissance",
    "ResourceDevelopment",
    "InitialAccess",
    "Execution",
    "Persistence",
    "PrivilegeEscalation",
    "DefenseEvasion",
    "CredentialAccess",
    "Discovery",
    "LateralMovement",
    "Collection",
    "CommandAndControl",
    "Exfiltration",
    "Impact",
    "ImpairProcessControl",
    "InhibitResponseFunction",
]
_KEYS = [
    "id",
    "name",
    "description",
    "severity",
    "query",
    "queryFrequency",
    "queryPeriod",
    "triggerOperator",
    "triggerThreshold",
    "tactics",
    "relevantTechniques",
    "techniques",
    "version",
    "kind",
    "enabled",
    "status",
    "tags",
    "metadata",
    "requiredDataConnectors",
    "entityMappings",
    "sentinelEntitiesMappings",
    "customDetails",
    "alertDetailsOverride",
    "eventGroupingSettings",
    "incidentConfiguration",
    "suppressionEnabled",
    "suppressionDuration",
    "tocsin",
]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of one file: a rule, or the reasons why not."""

    rule: Rule | None
    problems: tuple[RuleError, ...] = ()


def load_rules(folder: Path) -> RuleSet:
    """Every rule below `folder` (*.yaml, *.yml), in the order of the paths.

    A rule whose id another file holds too is not used, nor is the other: which of them was meant is for a person to
    say. A folder that does not exist is a problem, not an exception.
    """
    if not folder.is_dir():
        return RuleSet((), (RuleError(folder, "there is no such folder of rules"),))
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".yaml", ".yml"} and path.is_file())
    parsed = [load_rule(path) for path in paths]
    problems = [problem for each in parsed for problem in each.problems]
    rules = [each.rule for each in parsed if each.rule]
    twins = _twins(rules)
    return RuleSet(tuple(rule for rule in rules if rule.path not in twins), (*problems, *twins.values()))


def load_rule(path: Path) -> Parsed:
    """Read and check one file."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            return Parsed(None, (RuleError(path, f"the file is larger than {MAX_BYTES // 1024} KiB"),))
        return parse_rule(content.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        return Parsed(None, (RuleError(path, f"the file is not UTF-8 text: byte {error.start} cannot be read"),))
    except OSError as error:
        return Parsed(None, (RuleError(path, f"the file cannot be read: {error.strerror}"),))


def parse_rule(text: str, path: Path) -> Parsed:
    """Check the text of a rule file. `path` is for messages and for `Rule.path`."""
    try:
        if len(text) > _LARGE and _is_overfull(text):
            return Parsed(None, (RuleError(path, f"the file holds more than {MAX_NODES:,} entries: it is no rule"),))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        return Parsed(None, (_syntax_error(error, path),))
    except (yaml.YAMLError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
        return Parsed(None, (RuleError(path, f"the file is not YAML: {why}"),))
    if not isinstance(node, yaml.MappingNode):
        return Parsed(None, (RuleError(path, "the file holds no rule: it must be a mapping of names to values"),))
    findings = Findings()
    rule = _rule(Sheet(node, findings), path)
    problems = tuple(_problem(path, note) for note in sorted(findings.errors, key=lambda note: note.line))
    return Parsed(None if problems else rule, problems)


def _is_overfull(text: str) -> bool:
    """Whether a large file is made of many small things, which take YAML seconds, rather than of a long query."""
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    return sum(1 for _ in islice(events, MAX_NODES + 1)) > MAX_NODES


def _problem(path: Path, note: Note) -> RuleError:
    return RuleError(path, note.message, line=note.line, column=note.column)


def _syntax_error(error: yaml.MarkedYAMLError, path: Path) -> RuleError:
    mark = error.problem_mark or error.context_mark
    what = error.problem or error.context or "it cannot be read"
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    return RuleError(path, f"the YAML is broken: {what}", line=line, column=column)


def _twins(rules: list[Rule]) -> dict[Path, RuleError]:
    by_id: dict[str, list[Rule]] = {}
    for rule in rules:
        by_id.setdefault(rule.id.casefold(), []).append(rule)
    twins = {}
    for same in by_id.values():
        for rule in same if len(same) > 1 else ():
            others = ", ".join(str(other.path) for other in same if other is not rule)
            twins[rule.path] = RuleError(rule.path, f"the id {rule.id} is also in {others}: give one of them a new id")
    return twins


def _rule(sheet: Sheet, path: Path) -> Rule:
    """The rule as far as it can be read; not to be used when the sheet collected errors."""
    sheet.check_keys(_KEYS)
    kind = sheet.choice("kind", ("Scheduled", "NRT"), default="Scheduled")
    extension = _extension(sheet)
    query = sheet.text("query", required=True)
    create_incident, grouping = _incident(sheet)
    values: dict[str, Any] = {
        "path": path,
        "id": _id(sheet),
        "name": sheet.text("name", longest=256, required=True).strip(),
        "description": _unwrapped(sheet.text("description", longest=5_000)),
        "severity": sheet.choice("severity", ("Informational", "Low", "Medium", "High"), required=True),
        "query": query,
        "rule_class": extension.rule_class or classify(query),
        "kind": kind,
        "enabled": sheet.boolean("enabled", default=True),
        "version": sheet.text("version", longest=20).strip(),
        "tactics": sheet.choices("tactics", _TACTICS),
        "techniques": _techniques(sheet),
        "entity_mappings": read_entity_mappings(sheet),
        "custom_details": read_custom_details(sheet),
        "alert_details": read_alert_details(sheet),
        "event_grouping": _event_grouping(sheet),
        "create_incident": create_incident,
        "grouping": grouping,
        "suppression": _suppression(sheet),
        "extension": extension,
    }
    return Rule(**values, **_schedule(sheet, kind), notes=tuple(sheet.findings.notes))


def _id(sheet: Sheet) -> str:
    text = sheet.text("id", required=True).strip()
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        sheet.error(sheet.value("id"), f"id must be a GUID, not “{text[:60]}”")
        return ""


def _unwrapped(description: str) -> str:
    """Many shipped rules wrap their description in literal single quotes inside a block."""
    text = description.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == "'" else text


def _schedule(sheet: Sheet, kind: str) -> dict[str, Any]:
    if kind == "NRT":
        return {"query_frequency": _SHORTEST, "query_period": _SHORTEST}
    bounds = {"low": _SHORTEST, "high": _LONGEST, "default": _SHORTEST, "required": True}
    frequency = sheet.duration("queryFrequency", **bounds)  # type: ignore[arg-type]
    period = sheet.duration("queryPeriod", **(bounds | {"default": frequency}))  # type: ignore[arg-type]
    if period < frequency:
        short, long = write_duration(period), write_duration(frequency)
        sheet.error(sheet.value("queryPeriod"), f"queryPeriod {short} is shorter than queryFrequency {long}: gaps")
    return {
        "query_frequency": frequency,
        "query_period": period,
        "trigger_operator": _OPERATORS.get(sheet.choice("triggerOperator", _OPERATORS, required=True), "gt"),
        "trigger_threshold": sheet.integer("triggerThreshold", low=0, high=10_000, required=True),
    }


def _techniques(sheet: Sheet) -> tuple[str, ...]:
    found = []
    for key in ("relevantTechniques", "techniques"):
        for node, text in sheet.placed_texts(key):
            if not re.fullmatch(r"T\d{4}(\.\d{3})?", text):
                sheet.error(node, f"{key} holds “{text[:40]}”; a technique reads T1485 or T1078.004")
            found.append(text)
    return tuple(dict.fromkeys(found))


def _event_grouping(sheet: Sheet) -> str:
    settings = sheet.sheet("eventGroupingSettings")
    kinds = ("SingleAlert", "AlertPerResult")
    return settings.choice("aggregationKind", kinds, default=kinds[0]) if settings else kinds[0]


def _suppression(sheet: Sheet) -> timedelta:
    duration = sheet.duration(
        "suppressionDuration", low=_SHORTEST, high=timedelta(hours=24), default=timedelta(hours=5)
    )
    return duration if sheet.boolean("suppressionEnabled", default=False) else timedelta(0)


def _incident(sheet: Sheet) -> tuple[bool, Grouping]:
    settings = sheet.sheet("incidentConfiguration")
    if settings is None:
        return True, Grouping()
    settings.check_keys(("createIncident", "groupingConfiguration"))
    return settings.boolean("createIncident", default=True), read_grouping(settings)


def _extension(sheet: Sheet) -> Extension:
    block = sheet.sheet("tocsin")
    if block is None:
        return Extension()
    block.check_keys(("what", "where", "target", "clock", "class", "lookback"))
    columns = {key: block.column(key) for key in ("what", "where", "target")}
    kind = block.choice("class", ("row", "window"))
    return Extension(
        **columns,
        clock=cast("Any", block.choice("clock", ("pinned", "live"), default="pinned")),
        rule_class=cast("Any", kind or None),
        lookback=block.duration("lookback", low=timedelta(0), high=_LONGEST, default=Extension().lookback),
    )
