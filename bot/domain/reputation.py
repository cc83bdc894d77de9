"""What is known of an address, and how much weight it bears.

Every look-up ends in one of five values: `Found`, `NotPublic`, `QuotaExceeded`, `Unavailable`, `Refused`. None of
them is an exception, and none of them stands for "clean": an address that nobody reported is only that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

Source = Literal["AbuseIPDB", "sandbox"]

CATEGORIES: Mapping[int, str] = {
    1: "DNS Compromise",
    2: "DNS Poisoning",
    3: "Fraud Orders",
    4: "DDoS Attack",
    5: "FTP Brute-Force",
    6: "Ping of Death",
    7: "Phishing",
    8: "Fraud VoIP",
    9: "Open Proxy",
    10: "Web Spam",
    11: "Email Spam",
    12: "Blog Spam",
    13: "VPN IP",
    14: "Port Scan",
    15: "Hacking",
    16: "SQL Injection",
    17: "Spoofing",
    18: "Brute-Force",
    19: "Bad Web Bot",
    20: "Exploited Host",
    21: "Web App Attack",
    22: "SSH",
    23: "IoT Targeted",
}
"""The provider's report categories, https://www.abuseipdb.com/categories."""


def category_name(number: int) -> str:
    """The provider's name of a category; "Category N" for one that it added later."""
    return CATEGORIES.get(number, f"Category {number}")


class Tier(StrEnum):
    """How bad an address is said to be. There is no "clean"."""

    NO_REPORTS = "no reports"
    LOW = "low"
    SUSPICIOUS = "suspicious"
    HIGH = "high"


class Caution(StrEnum):
    """A reason not to act on the score alone. The value is the sentence for the card."""

    FEW_REPORTERS = "Reported by at most two people"
    OLD_REPORTS = "No report inside the window: the score rests on older ones"
    CDN = "Content delivery network: many sites share this address"
    MOBILE = "Mobile network: many subscribers share this address"
    TOR = "Tor exit: many people share this address"
    WHITELISTED = "On the provider's whitelist: a benefit of the doubt, not a proof"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The lowest scores of the two upper tiers. 75-100 is where the provider sees a case for denial of service."""

    suspicious: int = 25
    high: int = 75

    def __post_init__(self) -> None:
        if not 0 < self.suspicious < self.high <= 100:
            raise ValueError(
                f"Verdict thresholds must be 0 < suspicious < high <= 100, not {self.suspicious} and {self.high}."
            )


@dataclass(frozen=True, slots=True)
class Count:
    """A name and how often it occurred."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Comment:
    """What a reporter wrote: written by strangers, one line, no control signs, still to be escaped for its place."""

    text: str
    reported_at: datetime
    country_code: str | None


@dataclass(frozen=True, slots=True)
class Reports:
    """A digest of the single reports; they are the newest 10,000 at most. Counts fall from the largest."""

    categories: tuple[Count, ...] = ()
    countries: tuple[Count, ...] = ()
    last_day: int = 0
    last_week: int = 0
    newest: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class Reputation:
    """What the provider said of one address at `fetched_at`, over the `window_days` before it.

    `score` is 0-100 and may rest on reports older than the window; the report counts never do.
    `is_whitelisted` is None when the provider did not look.
    """

    address: str
    score: int
    total_reports: int
    distinct_reporters: int
    window_days: int
    fetched_at: datetime
    last_reported_at: datetime | None = None
    isp: str | None = None
    usage_type: str | None = None
    domain: str | None = None
    hostnames: tuple[str, ...] = ()
    country_code: str | None = None
    country_name: str | None = None
    is_tor: bool = False
    is_whitelisted: bool | None = None
    reports: Reports = Reports()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, from which `from_dict` makes an equal object."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reputation:
        """The object that `to_dict` was called on. ValueError when the dict was not made by it."""
        try:
            return _reputation(data)
        except (KeyError, TypeError, AttributeError) as broken:
            raise ValueError(f"The stored reputation cannot be read: {broken!r}.") from broken


@dataclass(frozen=True, slots=True)
class Found:
    """The provider answered. `source` says "sandbox" when the data is made up."""

    reputation: Reputation
    source: Source = "AbuseIPDB"


@dataclass(frozen=True, slots=True)
class NotPublic:
    """The address does not belong to the public internet, so nobody was asked."""


@dataclass(frozen=True, slots=True)
class QuotaExceeded:
    """No call is left until `until`. With `kept_for_people`, calls are left, but not for alerts."""

    until: datetime
    kept_for_people: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The provider did not answer in a usable way. `retry_after` is in seconds, when it named them."""

    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will not answer this; asking again changes nothing. `reason` says what to do."""

    reason: str


Failure = QuotaExceeded | Unavailable | Refused
Outcome = Found | NotPublic | Failure


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome as handed to the asker.

    `age` is None when the provider was asked just now. `stale_because` is set when an old `Found` stands in for the
    failure named there; the card must then show the age.
    """

    address: str
    outcome: Outcome
    age: timedelta | None = None
    stale_because: Failure | None = None


def tier(reputation: Reputation, thresholds: Thresholds) -> Tier:
    """The tier of a score. Zero reports and a low score are "no reports", never "clean".

    A score that is not low keeps its tier without reports in the window: the provider still stands by it.
    """
    if reputation.score >= thresholds.high:
        return Tier.HIGH
    if reputation.score >= thresholds.suspicious:
        return Tier.SUSPICIOUS
    return Tier.LOW if reputation.total_reports else Tier.NO_REPORTS


def cautions(reputation: Reputation) -> tuple[Caution, ...]:
    """Why not to act on the score alone. While there is any, blocking must not be suggested."""
    usage = (reputation.usage_type or "").casefold()
    holds = {
        Caution.FEW_REPORTERS: reputation.total_reports > 0 and reputation.distinct_reporters <= 2,
        Caution.OLD_REPORTS: reputation.total_reports == 0 and reputation.score > 0,
        Caution.CDN: "content delivery network" in usage,
        Caution.MOBILE: "mobile isp" in usage,
        Caution.TOR: reputation.is_tor,
        Caution.WHITELISTED: reputation.is_whitelisted is True,
    }
    return tuple(caution for caution, applies in holds.items() if applies)


def outcome_to_dict(outcome: Outcome) -> dict[str, Any]:
    """Plain JSON values for storage, with the kind of outcome under "kind"."""
    values = {field.name: _plain(getattr(outcome, field.name)) for field in fields(outcome)}
    return {"kind": type(outcome).__name__, **values}


def outcome_from_dict(data: Mapping[str, Any]) -> Outcome:
    """The outcome that `outcome_to_dict` was called on. ValueError when the dict was not made by it."""
    match data:
        case {"kind": "Found", "reputation": dict(inner), "source": "AbuseIPDB" | "sandbox" as source}:
            return Found(Reputation.from_dict(inner), source)
        case {"kind": "NotPublic"}:
            return NotPublic()
        case {"kind": "QuotaExceeded", "until": str(until), "kept_for_people": bool(kept)}:
            return QuotaExceeded(datetime.fromisoformat(until), kept)
        case {"kind": "Unavailable", "reason": str(reason), "retry_after": None | int() | float() as seconds}:
            return Unavailable(reason, seconds)
        case {"kind": "Refused", "reason": str(reason)}:
            return Refused(reason)
    raise ValueError(f"The stored look-up result of kind {data.get('kind')!r} cannot be read.")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Reputation | Reports | Count | Comment):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _reputation(data: Mapping[str, Any]) -> Reputation:
    changed = {
        "fetched_at": datetime.fromisoformat(data["fetched_at"]),
        "last_reported_at": _moment(data["last_reported_at"]),
        "hostnames": tuple(data["hostnames"]),
        "reports": _reports(data["reports"]),
    }
    return Reputation(**{**data, **changed})


def _reports(data: Mapping[str, Any]) -> Reports:
    changed = {
        "categories": tuple(Count(**count) for count in data["categories"]),
        "countries": tuple(Count(**count) for count in data["countries"]),
        "newest": tuple(_comment(comment) for comment in data["newest"]),
    }
    return Reports(**{**data, **changed})


def _comment(data: Mapping[str, Any]) -> Comment:
    return Comment(data["text"], datetime.fromisoformat(data["reported_at"]), data["country_code"])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
