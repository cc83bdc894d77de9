"""Makes a PNG of a flat page smaller without a change to its pixels: https://www.w3.org/TR/png-3/

Browsers filter each row for photographs. Letters and plain areas compress better unfiltered.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

RGB = 3  # bytes for each pixel
_SIGNATURE = 8


def pack(picture: Path) -> None:
    """Rewrite the file. Raises ValueError for anything but the opaque 8-bit pictures that Chromium makes."""
    whole = picture.read_bytes()
    chunks = _chunks(whole)
    head = chunks[0][1]
    width, _, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", head)
    if (depth, colour, interlace) != (8, 2, 0):
        raise ValueError(f"{picture} is not an opaque 8-bit picture")
    filtered = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
    pixels = zlib.compress(b"".join(b"\0" + row for row in _rows(filtered, width * RGB)), 9)
    made = ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b""))
    picture.write_bytes(whole[:_SIGNATURE] + b"".join(_chunk(name, data) for name, data in made))


def _chunks(whole: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], _SIGNATURE
    while at < len(whole):
        (length,) = struct.unpack_from(">I", whole, at)
        found.append((whole[at + 4 : at + 8], whole[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _rows(filtered: bytes, length: int) -> list[bytearray]:
    """The rows as they were before they were filtered."""
    rows = [bytearray(length)]
    for start in range(0, len(filtered), length + 1):
        row = bytearray(filtered[start + 1 : start + 1 + length])
        _restore(filtered[start], row, rows[-1])
        rows.append(row)
    return rows[1:]


def _restore(kind: int, row: bytearray, above: bytearray) -> None:
    for i in range(len(row)) if kind else ():
        left, corner = (row[i - RGB], above[i - RGB]) if i >= RGB else (0, 0)
        guess = (0, left, above[i], (left + above[i]) >> 1, _paeth(left, above[i], corner))[kind]
        row[i] = (row[i] + guess) & 255


def _paeth(left: int, above: int, corner: int) -> int:
    near = left + above - corner
    return min((left, above, corner), key=lambda value: abs(near - value))
