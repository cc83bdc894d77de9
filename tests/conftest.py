"""House rules for every test: no socket reaches anything but loopback."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

import pytest

_connect = socket.socket.connect


def _only_loopback(self: socket.socket, address: object) -> None:
    if self.family != socket.AF_UNIX:
        host = address[0] if isinstance(address, tuple) else str(address)
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"a test tried to reach {host}: only loopback is allowed")
    _connect(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _only_loopback)
    yield
    patch.undo()
