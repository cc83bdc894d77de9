"""Settings: what is taken, what is refused, and that a mistake is explained without showing a secret."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from bot.config import SECRETS, Settings, load_settings, require_for_serve
from bot.errors import ConfigError
from bot.intel import abuseipdb
from bot.logs import azure
from bot.logs.credentials import CredentialKind
from bot.slack import client

GUID = "8ecf8077-cf51-4820-aadd-14040956f35d"
WORKSPACE = f"/subscriptions/{GUID}/resourceGroups/sec/providers/Microsoft.OperationalInsights/workspaces/logs"


def mistakes(**environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ)
    return caught.value.mistakes


def test_nothing_set_is_a_bot_with_every_feature_off() -> None:
    settings = load_settings({})
    assert settings.database_url.get_secret_value() == "sqlite:///tocsin.db"
    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8000, "INFO")
    assert settings.rules_path == Path("rules")
    assert settings.slack_bot_token is settings.abuseipdb_api_key is settings.logs_path is None
    assert settings.blocklist_tokens == {}


def test_empty_and_blank_variables_count_as_unset() -> None:
    assert load_settings(dict.fromkeys((name.upper() for name in Settings.model_fields), " ")) == load_settings({})


def test_only_the_mapping_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9999")
    assert load_settings({}).port == 8000


def test_the_defaults_are_those_of_the_adapters() -> None:
    settings = load_settings({})
    assert settings.slack_api_url == client.DEFAULT_URL
    assert settings.abuseipdb_url == abuseipdb.DEFAULT_URL
    assert settings.log_analytics_endpoint == azure.ENDPOINT
    assert get_args(Settings.model_fields["azure_credential"].annotation) == get_args(CredentialKind)


def test_everything_set(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "DATABASE_URL": "postgresql://tocsin:pw@db:5432/tocsin",
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_SIGNING_SECRET": "s" * 32,
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_API_URL": "http://127.0.0.1:8080/api/",
            "ABUSEIPDB_API_KEY": "k",
            "LOGS_PATH": str(tmp_path),
            "RULES_PATH": str(tmp_path),
            "AZURE_CREDENTIAL": "cli",
            "SENTINEL_WORKSPACE": WORKSPACE,
            "PORT": "80",
            "HOST": "::1",
            "LOG_LEVEL": "DEBUG",
            "SMTP_URL": "smtp://u:p@mail:587",
        }
    )
    assert settings.slack_bot_token == SecretStr("xoxb-1")
    assert settings.slack_api_url == "http://127.0.0.1:8080/api/"
    assert settings.logs_path == tmp_path
    assert settings.port == 80


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "0", "1"),
        ("PORT", "65536", "65535"),
        ("PORT", "http", "integer"),
        ("HOST", "http://me", "without a port"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO'"),
        ("AZURE_CREDENTIAL", "password", "'managed_identity'"),
        ("RULES_PATH", "/no/such/folder", "/no/such/folder"),
        ("LOGS_PATH", "/no/such/folder", "folder"),
        ("TEMPLATES_PATH", "/no/such/folder", "folder"),
        ("TOCSIN_CONFIG", "/no/such/file.toml", "file"),
        ("LOG_ANALYTICS_WORKSPACE_ID", "my-workspace", "00000000-0000"),
        ("SENTINEL_WORKSPACE", GUID, "/resourceGroups/NAME/providers/Microsoft.Op"),
        ("SENTINEL_WORKSPACE", WORKSPACE.replace(".", "x"), "/subscriptions/"),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "postgres://u:hunter2@h/d", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:hunter2@h", "DATABASE"),
        ("DATABASE_URL", "sqlite:///:memory:", "sqlite:///FILE"),
        ("DATABASE_URL", "sqlite:///", "sqlite:///FILE"),
        ("SMTP_URL", "mail:hunter2", "smtp://"),
        ("ABUSEIPDB_URL", "http://proxy.example/", "https://"),
        ("SLACK_API_URL", "http://10.0.0.1/api/", "https://"),
        ("LOG_ANALYTICS_ENDPOINT", "http://api.example", "https://"),
        ("AZURE_MANAGEMENT_ENDPOINT", "management.azure.com", "https://host.example/path"),
        ("AZURE_MANAGEMENT_ENDPOINT", "https://u:hunter2@host", "password"),
        ("SLACK_APP_TOKEN", "xoxb-hunter2", "xapp-"),
        ("SLACK_SIGNING_SECRET", "two words", "one word"),
        ("ABUSEIPDB_API_KEY", '"hunter2"', "without quotes"),
        ("AUDIT_KEY", "hunter2", "16"),
        ("SENTINEL_WEBHOOK_SECRET", "hunter2", "16"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_the_name_and_the_right_shape(name: str, value: str, says: str) -> None:
    (sentence,) = mistakes(**{name: value})
    assert sentence.startswith(f"{name} ")
    assert sentence.endswith(".")
    assert says in sentence
    assert "hunter2" not in sentence


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = mistakes(
        PORT="0",
        SLACK_BOT_TOKEN="xapp-1",
        LOGS_PATH=str(tmp_path),
        LOG_ANALYTICS_WORKSPACE_ID=GUID,
        AZURE_CREDENTIAL="client_secret",
        AZURE_TENANT_ID=GUID,
        TEAMS_APP_ID=GUID,
        AUDIT_KEY_FILE="/no/such/file",
    )
    assert len(told) == 7
    text = "\n".join(told)
    assert "PORT must" in text
    assert "SLACK_BOT_TOKEN must be the Bot User OAuth Token" in text
    assert "SLACK_BOT_TOKEN is set without SLACK_SIGNING_SECRET" in text
    assert "LOGS_PATH and LOG_ANALYTICS_WORKSPACE_ID are both set" in text
    assert "also needs AZURE_CLIENT_ID, AZURE_CLIENT_SECRET" in text
    assert "also needs TEAMS_APP_PASSWORD, TEAMS_TENANT_ID" in text
    assert "AUDIT_KEY_FILE names /no/such/file" in text


@pytest.mark.parametrize("other", ["SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"])
def test_a_bot_token_needs_one_of_two_ways_to_hear(other: str) -> None:
    load_settings({"SLACK_BOT_TOKEN": "xoxb-1", other: "xapp-1"})


def test_blocklist_tokens_are_named() -> None:
    settings = load_settings({"BLOCKLIST_TOKENS": f"edge:{'a' * 16}, core:{'b:' * 8},"})
    assert settings.blocklist_tokens == {"edge": SecretStr("a" * 16), "core": SecretStr("b:" * 8)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hunter2hunter2hunter2", "entry 1 must look like name:token"),
        (f"edge:{'a' * 16},core", "entry 2 must look like name:token"),
        ("edge:hunter2hunter2", "entry 1 must have a token of 16"),
        (f"edge:{'a' * 16},core:{'b' * 16},edge:{'c' * 16}", "entries 1 and 3 have the same name"),
        (f"edge:{'a' * 16},core:{'a' * 16}", "entries 1 and 2 have the same token"),
        (f"edge:{'a' * 10} {'a' * 10}", "without spaces"),
    ],
)
def test_wrong_blocklist_tokens(text: str, says: str) -> None:
    told = mistakes(BLOCKLIST_TOKENS=text)
    # "hunter2hunter2" has 14 signs, which is too short.
    assert len(told) == 1
    assert says in told[0]
    assert "hunter2" not in told[0]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    for name in SECRETS:
        (tmp_path / name).write_text("\n", encoding="utf-8")
    values = {
        "DATABASE_URL": "sqlite:////data/tocsin.db",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "BLOCKLIST_TOKENS": f"edge:{'a' * 16}",
        "SMTP_URL": "smtps://mail",
    }
    environ = {"TEAMS_APP_ID": GUID, "TEAMS_TENANT_ID": GUID}
    for name in SECRETS:
        (tmp_path / name).write_text(values.get(name, "s" * 20) + "\n", encoding="utf-8")
        environ[f"{name}_FILE"] = str(tmp_path / name)
    settings = load_settings(environ)
    assert settings.database_url == SecretStr("sqlite:////data/tocsin.db")
    assert settings.audit_key == SecretStr("s" * 20)
    assert settings.blocklist_tokens["edge"] == SecretStr("a" * 16)


@pytest.mark.parametrize(
    ("content", "says"), [(b" \n", "empty"), (b"\xff\xfe", "UTF-8"), (b"x" * 70_000, "too large"), (None, "directory")]
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path if content is None else tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    (sentence,) = mistakes(ABUSEIPDB_API_KEY_FILE=str(path))
    assert sentence.startswith(f"ABUSEIPDB_API_KEY_FILE names {path}")
    assert says in sentence


def test_a_secret_comes_from_one_place(tmp_path: Path) -> None:
    (sentence,) = mistakes(AUDIT_KEY="hunter2" * 5, AUDIT_KEY_FILE=str(tmp_path))
    assert sentence == "AUDIT_KEY and AUDIT_KEY_FILE are both set: keep one of them."


def test_every_secret_field_is_listed_and_hidden() -> None:
    kinds = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert kinds == set(SECRETS)


def test_secrets_are_all_values_that_nobody_may_see() -> None:
    settings = load_settings(
        {
            "DATABASE_URL": "postgresql://tocsin:p%40ss@db/tocsin",
            "AUDIT_KEY": "k" * 20,
            "BLOCKLIST_TOKENS": f"edge:{'a' * 16}",
        }
    )
    assert {secret.get_secret_value() for secret in settings.secrets()} == {
        *("postgresql://tocsin:p%40ss@db/tocsin", "p%40ss", "p@ss"),
        *("k" * 20, "a" * 16),
    }
    assert "kkkk" not in repr(settings)
    assert "p%40ss" not in repr(settings)


def test_an_address_without_a_password_is_no_secret() -> None:
    assert load_settings({}).secrets() == ()


def test_serve_says_everything_that_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        require_for_serve(load_settings({"SENTINEL_WORKSPACE": WORKSPACE}))
    named = [sentence.split()[0] for sentence in caught.value.mistakes]
    assert named == [
        "SLACK_BOT_TOKEN",
        "AUDIT_KEY",
        "LOG_ANALYTICS_WORKSPACE_ID",
        "RULES_PATH",
        "AZURE_CREDENTIAL",
    ]


SERVE = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s", "AUDIT_KEY": "k" * 16}


def test_serve_is_content_with_local_logs_and_with_azure(tmp_path: Path) -> None:
    here = {**SERVE, "RULES_PATH": str(tmp_path)}
    require_for_serve(load_settings({**here, "LOGS_PATH": str(tmp_path)}))
    cloud = {**here, "LOG_ANALYTICS_WORKSPACE_ID": GUID}
    require_for_serve(load_settings({**cloud, "AZURE_CREDENTIAL": "managed_identity"}))
    require_for_serve(load_settings({**cloud, "LOG_ANALYTICS_ENDPOINT": "http://localhost:1"}))


def test_serve_sends_no_token_unencrypted(tmp_path: Path) -> None:
    environ = {**SERVE, "RULES_PATH": str(tmp_path), "LOG_ANALYTICS_WORKSPACE_ID": GUID}
    plain = {"LOG_ANALYTICS_ENDPOINT": "http://[::1]:1", "AZURE_CREDENTIAL": "cli"}
    with pytest.raises(ConfigError, match="AZURE_CREDENTIAL must be none while LOG_ANALYTICS_ENDPOINT is plain"):
        require_for_serve(load_settings({**environ, **plain}))


PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"


def test_the_page_of_settings_is_whole_and_true() -> None:
    rows = [row.strip("|").split("|", 2) for row in PAGE.read_text("utf-8").splitlines() if row.startswith("| `")]
    told = {name.strip("` "): (default.strip("` "), "*secret.*" in meaning) for name, default, meaning in rows}
    settings = load_settings({})
    assert told == {name.upper(): (shown(getattr(settings, name)), name.upper() in SECRETS) for name in vars(settings)}
    assert len(rows) == len(told)


def shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return "" if value is None or value == {} else str(value)
