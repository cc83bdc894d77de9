"""Settings from the environment: read once, checked whole, every mistake told at once.

Nothing is read when this module is imported, and only the mapping that is handed in. An empty variable counts as unset,
which turns its feature off. No sentence about a mistake shows the value of a secret or of an address. The module is
long so that all that is asked of a variable stands in one place.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import ConfigError

SECRETS = (
    *("DATABASE_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "ABUSEIPDB_API_KEY", "AUDIT_KEY"),
    *("AZURE_CLIENT_SECRET", "SENTINEL_WEBHOOK_SECRET", "BLOCKLIST_TOKENS", "TEAMS_APP_PASSWORD", "SMTP_URL"),
)
"""The variables that may also come from a file, named by `<NAME>_FILE`."""

SHORTEST = 16
"""Signs of the shortest secret that is taken where people make it up themselves."""

_LARGEST_FILE = 64 * 1024
_ANY_GUID = "00000000-0000-0000-0000-000000000000"
_GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def _one_word(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not all("!" <= sign <= "~" for sign in text):
        raise ValueError("must be one word of plain ASCII signs: remove spaces, line breaks and curly quotes")
    if text[0] in "\"'":
        raise ValueError("begins with a quotation mark: give the value without quotes")
    return value


def _beginning(prefix: str, what: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(prefix):
            raise ValueError(f"must be {what}, which begins with {prefix}")
        return value

    return AfterValidator(check)


def _long(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST:
        raise ValueError(f"must have {SHORTEST} signs or more; `openssl rand -hex 32` makes a good one")
    return value


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.hostname is not None and parts.port != 0 and not text.split()[1:]
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("https", "http"):
        raise ValueError("must be a web address such as https://host.example/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or a password")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("must begin with https:// because secrets travel to it; plain http:// is for loopback only")
    return text


def _database(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    file = text.removeprefix("sqlite:///")
    if file != text and file.strip("/") and file != ":memory:" and "?" not in file:
        return value
    if _splits(text, ("postgresql",)) and urlsplit(text).path.strip("/"):
        return value
    raise ValueError("must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:5432/DATABASE")


def _mail(value: SecretStr) -> SecretStr:
    if not _splits(value.get_secret_value(), ("smtp", "smtps")):
        raise ValueError("must be smtp://USER:PASSWORD@HOST:587 (STARTTLS) or smtps://USER:PASSWORD@HOST:465")
    return value


def _splits(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and parts.hostname is not None and parts.port != 0
    except ValueError:
        return False


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"must be a file that exists; there is none at {path}")
    return path


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"must be a folder that exists; there is none at {path}")
    return path


def _host(text: str) -> str:
    if re.fullmatch(r"[0-9A-Za-z._-]{1,253}|[0-9A-Fa-f:.%]{2,60}", text) is None:
        raise ValueError("must be an address or a host name to listen on, such as 127.0.0.1 or 0.0.0.0, without a port")
    return text


def _shaped(shape: str) -> AfterValidator:
    pattern = re.escape(shape).replace(re.escape(_ANY_GUID), _GUID).replace("NAME", r"[^/\s]+")

    def check(text: str) -> str:
        if re.fullmatch(pattern, text, re.IGNORECASE) is None:
            raise ValueError(f"must look like {shape}")
        return text

    return AfterValidator(check)


def _tokens(text: Any) -> Any:
    """Entries are named by their place: a part may be a secret that stands where the name belongs."""
    if not isinstance(text, str):
        return text
    pairs = [tuple(part.strip() for part in entry.partition(":")[::2]) for entry in text.split(",") if entry.strip()]
    for place, (name, token) in enumerate(pairs, 1):
        if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name) is None or not token:
            raise ValueError(f"entry {place} must look like name:token; entries are separated by commas")
        if len(token) < SHORTEST or not all("!" <= sign <= "~" for sign in token):
            raise ValueError(f"entry {place} must have a token of {SHORTEST} or more ASCII signs without spaces")
    for part, what in ((0, "name"), (1, "token")):
        values = [pair[part] for pair in pairs]
        for place, value in enumerate(values, 1):
            if (first := values.index(value) + 1) < place:
                raise ValueError(f"entries {first} and {place} have the same {what}: give each reader its own")
    return {name: SecretStr(token) for name, token in pairs}


Secret = Annotated[SecretStr, AfterValidator(_one_word)]
Address = Annotated[str, AfterValidator(_address)]
Folder = Annotated[Path, AfterValidator(_folder)]
Guid = Annotated[str, _shaped(_ANY_GUID)]
_WORKSPACE = "/resourceGroups/NAME/providers/Microsoft.OperationalInsights/workspaces/NAME"
Workspace = Annotated[str, _shaped(f"/subscriptions/{_ANY_GUID}{_WORKSPACE}")]


class Settings(BaseSettings):
    """One field for each variable, by its name in small letters. docs/reference/settings.md says what each means."""

    model_config = SettingsConfigDict(
        frozen=True, alias_generator=str.upper, populate_by_name=True, extra="forbid", validate_default=False
    )

    database_url: Annotated[Secret, AfterValidator(_database)] = SecretStr("sqlite:///tocsin.db")
    slack_bot_token: Annotated[Secret, _beginning("xoxb-", "the Bot User OAuth Token")] | None = None
    slack_signing_secret: Secret | None = None
    slack_app_token: Annotated[Secret, _beginning("xapp-", "an app-level token")] | None = None
    slack_api_url: Address = "https://slack.com/api/"
    abuseipdb_api_key: Secret | None = None
    abuseipdb_url: Address = "https://api.abuseipdb.com/api/v2/"
    log_analytics_workspace_id: Guid | None = None
    log_analytics_endpoint: Address = "https://api.loganalytics.azure.com"
    azure_credential: Literal["managed_identity", "workload_identity", "client_secret", "cli", "none"] = "none"
    azure_tenant_id: str | None = None
    azure_client_id: str | None = None
    azure_client_secret: Secret | None = None
    sentinel_workspace: Workspace | None = None
    azure_management_endpoint: Address = "https://management.azure.com"
    sentinel_webhook_secret: Annotated[Secret, AfterValidator(_long)] | None = None
    logs_path: Folder | None = None
    rules_path: Folder = Path("rules")
    templates_path: Folder | None = None
    tocsin_config: Annotated[Path, AfterValidator(_file)] = Path("tocsin.toml")
    host: Annotated[str, AfterValidator(_host)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8000
    audit_key: Annotated[Secret, AfterValidator(_long)] | None = None
    blocklist_tokens: Annotated[dict[str, SecretStr], BeforeValidator(_tokens)] = {}
    teams_app_id: Guid | None = None
    teams_app_password: Secret | None = None
    teams_tenant_id: Guid | None = None
    smtp_url: Annotated[Secret, AfterValidator(_mail)] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    @classmethod
    def settings_customise_sources(  # the signature is the library's
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        *_: Any,
        **__: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: what the process's own environment says is the caller's to pass on."""
        return (init_settings,)

    def secrets(self) -> tuple[SecretStr, ...]:
        """Every value that no log, error or card may show; of an address with a password, that password too."""
        return tuple(secret for name in SECRETS for secret in _hidden(getattr(self, name.lower())))


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`. Raises ConfigError with one sentence for each mistake."""
    given = {name: environ[name].strip() for name in _names() if environ.get(name, "").strip()}
    mistakes = [*_take_files(environ, given), *_contradictions(given)]
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as wrong:
        mistakes += [_sentence(error) for error in wrong.errors(include_input=False, include_url=False)]
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def require_for_serve(settings: Settings) -> None:
    """Raise ConfigError with everything that `tocsin serve` cannot do without."""
    if mistakes := list(_lacking(settings)):
        raise ConfigError(mistakes)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by number or as localhost."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names() -> list[str]:
    return [name.upper() for name in Settings.model_fields]


def _take_files(environ: Mapping[str, str], given: dict[str, str]) -> Iterator[str]:
    """Adds to `given` what stands in the files that `<NAME>_FILE` names, and yields the mistakes."""
    for name in SECRETS:
        path = environ.get(f"{name}_FILE", "").strip()
        if path and name in given:
            yield f"{name} and {name}_FILE are both set: keep one of them."
        elif path:
            try:
                given[name] = _content(Path(path))
            except (OSError, ValueError) as wrong:
                reason = wrong.strerror if isinstance(wrong, OSError) else wrong
                yield f"{name}_FILE names {path}, which cannot be used ({reason}): it must hold the secret as text."


def _content(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(_LARGEST_FILE + 1)
    try:
        text = raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    if not text or len(raw) > _LARGEST_FILE:
        raise ValueError("it is too large" if text else "it is empty")
    return text


def _contradictions(given: Mapping[str, str]) -> Iterator[str]:
    if "LOGS_PATH" in given and "LOG_ANALYTICS_WORKSPACE_ID" in given:
        yield "LOGS_PATH and LOG_ANALYTICS_WORKSPACE_ID are both set: logs are read from one place, remove the other."
    if "SLACK_BOT_TOKEN" in given and not given.keys() & {"SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"}:
        yield (
            "SLACK_BOT_TOKEN is set without SLACK_SIGNING_SECRET (for HTTP) or SLACK_APP_TOKEN (for Socket Mode): set"
            " one of them, or nothing that people press can be answered."
        )
    azure = {"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"}
    if given.get("AZURE_CREDENTIAL") == "client_secret" and (missing := sorted(azure - given.keys())):
        yield f"AZURE_CREDENTIAL is client_secret, which also needs {', '.join(missing)}."
    teams = {"TEAMS_APP_ID", "TEAMS_APP_PASSWORD", "TEAMS_TENANT_ID"}
    if given.keys() & teams and (missing := sorted(teams - given.keys())):
        yield f"{', '.join(sorted(teams & given.keys()))} set for Teams, which also needs {', '.join(missing)}."


def _lacking(settings: Settings) -> Iterator[str]:
    if settings.slack_bot_token is None:
        yield "SLACK_BOT_TOKEN is not set: it must be the Bot User OAuth Token (xoxb-…) of your Slack app."
    if settings.audit_key is None:
        yield "AUDIT_KEY is not set: make one with `openssl rand -hex 32`, and keep it, for it seals the record."
    if settings.logs_path is None and settings.log_analytics_workspace_id is None:
        yield "LOG_ANALYTICS_WORKSPACE_ID is not set: it must be your workspace's GUID, or LOGS_PATH a folder of logs."
    if not settings.rules_path.is_dir():
        yield f"RULES_PATH is {settings.rules_path}, where there is no folder: it must be a folder of Sentinel rules."
    if settings.log_analytics_workspace_id is not None:
        yield from _sign_in(settings, "LOG_ANALYTICS_ENDPOINT", settings.log_analytics_endpoint)
    if settings.sentinel_workspace is not None:
        yield from _sign_in(settings, "AZURE_MANAGEMENT_ENDPOINT", settings.azure_management_endpoint)


def _sign_in(settings: Settings, name: str, endpoint: str) -> Iterator[str]:
    plain = urlsplit(endpoint).scheme == "http"
    if plain and settings.azure_credential != "none":
        yield f"AZURE_CREDENTIAL must be none while {name} is plain http://, because no token is sent unencrypted."
    if not plain and settings.azure_credential == "none":
        yield f"AZURE_CREDENTIAL must say how to sign in at {name}, for example managed_identity."


def _hidden(value: SecretStr | dict[str, SecretStr] | None) -> Iterator[SecretStr]:
    if isinstance(value, dict):
        yield from value.values()
    elif value is not None and "://" not in (text := value.get_secret_value()):
        yield value
    elif value is not None and (password := urlsplit(text).password):
        yield from (value, SecretStr(password), SecretStr(unquote(password)))


def _sentence(error: Any) -> str:
    reason = str(error.get("ctx", {}).get("error") or error["msg"])
    return f"{error['loc'][0]} {reason.replace('Input should be', 'must be')}."
