"""Reading AbuseIPDB's answers, https://docs.abuseipdb.com/. Lenient where the provider is, never inventive.

A missing detail is left empty. A missing score is not zero: `reputation` raises ValueError.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from bot.domain.reputation import Comment, Count, Reports, Reputation, category_name
from bot.intel.ports import QuotaState
from bot.intel.text import one_line

COMMENT_LENGTH = 200
FACT_LENGTH = 200
TOP_CATEGORIES = 6
TOP_COUNTRIES = 5
NEWEST = 3
HOSTNAMES = 10

_FARTHEST_RESET = timedelta(hours=48)
"""The quota is a daily one: a reset named beyond two days is a mistake, in the number or in our clock."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report, read as far as it can be."""

    at: datetime
    comment: str
    categories: tuple[int, ...]
    country: str | None


def reputation(body: Any, address: str, window_days: int, now: datetime) -> Reputation:
    """What a `check` answer says of `address`. ValueError, with the fault, when it does not say it."""
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise ValueError("the answer has no data")
    if not _same(data.get("ipAddress"), address):
        raise ValueError("the answer is about another address")
    total = _count(data.get("totalReports"))
    last = moment(data.get("lastReportedAt"))
    return Reputation(
        address=address,
        score=_score(data.get("abuseConfidenceScore")),
        total_reports=total,
        distinct_reporters=_count(data.get("numDistinctUsers")),
        window_days=window_days,
        fetched_at=now,
        last_reported_at=last,
        isp=_fact(data.get("isp")),
        usage_type=_fact(data.get("usageType")),
        domain=_fact(data.get("domain")),
        hostnames=_hostnames(data.get("hostnames")),
        country_code=_country(data.get("countryCode")),
        country_name=_fact(data.get("countryName")),
        is_tor=data.get("isTor") is True,
        is_whitelisted=white if isinstance(white := data.get("isWhitelisted"), bool) else None,
        reports=digest(data.get("reports"), now),
    )


def says_not_public(body: Any) -> bool:
    """Whether the provider itself calls the address private or reserved."""
    return isinstance(body, dict) and isinstance(body.get("data"), dict) and body["data"].get("isPublic") is False


def digest(raw: Any, now: datetime) -> Reports:
    """Counts and newest comments of the verbose reports. What is not a report is left out."""
    reports = [report for item in raw if (report := _report(item))] if isinstance(raw, list) else []
    return Reports(
        categories=_top((category_name(number) for r in reports for number in r.categories), TOP_CATEGORIES),
        countries=_top((r.country for r in reports if r.country), TOP_COUNTRIES),
        last_day=sum(now - r.at <= timedelta(days=1) for r in reports),
        last_week=sum(now - r.at <= timedelta(days=7) for r in reports),
        newest=_newest(reports),
    )


def errors(body: Any) -> list[tuple[str, str | None]]:
    """(detail, parameter) of each entry of the provider's error form."""
    listed = body.get("errors") if isinstance(body, dict) else None
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [(one_line(str(entry.get("detail", "")), 300), _parameter(entry.get("source"))) for entry in entries]


def quota(headers: Mapping[str, str], now: datetime) -> QuotaState | None:
    """The rate-limit headers, None when there are none. A reset is believed only within the next two days."""
    limit, remaining = _number(headers.get("x-ratelimit-limit")), _number(headers.get("x-ratelimit-remaining"))
    reset = _reset(_number(headers.get("x-ratelimit-reset")), now)
    if limit is None and remaining is None and reset is None:
        return None
    return QuotaState(limit, remaining, reset)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` in seconds, None when absent, not a number, or beyond two days."""
    seconds = _number(headers.get("retry-after"))
    return float(seconds) if seconds is not None and seconds <= _FARTHEST_RESET.total_seconds() else None


def moment(raw: Any) -> datetime | None:
    """An ISO 8601 time as aware UTC; None for anything else. A time without a zone is taken as UTC."""
    if not isinstance(raw, str):
        return None
    try:
        read = datetime.fromisoformat(raw)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _report(raw: Any) -> Report | None:
    at = moment(raw.get("reportedAt")) if isinstance(raw, dict) else None
    if at is None:
        return None
    numbers = raw.get("categories")
    return Report(
        at=at,
        comment=comment if isinstance(comment := raw.get("comment"), str) else "",
        categories=tuple(n for n in numbers if type(n) is int and 0 < n < 1000) if isinstance(numbers, list) else (),
        country=_country(raw.get("reporterCountryCode")),
    )


def _newest(reports: Iterable[Report]) -> tuple[Comment, ...]:
    newest_first = sorted(reports, key=lambda report: report.at, reverse=True)
    cleaned = (Comment(one_line(r.comment, COMMENT_LENGTH), r.at, r.country) for r in newest_first)
    return tuple(islice((comment for comment in cleaned if comment.text), NEWEST))


def _top(names: Iterable[str], most: int) -> tuple[Count, ...]:
    ranked = sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Count(name, count) for name, count in ranked[:most])


def _score(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 100:
        raise ValueError("the answer has no score between 0 and 100")
    return int(raw)


def _same(raw: Any, address: str) -> bool:
    if raw is None:
        return True
    try:
        return ipaddress.ip_address(raw) == ipaddress.ip_address(address)
    except ValueError:
        return False


def _hostnames(raw: Any) -> tuple[str, ...]:
    names = (_fact(item) for item in raw[:HOSTNAMES]) if isinstance(raw, list) else ()
    return tuple(name for name in names if name)


def _fact(raw: Any) -> str | None:
    return (one_line(raw, FACT_LENGTH) or None) if isinstance(raw, str) else None


def _country(raw: Any) -> str | None:
    return raw if isinstance(raw, str) and len(raw) == 2 and raw.isascii() and raw.isalpha() else None


def _count(raw: Any) -> int:
    return raw if type(raw) is int and raw >= 0 else 0


def _parameter(raw: Any) -> str | None:
    name = raw.get("parameter") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else None


def _number(raw: str | None) -> int | None:
    text = (raw or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _reset(epoch: int | None, now: datetime) -> datetime | None:
    if epoch is None or not 0 < epoch - now.timestamp() <= _FARTHEST_RESET.total_seconds():
        return None
    return datetime.fromtimestamp(epoch, UTC)
