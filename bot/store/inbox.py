"""Requests from the chat platform that were taken, in SQL."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.statements import insert_new
from bot.store.tables import inbox


class SqlInbox:
    """Implements `Inbox` on one transaction's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, key: str, at: datetime) -> bool:
        """Note a request. False when it is known already."""
        return await insert_new(self._connection, inbox, {"key": key, "received_at": at})
