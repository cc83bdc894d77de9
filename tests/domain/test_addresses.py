"""Addresses in text: the published vectors, the shapes people paste, bounded work, and what counts as public."""

from __future__ import annotations

import time
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.addresses import CAP, LIMIT, extract, is_public, why_not_public

VECTORS = [
    ("1.2.3.4", "1.2.3.4"),
    ("<http://1.2.3.4|1.2.3.4>", "1.2.3.4"),
    ("<http://1.2.3.4>", "1.2.3.4"),
    ("<http://185[.]220[.]101[.]4|185[.]220[.]101[.]4>", "185.220.101.4"),
    ("1[.]2[.]3[.]4", "1.2.3.4"),
    ("1.2.3[.]4", "1.2.3.4"),
    ("1(.)2(.)3(.)4", "1.2.3.4"),
    ("1{.}2{.}3{.}4", "1.2.3.4"),
    ("1[dot]2[dot]3[dot]4", "1.2.3.4"),
    ("1 dot 2 dot 3 dot 4", "1.2.3.4"),
    ("1 . 2 . 3 . 4", "1.2.3.4"),
    ("1\\.2\\.3\\.4", "1.2.3.4"),
    ("hxxp://1[.]2[.]3[.]4/a.php", "1.2.3.4"),
    ("hxxps[:]//1.2.3[.]4:8443/x", "1.2.3.4"),
    ("1.2.3.4:8080", "1.2.3.4"),
    ("1.2.3.4, 5.6.7.8;9.9.9.9\n8.8.8.8", "1.2.3.4 5.6.7.8 8.8.8.8 9.9.9.9"),
    ("1.2.3.0/24", "1.2.3.0/24"),
    ("1[.]2[.]3[.]0/24", "1.2.3.0/24"),
    ("2001:db8::1", "2001:db8::1"),
    ("[2001:db8::1]:443", "2001:db8::1"),
    ("2001[:]db8[:][:]1", "2001:db8::1"),
    ("2001:db8::/32", "2001:db8::/32"),
    ("2a06:98c1:3121::3", "2a06:98c1:3121::3"),
    ("::ffff:1.2.3.4", "1.2.3.4"),
    ("::ffff:102:304", "1.2.3.4"),
    ("fe80::1%eth0", "fe80::1"),
    ("010.001.002.003", ""),
    ("1.2.3.4.5", ""),
    ("v1.2.3.4", ""),
    ("version 10.0.19041.388 build", ""),
    ("256.1.1.1", ""),
    ("1.2.3", ""),
    ("1\u30022\u30023\u30024", "1.2.3.4"),
    ("1\uff0e2\uff0e3\uff0e4", "1.2.3.4"),
    ("1\u20241\u20241\u20241", "1.1.1.1"),
    ("1.2.3.4.", "1.2.3.4"),
    ("(1.2.3.4)", "1.2.3.4"),
    ("ip=1.2.3.4&x=2", "1.2.3.4"),
    ("`1.2.3.4`", "1.2.3.4"),
    ("http://3221225985/", ""),
    ("0x01020304", ""),
    ("16909060", ""),
    ("user@1.2.3.4", "1.2.3.4"),
    ("1.2.3.4-1.2.3.9", "1.2.3.4 1.2.3.9"),
    ("1.2.3.4\u200b", "1.2.3.4"),
    ("12:34:56", ""),
    ("00:11:22:33:44:55", ""),
    ("std::vector", ""),
]

IN_ORDER = [
    ("first 9.9.9.9 then 2001:db8::1 then 1.1.1.1 and 9.9.9.9", ["9.9.9.9", "2001:db8::1", "1.1.1.1"]),
    ("seen at 1.2.3.4 · 5.6.7.8", ["1.2.3.4", "5.6.7.8"]),
    ("Blocked 1.2.3.4. 5.6.7.8 too", ["1.2.3.4", "5.6.7.8"]),
    ("1 . 2 . 3 . 4 . 5", []),
    ("see ...1.2.3.4...", ["1.2.3.4"]),
    ("1..2.3.4.5", []),
    ("4.3.2.1.in-addr.arpa", []),
    ("libfoo-1.2.3.4.tar.gz", []),
    ("Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36", []),
    ("https://www.abuseipdb.com/check/1.2.3.4", ["1.2.3.4"]),
    ("\uff11.\uff12.\uff13.\uff14", ["1.2.3.4"]),
    ("地址1.2.3.4很可疑", ["1.2.3.4"]),
    ("adres1.2.3.4", []),
    ("1.2.3.4/443", ["1.2.3.4"]),
    ("1.2.3.0/255.255.255.0", ["1.2.3.0/24"]),
    ("1.2.3.4/5.6.7.8", ["1.2.3.4", "5.6.7.8"]),
    ("1.2.3.77/24", ["1.2.3.0/24"]),
    ("http://1.2.3.4/24", ["1.2.3.4"]),
    ("<http://1.2.3.77/24|1.2.3.77/24>", ["1.2.3.0/24"]),
    ("<http://9.9.9.9|click 8.8.8.8>", ["9.9.9.9", "8.8.8.8"]),
    ("src:2001:db8::1, dst: 2001:db8::2.", ["2001:db8::1", "2001:db8::2"]),
    ("address 2001:db8::1: bad", ["2001:db8::1"]),
    ("fe80::1%eth0/64", ["fe80::/64"]),
    ("2001:DB8:0:0::00A", ["2001:db8::a"]),
    ("::ffff:1.2.3.0/120", ["1.2.3.0/24"]),
    ("64:ff9b::1.2.3.4", ["64:ff9b::102:304"]),
    ("00:11:22:ff:fe:33:44:55", []),
    ("port:80:1.2.3.4", ["1.2.3.4"]),
    ("[::]:443", ["::"]),
    ("<at>bot</at> 1.2.3.4<br>5.6.7.8&nbsp;", ["1.2.3.4", "5.6.7.8"]),
    ('["1.2.3.4","5.6.7.8"]', ["1.2.3.4", "5.6.7.8"]),
]

REASONS = [
    ("010.001.002.003", "leading zeros are ambiguous"),
    ("256.1.1.1", "no number of an IPv4 address is above 255"),
    ("1.2.3", "an IPv4 address has exactly four numbers"),
    ("1.2.3.4.5", "an IPv4 address has exactly four numbers"),
    ("16909060", "an address written as one number is ambiguous"),
    ("0x01020304", "an address written as one number is ambiguous"),
    ("version 1.2.3.4", "this looks like a version number"),
    ("Chrome/120.0.0.0", "this looks like a version number"),
    ("00:11:22:33:44:55", "a MAC address is not an IP address"),
    ("12:34:56", "a clock time is not an IP address"),
    ("  \n", "the text is empty"),
    ("hello", "there is no IP address in the text"),
]


def test_there_are_48_vectors():
    assert len(VECTORS) == 48


@pytest.mark.parametrize(("text", "expected"), VECTORS, ids=[repr(text) for text, _ in VECTORS])
def test_vector(text, expected):
    assert set(extract(text).found) == set(expected.split())


@pytest.mark.parametrize(("text", "expected"), IN_ORDER, ids=[repr(text) for text, _ in IN_ORDER])
def test_what_people_paste(text, expected):
    assert list(extract(text).found) == expected


@pytest.mark.parametrize(("text", "reason"), REASONS)
def test_reason_when_nothing_was_understood(text, reason):
    assert extract(text).reasons == (reason,)


def test_no_reason_beside_an_address():
    assert extract("010.1.1.1 and 1.2.3.4").reasons == ()


def test_addresses_and_networks_apart():
    both = extract("1.2.3.4 5.6.0.0/16 2001:db8::1")
    assert both.addresses == ("1.2.3.4", "2001:db8::1")
    assert both.networks == ("5.6.0.0/16",)


def test_cap_counts_what_was_cut():
    answer = extract(" ".join(f"9.9.{n // 250}.{n % 250}" for n in range(CAP + 12)))
    assert len(answer.found) == CAP
    assert answer.cut == 12


def test_text_beyond_the_limit_is_not_halved_into_another_address():
    text = "x" * (LIMIT - 14) + " 1.2.3.4 5.6.7.89"
    answer = extract(text)
    assert answer.found == ("1.2.3.4",)
    assert answer.truncated


PATHOLOGICAL = [
    "[",
    "]",
    "[.",
    "(",
    ".",
    ":",
    "::",
    " ",
    "1",
    "1.",
    "1 . ",
    "1.2.3.",
    "a:",
    "<",
    "<|",
    "<a|",
    "0x",
    "%",
    "1[",
    "1.1.1.1/",
    "dot ",
    "::1/",
    "\\",
    "v",
    "a/",
    "\u30fb",
    "f",
    "1:",
    "[ : ",
    "::ffff:1.2.3.4 ",
    "1 dot ",
]


@pytest.mark.parametrize("unit", PATHOLOGICAL)
def test_time_grows_in_step_with_the_text(unit):
    def cost(size: int) -> float:
        text = (unit * size)[:size]
        best = float("inf")
        for _ in range(3):
            began = time.perf_counter()
            extract(text)
            best = min(best, time.perf_counter() - began)
        return best

    small, large = cost(2000), cost(8000)
    assert large < 0.050 or large < 8 * small, f"{small:.4f} s for 2,000 characters, {large:.4f} s for 8,000"


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=200))
def test_any_text_is_survived(text):
    for found in extract(text).found:
        assert str(ip_network(found) if "/" in found else ip_address(found)) == found


@given(st.text(alphabet="0123456789abf.:/[]()<>|% -\\dotv", max_size=80))
def test_what_comes_out_goes_in_again(text):
    found = extract(text).found
    assert extract(" ".join(found)).found == found


def _is_mapped(address):
    return address.version == 6 and address.ipv4_mapped is not None


@given(st.ip_addresses().filter(lambda address: not _is_mapped(address)))
def test_a_canonical_address_is_itself(address):
    assert extract(f" {address} ").found == (str(address),)


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_canonical_network_is_itself(address, prefix):
    network = ip_network(f"{address}/{prefix}", strict=False)
    assert extract(f" {network} ").found == (str(network),)


NOT_PUBLIC = [
    ("10.1.2.3", "private network"),
    ("192.168.0.0/24", "private network"),
    ("127.0.0.1", "loopback"),
    ("::1", "loopback"),
    ("169.254.1.1", "link-local range"),
    ("fe80::1%eth0", "link-local range"),
    ("169.254.169.254", "cloud metadata address"),
    ("168.63.129.16", "Azure platform address"),
    ("168.63.0.0/16", "Azure platform address"),
    ("100.64.0.1", "carrier-grade NAT range"),
    ("203.0.113.7", "documentation range"),
    ("2001:db8::1", "documentation range"),
    ("224.0.0.1", "multicast"),
    ("ff02::1", "multicast"),
    ("0.0.0.0", "unspecified address"),
    ("::", "unspecified address"),
    ("255.255.255.255", "broadcast address"),
    ("192.88.99.1", "6to4 relay range"),
    ("198.18.0.1", "benchmarking range"),
    ("::ffff:10.0.0.1", "private network"),
    ("2002:0a00:0001::1", "private network"),
    ("64:ff9b::a00:1", "private network"),
    ("64:ff9b:1::1", "private network"),
    ("2001:0:4136:e378:8000:63bf:f5ff:fffe", "private network"),
    ("4000::1", "reserved range"),
    ("nonsense", "not an IP address"),
    ("", "not an IP address"),
    (None, "not an IP address"),
]


@pytest.mark.parametrize(("address", "phrase"), NOT_PUBLIC)
def test_not_public(address, phrase):
    assert why_not_public(address) == phrase
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.2.3.0/24",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "2002:0808:0808::1",
        "64:ff9b::808:808",
        "2002:808:808::/48",
        "2001:0:4136:e378:8000:63bf:f7f7:f7f7",
        ip_address("9.9.9.9"),
        ip_network("9.9.9.0/24"),
    ],
)
def test_public(address):
    assert why_not_public(address) is None


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "2000::/3", "8.0.0.0/5", "64:ff9b::/96", "2002::/15"])
def test_a_network_that_holds_anything_private_is_not_public(network):
    assert not is_public(network)


@given(st.text(max_size=40))
def test_public_never_raises(text):
    is_public(text)
