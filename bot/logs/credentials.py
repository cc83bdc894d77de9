"""How Tocsin proves to Azure who it is. Chosen by name: guessing chains are slow and hide mistakes."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.errors import ConfigError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

CredentialKind = Literal["managed_identity", "workload_identity", "client_secret", "cli", "none"]


def credential(
    kind: CredentialKind,
    *,
    endpoint: str,
    tenant_id: str = "",
    client_id: str = "",
    client_secret: SecretStr | None = None,
) -> AsyncTokenCredential | None:
    """The credential that `kind` names, None for "none". `client_id` may pick a user-assigned managed identity.

    "none" serves plain http endpoints on loopback (tests, emulators), and such endpoints take nothing else, because a
    token must not travel unencrypted. Raises ConfigError for a combination that cannot work.
    """
    refuse_plain(endpoint, kind)
    if kind == "none":
        return None
    from azure.identity import aio

    if kind == "managed_identity":
        return aio.ManagedIdentityCredential(client_id=client_id or None)
    if kind == "cli":
        return aio.AzureCliCredential(process_timeout=20)
    if kind == "workload_identity":
        return _workload(aio.WorkloadIdentityCredential)
    if not (tenant_id and client_id and client_secret):
        raise ConfigError(
            ["AZURE_CREDENTIAL=client_secret needs AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET"]
        )
    return aio.ClientSecretCredential(tenant_id, client_id, client_secret.get_secret_value())


def _workload(made: type[AsyncTokenCredential]) -> AsyncTokenCredential:
    try:
        return made()
    except ValueError as error:
        mistake = (
            "AZURE_CREDENTIAL=workload_identity: the pod lacks the variables that the workload identity webhook sets"
        )
        raise ConfigError([f"{mistake}; label it azure.workload.identity/use=true"]) from error


def refuse_plain(endpoint: str, kind: CredentialKind) -> None:
    """Raise ConfigError unless `endpoint` is https with a credential, or http on loopback without one."""
    parts = urlsplit(endpoint)
    plain = parts.scheme == "http" and _loopback(parts.hostname or "")
    if parts.scheme != "https" and not plain:
        raise ConfigError([f"{endpoint}: use https; plain http is accepted on loopback only"])
    if plain and kind != "none":
        raise ConfigError([f"{endpoint} is plain http: set AZURE_CREDENTIAL=none, no token is sent unencrypted"])
    if not plain and kind == "none":
        raise ConfigError([f"{endpoint} needs a sign-in: set AZURE_CREDENTIAL, for example to managed_identity"])


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
