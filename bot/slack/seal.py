"""Keeps an answer address unreadable at rest.

A response URL lets anybody who has it speak in the bot's name for 30 minutes, so it is a secret, and no secret is
stored in the clear. It is sealed with a key made from the signing secret, which is not in the database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

_PURPOSE = b"tocsin answer address v1"


class Seal:
    """Seals and opens with one key."""

    def __init__(self, signing_secret: SecretStr) -> None:
        key = hmac.new(signing_secret.get_secret_value().encode(), _PURPOSE, hashlib.sha256).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def close(self, address: SecretStr) -> str:
        """The address, unreadable."""
        return self._fernet.encrypt(address.get_secret_value().encode()).decode("ascii")

    def open(self, sealed: str) -> SecretStr | None:
        """The address; None when it was sealed with another signing secret or changed since."""
        try:
            return SecretStr(self._fernet.decrypt(sealed.encode()).decode())
        except InvalidToken:
            return None
