from __future__ import annotations

import ipaddress
import time
from datetime import timedelta

import httpx
import pytest

from bot.demo.sandbox import Faults, build_sandbox
from tests.intel.loopback import NOON, HandClock

HEADERS = {"Key": "any", "Accept": "application/json"}
CHECK_FIELDS = {
    "ipAddress",
    "isPublic",
    "ipVersion",
    "isWhitelisted",
    "abuseConfidenceScore",
    "countryCode",
    "usageType",
    "isp",
    "domain",
    "hostnames",
    "isTor",
    "totalReports",
    "numDistinctUsers",
    "lastReportedAt",
}


class Desk:
    """The sandbox without a socket, its clock and its faults."""

    def __init__(self, daily_limit: int = 1000) -> None:
        self.clock, self.faults = HandClock(), Faults()
        self.app = build_sandbox(self.clock, daily_limit=daily_limit, faults=self.faults)

    async def get(self, path: str, headers: dict[str, str] | None = None, **params) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v2/") as client:
            answer = await client.get(path, params=params, headers=HEADERS if headers is None else headers)
        assert answer.headers["x-tocsin-sandbox"] == "1", "made-up data must be marked at every status"
        return answer

    async def check(self, address: str, **params) -> dict:
        answer = await self.get("check", ipAddress=address, **params)
        assert answer.status_code == 200
        return answer.json()["data"]


async def test_a_plain_check_has_the_documented_fields_and_no_others():
    assert set(await Desk().check("192.0.2.1")) == CHECK_FIELDS


async def test_verbose_adds_the_country_name_and_the_reports():
    data = await Desk().check("198.51.100.23", verbose="")
    assert set(data) == CHECK_FIELDS | {"countryName", "reports"}
    fields = {"reportedAt", "comment", "categories", "reporterId", "reporterCountryCode", "reporterCountryName"}
    assert all(set(report) == fields for report in data["reports"])
    assert 25 <= data["abuseConfidenceScore"] < 75


async def test_the_very_bad_one():
    data = await Desk().check("203.0.113.66", verbose="")
    assert (data["abuseConfidenceScore"], data["isTor"], data["isPublic"]) == (100, True, True)
    assert data["totalReports"] == len(data["reports"]) > 300
    assert data["numDistinctUsers"] == len({report["reporterId"] for report in data["reports"]})
    assert {15, 18, 22} <= {number for report in data["reports"] for number in report["categories"]}
    times = [report["reportedAt"] for report in data["reports"]]
    assert times == sorted(times, reverse=True)
    assert times[0] == data["lastReportedAt"] < NOON.isoformat()


async def test_a_smaller_window_holds_fewer_reports():
    desk = Desk()
    week, month = await desk.check("203.0.113.66", maxAgeInDays=7), await desk.check("203.0.113.66", maxAgeInDays=30)
    assert 0 < week["totalReports"] < month["totalReports"]


async def test_the_same_address_gets_the_same_answer_and_most_have_no_reports():
    desk, other = Desk(), Desk()
    scores = []
    for address in ipaddress.ip_network("192.0.2.0/26"):
        data = await desk.check(str(address), verbose="")
        assert data == await other.check(str(address), verbose="")
        scores.append(data["abuseConfidenceScore"])
    assert scores.count(0) > len(scores) / 2
    assert max(scores) < 25


async def test_ipv6_documentation_addresses_are_known():
    data = await Desk().check("2001:db8::dead:beef")
    assert (data["ipVersion"], data["ipAddress"]) == (6, "2001:db8::dead:beef")


@pytest.mark.parametrize("address", ["8.8.8.8", "10.0.0.1", "127.0.0.1", "2606:4700::1"])
async def test_it_knows_nothing_of_real_addresses(address):
    answer = await Desk().get("check", ipAddress=address)
    assert answer.status_code == 404
    assert "knows only documentation addresses" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("address", ["", "1.2.3", "example.org", "192.0.2.0/24"])
async def test_a_wrong_address_gets_the_providers_error_form(address):
    answer = await Desk().get("check", ipAddress=address)
    (entry,) = answer.json()["errors"]
    assert (answer.status_code, entry["status"], entry["source"]) == (422, 422, {"parameter": "ipAddress"})


@pytest.mark.parametrize("days", ["0", "366", "x", "-1", "²"])
async def test_a_wrong_window_is_named(days):
    answer = await Desk().get("check", ipAddress="192.0.2.1", maxAgeInDays=days)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"] == {"parameter": "maxAgeInDays"}


async def test_no_key_no_answer():
    assert (await Desk().get("check", {"Accept": "application/json"}, ipAddress="192.0.2.1")).status_code == 401


async def test_without_the_accept_header_a_page_comes_back():
    answer = await Desk().get("check", {"Key": "any", "Accept": "*/*"}, ipAddress="192.0.2.1")
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_quota_counts_down_ends_and_comes_back_at_the_named_reset():
    desk = Desk(daily_limit=2)
    left = [(await desk.get("check", ipAddress="192.0.2.1")).headers["x-ratelimit-remaining"] for _ in range(2)]
    over = await desk.get("check", ipAddress="192.0.2.1")
    assert (left, over.status_code) == (["1", "0"], 429)
    assert "Daily rate limit of 2 requests exceeded" in over.json()["errors"][0]["detail"]
    wait, reset = int(over.headers["retry-after"]), int(over.headers["x-ratelimit-reset"])
    assert NOON.timestamp() + wait == reset
    desk.clock.advance(seconds=wait - 1)
    assert (await desk.get("check", ipAddress="192.0.2.1")).status_code == 429
    desk.clock.advance(seconds=1)
    assert (await desk.get("check", ipAddress="192.0.2.1")).status_code == 200


async def test_each_endpoint_has_its_own_quota():
    desk = Desk(daily_limit=10)
    assert (await desk.get("reports", ipAddress="192.0.2.1")).headers["x-ratelimit-limit"] == "1"
    assert (await desk.get("reports", ipAddress="192.0.2.1")).status_code == 429
    assert (await desk.get("check", ipAddress="192.0.2.1")).status_code == 200


async def test_reports_come_in_pages():
    desk = Desk()
    first = (await desk.get("reports", ipAddress="198.51.100.23", perPage=10)).json()["data"]
    last = (await desk.get("reports", ipAddress="198.51.100.23", perPage=10, page=2)).json()["data"]
    assert (first["total"], first["count"], first["lastPage"], first["previousPageUrl"]) == (19, 10, 2, None)
    assert "page=2" in first["nextPageUrl"]
    assert (last["count"], last["nextPageUrl"]) == (9, None)
    assert len({str(report) for report in first["results"] + last["results"]}) == 19


async def test_a_network_lists_its_reported_addresses():
    data = (await Desk().get("check-block", network="203.0.113.0/24")).json()["data"]
    assert (data["numPossibleHosts"], data["netmask"], data["minAddress"]) == (256, "255.255.255.0", "203.0.113.0")
    (worst,) = [row for row in data["reportedAddress"] if row["abuseConfidenceScore"] == 100]
    assert worst["ipAddress"] == "203.0.113.66"


@pytest.mark.parametrize(
    ("network", "status"), [("2001:db8::/32", 402), ("203.0.113.1/24", 422), ("8.8.8.0/24", 404), ("0.0.0.0/0", 404)]
)
async def test_a_network_that_it_cannot_list(network, status):
    assert (await Desk().get("check-block", network=network)).status_code == status


@pytest.mark.parametrize(
    ("fault", "status"), [({"down": True}, 503), ({"unauthorized": True}, 401), ({"exhausted": True}, 429)]
)
async def test_faults_come_and_go_on_demand(fault, status):
    desk = Desk()
    for name, value in fault.items():
        setattr(desk.faults, name, value)
    assert (await desk.get("check", ipAddress="192.0.2.1")).status_code == status
    desk.faults.clear()
    assert (await desk.get("check", ipAddress="192.0.2.1")).status_code == 200
    assert desk.faults.calls["check"] == 2


async def test_slow_is_slow():
    desk = Desk()
    desk.faults.slow = 0.05
    begun = time.perf_counter()
    await desk.check("192.0.2.1")
    assert time.perf_counter() - begun >= 0.05


async def test_an_unknown_endpoint_answers_in_the_error_form():
    answer = await Desk().get("blacklist")
    assert (answer.status_code, answer.json()["errors"][0]["status"]) == (404, 404)


async def test_report_times_follow_the_clock():
    desk = Desk()
    before = (await desk.check("203.0.113.66"))["lastReportedAt"]
    desk.clock.advance(days=2)
    assert (await desk.check("203.0.113.66"))["lastReportedAt"][8:10] == f"{int(before[8:10]) + 2:02d}"
    assert desk.clock.now() - NOON == timedelta(days=2)
