"""The store on SQL: one transaction over every repository, the audit chain and the durable work."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.audit import Break, Head
from bot.domain.work import Job
from bot.services.storage import Audit, Deliveries, Detections, Directory, Inbox, Incidents, Requests
from bot.store.audit_log import SqlAudit, read_head, verify_chain
from bot.store.database import Database
from bot.store.deliveries import SqlDeliveries
from bot.store.detections import SqlDetections
from bot.store.directory import SqlDirectory
from bot.store.inbox import SqlInbox
from bot.store.incidents import SqlIncidents
from bot.store.requests import SqlRequests

Enqueue = Callable[[sa.Connection, Job], None]
"""Adds a job on a synchronous connection, in the transaction that is open on it."""


class SqlTransaction:
    """Implements `Transaction`."""

    def __init__(self, connection: AsyncConnection, audit: Audit, enqueue: Enqueue) -> None:
        self._connection, self._enqueue = connection, enqueue
        self.detections: Detections = SqlDetections(connection)
        self.incidents: Incidents = SqlIncidents(connection)
        self.deliveries: Deliveries = SqlDeliveries(connection)
        self.requests: Requests = SqlRequests(connection)
        self.directory: Directory = SqlDirectory(connection)
        self.inbox: Inbox = SqlInbox(connection)
        self.audit: Audit = audit

    async def enqueue(self, job: Job) -> None:
        """Add durable work: it runs if, and only if, this transaction commits."""
        await self._connection.run_sync(self._enqueue, job)


class SqlStore:
    """Implements `Store`. Without an audit key the chain proves its consistency alone, not who wrote it."""

    def __init__(self, database: Database, *, audit_key: SecretStr | None, enqueue: Enqueue) -> None:
        self._database, self._enqueue = database, enqueue
        self._key = audit_key.get_secret_value().encode() if audit_key is not None else b""

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[SqlTransaction]:
        """A transaction that may change things. Nothing outside the database may happen inside it."""
        async with self._database.write() as connection:
            audit = SqlAudit(connection, self._key)
            yield SqlTransaction(connection, audit, self._enqueue)
            await audit.seal()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[SqlTransaction]:
        """A transaction that only reads; the database refuses any change in it."""
        async with self._database.read() as connection:
            audit = SqlAudit(connection, self._key)
            yield SqlTransaction(connection, audit, self._enqueue)
            await audit.seal()

    async def verify_chain(self) -> Break | None:
        """The first break in the audit chain, None when it stands as written."""
        async with self._database.read() as connection:
            return await verify_chain(connection, self._key)

    async def audit_head(self) -> Head:
        """The end of the audit chain, to be published outside the database: only that shows a chain cut together."""
        async with self._database.read() as connection:
            return await read_head(connection)
