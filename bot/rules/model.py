"""A Sentinel analytics rule as Tocsin holds it: checked, frozen, the query to the letter.

The names follow the YAML format of https://github.com/Azure/Azure-Sentinel/wiki/Query-Style-Guide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from operator import eq, gt, lt, ne
from pathlib import Path
from typing import Literal, TypeAlias

from bot.errors import RuleError

Severity: TypeAlias = Literal["Informational", "Low", "Medium", "High"]
Operator: TypeAlias = Literal["gt", "lt", "eq", "ne"]
RuleClass: TypeAlias = Literal["row", "window"]

_COMPARE: dict[str, Callable[[int, int], bool]] = {"gt": gt, "lt": lt, "eq": eq, "ne": ne}


@dataclass(frozen=True, slots=True)
class Note:
    """Something odd in a rule file that does not stop the rule. `line` and `column` count from 1."""

    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Which column of the answer fills which identifier of an entity."""

    identifier: str
    column: str


@dataclass(frozen=True, slots=True)
class EntityMapping:
    """One entity that each row names."""

    entity_type: str
    fields: tuple[FieldMapping, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """How alerts are put together into incidents."""

    enabled: bool = False
    reopen_closed: bool = False
    lookback: timedelta = timedelta(hours=5)
    matching_method: Literal["AllEntities", "AnyAlert", "Selected"] = "AllEntities"
    entities: tuple[str, ...] = ()
    alert_details: tuple[str, ...] = ()
    custom_details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertDetails:
    """Names and severities that are taken from the row. Formats hold `{{Column}}` placeholders."""

    name_format: str = ""
    description_format: str = ""
    tactics_column: str = ""
    severity_column: str = ""
    dynamic_properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Extension:
    """The `tocsin` block: which columns a card leads with, and how the rule is evaluated. Empty means unset."""

    what: str = ""
    where: str = ""
    target: str = ""
    clock: Literal["pinned", "live"] = "pinned"
    rule_class: RuleClass | None = None
    lookback: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Rule:
    """One detection.

    `query` is exactly the text of the file. `rule_class` says whether rows stand for themselves (`row`) or for the
    window that was asked about (`window`): read from the query, unless the file says so itself. An NRT rule has no
    schedule of its own: it is given the shortest one. `suppression` is zero when off.
    """

    path: Path
    id: str
    name: str
    description: str
    severity: Severity
    query: str
    query_frequency: timedelta
    query_period: timedelta
    rule_class: RuleClass
    kind: Literal["Scheduled", "NRT"] = "Scheduled"
    enabled: bool = True
    version: str = ""
    trigger_operator: Operator = "gt"
    trigger_threshold: int = 0
    tactics: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    entity_mappings: tuple[EntityMapping, ...] = ()
    custom_details: tuple[tuple[str, str], ...] = ()
    alert_details: AlertDetails = AlertDetails()
    event_grouping: Literal["SingleAlert", "AlertPerResult"] = "SingleAlert"
    create_incident: bool = True
    grouping: Grouping = Grouping()
    suppression: timedelta = timedelta(0)
    extension: Extension = Extension()
    notes: tuple[Note, ...] = ()

    def fires(self, count: int) -> bool:
        """Whether an answer of `count` rows crosses the rule's threshold."""
        return _COMPARE[self.trigger_operator](count, self.trigger_threshold)

    def entities_of(self, entity_type: str) -> tuple[EntityMapping, ...]:
        """The mappings of one type, without regard to case."""
        wanted = entity_type.casefold()
        return tuple(mapping for mapping in self.entity_mappings if mapping.entity_type.casefold() == wanted)

    def columns_of(self, entity_type: str) -> tuple[str, ...]:
        """The distinct columns mapped to entities of one type, in the order of the file."""
        mapped = [field.column for mapping in self.entities_of(entity_type) for field in mapping.fields]
        return tuple(dict.fromkeys(mapped))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The usable rules of a folder by path, and everything that is wrong with the others."""

    rules: tuple[Rule, ...]
    problems: tuple[RuleError, ...]

    def find(self, rule_id: str) -> Rule | None:
        """The rule with that id, without regard to case."""
        return next((rule for rule in self.rules if rule.id.casefold() == rule_id.casefold()), None)
