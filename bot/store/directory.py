"""Groups and names of the chat platform, in SQL."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.statements import insert_new, insert_new_rows
from bot.store.tables import members, people


class SqlDirectory:
    """Implements `Directory` on one transaction's connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def groups_of(self, user_id: str) -> frozenset[str]:
        """The groups that the person was last seen in."""
        found = await self._connection.execute(sa.select(members.c.group_id).where(members.c.user_id == user_id))
        return frozenset(found.scalars())

    async def set_group(self, group_id: str, user_ids: Sequence[str]) -> None:
        """Replace a group's members."""
        await self._connection.execute(members.delete().where(members.c.group_id == group_id))
        rows = [{"group_id": group_id, "user_id": user_id} for user_id in sorted(set(user_ids))]
        await insert_new_rows(self._connection, members, rows, members.c.user_id)

    async def name(self, user_id: str) -> str | None:
        """The name that the person was last seen with."""
        found = await self._connection.execute(sa.select(people.c.name).where(people.c.user_id == user_id))
        return found.scalar_one_or_none()

    async def set_name(self, user_id: str, name: str) -> None:
        """Remember a person's name."""
        if not await insert_new(self._connection, people, {"user_id": user_id, "name": name}):
            await self._connection.execute(people.update().where(people.c.user_id == user_id).values(name=name))
