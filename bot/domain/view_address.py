"""What a card says of one address: the verdict in a word and a bar, the evidence in a sentence, and what is not known.

No sentence here calls an address clean or safe. Zero reports are zero reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never
from urllib.parse import quote

from bot.domain.addresses import why_not_public
from bot.domain.reputation import (
    Answer,
    Caution,
    Count,
    Failure,
    Found,
    NotPublic,
    QuotaExceeded,
    Refused,
    Reputation,
    Source,
    Thresholds,
    Tier,
    Unavailable,
    cautions,
    tier,
)
from bot.domain.view_words import age, clock_time, counted, unfinished

CATEGORIES_SHOWN = 3
_PAGE = "https://www.abuseipdb.com/check/"

VERDICTS: Mapping[Tier, str] = MappingProxyType(
    {
        Tier.HIGH: "High risk",
        Tier.SUSPICIOUS: "Suspicious",
        Tier.LOW: "Low score",
        Tier.NO_REPORTS: "No reports",
    }
)


class Standing(StrEnum):
    """What kind of answer there is about an address."""

    KNOWN = "known"
    LOOKING = "looking"
    NOT_PUBLIC = "not_public"
    QUOTA = "quota"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AddressView:
    """One address. `score`, `tier` and what rests on reports are None or empty unless `standing` is KNOWN.

    `sentence` is the evidence, or why there is none. `note` says that the answer is old, and why. `page` is the
    provider's own page about the address, empty when it has none.
    """

    address: str
    standing: Standing
    verdict: str
    sentence: str
    tier: Tier | None = None
    score: int | None = None
    last_reported: datetime | None = None
    facts: tuple[str, ...] = ()
    categories: tuple[Count, ...] = ()
    cautions: tuple[Caution, ...] = ()
    note: str = ""
    page: str = ""
    source: Source | None = None


def provider_page(address: str) -> str:
    """AbuseIPDB's page about an address."""
    return _PAGE + quote(address, safe=":", errors="replace")


def address_view(address: str, answer: Answer | None, *, thresholds: Thresholds, now: datetime) -> AddressView:
    """What is to be said of the address. Without an answer it is still being looked up."""
    if answer is None:
        page = "" if why_not_public(address) else provider_page(address)
        return AddressView(address, Standing.LOOKING, "Looking up", "The reputation follows here shortly.", page=page)
    match answer.outcome:
        case Found():
            return _known(answer, answer.outcome, thresholds, now)
        case NotPublic():
            why = why_not_public(address) or "its use is not public"
            return AddressView(address, Standing.NOT_PUBLIC, "Not public", f"Nobody was asked: {why}.")
        case QuotaExceeded() | Unavailable() | Refused() as failure:
            return _not_known(address, failure, now)
        case never:
            assert_never(never)


def _known(answer: Answer, found: Found, thresholds: Thresholds, now: datetime) -> AddressView:
    reputation = found.reputation
    level = tier(reputation, thresholds)
    return AddressView(
        address=answer.address,
        standing=Standing.KNOWN,
        verdict=VERDICTS[level],
        sentence=evidence(reputation),
        tier=level,
        score=reputation.score,
        last_reported=reputation.last_reported_at,
        facts=_facts(reputation),
        categories=reputation.reports.categories[:CATEGORIES_SHOWN],
        cautions=cautions(reputation),
        note=_stale(answer, now),
        page=provider_page(answer.address),
        source=found.source,
    )


def evidence(reputation: Reputation) -> str:
    """`47 reports by 22 reporters in 90 days`: what the score rests on, always with its window."""
    window = counted(reputation.window_days, "day")
    if not reputation.total_reports:
        return f"No reports in {window}"
    reports = counted(reputation.total_reports, "report")
    return f"{reports} by {counted(reputation.distinct_reporters, 'reporter')} in {window}"


def _facts(reputation: Reputation) -> tuple[str, ...]:
    country = reputation.country_name or reputation.country_code
    tor = "Tor exit" if reputation.is_tor else None
    return tuple(fact for fact in (reputation.isp, reputation.usage_type, country, tor) if fact)


def _stale(answer: Answer, now: datetime) -> str:
    if answer.stale_because is None:
        return ""
    old = f"This answer is {age(answer.age)} old" if answer.age is not None else "This answer is an old one"
    return f"{old}: {because(answer.stale_because, now)}."


def because(failure: Failure, now: datetime) -> str:
    """Why the provider did not answer, to stand after a colon, without a full stop."""
    match failure:
        case QuotaExceeded(until, kept_for_people=True):
            return f"the rest of the AbuseIPDB quota is kept for people until {clock_time(until, now)}"
        case QuotaExceeded(until):
            return f"the AbuseIPDB quota is used up until {clock_time(until, now)}"
        case Unavailable(reason):
            return f"AbuseIPDB did not answer ({unfinished(reason)})"
        case Refused(reason):
            return f"AbuseIPDB will not answer ({unfinished(reason)})"
        case never:
            assert_never(never)


_NOT_KNOWN: Mapping[type[Failure], tuple[Standing, str]] = MappingProxyType(
    {
        QuotaExceeded: (Standing.QUOTA, "Not known yet"),
        Unavailable: (Standing.UNAVAILABLE, "Not known yet"),
        Refused: (Standing.REFUSED, "Not known"),
    }
)


def _not_known(address: str, failure: Failure, now: datetime) -> AddressView:
    standing, verdict = _NOT_KNOWN[type(failure)]
    reason = because(failure, now)
    return AddressView(address, standing, verdict, f"{reason[:1].upper()}{reason[1:]}.", page=provider_page(address))
