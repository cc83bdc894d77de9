"""Hands work to the engine from a process that does not run it."""

from __future__ import annotations

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions

from bot.domain.work import Job

APPLICATION = "tocsin"


class EngineClient:
    """Adds jobs to the engine's tables, which a started engine must have made before."""

    def __init__(self, database: sa.Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=database,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
        )

    def enqueue(self, connection: sa.Connection, job: Job) -> None:
        """Add the job in the caller's transaction: it runs if, and only if, that commits."""
        options: EnqueueOptions = {"workflow_name": job.kind, "queue_name": job.queue, "workflow_id": job.id}
        if job.partition is not None:
            options["queue_partition_key"] = job.partition
        self._client.enqueue_in_transaction(connection, options, job.key)

    def close(self) -> None:
        """Release what the client holds; the database engine stays open."""
        self._client.destroy()
