"""A day of Key Vault audit events for the demo: everyday reads, a few ordinary deletions, and one break-in.

Everything is invented. Names end in `.example`, public addresses come from the ranges kept for documentation
(https://www.rfc-editor.org/rfc/rfc5737, https://www.rfc-editor.org/rfc/rfc3849). Times count from the full hour,
so that everyone who starts the demo sees the same story.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

TABLE = "AzureDiagnostics"
SEED = 20260131
VERY_BAD_ADDRESS = "203.0.113.66"
SECOND_ADDRESS = "198.51.100.23"

_UPN = "identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s"
_READS_PER_HOUR = 130
_HOURS = 24
_PORTAL = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Edg/130.0"
_SDK = "azsdk-net-Security.KeyVault.Secrets/4.7.0 (.NET 8.0.10; Ubuntu 22.04.5 LTS)"
_PYTHON = "azsdk-python-keyvault-secrets/4.9.0 Python/3.12.7 (Linux-6.8.0)"


@dataclass(frozen=True, slots=True)
class Vault:
    """A key vault. `name` is in lower case, as in its address."""

    name: str
    group: str
    subscription: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls. A service principal has no `upn`."""

    upn: str
    app: str
    client: str
    addresses: tuple[str, ...]

    @property
    def object_id(self) -> str:
        """The directory's id of this actor."""
        return _id(self.upn or self.app)


_PROD = "6f1e2a40-3c1d-4f6e-9a55-0d5c1b7e8a11"
_SHARED = "b8d0c9f2-71aa-4d0b-8c3f-52e6a4f09d22"
_TEST = "2c4b7e90-5f83-4a1c-b6de-93a7f1c80e33"
_PAYMENTS = Vault("kv-payments-prod", "rg-payments-prod", _PROD)
_VAULTS = (
    _PAYMENTS,
    Vault("kv-web-prod", "rg-web-prod", _PROD),
    Vault("kv-signing", "rg-shared-services", _SHARED),
    Vault("kv-backup", "rg-shared-services", _SHARED),
    Vault("kv-payments-test", "rg-payments-test", _TEST),
    Vault("kv-sandbox", "rg-sandbox", _TEST),
)
_THIEF = Actor(
    "dana.reyes@contoso.example", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", _PYTHON, (VERY_BAD_ADDRESS, SECOND_ADDRESS)
)
_KIM = Actor("kim.larsen@contoso.example", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", _PORTAL, ("192.0.2.14",))
_AMIR = Actor("amir.haddad@contoso.example", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", _PORTAL, ("2001:db8:40::17",))
_PIPELINE = Actor("", "9d1f0c55-0c0e-4b7e-8a6b-3c7dd3a4c901", _SDK, ("10.20.4.11", "10.20.4.12"))
_WEB = Actor("", "51c7a2de-9b0e-4a35-97a4-6a0b8f5e7d02", _SDK, ("10.30.0.5", "10.30.0.6", "2001:db8:30::6"))
_BACKUP = Actor("", "e2a90b13-44fd-47e1-9c7f-18a6f0d35b03", _PYTHON, ("172.16.8.9",))
_READERS = (_WEB, _WEB, _WEB, _PIPELINE, _BACKUP, _KIM, _AMIR)
_READS = ("SecretGet", "SecretGet", "SecretGet", "SecretList", "KeyGet", "KeySign", "CertificateGet", "VaultGet")
_SECRETS = (
    "card-processor-key",
    "ledger-db-password",
    "settlement-sftp",
    "fraud-model-token",
    "payout-signing",
    "webhook-hmac",
)
# A name that nobody would give by accident: it shows that a card neither rings the channel nor breaks.
_HOSTILE = "<!channel>"


@dataclass(frozen=True, slots=True)
class _Event:
    at: datetime
    vault: Vault
    actor: Actor
    address: str
    operation: str
    name: str = ""
    status: int = 200


def write_day(folder: Path, *, until: datetime, seed: int = SEED) -> Path:
    """Write the 24 hours before the last full hour, and what has passed of the present one, as JSONL. Answers the file.

    The last finished hour holds the break-in: one actor deletes and purges secrets of one vault, mostly from
    203.0.113.66 and partly from 198.51.100.23, beside two ordinary deletions. No row is stamped at or after `until`.
    The same hour and seed give the same rows.
    """
    until = until.astimezone(UTC)
    hour = until.replace(minute=0, second=0, microsecond=0)
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    events = [*_reads(chance, hour), *_ordinary(hour), *_break_in(hour)]
    rows = [(_arrival(chance, event), _row(event, chance)) for event in events if event.at < until]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{TABLE}.jsonl"
    # Beside and then renamed, so that a reader never meets half of it.
    fresh = path.with_suffix(".new")
    fresh.write_text(_lines(row for _, row in sorted(rows, key=lambda pair: pair[0])), encoding="utf-8")
    return fresh.replace(path)


def append_purge(folder: Path, *, now: datetime, n: int = 3) -> Path:
    """Append `n` purges of secrets from 203.0.113.66, one a second, the last one a second before `now`."""
    now = now.astimezone(UTC)
    chance = random.Random(now.isoformat())  # noqa: S311 - a story, not a secret
    events = [
        _Event(
            now - timedelta(seconds=n - i), _PAYMENTS, _THIEF, VERY_BAD_ADDRESS, "SecretPurge", f"rotated-{i + 1:02d}"
        )
        for i in range(n)
    ]
    path = folder / f"{TABLE}.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write(_lines(_row(event, chance) for event in events))
    return path


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def _reads(chance: random.Random, hour: datetime) -> Iterator[_Event]:
    for number in range((_HOURS + 1) * _READS_PER_HOUR):
        start = hour - timedelta(hours=_HOURS - number // _READS_PER_HOUR)
        at = start + timedelta(milliseconds=chance.randrange(3_600_000))
        actor, operation = chance.choice(_READERS), chance.choice(_READS)
        name = "" if operation in ("VaultGet", "SecretList") else chance.choice(_SECRETS)
        status = 403 if chance.random() < 0.01 else 200
        yield _Event(at, chance.choice(_VAULTS), actor, chance.choice(actor.addresses), operation, name, status)


def _ordinary(hour: datetime) -> Iterator[_Event]:
    """Deletions that a good day has too: minutes before the full hour."""
    vaults = {vault.name: vault for vault in _VAULTS}
    for minutes, vault, actor, operation, name in (
        (1290, "kv-sandbox", _AMIR, "SecretDelete", "tmp-token"),
        (1288, "kv-sandbox", _AMIR, "SecretPurge", "tmp-token"),
        (975, "kv-payments-test", _PIPELINE, "SecretDelete", "it-run-4411"),
        (740, "kv-backup", _BACKUP, "KeyDelete", "wrap-2025"),
        (402, "kv-web-prod", _KIM, "CertificateDelete", "www-2025"),
        (401, "kv-web-prod", _KIM, "SecretListDeleted", ""),
        (155, "kv-payments-test", _PIPELINE, "SecretDelete", "it-run-4412"),
        (47, "kv-signing", _KIM, "KeyDelete", "release-2025"),
        (31, "kv-sandbox", _PIPELINE, "SecretDelete", _HOSTILE),
    ):
        yield _Event(
            hour - timedelta(minutes=minutes, seconds=-11), vaults[vault], actor, actor.addresses[0], operation, name
        )


def _break_in(hour: datetime) -> Iterator[_Event]:
    at = hour - timedelta(minutes=24)
    step = timedelta(seconds=19)
    bad, other = VERY_BAD_ADDRESS, SECOND_ADDRESS
    plan = [(bad, "SecretList", "", 200)]
    plan += [(bad, "SecretGet", name, 200) for name in _SECRETS]
    plan += [(bad, "SecretDelete", name, 200) for name in _SECRETS[:4]]
    plan += [(other, "SecretDelete", name, 200) for name in _SECRETS[4:]]
    plan += [(bad, "SecretListDeleted", "", 200), (bad, "VaultDelete", "", 403)]
    plan += [(bad, "SecretPurge", name, 200) for name in _SECRETS[:4]]
    plan += [(other, "SecretPurge", name, 200) for name in _SECRETS[4:]]
    for number, (address, operation, name, status) in enumerate(plan):
        yield _Event(at + number * step, _PAYMENTS, _THIEF, address, operation, name, status)


def _arrival(chance: random.Random, event: _Event) -> datetime:
    """When the row reached the workspace: minutes after its stamp, in one case of twenty up to an hour."""
    late = chance.randrange(600, 3600) if chance.random() < 0.05 else chance.randrange(60, 180)
    return event.at + timedelta(seconds=late)


def _row(event: _Event, chance: random.Random) -> dict[str, Any]:
    vault, actor = event.vault, event.actor
    host = f"https://{vault.name}.vault.azure.net"
    path = _path(event)
    ok = event.status < 400
    resource = (
        f"/SUBSCRIPTIONS/{vault.subscription}/RESOURCEGROUPS/{vault.group}/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/{vault.name}"
    ).upper()
    row = {
        "TimeGenerated": event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ResourceId": resource,
        "_ResourceId": resource.lower(),
        "Category": "AuditEvent",
        "ResourceGroup": vault.group.upper(),
        "SubscriptionId": vault.subscription,
        "ResourceProvider": "MICROSOFT.KEYVAULT",
        "Resource": vault.name.upper(),
        "ResourceType": "VAULTS",
        "OperationName": event.operation,
        "OperationVersion": "7.4",
        "ResultType": "Success" if ok else "Failed",
        "ResultSignature": "OK" if ok else "Forbidden",
        "ResultDescription": "" if ok else "Caller is not authorized to perform action on resource.",
        "DurationMs": chance.randrange(9, 140),
        "CallerIPAddress": event.address,
        "CorrelationId": str(UUID(int=chance.getrandbits(128), version=4)),
        "clientInfo_s": actor.client,
        "requestUri_s": f"{host}{path}?api-version=7.4",
        "id_s": f"{host}{path}",
        "httpStatusCode_d": float(event.status),
        "identity_claim_appid_g": actor.app,
        "identity_claim_oid_g": actor.object_id,
        "tlsVersion_s": "TLS1_2",
        "Type": TABLE,
    }
    return row | ({_UPN: actor.upn, "identity_claim_ipaddr_s": event.address} if actor.upn else {})


def _path(event: _Event) -> str:
    if event.operation.startswith("Vault"):
        return "/"
    kind = next(kind for kind in ("Secret", "Key", "Certificate") if event.operation.startswith(kind))
    deleted = "deleted" if event.operation.endswith(("Purge", "ListDeleted")) else ""
    return f"/{deleted}{kind.lower()}s" + (f"/{event.name}" if event.name else "")


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"https://contoso.example/{name}"))
