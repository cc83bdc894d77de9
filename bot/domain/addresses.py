"""IP addresses in text that people or log rows wrote, and whether an address is worth asking the world about.

`extract` reads chat text, result columns and webhook bodies alike. What is ambiguous yields nothing, with a reason for
the person who typed it. Work is bounded: at most LIMIT characters are read, and time grows in step with the text.

The module is a little over the customary length because a pattern and the rule that it serves are read together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

CAP = 50
"""The most addresses and networks that one text yields."""

LIMIT = 8192
"""The most characters of a text that are read."""

Found: TypeAlias = IPv4Address | IPv6Address | IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was understood.

    `found` holds the distinct canonical addresses and networks in order of first appearance, `cut` counts those left
    off beyond CAP. `reasons` says why nothing was understood, and is empty when something was. `truncated` is true
    when the text was longer than LIMIT and its end was not read.
    """

    found: tuple[str, ...] = ()
    cut: int = 0
    reasons: tuple[str, ...] = ()
    truncated: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The single addresses among `found`."""
        return tuple(text for text in self.found if "/" not in text)

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks among `found`, in CIDR notation."""
        return tuple(text for text in self.found if "/" in text)


def extract(text: str) -> Extraction:
    """The addresses and networks that `text` names. Never raises."""
    head = _head(text)
    clean = _clean(head)
    placed: list[tuple[int, Found]] = []
    reasons: dict[str, None] = {}
    rest = _take_v6(clean, placed, reasons)
    _take_v4(rest, placed, reasons)
    distinct = list(dict.fromkeys(str(found) for _, found in sorted(placed, key=lambda pair: pair[0])))
    if not distinct:
        nothing = "there is no IP address in the text" if text.strip() else "the text is empty"
        return Extraction(reasons=tuple(reasons) or (nothing,), truncated=len(head) < len(text))
    return Extraction(tuple(distinct[:CAP]), max(0, len(distinct) - CAP), (), len(head) < len(text))


def _head(text: str) -> str:
    """The part that is read. It ends before the last token, which the cut may have halved into another address."""
    if len(text) <= LIMIT:
        return text
    head = text[:LIMIT]
    end = max(head.rfind(mark, LIMIT - 256) for mark in " \t\n,;")
    return head[:end] if end >= 0 else ""


_INVISIBLE = "\u00ad\u034f\u061c\u180e\ufeff" + "".join(
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F))
    for code in range(first, last + 1)
)
_DOTS = "\u3002\uff0e\uff61\u2024\u00b7\u2027\u2219\u22c5\u0701\u0702\u06d4\ua4f8\u30fb"
_PLAIN = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(_DOTS, ".")
    | dict.fromkeys(_INVISIBLE, "")
)
# Text in these scripts has no spaces, so a letter of theirs beside an address does not make it part of a word.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LINK = re.compile(r"<(?:[a-z]{1,8}:(?://)?)?([^<>|]{1,2000})\|\1/?>", re.IGNORECASE)
_BRACKETED_DOT = re.compile(
    r"[\[({] {0,3}(?:\.|dot) {0,3}[\])}]|\\\.|(?<=\d)[\[({]\.(?=\d)|(?<=\d)\.[\])}](?=\d)", re.I
)
_BRACKETED_COLON = re.compile(r"[\[({] {0,3}:{1,2} {0,3}[\])}](?![:/]\d)")
_SPACED = re.compile(r"(?<![\w.])[0-9]{1,3}(?:(?:\.|[ \t]{1,4}(?:\.|dot)[ \t]{1,4})[0-9]{1,3}){1,4096}", re.IGNORECASE)
_SEPARATOR = re.compile(r"[ \t]{0,4}(?:\.|dot)[ \t]{0,4}", re.IGNORECASE)


def _clean(text: str) -> str:
    """The text without disguises: one kind of dot and digit, no chat markup, nothing defanged."""
    plain = _UNSPACED.sub(" ", text.translate(_PLAIN))
    unwrapped = re.sub(r"[<>|]", " ", _LINK.sub(r" \1 ", plain))
    colons = _BRACKETED_COLON.sub(lambda match: match[0].strip("[](){} "), unwrapped)
    return _SPACED.sub(_close_up, _BRACKETED_DOT.sub(".", colons))


def _close_up(match: re.Match[str]) -> str:
    """Dots with spaces around them are closed up only in a whole address: "1.2.3.4 · 5.6.7.8" is a list of two."""
    groups = _SEPARATOR.split(match[0])
    return ".".join(groups) if len(groups) == 4 else match[0]


_WORD = re.compile(r"[\w:.]{2,8192}")
_ZONE = re.compile(r"%[\w.~-]{1,64}")
_LABEL = re.compile(r"(?=[\w.]{0,63}[g-z_])[a-z_][\w.]{0,63}:", re.IGNORECASE)
_PREFIX = re.compile(r"/([0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9]{1,3})(?![\w/]|\.\w)")
_EUI64 = re.compile(r"(?:[0-9a-f]{2}:){7}[0-9a-f]{2}", re.IGNORECASE)
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)


def _take_v6(text: str, placed: list[tuple[int, Found]], reasons: dict[str, None]) -> str:
    """Collect IPv6, and return the text with it blanked out so that an embedded quad is not counted again."""
    pieces, done = [], 0
    for match in _WORD.finditer(text):
        if match[0].count(":") < 2 or len(match[0]) > 128:
            continue
        address = next(_v6_readings(match[0]), None)
        if address is None:
            _explain_colons(match[0], reasons)
            continue
        zone = _ZONE.match(text, match.end())
        found, end = _with_prefix(text, address, match.start(), zone.end() if zone else match.end())
        placed.append((match.start(), _unmapped(found)))
        pieces += [text[done : match.start()], " " * (end - match.start())]
        done = end
    return "".join([*pieces, text[done:]])


def _v6_readings(word: str) -> Iterator[IPv6Address]:
    """The word as an IPv6 address: as it stands, without the punctuation around it, without a label such as `src:`."""
    bare = word.strip(".")
    if bare.endswith(":") and not bare.endswith("::"):
        bare = bare[:-1]
    label = _LABEL.match(bare)
    unled = bare[1:] if bare.startswith(":") and not bare.startswith("::") else bare
    for reading in (bare, unled, bare[label.end() :] if label else ""):
        if _is_hardware(reading):
            return
        address = _address(reading)
        if isinstance(address, IPv6Address):
            yield address


def _is_hardware(text: str) -> bool:
    """Eight pairs are an EUI-64 when a pair is zero-padded, as no canonical IPv6 group is, or when they hold ff:fe."""
    if not _EUI64.fullmatch(text):
        return False
    pairs = text.lower().split(":")
    return any(pair.startswith("0") for pair in pairs) or pairs[3:5] == ["ff", "fe"]


def _explain_colons(word: str, reasons: dict[str, None]) -> None:
    if _MAC.fullmatch(word) or _EUI64.fullmatch(word):
        reasons["a MAC address is not an IP address"] = None
    elif re.fullmatch(r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}", word):
        reasons["a clock time is not an IP address"] = None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _with_prefix(text: str, address: IPv4Address | IPv6Address, start: int, end: int) -> tuple[Found, int]:
    """The network when a prefix or netmask follows, else the address; and where it ends.

    In a web address the part after the slash is a path, unless what is before it is the exact start of that network.
    """
    match = _PREFIX.match(text, end)
    if not match:
        return address, end
    try:
        network = ip_network(f"{address}/{match[1]}", strict=False)
    except ValueError:
        return address, end
    in_url = text.endswith("://", max(0, start - 3), start)
    if in_url and network.network_address != address:
        return address, end
    return network, match.end()


def _unmapped(found: Found) -> Found:
    """IPv4 written as IPv6 (::ffff:0:0/96, RFC 4291 section 2.5.5.2) as the IPv4 that it is."""
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or found
    if isinstance(found, IPv6Network) and found.prefixlen >= 96 and found.network_address.ipv4_mapped:
        return IPv4Network((int(found.network_address.ipv4_mapped), found.prefixlen - 96))
    return found


_NUMBERS = re.compile(r"(?<!\w)(?<!\w\.)(?<!\w\.\.)[0-9]{1,12}(?:\.[0-9]{1,12}){0,8}(?!\w|\.{1,2}\w)")
_HEX = re.compile(r"\b0x[0-9a-f]{6,16}\b", re.IGNORECASE)
_VERSION = re.compile(
    r"(?:\b(?:version|ver|v|build|release|firmware)[.:= ]{0,3}|(?:^|(?<=[\s(;]))[a-z][a-z0-9_-]{0,40}/)\Z",
    re.IGNORECASE,
)


def _take_v4(text: str, placed: list[tuple[int, Found]], reasons: dict[str, None]) -> None:
    """Collect IPv4, and note why what looked like it was passed over."""
    position = 0
    while match := _NUMBERS.search(text, position):
        position = match.end()
        reason = _objection(match[0], text[max(0, match.start() - 48) : match.start()])
        address = None if reason else _address(match[0])
        if address is None:
            reasons.update({reason: None} if reason else {})
            continue
        found, position = _with_prefix(text, address, match.start(), match.end())
        placed.append((match.start(), found))
    if _HEX.search(text):
        reasons["an address written as one number is ambiguous"] = None


def _objection(numbers: str, before: str) -> str:
    """Why dotted numbers are not an address, or an empty string."""
    groups = numbers.split(".")
    if len(groups) == 1:
        return "an address written as one number is ambiguous" if len(numbers) >= 8 else ""
    if len(groups) != 4:
        return "an IPv4 address has exactly four numbers" if len(groups) > 2 else ""
    if any(len(group) > 1 and group.startswith("0") for group in groups):
        return "leading zeros are ambiguous"
    if any(int(group) > 255 for group in groups):
        return "no number of an IPv4 address is above 255"
    return "this looks like a version number" if _VERSION.search(before) else ""


_NOT_PUBLIC = tuple(
    (ip_network(network), phrase)
    for phrase, networks in {
        # https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16: blocking it breaks DNS,
        # health probes and the agent, and Python calls it global.
        "Azure platform address": "168.63.129.16",
        "cloud metadata address": "169.254.169.254 fd00:ec2::254",
        # The rest follows https://www.iana.org/assignments/iana-ipv4-special-registry and the IPv6 one beside it. It
        # is spelled out because the properties of `ipaddress` changed between patch releases of Python.
        "unspecified address": "0.0.0.0/8 ::",
        "private network": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 64:ff9b:1::/48",
        "carrier-grade NAT range": "100.64.0.0/10",
        "loopback": "127.0.0.0/8 ::1",
        "link-local range": "169.254.0.0/16 fe80::/10",
        "documentation range": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        "benchmarking range": "198.18.0.0/15 2001:2::/48",
        "protocol assignment range": "192.0.0.0/24 2001::/23",
        "6to4 relay range": "192.88.99.0/24",
        "multicast": "224.0.0.0/4 ff00::/8",
        "broadcast address": "255.255.255.255",
        "reserved range": "240.0.0.0/4 100::/64 5f00::/16 fec0::/10",
    }.items()
    for network in networks.split()
)
# Each of these hides an IPv4 address behind so many bits. Teredo (RFC 4380) keeps the client's inverted.
_TEREDO = IPv6Network("2001::/32")
_TUNNELS = {
    _TEREDO: 96,
    IPv6Network("64:ff9b::/96"): 96,
    IPv6Network("::ffff:0:0/96"): 96,
    IPv6Network("2002::/16"): 16,
}


def is_public(address: object) -> bool:
    """Whether an address, or every part of a network, belongs to the public internet. Never raises."""
    return why_not_public(address) is None


def why_not_public(address: object) -> str | None:
    """Why an address or network is not public, as a short phrase such as "private network"; None when it is.

    IPv4 inside IPv6 (mapped, 6to4, NAT64, Teredo) is judged as the IPv4 that traffic would reach. Never raises.
    """
    try:
        outer = ip_network(_ZONE.sub("", str(address)), strict=False)
    except ValueError:
        return "not an IP address"
    network = _carried(outer)
    for special, phrase in _NOT_PUBLIC:
        if special.version == network.version and special.overlaps(network):
            return phrase
    ends = (network.network_address, network.broadcast_address)
    return (
        None
        if all(end.is_global and not end.is_multicast and not end.is_reserved for end in ends)
        else "reserved range"
    )


def _carried(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """The IPv4 that a network of IPv6 carries, or the network itself. One wider than a tunnel carries all of IPv4."""
    for tunnel, bits in _TUNNELS.items() if isinstance(network, IPv6Network) else ():
        if network.overlaps(tunnel):
            value = int(network.network_address) >> (96 - bits) & 0xFFFFFFFF
            flipped = value ^ 0xFFFFFFFF if tunnel == _TEREDO else value
            return IPv4Network((flipped, min(32, max(0, network.prefixlen - bits))), strict=False)
    return network
