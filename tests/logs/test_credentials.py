"""Which credentials go with which endpoints."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.errors import ConfigError
from bot.logs.credentials import credential

HTTPS = "https://api.loganalytics.azure.com"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8123", "http://localhost:8123/v1", "http://[::1]:1"])
def test_none_is_for_plain_loopback(endpoint: str) -> None:
    assert credential("none", endpoint=endpoint) is None
    with pytest.raises(ConfigError, match="AZURE_CREDENTIAL=none"):
        credential("cli", endpoint=endpoint)


@pytest.mark.parametrize("endpoint", ["http://192.0.2.1", "http://localhost.example", "ftp://127.0.0.1", "api"])
def test_other_plain_endpoints_are_refused(endpoint: str) -> None:
    for kind in ("none", "managed_identity"):
        with pytest.raises(ConfigError, match="https"):
            credential(kind, endpoint=endpoint)  # type: ignore[arg-type]


def test_the_service_needs_a_sign_in() -> None:
    with pytest.raises(ConfigError, match="set AZURE_CREDENTIAL"):
        credential("none", endpoint=HTTPS)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="AZURE_CLIENT_SECRET"):
        credential("client_secret", endpoint=HTTPS, tenant_id="t", client_id="c")
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="workload_identity"):
        credential("workload_identity", endpoint=HTTPS)


async def test_each_kind_makes_its_own() -> None:
    secret = credential(
        "client_secret", endpoint=HTTPS, tenant_id="contoso", client_id="app", client_secret=SecretStr("s3cret")
    )
    made = [credential("managed_identity", endpoint=HTTPS), credential("cli", endpoint=HTTPS), secret]
    names = [type(one).__name__ for one in made]
    assert names == ["ManagedIdentityCredential", "AzureCliCredential", "ClientSecretCredential"]
    for one in made:
        assert one is not None
        await one.close()
