"""What a rule reads out of one row of its answer: which incident it belongs to, who acted, from which addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.addresses import CAP, extract
from bot.domain.fingerprint import canonical_json
from bot.domain.table import Cell, Row
from bot.rules.model import EntityMapping, Rule

GroupingKey = tuple[tuple[str, str], ...]
"""Column (or detail) and value, in a stable order. Rows of a rule with equal keys may share an incident."""

_NAMES = ("FullName", "Name", "DisplayName", "AadUserId", "Sid", "ObjectGuid", "PUID")
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w{0,499})\s*\}\}")


@dataclass(frozen=True, slots=True)
class Entities:
    """Who and from where. `who` is empty when the row names nobody; `cut` counts addresses beyond the cap."""

    who: str
    addresses: tuple[str, ...]
    cut: int = 0


def entities(rule: Rule, row: Row) -> Entities:
    """The people of the Account mappings, and the addresses and networks in the columns of the IP mappings.

    A column that the answer lacks counts as empty.
    """
    accounts = [_account(mapping, row) for mapping in rule.entities_of("Account")]
    cells = [text for column in rule.columns_of("IP") for text in _texts(row.get(column))]
    found = [extract(text) for text in cells]
    distinct = list(dict.fromkeys(address for each in found for address in each.found))
    cut = max(0, len(distinct) - CAP) + sum(each.cut for each in found)
    return Entities(", ".join(dict.fromkeys(filter(None, accounts))), tuple(distinct[:CAP]), cut)


def alert_name(rule: Rule, row: Row) -> str:
    """The rule's display name format filled from the row; the rule's name when a column is missing or empty."""
    return _filled(rule.alert_details.name_format, row) or rule.name


def alert_severity(rule: Rule, row: Row) -> str:
    """The severity that the row names in the rule's severity column, if it is one; else the rule's."""
    known = {name.casefold(): name for name in ("Informational", "Low", "Medium", "High")}
    return known.get(_value(row, rule.alert_details.severity_column), rule.severity)


def grouping_key(rule: Rule, row: Row) -> GroupingKey:
    """What a row must share with another to be in the same incident. Values are compared without case and blanks.

    The rule's own grouping decides, as in Sentinel: the selected entities and details, all entities, or nothing
    (AnyAlert, whose key is empty and so the same for all). Without one, rows go together that have the same accounts
    and the same place (the `where` column of the `tocsin` block).

    Where accounts are part of the key and all of them are empty, the addresses stand in for them. Service principals
    often carry no user name, and two of them must not be merged because neither has one.
    """
    grouping = rule.grouping
    if grouping.enabled and grouping.matching_method == "AnyAlert":
        return ()
    columns = _key_columns(rule)
    accounts = rule.columns_of("Account")
    if set(accounts) & set(columns) and not any(_value(row, column) for column in accounts):
        columns += rule.columns_of("IP")
    key = tuple((column, _value(row, column)) for column in dict.fromkeys(columns))
    return key + tuple(_detail_pairs(rule, row))


def _key_columns(rule: Rule) -> tuple[str, ...]:
    grouping = rule.grouping
    if not grouping.enabled:
        return (*rule.columns_of("Account"), *filter(None, [rule.extension.where]))
    if grouping.matching_method == "AllEntities":
        return tuple(field.column for mapping in rule.entity_mappings for field in mapping.fields)
    details = {name.casefold(): column for name, column in rule.custom_details}
    by_entity = [column for entity_type in grouping.entities for column in rule.columns_of(entity_type)]
    chosen = [details[name.casefold()] for name in grouping.custom_details if name.casefold() in details]
    return (*by_entity, *chosen)


def _detail_pairs(rule: Rule, row: Row) -> Iterator[tuple[str, str]]:
    """The alert details that a Selected grouping names. The parentheses keep them apart from columns."""
    if not rule.grouping.enabled or rule.grouping.matching_method != "Selected":
        return
    if "DisplayName" in rule.grouping.alert_details:
        yield "(DisplayName)", alert_name(rule, row).casefold()
    if "Severity" in rule.grouping.alert_details:
        yield "(Severity)", alert_severity(rule, row).casefold()


def _account(mapping: EntityMapping, row: Row) -> str:
    """One account as people write it: the first name that is filled, with its domain."""
    values = {field.identifier: _text(row.get(field.column)) for field in mapping.fields}
    named = next((name for name in _NAMES if values.get(name)), None)
    if named is None:
        return next(filter(None, values.values()), "")
    text = values[named]
    if named == "Name" and values.get("UPNSuffix"):
        return f"{text}@{values['UPNSuffix']}"
    if named == "Name" and values.get("NTDomain"):
        return f"{values['NTDomain']}\\{text}"
    return text


def _texts(cell: Cell) -> Iterator[str]:
    """A cell as texts to search: each entry of a list on its own, so that none is glued to its neighbour."""
    if isinstance(cell, list | tuple):
        for entry in cell:
            yield from _texts(entry) if isinstance(entry, list | tuple) else (_text(entry),)
    else:
        yield _text(cell)


def _text(cell: Cell) -> str:
    """A cell as text. What is empty in Kusto (null, an empty list or bag) is the empty text."""
    if isinstance(cell, str):
        return cell.strip()
    return "" if cell is None or cell == [] or cell == {} else canonical_json(cell).strip('"')


def _value(row: Row, column: str) -> str:
    return _text(row.get(column)).casefold()


def _filled(template: str, row: Row) -> str:
    columns = _PLACEHOLDER.findall(template)
    if not all(_text(row.get(column)) for column in columns):
        return ""
    return _PLACEHOLDER.sub(lambda match: _text(row.get(match[1])), template).strip()
