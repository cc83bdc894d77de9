"""The audit chain, in SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit import Break, Entry, Head, Sealed, append, verify
from bot.errors import StoreError
from bot.store.columns import plain, since_epoch, storable
from bot.store.tables import audit, audit_head

_BATCH = 500


class SqlAudit:
    """Implements `Audit` on one transaction's connection.

    Every writer needs the end of the chain, so it is locked last and shortly: entries wait until `seal`, which the
    transaction calls before it commits. Locked at the first entry, two transactions could wait for each other.
    """

    def __init__(self, connection: AsyncConnection, key: bytes) -> None:
        self._connection, self._key = connection, key
        self._waiting: list[Entry] = []

    async def append(self, entry: Entry) -> None:
        """Seal an entry behind the last one when the transaction commits."""
        self._waiting.append(_as_stored(entry))

    async def of(self, subjects: Sequence[str]) -> list[Entry]:
        """The entries about these things, oldest first, those of this transaction included."""
        await self.seal()
        about = sa.select(audit).where(audit.c.subject.in_([storable(each) for each in subjects]))
        return [_entry(row) for row in await self._connection.execute(about.order_by(audit.c.seq))]

    async def seal(self) -> None:
        """Seal what waits."""
        if not self._waiting:
            return
        head = await read_head(self._connection, to_change=True)
        rows = []
        for entry in self._waiting:
            sealed, head = append(self._key, head, entry)
            rows.append(_values(sealed))
        await self._connection.execute(audit.insert(), rows)
        await self._connection.execute(audit_head.update().values(seq=head.seq, seal=head.seal))
        self._waiting = []


async def read_head(connection: AsyncConnection, *, to_change: bool = False) -> Head:
    """The recorded end of the chain. Raises StoreError when it was taken away."""
    query = sa.select(audit_head.c.seq, audit_head.c.seal)
    row = (await connection.execute(query.with_for_update() if to_change else query)).first()
    if row is None:
        raise StoreError("The end of the audit record (table tocsin_audit_head) is gone. Restore it from a backup.")
    return Head(row.seq, row.seal)


async def verify_chain(connection: AsyncConnection, key: bytes) -> Break | None:
    """The first break in the chain, or None. Reads in batches; the loop goes on in between."""
    head = await read_head(connection)
    return await connection.run_sync(lambda sync: verify(key, _links(sync), head))


def _links(connection: sa.Connection) -> Iterator[Sealed]:
    last: int | None = None
    while True:
        page = _RAW if last is None else _RAW.where(audit.c.seq > last)
        rows = connection.execute(page.order_by(audit.c.seq).limit(_BATCH)).all()
        yield from map(_sealed, rows)
        if len(rows) < _BATCH:
            return
        last = rows[-1].seq


_RAW = sa.select(
    audit.c.seq,
    # As they lie in the table: what somebody wrote there by hand may be no moment and no JSON.
    sa.type_coerce(audit.c.at, sa.BigInteger).label("at"),
    audit.c.actor,
    audit.c.action,
    audit.c.subject,
    sa.type_coerce(audit.c.before, sa.Text).label("before"),
    sa.type_coerce(audit.c.after, sa.Text).label("after"),
    audit.c.previous,
    audit.c.seal,
)


def _sealed(row: Any) -> Sealed:
    """The link; one that somebody made unreadable is such that its seal cannot hold."""
    try:
        at, before, after = since_epoch(row.at), dict(json.loads(row.before)), dict(json.loads(row.after))
    except (ValueError, TypeError, OverflowError):
        at, before, after = since_epoch(0), {"unreadable": str(row.before)}, {"unreadable": str(row.after)}
    entry = Entry(at, str(row.actor), str(row.action), str(row.subject), before, after)
    return Sealed(row.seq, entry, str(row.previous), str(row.seal))


def _as_stored(entry: Entry) -> Entry:
    """The entry as it will be read again: what is sealed must be what is stored."""
    return Entry(
        entry.at,
        storable(entry.actor),
        storable(entry.action),
        storable(entry.subject),
        plain(entry.before),
        plain(entry.after),
    )


def _values(sealed: Sealed) -> dict[str, Any]:
    entry = sealed.entry
    return {
        "seq": sealed.seq,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "before": entry.before,
        "after": entry.after,
        "previous": sealed.previous,
        "seal": sealed.seal,
    }


def _entry(row: Any) -> Entry:
    return Entry(row.at, row.actor, row.action, row.subject, row.before, row.after)
