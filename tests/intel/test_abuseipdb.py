from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.demo.sandbox import Faults, build_sandbox
from bot.domain.reputation import Count, Found, NotPublic, QuotaExceeded, Refused, Unavailable
from bot.errors import ConfigError
from bot.intel import abuseipdb
from bot.intel.abuseipdb import AbuseIPDB
from bot.intel.quota import QuotaState
from tests.intel.loopback import NOON, HandClock, Raw, http, new_client, serving

CANARY = "canary0key0that0must0never0be0seen"
ADDRESS = "203.0.113.66"


@pytest.fixture(autouse=True)
def short_pause(monkeypatch):
    monkeypatch.setattr(abuseipdb, "RETRY_PAUSE", 0.01)


async def ask(raw: Raw, address: str = ADDRESS, **options):
    async with raw.serving() as url, new_client() as client:
        return await AbuseIPDB(client, SecretStr(CANARY), url, HandClock(), **options).check(address)


def data(**changes) -> bytes:
    return json.dumps({"data": {"ipAddress": ADDRESS, "abuseConfidenceScore": 7, **changes}}).encode()


def error(status: int, detail: str, **source) -> bytes:
    entry = {"detail": detail, "status": status} | ({"source": source} if source else {})
    return json.dumps({"errors": [entry]}).encode()


async def from_sandbox(faults: Faults, address: str, *, key: str = CANARY, daily_limit: int = 1000):
    clock = HandClock()
    async with serving(build_sandbox(clock, daily_limit=daily_limit, faults=faults)) as base, new_client() as client:
        return await AbuseIPDB(client, SecretStr(key), f"{base}/api/v2/", clock, timeout=2).check(address)


async def test_the_very_bad_address_of_the_sandbox_is_read_in_every_part():
    outcome, quota = await from_sandbox(Faults(), ADDRESS)
    assert isinstance(outcome, Found)
    known = outcome.reputation
    assert (outcome.source, known.score, known.total_reports, known.distinct_reporters) == ("sandbox", 100, 412, 187)
    assert (known.is_tor, known.is_whitelisted, known.window_days, known.fetched_at) == (True, False, 30, NOON)
    assert known.hostnames == ("tor-exit-66.example.net",)
    assert {"Brute-Force", "SSH", "Hacking"} <= {count.name for count in known.reports.categories}
    assert len(known.reports.newest) == 3
    assert 0 < known.reports.last_day < known.reports.last_week < 412
    assert known.last_reported_at == known.reports.newest[0].reported_at
    assert quota == QuotaState(1000, 999)


async def test_an_ipv6_address_is_asked_for_as_it_is():
    outcome, _ = await from_sandbox(Faults(), "2001:db8::1")
    assert isinstance(outcome, Found)
    assert outcome.reputation.address == "2001:db8::1"


async def test_without_quota_the_answer_names_the_reset_of_the_header_not_midnight():
    outcome, quota = await from_sandbox(Faults(exhausted=True), ADDRESS)
    reset = datetime(2026, 3, 5, 5, 0, tzinfo=UTC)
    assert outcome == QuotaExceeded(reset)
    assert quota == QuotaState(1000, 0, reset)


async def test_a_refused_key_says_which_setting_to_change():
    outcome, _ = await from_sandbox(Faults(unauthorized=True), ADDRESS)
    assert isinstance(outcome, Refused)
    assert "ABUSEIPDB_API_KEY" in outcome.reason


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860::1"])
async def test_the_sandbox_refuses_what_is_not_documentation(address):
    outcome, _ = await from_sandbox(Faults(), address)
    assert isinstance(outcome, Refused)
    assert "only documentation addresses" in outcome.reason


async def test_a_wrong_address_is_refused_with_the_providers_words():
    outcome, _ = await from_sandbox(Faults(), "300.1.1.1")
    assert isinstance(outcome, Refused)
    assert "must be a valid IPv4 or IPv6 address" in outcome.reason


async def test_a_challenge_page_is_not_an_answer():
    outcome, _ = await from_sandbox(Faults(html=True), ADDRESS)
    assert isinstance(outcome, Unavailable)


async def test_a_provider_that_is_down_is_tried_twice_and_no_more():
    faults = Faults(down=True)
    outcome, _ = await from_sandbox(faults, ADDRESS)
    assert isinstance(outcome, Unavailable)
    assert faults.calls["check"] == 2


async def test_a_slow_provider_is_given_up_after_two_tries():
    raw = Raw(http("200 OK", data()), pause=2)
    outcome, quota = await ask(raw, timeout=0.5)
    assert outcome == Unavailable("AbuseIPDB did not answer within 0.5 s")
    assert (quota, len(raw.requests)) == (None, 2)


async def test_one_bad_moment_does_not_show():
    outcome, _ = await ask(Raw(http("502 Bad Gateway", b"<h1>", "text/html"), http("200 OK", data())))
    assert isinstance(outcome, Found)


async def test_a_long_wait_asked_for_by_a_503_is_passed_on_instead_of_waited_for():
    raw = Raw(http("503 Down", b"{}", "application/json", "Retry-After: 120"))
    assert (await ask(raw))[0] == Unavailable("AbuseIPDB is down (503)", 120.0)
    assert len(raw.requests) == 1


async def test_the_request_is_the_documented_one():
    raw = Raw(http("200 OK", data()))
    await ask(raw, "2001:db8::1")
    line, *headers = raw.requests[0].decode().split("\r\n")
    assert line == "GET /api/v2/check?ipAddress=2001%3Adb8%3A%3A1&maxAgeInDays=30&verbose= HTTP/1.1"
    assert {f"Key: {CANARY}", "Accept: application/json"} <= set(headers)


async def test_absent_and_null_parts_stay_empty():
    names = ["isWhitelisted", "countryCode", "countryName", "usageType", "isp", "domain", "lastReportedAt", "hostnames"]
    outcome, quota = await ask(Raw(http("200 OK", data(**dict.fromkeys([*names, "reports", "totalReports"])))))
    bare, _ = await ask(Raw(http("200 OK", data())))
    assert outcome == bare
    assert isinstance(outcome, Found)
    assert (outcome.source, outcome.reputation.score, outcome.reputation.is_whitelisted) == ("AbuseIPDB", 7, None)
    assert quota is None


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", b"<html>", "text/html"),
        http("200 OK", b"{", "application/json"),
        http("200 OK", b"[]"),
        http("200 OK", b"null"),
        http("200 OK", b"[" * 50_000),
        http("200 OK", b"\xff\xfe"),
        http("200 OK", data(abuseConfidenceScore=None)),
        http("200 OK", data(abuseConfidenceScore=101)),
        http("200 OK", data(abuseConfidenceScore=True)),
        http("200 OK", data(ipAddress="203.0.113.1")),
        http("403 Forbidden", b"<html>challenge", "text/html"),
        http("429 Too Many Requests", b"<html>", "text/html"),
        http("302 Found", b"", "text/html", "Location: http://127.0.0.1:1/steal"),
        http("204 No Content", b""),
        http("200 OK", b"not gzip", "application/json", "Content-Encoding: gzip"),
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
    ],
)
async def test_what_is_not_an_answer_is_unavailable_never_zero(answer):
    outcome, _ = await ask(Raw(answer))
    assert isinstance(outcome, Unavailable)


async def test_an_endless_body_is_cut_off():
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + b" " * (9 << 20)
    assert (await ask(Raw(endless)))[0] == Unavailable("AbuseIPDB's answer was larger than 8 MB")


async def test_nobody_listening_is_unavailable():
    async with Raw(b"").serving() as url:
        pass
    async with new_client() as client:
        outcome, _ = await AbuseIPDB(client, SecretStr(CANARY), url, HandClock()).check(ADDRESS)
    assert outcome == Unavailable("AbuseIPDB could not be reached (ConnectError)")


@pytest.mark.parametrize(
    ("status", "word"),
    [("401 U", "key"), ("402 P", "plan"), ("403 F", "key"), ("404 N", "address"), ("422 U", "address")],
)
async def test_refusals_say_what_to_look_at(status, word):
    outcome, _ = await ask(Raw(http(status, error(int(status[:3]), "Because."))))
    assert isinstance(outcome, Refused)
    assert word in outcome.reason
    assert "Because." in outcome.reason


async def test_the_other_429_is_not_about_quota():
    duplicate = error(429, "You can only report the same IP address (`1.2.3.4`) once in 15 minutes.", parameter="ip")
    outcome, _ = await ask(Raw(http("429 Too Many", duplicate, "application/json", "Retry-After: 900")))
    assert isinstance(outcome, Refused)


def epoch(**ahead: float) -> int:
    return int((NOON + timedelta(**ahead)).timestamp())


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ([f"X-RateLimit-Reset: {epoch(hours=3)}", "Retry-After: 60"], NOON + timedelta(hours=3)),
        (["Retry-After: 7200"], NOON + timedelta(hours=2)),
        ([], NOON + timedelta(hours=1)),
        (["Retry-After: soon", "X-RateLimit-Reset: never"], NOON + timedelta(hours=1)),
        ([f"X-RateLimit-Reset: {epoch(hours=-1)}", "Retry-After: 60"], NOON + timedelta(minutes=1)),
        ([f"X-RateLimit-Reset: {epoch(days=400)}"], NOON + timedelta(hours=1)),
        (["Retry-After: 99999999999"], NOON + timedelta(hours=1)),
    ],
)
async def test_the_circuit_stays_open_as_long_as_the_headers_say(headers, until):
    body = error(429, "Daily rate limit of 1000 requests exceeded for this endpoint.")
    outcome, _ = await ask(Raw(http("429 Too Many", body, "application/json", *headers)))
    assert outcome == QuotaExceeded(until)


async def test_ten_thousand_reports_are_read_quickly():
    reports = [
        {
            "reportedAt": (NOON - timedelta(minutes=number)).isoformat(),
            "comment": f"attempt {number} " + "x" * 120,
            "categories": [18, 22] if number % 2 else [18, 99],
            "reporterId": number,
            "reporterCountryCode": "DE" if number % 4 else None,
        }
        for number in range(10_000)
    ]
    answer = http("200 OK", data(reports=reports, totalReports=10_000))
    begun = time.perf_counter()
    outcome, _ = await ask(Raw(answer))
    assert time.perf_counter() - begun < 2
    assert isinstance(outcome, Found)
    digest = outcome.reputation.reports
    assert digest.categories == (Count("Brute-Force", 10_000), Count("Category 99", 5_000), Count("SSH", 5_000))
    assert digest.countries == (Count("DE", 7_500),)
    assert (digest.last_day, digest.last_week) == (24 * 60 + 1, 10_000)


async def test_comments_of_strangers_arrive_as_one_plain_line():
    nasty = "a\u202eb\u200bc\x00\x1b[31m\r\nd\u2066 " + "word " * 100
    report = {"reportedAt": "2026-03-04T11:00:00+00:00", "comment": nasty, "categories": "no", "reporterId": None}
    outcome, _ = await ask(Raw(http("200 OK", data(reports=[report, None, 5, {"comment": "undated"}]))))
    assert isinstance(outcome, Found)
    (comment,) = outcome.reputation.reports.newest
    assert comment.text.startswith("abc[31m d word word")
    assert comment.text.endswith("word…")
    assert len(comment.text) <= 200


async def test_the_provider_may_call_an_address_private():
    assert (await ask(Raw(http("200 OK", data(isPublic=False)))))[0] == NotPublic()


@pytest.mark.parametrize("key", ["", "two words", "line\r\nInjected: yes", "schlüssel"])
async def test_a_key_that_cannot_stand_in_a_header_is_not_sent(key):
    faults = Faults()
    outcome, _ = await from_sandbox(faults, ADDRESS, key=key)
    assert isinstance(outcome, Refused)
    assert "ABUSEIPDB_API_KEY" in outcome.reason
    assert not key or key not in outcome.reason
    assert not faults.calls


@pytest.mark.parametrize(
    "url", ["http://api.example.com/v2", "http://192.0.2.1/", "ftp://127.0.0.1/", "api.example.com", "", "http://[/"]
)
async def test_a_url_that_would_show_the_key_to_all_is_a_mistake_of_configuration(url):
    async with new_client() as client:
        with pytest.raises(ConfigError, match="ABUSEIPDB_URL"):
            AbuseIPDB(client, SecretStr(CANARY), url, HandClock())


@pytest.mark.parametrize("url", [abuseipdb.DEFAULT_URL, "http://127.0.0.1:9/", "http://[::1]:9", "http://localhost:9"])
async def test_https_and_loopback_are_fine(url):
    async with new_client() as client:
        AbuseIPDB(client, SecretStr(CANARY), url, HandClock())


async def test_the_key_is_in_the_header_and_nowhere_else(caplog):
    caplog.set_level(logging.DEBUG)
    echo = error(401, f"The key {CANARY} is not known.")
    seen = []
    for answer in [echo, data(), b"{"]:
        raw = Raw(http("401 No" if answer is echo else "200 OK", answer))
        async with raw.serving() as url, new_client() as client:
            provider = AbuseIPDB(client, SecretStr(CANARY), url, HandClock())
            seen.append(repr((provider, vars(provider), await provider.check(ADDRESS))))
        assert CANARY not in raw.requests[0].decode().split("\r\n")[0]
        assert raw.requests[0].count(CANARY.encode()) == 1
    assert caplog.records
    assert CANARY not in caplog.text
    assert CANARY not in "".join(seen)
