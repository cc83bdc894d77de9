"""The parts of a rule file that point at columns of the answer."""

from __future__ import annotations

import re
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, cast

from bot.rules.model import AlertDetails, EntityMapping, FieldMapping, Grouping
from bot.rules.sheet import Sheet

IDENTIFIERS: dict[str, tuple[str, ...]] = {
    name: tuple(identifiers.split())
    for name, identifiers in {
        "Account": "FullName Name UPNSuffix NTDomain DnsDomain Sid AadUserId AadTenantId PUID ObjectGuid "
        "IsDomainJoined DisplayName CloudAppAccountId",
        "AzureResource": "ResourceId",
        "CloudApplication": "AppId Name InstanceName SaasId",
        "DNS": "DomainName",
        "File": "Name Directory",
        "FileHash": "Algorithm Value",
        "Host": "FullName HostName NetBiosName DnsDomain NTDomain AzureID OMSAgentID OSFamily OSVersion IsDomainJoined",
        "IoTDevice": "IoTHub DeviceId DeviceName IoTSecurityAgentId DeviceType Source SourceRef Manufacturer Model "
        "OperatingSystem IpAddress MacAddress Protocols SerialNumber",
        "IP": "Address AddressScope",
        "Mailbox": "MailboxPrimaryAddress DisplayName Upn ExternalDirectoryObjectId RiskLevel AadId",
        "MailCluster": "NetworkMessageIds CountByDeliveryStatus CountByThreatType CountByProtectionStatus Threats "
        "Query QueryTime MailCount IsVolumeAnomaly Source ClusterSourceIdentifier ClusterSourceType "
        "ClusterQueryStartTime ClusterQueryEndTime ClusterGroup",
        "MailMessage": "Recipient Urls Threats Sender P1Sender P1SenderDisplayName P1SenderDomain SenderIP P2Sender "
        "P2SenderDisplayName P2SenderDomain ReceivedDate NetworkMessageId InternetMessageId Subject AntispamDirection "
        "DeliveryAction DeliveryLocation Language ThreatDetectionMethods BodyFingerprintBin1",
        "Malware": "Name Category",
        "Process": "ProcessId CommandLine ElevationToken CreationTimeUtc",
        "RegistryKey": "Hive Key",
        "RegistryValue": "Name Value ValueType",
        "SecurityGroup": "DistinguishedName SID ObjectGuid",
        "SubmissionMail": "NetworkMessageId Timestamp Recipient Sender SenderIp Subject ReportType SubmissionId "
        "SubmissionDate Submitter",
        "URL": "Url",
    }.items()
}
"""Entity types and their identifiers, from https://learn.microsoft.com/azure/sentinel/entities-reference."""


def read_entity_mappings(sheet: Sheet) -> tuple[EntityMapping, ...]:
    """The entities. A wrong identifier is a note, because shipped rules hold such and the column still counts."""
    entries = sheet.sheets("entityMappings")
    if len(entries) > 10:
        sheet.error(sheet.value("entityMappings"), f"{len(entries)} entity mappings; at most 10 are allowed")
    return tuple(_entity(entry) for entry in entries[:10])


def read_custom_details(sheet: Sheet) -> tuple[tuple[str, str], ...]:
    """Names on the card by the columns that fill them."""
    details = sheet.sheet("customDetails")
    if details is None:
        return ()
    pairs = details.pairs()
    if len(pairs) > 20:
        details.error(None, f"{len(pairs)} custom details; at most 20 are allowed")
    for name, _ in pairs[:20]:
        details.column(name)
        if not re.fullmatch(r"[a-zA-Z]\w{0,19}", name):
            details.note(details.value(name), f"Sentinel wants at most 20 letters and digits, not {name[:60]}")
    return pairs


def read_alert_details(sheet: Sheet) -> AlertDetails:
    """Titles and severities that are taken from the row."""
    override = sheet.sheet("alertDetailsOverride")
    if override is None:
        return AlertDetails()
    formats = {key: override.text(key, longest=5_000) for key in ("alertDisplayNameFormat", "alertDescriptionFormat")}
    for key, text in formats.items():
        if text.count("{{") > 3:
            override.note(override.value(key), f"Sentinel fills at most 3 placeholders in {key}")
    properties = tuple(
        (each.text("alertProperty"), each.text("value")) for each in override.sheets("alertDynamicProperties")
    )
    return AlertDetails(
        formats["alertDisplayNameFormat"],
        formats["alertDescriptionFormat"],
        override.column("alertTacticsColumnName"),
        override.column("alertSeverityColumnName"),
        properties,
    )


def read_grouping(sheet: Sheet) -> Grouping:
    """How alerts are put together into incidents, from the block around `groupingConfiguration`."""
    settings = sheet.sheet("groupingConfiguration")
    if settings is None:
        return Grouping()
    settings.check_keys(
        [
            "enabled",
            "reopenClosedIncident",
            "lookbackDuration",
            "matchingMethod",
            "groupByEntities",
            "groupByAlertDetails",
            "groupByCustomDetails",
        ]
    )
    method = settings.choice("matchingMethod", ("AllEntities", "AnyAlert", "Selected"), default="AllEntities")
    grouping = Grouping(
        enabled=settings.boolean("enabled", default=False),
        reopen_closed=settings.boolean("reopenClosedIncident", default=False),
        lookback=settings.duration(
            "lookbackDuration", low=timedelta(minutes=5), high=timedelta(days=7), default=timedelta(hours=5)
        ),
        matching_method=cast("Any", method),
        entities=settings.choices("groupByEntities", IDENTIFIERS),
        alert_details=settings.choices("groupByAlertDetails", ("DisplayName", "Severity")),
        custom_details=settings.texts("groupByCustomDetails"),
    )
    if method == "Selected" and not (grouping.entities or grouping.alert_details or grouping.custom_details):
        settings.error(
            settings.value("matchingMethod"), "matchingMethod Selected selects nothing: fill groupByEntities"
        )
    return grouping


def _entity(entry: Sheet) -> EntityMapping:
    entity_type = entry.text("entityType", required=True).strip()
    names = {name.casefold(): name for name in IDENTIFIERS}
    known = names.get(entity_type.casefold())
    if entity_type and known != entity_type:
        entry.note(entry.value("entityType"), f"unknown entity type {entity_type[:60]}{_near(entity_type, names)}")
    fields = tuple(_field(field, known) for field in entry.sheets("fieldMappings"))
    if not fields:
        entry.error(None, f"the {entity_type or 'entity'} mapping has no fieldMappings")
    return EntityMapping(known or entity_type, fields)


def _field(field: Sheet, entity_type: str | None) -> FieldMapping:
    identifier = field.text("identifier", required=True).strip()
    known = IDENTIFIERS.get(entity_type or "", ())
    if identifier and known and identifier not in known:
        near = _near(identifier, {name.casefold(): name for name in known})
        field.note(field.value("identifier"), f"{entity_type} has no identifier {identifier[:60]}{near}")
    return FieldMapping(identifier, field.column("columnName", required=True))


def _near(text: str, known: dict[str, str]) -> str:
    near = get_close_matches(text.casefold(), known, 1, 0.6)
    return f"; did you mean {known[near[0]]}?" if near else ""
