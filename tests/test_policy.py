"""The policy file: what it means, what it means when it is missing, and how its mistakes are told."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.access import Access, Grant
from bot.domain.block import protected_by
from bot.domain.reputation import Thresholds
from bot.errors import ConfigError
from bot.intel.lookup import Policy as LookupPolicy
from bot.policy import ALWAYS_PROTECTED, Policy, _paths, load_policy, parse_duration
from bot.services.ports import Rooms

WHOLE = """
[channels]
default = "C0123456789"
approvals = "#approvals"
by_severity = { High = "C0HIGH" }
[channels.by_rule]
"247a992b-f36d-4efe-baa6-c77d8b9220c0" = "C0VAULT"

[roles.analyst]
groups = ["S0123456789"]
[roles.approver]
users = ["U0123456789", "W0123456789"]

[protected]
networks = ["198.51.100.0/24", "203.0.113.7", "2001:db8::/32"]

[blocking]
backends = ["feed"]
default_ttl = "4h"
max_ttl = "7d"
choices = ["4h", "7d"]
approval_expires = "30m"
feed_limit = 100

[verdict]
suspicious = 10
high = 50

[reputation]
ttl = "1h"
kept_for_people = 0
known_addresses = ["192.0.2.0/24"]

[detection]
look_every = "5s"
settle = "0s"

[chat]
pace = "1.5s"
"""


def read(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "tocsin.toml"
    path.write_text(text, encoding="utf-8")
    return load_policy(path)


def mistakes(tmp_path: Path, text: str) -> list[str]:
    """The mistakes, without the folder."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    return [mistake.removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes]


def test_no_file_means_that_nobody_approves_and_everything_goes_to_one_channel(tmp_path: Path) -> None:
    for policy in (load_policy(None), load_policy(tmp_path / "none.toml"), read(tmp_path, "")):
        assert policy == Policy()
        rooms: Rooms = policy
        assert rooms.channel_for("High", "any") == rooms.approvals == "#secops"
        assert policy.access == Access(analyst=None, approver=None)
        assert policy.blocking.backends == ("feed",)
        assert policy.blocking.choices == tuple(timedelta(hours=h) for h in (4, 24, 168, 720))
        assert policy.thresholds == Thresholds()
        assert policy.detection.look_every is None
        assert policy.chat.pace == timedelta(milliseconds=1200)


def test_a_whole_file(tmp_path: Path) -> None:
    policy = read(tmp_path, WHOLE)
    assert policy.access == Access(
        Grant(groups=frozenset({"S0123456789"})), Grant(users=frozenset({"U0123456789", "W0123456789"}))
    )
    assert policy.protected.networks == ("198.51.100.0/24", "203.0.113.7/32", "2001:db8::/32")
    assert policy.never_blocked == (*ALWAYS_PROTECTED, *policy.protected.networks)
    assert policy.blocking.max_ttl == timedelta(days=7)
    assert policy.thresholds == Thresholds(10, 50)
    assert policy.reputation.known_addresses == ("192.0.2.0/24",)
    assert policy.detection.look_every == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("severity", "rule", "channel"),
    [
        ("High", "247a992b-f36d-4efe-baa6-c77d8b9220c0", "C0VAULT"),
        ("High", "another", "C0HIGH"),
        ("Low", "another", "C0123456789"),
    ],
)
def test_a_rule_goes_before_a_severity_and_that_before_the_default(
    tmp_path: Path, severity: str, rule: str, channel: str
) -> None:
    policy = read(tmp_path, WHOLE)
    assert policy.channel_for(severity, rule) == channel
    assert policy.approvals == "#approvals"


def test_approvals_follow_the_default_channel(tmp_path: Path) -> None:
    assert read(tmp_path, '[channels]\ndefault = "C0NEW"').approvals == "C0NEW"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[blocking]\n\nmax_tll = 1",
            "tocsin.toml:3: blocking.max_tll is not a known key: did you mean blocking.max_ttl?",
        ),
        ("max_ttl = '1d'", "tocsin.toml:1: max_ttl is not a known key: did you mean blocking.max_ttl?"),
        ("[chanels]", "tocsin.toml:1: chanels is not a known key: did you mean channels?"),
        ("[chat]\nzzzz = 1", "tocsin.toml:2: chat.zzzz is not a known key: known here are pace."),
        (
            "[roles.aprover]\nusers = []",
            "tocsin.toml:1: roles.aprover is not a known key: did you mean roles.approver?",
        ),
        (
            "channels.by_severity.high = 'C0HIGH'",
            (
                "tocsin.toml:1: channels.by_severity.high is not a severity:"
                " use 'Informational', 'Low', 'Medium' or 'High'."
            ),
        ),
        (
            "[channels]\ndefault = 'secops'",
            "tocsin.toml:2: channels.default must be a channel's id (\"C0123456789\") or #name, not 'secops'.",
        ),
        (
            "[channels.by_rule]\n'a.b' = 'C0A'\n'c.d' = 1",
            "tocsin.toml:3: channels.by_rule.c.d must be a valid string.",
        ),
        (
            "[roles.approver]\nusers = ['kim']",
            "tocsin.toml:2: roles.approver.users must be a member's id such as \"U0123456789\", not 'kim'.",
        ),
        (
            "[roles.analyst]",
            "tocsin.toml:1: roles.analyst names nobody: list users or groups, or leave the section out.",
        ),
        (
            "[protected]\nnetworks = [\n  '10.0.0.1/8',\n]",
            (
                'tocsin.toml:2: protected.networks must be a network such as "198.51.100.0/24" or "2001:db8::/32", not'
                " '10.0.0.1/8': did you mean 10.0.0.0/8?"
            ),
        ),
        (
            "[blocking]\napproval_expires = 4",
            (
                "tocsin.toml:2: blocking.approval_expires must be a duration in quotes: a number and s, m, h or d,"
                ' such as "30m", "4h" or "7d".'
            ),
        ),
        ("[blocking]\nbackends = ['fed']", "tocsin.toml:2: blocking.backends must be 'feed'."),
        (
            "[blocking]\nbackends = ['feed', 'feed']",
            "tocsin.toml:2: blocking.backends must name from one to twenty, and none twice.",
        ),
        ("[blocking]\nchoices = []", "tocsin.toml:2: blocking.choices must name from one to twenty, and none twice."),
        (
            "[blocking]\nmax_ttl = '1d'\ndefault_ttl = '2d'",
            "tocsin.toml:1: blocking must keep default_ttl and all choices within max_ttl.",
        ),
        ("[blocking]\nchoices = ['4h']", "tocsin.toml:1: blocking must have default_ttl among its choices."),
        ("[blocking]\nfeed_limit = 0", "tocsin.toml:2: blocking.feed_limit must be greater than or equal to 1."),
        ("[verdict]\nhigh = 20", "tocsin.toml:1: verdict must keep 0 < suspicious < high <= 100."),
        ("[verdict]\nhigh = '75'", "tocsin.toml:2: verdict.high must be a valid integer."),
        ("[verdict]\nhigh = true", "tocsin.toml:2: verdict.high must be a valid integer."),
        ("[reputation]\nttl = '25h'", "tocsin.toml:2: reputation.ttl must last from 1m to 24h."),
        ("[reputation]\nkept_for_people = 1", "tocsin.toml:2: reputation.kept_for_people must be less than 1."),
        ("[detection]\nlook_every = '1s'", "tocsin.toml:1: detection must have a look_every from 5s to 1d, or empty."),
        ("[chat]\npace = '0s'", "tocsin.toml:2: chat.pace must last from 0.1s to 1m."),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    assert mistakes(tmp_path, text) == [sentence]


@pytest.mark.parametrize(
    ("text", "default", "choices"),
    [
        ("max_ttl = '7d'", 24, (4, 24, 168)),
        ("max_ttl = '2h'", 2, (2,)),
        ("default_ttl = '2d'", 48, (4, 24, 48, 168, 720)),
    ],
)
def test_lengths_that_are_not_named_follow_those_that_are(
    tmp_path: Path, text: str, default: int, choices: tuple[int, ...]
) -> None:
    blocking = read(tmp_path, f"[blocking]\n{text}").blocking
    assert blocking.default_ttl == timedelta(hours=default)
    assert blocking.choices == tuple(timedelta(hours=hours) for hours in choices)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = "[verdict]\nhigh = 20\n[blocking]\nmax_ttl = 'long'\nfeed_limit = 0\nttl = 1\n[channels]\ndefault = ''\n"
    places = [mistake.split(" ")[1] for mistake in mistakes(tmp_path, text)]
    assert sorted(places) == ["blocking.feed_limit", "blocking.max_ttl", "blocking.ttl", "channels.default", "verdict"]


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (sentence,) = mistakes(tmp_path, "[channels\n")
    assert sentence.startswith("tocsin.toml is not TOML (")
    assert "line 1" in sentence


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_policy(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_policy(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1.2s", 1.2), ("30m", 1800), ("4h", 14_400), ("7d", 604_800), ("0s", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "4", "h", "-4h", "4 h", "4h 30m", "4w", "9999999d", "٤h", None, 4])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        parse_duration(text)


@pytest.mark.parametrize("address", ["168.63.129.16", "169.254.169.254", "10.1.2.3", "127.0.0.1", "::1", "8.8.8.8"])
def test_some_addresses_nobody_can_block(address: str) -> None:
    assert protected_by(address, Policy().never_blocked) is not None


@pytest.mark.parametrize("address", ["203.0.113.9", "198.51.100.1", "185.220.101.1", "2001:db8::1"])
def test_others_can_be_blocked(address: str) -> None:
    assert protected_by(address, Policy().never_blocked) is None


def test_every_ttl_suits_the_lookup() -> None:
    policy = Policy().reputation
    assert dataclasses.asdict(LookupPolicy())["ttl"] == policy.ttl
    assert LookupPolicy().for_people == policy.kept_for_people
    LookupPolicy(ttl=timedelta(hours=24))


PAGE = Path(__file__).parents[1] / "docs" / "reference" / "policy.md"


def rows() -> Iterator[tuple[str, str]]:
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("| `"):
            key, default, _ = line.strip("|").split("|", 2)
            yield key.strip("` "), default.strip("` ")


def leaves() -> set[str]:
    paths = list(_paths(Policy))
    return {path for path in paths if not any(other.startswith(f"{path}.") for other in paths)}


def test_the_page_of_the_policy_names_every_key_and_no_other() -> None:
    keys = [key for key, _ in rows()]
    assert set(keys) == leaves()
    assert len(keys) == len(set(keys))


def test_the_page_of_the_policy_gives_the_defaults() -> None:
    for key, default in rows():
        assert value_of(Policy(), key) == (value_of(stated(key, default), key) if default else nothing(key)), key


def stated(key: str, default: str) -> Policy:
    """The policy that has the default of the page, as it would be written into the file."""
    data: Mapping[str, Any] = tomllib.loads(f"{key} = {default}")
    return Policy.model_validate(data)


def nothing(key: str) -> object:
    return () if key.startswith("roles.") else None


def value_of(policy: Policy, key: str) -> object:
    value: Any = policy
    for name in key.split("."):
        value = getattr(value, name) if value is not None else ()
    return value


def test_the_example_on_the_page_is_a_policy(tmp_path: Path) -> None:
    example = PAGE.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    assert read(tmp_path, example).access.approver is not None
