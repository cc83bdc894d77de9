"""A load of signed slash commands over keep-alive connections, in a process of its own.

Usage: python bench/load.py URL SIGNING_SECRET CONNECTIONS SECONDS ANSWER_URL
Prints one JSON object: requests, rps, p50_ms, p99_ms, not_ok.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from urllib.parse import urlencode, urlsplit

PATH = "/slack/events"


def signed(secret: bytes, host: str, text: str, number: int, answer: str) -> bytes:
    """A `/ipcheck` command as Slack sends it; the number makes each one a request of its own."""
    body = urlencode(
        {
            "command": "/ipcheck",
            "text": text,
            "user_id": "U0ANA",
            "user_name": "ana",
            "channel_id": "C0SECOPS",
            "team_id": "T0TOCSIN",
            "api_app_id": "A0TOCSIN",
            "trigger_id": f"1.{number}",
            "response_url": answer,
        }
    ).encode()
    stamp = str(int(time.time()))
    signature = "v0=" + hmac.new(secret, f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def connection(
    host: str, port: int, secret: bytes, until: float, worker: int, answer: str, out: list[tuple[float, bool]]
):
    reader, writer = await asyncio.open_connection(host, port)
    number = 0
    while time.perf_counter() < until:
        request = signed(secret, host, "203.0.113.66", worker * 10_000_000 + number, answer)
        number += 1
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        await reader.readexactly(length)
        out.append((time.perf_counter() - began, head.startswith(b"HTTP/1.1 200")))
    writer.close()


async def run(url: str, secret: str, connections: int, seconds: float, answer: str) -> dict[str, float]:
    parts = urlsplit(url)
    out: list[tuple[float, bool]] = []
    began = time.perf_counter()
    until = began + seconds
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    await asyncio.gather(*(connection(host, port, secret.encode(), until, n, answer, out) for n in range(connections)))
    took = time.perf_counter() - began
    times = sorted(each for each, _ in out)
    return {
        "requests": len(out),
        "rps": round(len(out) / took, 1),
        "p50_ms": round(times[len(times) // 2] * 1000, 2),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 2),
        "not_ok": sum(not ok for _, ok in out),
    }


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]))))
