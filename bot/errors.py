"""Every error that Tocsin raises on purpose.

    TocsinError                 what happened, to which thing, what to do now
    ├── ConfigError             wrong settings, all of them at once
    ├── RuleError               a rule file, with line and column
    ├── TemplateError           a template, with its name and line
    ├── SourceError             a query could not be answered
    │   ├── QueryRefused        the query is wrong or not supported here: do not retry
    │   ├── UnreadableLog       a log file cannot be read: named, with the line
    │   └── SourceUnavailable   throttled, timed out or down: retry later
    ├── StoreError              the database
    │   └── StoreInUse          another process holds it
    └── NotFound                no such incident, rule or request

Chat and intel results that are part of normal life (rate limits, quota, refusals) are values, not exceptions.
"""

from __future__ import annotations

from pathlib import Path


class TocsinError(Exception):
    """An error with a sentence for the person who must act."""


class ConfigError(TocsinError):
    """Settings that cannot be used. `mistakes` lists every one of them."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        count = "one mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(f"The configuration has {count}:\n" + "\n".join(f"  - {m}" for m in mistakes))


class RuleError(TocsinError):
    """A rule file that cannot be used. `line` and `column` count from 1, 0 when unknown."""

    def __init__(self, path: Path, message: str, *, line: int = 0, column: int = 0) -> None:
        self.path, self.line, self.column, self.message = path, line, column, message
        where = f"{path}:{line}:{column}" if line else str(path)
        super().__init__(f"{where}: {message}")


class TemplateError(TocsinError):
    """A template that cannot be rendered."""


class SourceError(TocsinError):
    """A log source did not answer a query."""


class QueryRefused(SourceError):
    """The query is wrong, or not supported by this source. Retrying changes nothing."""


class UnreadableLog(SourceError):
    """A log file cannot be read."""


class SourceUnavailable(SourceError):
    """The source is down, slow or throttling. `retry_after` is in seconds, when the source named it."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class StoreError(TocsinError):
    """The database cannot be used as asked."""


class StoreInUse(StoreError):
    """Another process holds the database."""


class NotFound(TocsinError):
    """No such incident, rule or request."""
