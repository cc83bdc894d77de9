"""KQL over a Log Analytics workspace. The only module that imports azure-monitor-query, and only when used."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.domain.table import Cell, Table, Window
from bot.errors import QueryRefused, SourceError, SourceUnavailable
from bot.logs.normal import cell, dynamic

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

ENDPOINT = "https://api.loganalytics.azure.com"
CONCURRENT = 4
"""One below the five that the service runs at once for one identity, so that a person's query still gets in:
https://learn.microsoft.com/azure/azure-monitor/service-limits#query-api."""

MAX_ROWS = 500_000
"""The service cuts an answer here: https://learn.microsoft.com/azure/azure-monitor/service-limits#query-api."""

_LONGEST = timedelta(minutes=10)
_GRACE = 20
_POSITION = re.compile(r"\[line,position\]: \[(\d+),(\d+)\]|\[line:position=(\d+):(\d+)\]")


class AzureLogs:
    """A LogSource over the workspace with the GUID `workspace_id`.

    `pin` writes the clock into the text of a query, because the service has no setting for it. `timeout` (at most 10
    minutes) bounds the run time in the service; queueing here is not counted. Nothing is retried here: the caller
    repeats the slot. An answer that the service or its row limit cut short comes back with `partial` and a note.
    `credential` None means an endpoint without sign-in; a given one is closed by `aclose`.
    """

    def __init__(
        self,
        workspace_id: str,
        *,
        pin: Callable[[str, datetime], str],
        credential: AsyncTokenCredential | None,
        endpoint: str = ENDPOINT,
        timeout: timedelta = timedelta(minutes=3),
        concurrent: int = CONCURRENT,
    ) -> None:
        self._workspace, self._pin, self._credential = workspace_id, pin, credential
        self._seconds = max(1, int(min(timeout, _LONGEST).total_seconds()))
        self._client = _client(endpoint, credential)
        self._slots = asyncio.Semaphore(concurrent)

    async def query(self, kql: str, *, window: Window, clock: datetime) -> Table:
        """See `LogSource.query`."""
        if window.start.tzinfo is None or window.end.tzinfo is None:
            raise ValueError("a window needs aware times")
        text = self._pin(kql, clock)
        async with self._slots:
            result = await self._ask(text, window)
        return await asyncio.to_thread(_table, result)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._credential is not None:
            await self._credential.close()

    async def _ask(self, text: str, window: Window) -> Any:
        from azure.core.exceptions import AzureError

        bound = self._seconds + _GRACE
        try:
            # The client's own `timeout` does not stop a slow answer; this one does.
            async with asyncio.timeout(bound + 5):
                # A tuple: the client sends a zero timedelta as no bound at all.
                return await self._client.query_workspace(
                    self._workspace,
                    text,
                    timespan=(window.start, window.end),
                    server_timeout=self._seconds,
                    read_timeout=bound,
                )
        except TimeoutError:
            raise self._slow() from None
        except AzureError as error:
            raise self._in_words(error) from error

    def _in_words(self, error: Any) -> SourceError:
        status = getattr(error, "status_code", None)
        if status == 400:
            return QueryRefused(_refusal(error))
        if status in (408, 504) or type(error).__name__ == "ServiceResponseTimeoutError":
            return self._slow()
        if status == 429:
            return SourceUnavailable(
                "Log Analytics is throttling this identity. Wait, or run fewer rules at once.",
                retry_after=_retry_after(error),
            )
        if status == 403:
            return SourceUnavailable(
                f"Log Analytics refuses workspace {self._workspace} to this identity (403). "
                "Give it the role Log Analytics Reader on the workspace."
            )
        if status == 404:
            return SourceUnavailable(
                f"There is no workspace {self._workspace} (404). Check LOG_ANALYTICS_WORKSPACE_ID: it is the GUID."
            )
        if status == 401 or type(error).__name__ in ("ClientAuthenticationError", "CredentialUnavailableError"):
            return SourceUnavailable(f"The sign-in to Azure failed: {_first(error)}. Check AZURE_CREDENTIAL.")
        if status is not None:
            return SourceUnavailable(
                f"Log Analytics answered {status}. It is retried; see https://azure.status.microsoft if it lasts.",
                retry_after=_retry_after(error),
            )
        return SourceUnavailable(f"Log Analytics cannot be reached: {_first(error)}. Check LOG_ANALYTICS_ENDPOINT.")

    def _slow(self) -> SourceUnavailable:
        return SourceUnavailable(
            f"The query ran longer than {self._seconds} s in Log Analytics and was stopped. Narrow it, or its period."
        )


def _client(endpoint: str, credential: AsyncTokenCredential | None) -> Any:
    from azure.core.pipeline.policies import SansIOHTTPPolicy
    from azure.monitor.query.aio import LogsQueryClient

    # No retries inside: the default runs a query that timed out after three minutes three more times.
    if credential is not None:
        return LogsQueryClient(credential, endpoint=endpoint, retry_total=0)
    none: Any = object()
    return LogsQueryClient(none, endpoint=endpoint, authentication_policy=SansIOHTTPPolicy(), retry_total=0)


def _refusal(error: Any) -> str:
    said = str(getattr(error.model, "message", None) or _first(error))
    found = _POSITION.search(str(error)) or _POSITION.search(said)
    where = ":".join(part for part in found.groups() if part) + ": " if found else ""
    return f"{where}Log Analytics refuses the query: {said.rstrip('.')}. Mend the rule."


def _retry_after(error: Any) -> float | None:
    headers = error.response.headers if error.response is not None else {}
    value = headers.get("Retry-After", "")
    return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else None


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(".") or type(error).__name__


def _table(result: Any) -> Table:
    failed = getattr(result, "partial_error", None)
    tables = result.partial_data if failed is not None else result.tables
    note = f"Log Analytics left rows out ({failed.message or failed.code}). Narrow the query." if failed else ""
    if not tables:
        return Table((), (), failed is not None, note)
    first = tables[0]
    names = tuple(first.columns)
    reads = [_reader(kind) for kind in first.columns_types]
    rows = tuple({name: read(value) for name, read, value in zip(names, reads, row, strict=True)} for row in first.rows)
    if len(rows) >= MAX_ROWS and not note:
        note = f"The answer reached the limit of {MAX_ROWS} rows: rows may be missing. Narrow the query."
    return Table(names, rows, bool(note), note)


def _reader(kind: str) -> Callable[[Any], Cell]:
    if kind == "dynamic":
        return dynamic
    return _number if kind in ("real", "decimal") else cell


def _number(value: Any) -> Cell:
    # A decimal arrives as text, and so do NaN and the infinities.
    return cell(float(value)) if isinstance(value, (str, int)) else cell(value)
