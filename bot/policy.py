"""What people decide about the bot, from tocsin.toml: channels, roles, protected networks, blocking, thresholds, times.

A missing file means safe defaults: nobody can approve a block, and the feed is the only backend. The file is checked
whole, and every mistake is told at once with its place. The module is a little over the customary length because the
keys and the sentences about them are read together.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bot.domain.access import Access, Grant
from bot.domain.reputation import Thresholds
from bot.errors import ConfigError

ALWAYS_PROTECTED = (
    # Blocking these cuts machines in Azure off from DNS, health probes and their identity:
    # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    *("168.63.129.16/32", "169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128"),
    *("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    # Public resolvers, whose answers whole networks wait for.
    *("1.1.1.1/32", "1.0.0.1/32", "8.8.8.8/32", "8.8.4.4/32", "9.9.9.9/32", "149.112.112.112/32"),
    *("2606:4700:4700::1111/128", "2606:4700:4700::1001/128", "2001:4860:4860::8888/128", "2001:4860:4860::8844/128"),
    *("2620:fe::fe/128", "2620:fe::9/128"),
)
"""Networks that nobody can block, whatever the file says."""

LONGEST = timedelta(days=30)
"""The longest block, unless the file says otherwise."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhd])")
_PART = ConfigDict(frozen=True, strict=True, extra="forbid")


def parse_duration(text: object) -> timedelta:
    """`1.2s`, `30m`, `4h` or `7d`. Raises ValueError, which reads on after the key's name."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('must be a duration in quotes: a number and s, m, h or d, such as "30m", "4h" or "7d"')
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def _lasting(least: str, most: str) -> AfterValidator:
    low, high = parse_duration(least), parse_duration(most)

    def check(value: timedelta) -> timedelta:
        if not low <= value <= high:
            raise ValueError(f"must last from {least} to {most}")
        return value

    return AfterValidator(check)


def _unless_empty(text: object) -> timedelta | None:
    return None if text == "" else parse_duration(text)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        pass
    try:
        meant = f": did you mean {ipaddress.ip_network(text, strict=False)}?"
    except ValueError:
        meant = ""
    raise ValueError(f'must be a network such as "198.51.100.0/24" or "2001:db8::/32", not {text[:50]!r}{meant}')


def _like(pattern: str, shape: str) -> AfterValidator:
    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"must be {shape}, not {text[:50]!r}")
        return text

    return AfterValidator(check)


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not 0 < len(set(values)) == len(values) <= 20:
        raise ValueError("must name from one to twenty, and none twice")
    return values


def _default_ttl(above: Mapping[str, timedelta]) -> timedelta:
    return min(timedelta(days=1), above["max_ttl"])


def _choices(above: Mapping[str, timedelta]) -> tuple[timedelta, ...]:
    usual = (timedelta(hours=4), timedelta(days=1), timedelta(days=7), LONGEST)
    return tuple(sorted({above["default_ttl"], *(choice for choice in usual if choice <= above["max_ttl"])}))


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Ttl = Annotated[Duration, _lasting("1m", "365d")]
Network = Annotated[str, AfterValidator(_network)]
Channel = Annotated[str, _like(r"#[^\s#@<>,:;!?]{1,80}|[CG][A-Z0-9]{2,20}", 'a channel\'s id ("C0123456789") or #name')]
Person = Annotated[str, _like("[UW][A-Z0-9]{2,20}", 'a member\'s id such as "U0123456789"')]
Group = Annotated[str, _like("S[A-Z0-9]{2,20}", 'a user group\'s id such as "S0123456789"')]
# TOML has lists only, which a strict tuple would refuse.
_List = Field(strict=False)


class Channels(BaseModel):
    """Who hears of what: a rule's own channel comes first, then its severity's, then the default."""

    model_config = _PART
    default: Channel = "#secops"
    approvals: Channel | None = None
    by_severity: dict[Literal["Informational", "Low", "Medium", "High"], Channel] = {}
    by_rule: dict[str, Channel] = {}


class Role(BaseModel):
    """The Slack users and user groups that hold a role, by id."""

    model_config = _PART
    users: Annotated[tuple[Person, ...], _List] = ()
    groups: Annotated[tuple[Group, ...], _List] = ()

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not (self.users or self.groups):
            raise ValueError("names nobody: list users or groups, or leave the section out")
        return self

    def grant(self) -> Grant:
        """The role as the domain judges it."""
        return Grant(frozenset(self.users), frozenset(self.groups))


class Roles(BaseModel):
    """Without an analyst role everybody may respond; without an approver role nobody may approve."""

    model_config = _PART
    analyst: Role | None = None
    approver: Role | None = None


class Protected(BaseModel):
    """Networks of yours that nobody can block, beside ALWAYS_PROTECTED."""

    model_config = _PART
    networks: Annotated[tuple[Network, ...], _List] = ()


class Blocking(BaseModel):
    """How blocks are asked for and carried out. `choices` are the lengths that the form offers."""

    model_config = _PART
    backends: Annotated[tuple[Literal["feed"], ...], _List, AfterValidator(_distinct)] = ("feed",)
    max_ttl: Ttl = LONGEST
    default_ttl: Ttl = Field(default_factory=_default_ttl)
    choices: Annotated[tuple[Ttl, ...], _List, AfterValidator(_distinct)] = Field(default_factory=_choices)
    approval_expires: Annotated[Duration, _lasting("1m", "30d")] = timedelta(hours=4)
    feed_limit: int = Field(50_000, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if max(self.default_ttl, *self.choices) > self.max_ttl:
            raise ValueError("must keep default_ttl and all choices within max_ttl")
        if self.default_ttl not in self.choices:
            raise ValueError("must have default_ttl among its choices")
        return self


class Verdict(BaseModel):
    """The lowest AbuseIPDB scores of the two upper verdicts."""

    model_config = _PART
    suspicious: int = 25
    high: int = 75

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 < self.suspicious < self.high <= 100:
            raise ValueError("must keep 0 < suspicious < high <= 100")
        return self


class Reputation(BaseModel):
    """How look-ups are spent. `known_addresses` may be looked up although they are not public."""

    model_config = _PART
    ttl: Annotated[Duration, _lasting("1m", "24h")] = timedelta(hours=12)
    kept_for_people: float = Field(0.2, ge=0, lt=1)
    known_addresses: Annotated[tuple[Network, ...], _List] = ()


class Detection(BaseModel):
    """When rules are evaluated. `look_every` None: only when a slot has ended."""

    model_config = _PART
    look_every: Annotated[timedelta | None, BeforeValidator(_unless_empty)] = None
    settle: Annotated[Duration, _lasting("0s", "12h")] = timedelta(minutes=5)

    @model_validator(mode="after")
    def _not_too_often(self) -> Self:
        if self.look_every is not None and not timedelta(seconds=5) <= self.look_every <= timedelta(days=1):
            raise ValueError("must have a look_every from 5s to 1d, or empty")
        return self


class ChatPace(BaseModel):
    """The least time between two messages to one channel."""

    model_config = _PART
    pace: Annotated[Duration, _lasting("0.1s", "1m")] = timedelta(seconds=1.2)


class Policy(BaseModel):
    """The whole file. docs/reference/policy.md says what each key means."""

    model_config = _PART
    channels: Channels = Channels()
    roles: Roles = Roles()
    protected: Protected = Protected()
    blocking: Blocking = Blocking()
    verdict: Verdict = Verdict()
    reputation: Reputation = Reputation()
    detection: Detection = Detection()
    chat: ChatPace = ChatPace()

    def channel_for(self, severity: str, rule_id: str) -> str:
        """The channel of an incident's card: an id, or a name with #."""
        by_severity = {str(name): channel for name, channel in self.channels.by_severity.items()}
        return self.channels.by_rule.get(rule_id) or by_severity.get(severity, self.channels.default)

    @property
    def approvals(self) -> str:
        """The channel of requests to block."""
        return self.channels.approvals or self.channels.default

    @property
    def access(self) -> Access:
        """Who may respond and who may approve."""
        analyst, approver = self.roles.analyst, self.roles.approver
        return Access(analyst.grant() if analyst else None, approver.grant() if approver else None)

    @property
    def never_blocked(self) -> tuple[str, ...]:
        """Every protected network: the built-in ones, then those of the file."""
        return (*ALWAYS_PROTECTED, *self.protected.networks)

    @property
    def thresholds(self) -> Thresholds:
        """The verdict's thresholds as the domain takes them."""
        return Thresholds(self.verdict.suspicious, self.verdict.high)


def load_policy(path: Path | None) -> Policy:
    """The policy in the file; the defaults for None or a missing file. Raises ConfigError with every mistake."""
    try:
        text = path.read_text(encoding="utf-8") if path is not None else ""
        return Policy.model_validate(tomllib.loads(text))
    except FileNotFoundError:
        return Policy()
    except OSError as wrong:
        raise ConfigError(
            [f"{path} cannot be read ({wrong.strerror}): make it a file that Tocsin may read."]
        ) from wrong
    except ValidationError as wrong:
        told = (error for error in wrong.errors() if error["type"] != "default_factory_not_called")
        raise ConfigError([_sentence(path, text, error) for error in told]) from wrong
    except ValueError as wrong:
        raise ConfigError([f"{path} is not TOML ({wrong}): see https://toml.io for how it is written."]) from wrong


def _sentence(path: Path | None, text: str, error: Any) -> str:
    keys = [part for part in error["loc"] if isinstance(part, str) and part != "[key]"]
    reason = str(error.get("ctx", {}).get("error") or error["msg"]).replace("Input should be", "must be")
    if error["type"] == "extra_forbidden":
        reason = f"is not a known key: {_known_instead(keys)}"
    elif "[key]" in error["loc"]:
        reason = f"is not a severity: use {error['ctx']['expected']}"
    line = _line(text, keys)
    where = f"{path}:{line}" if line else str(path)
    return f"{where}: {'.'.join(keys)} {reason}{'' if reason.endswith('?') else '.'}"


def _known_instead(keys: Sequence[str]) -> str:
    paths = list(_paths(Policy))
    above = "".join(f"{key}." for key in keys[:-1])
    beside = [path.removeprefix(above) for path in paths if path.startswith(above)]
    beside = [name for name in beside if "." not in name]
    elsewhere = [path for path in paths if path.endswith(f".{keys[-1]}")]
    near = elsewhere or [above + name for name in difflib.get_close_matches(keys[-1], beside, 1)]
    return f"did you mean {near[0]}?" if near else f"known here are {', '.join(beside)}"


def _paths(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield above + name
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _paths(part, f"{above}{name}.")


_NAME = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""
_NAMES = rf"({_NAME}(?:\s*\.\s*{_NAME})*)"
_PLACE = re.compile(rf"\s*(?:\[\s*{_NAMES}\s*\]|{_NAMES}\s*=)")


def _line(text: str, keys: Sequence[str]) -> int:
    """The line, from 1, that writes the longest part of the path; 0 when none does."""
    table: list[str] = []
    depth, found = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if (match := _PLACE.match(line)) is None:
            continue
        names = [name.strip("\"'") for name in re.findall(_NAME, match[1] or match[2])]
        path = names if match[1] else table + names
        table = names if match[1] else table
        if path == keys[: len(path)] and len(path) > depth:
            depth, found = len(path), number
    return found
