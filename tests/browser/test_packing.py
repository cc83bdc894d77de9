"""A packed picture shows the same pixels."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import pytest

from scripts.packing import pack

WIDTH, HEIGHT = 5, 10


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(body: bytes, colour: int = 2) -> bytes:
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(body)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def filtered(kind: int, row: bytes, above: bytes) -> bytes:
    """A row as an encoder writes it: https://www.w3.org/TR/png-3/#9Filter-types"""
    made = [kind]
    for i, value in enumerate(row):
        a, b, c = (row[i - 3] if i > 2 else 0), above[i], (above[i - 3] if i > 2 else 0)
        p = a + b - c
        distances = [abs(p - a), abs(p - b), abs(p - c)]
        paeth = (a, b, c)[distances.index(min(distances))]
        made.append((value - [0, a, b, (a + b) // 2, paeth][kind]) % 256)
    return bytes(made)


def test_every_way_to_filter_a_row_is_undone(tmp_path: Path):
    chance = random.Random(7)
    rows = [chance.randbytes(WIDTH * 3) for _ in range(HEIGHT)]
    above = [bytes(WIDTH * 3), *rows]
    picture = tmp_path / "picture.png"
    picture.write_bytes(png(b"".join(filtered(y % 5, rows[y], above[y]) for y in range(HEIGHT))))
    pack(picture)
    assert picture.read_bytes() == png_at_best(b"".join(b"\0" + row for row in rows))


def png_at_best(body: bytes) -> bytes:
    return png(body).replace(chunk(b"IDAT", zlib.compress(body)), chunk(b"IDAT", zlib.compress(body, 9)))


def test_a_picture_with_transparency_is_refused(tmp_path: Path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(png(bytes(HEIGHT * (1 + WIDTH * 4)), colour=6))
    with pytest.raises(ValueError, match="opaque"):
        pack(picture)
