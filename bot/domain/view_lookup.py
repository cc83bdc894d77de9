"""The answer to a look-up that a person asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.alert import Alert
from bot.domain.block import BlockRequest
from bot.domain.reputation import Answer, Found, NotPublic, Reputation, Thresholds
from bot.domain.view_address import AddressView, address_view
from bot.domain.view_block import BlockLine, block_line
from bot.domain.view_words import age, counted, listed, one_line

COMMENTS_SHOWN = 3
COMMENT_LENGTH = 160
INCIDENTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is known, under its name."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class CommentLine:
    """What a reporter wrote, defanged, and `told`: how long ago and from where."""

    text: str
    told: str


@dataclass(frozen=True, slots=True)
class SeenIn:
    """An incident that the address is part of."""

    id: str
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LookupView:
    """One address, for the person who asked. `reference` is empty when the answer cannot be shared.

    `seen` says in how many incidents the address was seen, empty when nobody looked; `incidents` are the newest.
    `shared_by` is the name of the person who shows the answer to everybody.
    """

    address: str
    summary: str
    view: AddressView
    fields: tuple[Field, ...]
    freshness: str
    comments: tuple[CommentLine, ...]
    seen: str
    incidents: tuple[SeenIn, ...]
    block: BlockLine | None
    footer: tuple[str, ...]
    reference: str = ""
    shared_by: str = ""


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """How many calls the provider still answers today."""

    left: int
    limit: int


def lookup_view(
    answer: Answer,
    *,
    thresholds: Thresholds,
    now: datetime,
    seen_in: Sequence[Alert] | None = None,
    and_more: bool = False,
    block: BlockRequest | None = None,
    quota: QuotaLeft | None = None,
    reference: str = "",
    shared_by: str = "",
) -> LookupView:
    """The whole answer. `seen_in` holds the newest incidents first; `and_more` says that there are others."""
    view = address_view(answer.address, answer, thresholds=thresholds, now=now)
    known = answer.outcome.reputation if isinstance(answer.outcome, Found) else None
    score = f", {view.score}/100" if view.score is not None else ""
    return LookupView(
        address=answer.address,
        summary=f"{answer.address}: {view.verdict}{score}. {view.sentence.rstrip('.')}.",
        view=view,
        fields=_fields(known) if known else (),
        freshness=_freshness(known) if known else "",
        comments=_comments(known, now) if known else (),
        seen=_seen(seen_in, and_more),
        incidents=tuple(SeenIn(a.incident.id, a.title, a.last_seen) for a in (seen_in or ())[:INCIDENTS_SHOWN]),
        block=block_line(block, now) if block else None,
        footer=_footer(answer, known, quota),
        reference=reference,
        shared_by=shared_by,
    )


def local_view(address: str, *, thresholds: Thresholds, now: datetime) -> LookupView:
    """The answer for an address that is not public: it is made here, and nobody is asked."""
    return lookup_view(Answer(address, NotPublic()), thresholds=thresholds, now=now)


def not_understood(reasons: Sequence[str]) -> str:
    """A sentence for a command in which no address was found."""
    why = one_line("; ".join(reasons)) or "there is no IP address in the text"
    return f"I could not find an address: {why}. Write one address, for example 203.0.113.7 or 2001:db8::7."


def one_at_a_time(found: Sequence[str]) -> str:
    """A sentence for a command with several addresses, or with a network."""
    shown = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    return f"I understood {shown}. I answer for one single address at a time: write only one."


def _fields(known: Reputation) -> tuple[Field, ...]:
    named = {
        "ISP": known.isp,
        "Usage": known.usage_type,
        "Domain": listed(dict.fromkeys((known.domain or "", *known.hostnames[:2]))),
        "Country": _country(known),
        "Tor": "exit node" if known.is_tor else "not a known exit",
        "Whitelist": {True: "listed", False: "not listed", None: ""}[known.is_whitelisted],
    }
    return tuple(Field(label, value) for label, value in named.items() if value)


def _country(known: Reputation) -> str:
    if known.country_name and known.country_code:
        return f"{known.country_name} ({known.country_code})"
    return known.country_name or known.country_code or ""


def _freshness(known: Reputation) -> str:
    """Only a look-up that fetched the single reports knows how fresh they are."""
    reports = known.reports
    if not (reports.newest or reports.categories):
        return ""
    return f"{reports.last_day:,} in the last 24 hours, {reports.last_week:,} in the last 7 days"


def _comments(known: Reputation, now: datetime) -> tuple[CommentLine, ...]:
    newest = [comment for comment in known.reports.newest if comment.text.strip()][:COMMENTS_SHOWN]
    return tuple(
        CommentLine(
            defanged(one_line(comment.text, COMMENT_LENGTH)),
            listed((f"{age(now - comment.reported_at)} ago", comment.country_code or "")),
        )
        for comment in newest
    )


def defanged(text: str) -> str:
    """Addresses of web pages in a form that no client makes clickable."""
    return text.replace("://", "[:]//").replace("www.", "www[.]")


def _seen(seen_in: Sequence[Alert] | None, and_more: bool) -> str:
    if seen_in is None:
        return ""
    if not seen_in:
        return "Not seen in any incident here"
    return f"Seen in {'at least ' if and_more else ''}{counted(len(seen_in), 'incident')} here"


def _footer(answer: Answer, known: Reputation | None, quota: QuotaLeft | None) -> tuple[str, ...]:
    left = f"{quota.left:,} of {counted(quota.limit, 'call')} left today" if quota else ""
    if known is None or not isinstance(answer.outcome, Found):
        return (left,) if left else ()
    source = "Sandbox data, made up" if answer.outcome.source == "sandbox" else answer.outcome.source
    asked = "asked just now" if answer.age is None else f"asked {age(answer.age)} ago"
    window = f"reports of {counted(known.window_days, 'day')}"
    return tuple(part for part in (source, window, asked, left) if part)
