"""Keeps an answer address unreadable at rest.

A response URL lets anybody who has it speak in the bot's name for 30 minutes, so it is a secret, and no secret is
stored in the clear. It is sealed with a key made from the signing secret, which is not in the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

_PURPOSE = b"tocsin answer address v1"
_NONCE = 12
"""Bytes: what https://doi.org/10.6028/NIST.SP.800-38D recommends for AES-GCM."""


class Seal:
    """Seals and opens with one key."""

    def __init__(self, signing_secret: SecretStr) -> None:
        key = hmac.new(signing_secret.get_secret_value().encode(), _PURPOSE, hashlib.sha256).digest()
        self._cipher = AESGCM(key)

    def close(self, address: SecretStr) -> str:
        """The address, unreadable."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, address.get_secret_value().encode(), _PURPOSE)
        return base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str) -> SecretStr | None:
        """The address; None when it was sealed with another signing secret or changed since."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return SecretStr(self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], _PURPOSE).decode())
        except (binascii.Error, InvalidTag, ValueError):
            return None
