"""What the columns of our tables hold, the same on every database.

Moments are stored as whole microseconds since the Unix epoch, which sorts and compares the same everywhere.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from bot.domain.fingerprint import canonical_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# PostgreSQL stores neither; log rows are written by strangers, and one sign must not stop a detection.
# https://www.postgresql.org/docs/current/datatype-character.html
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """The text as it comes back from every database: NUL and lone surrogates have become U+FFFD."""
    return _NOT_STORABLE.sub("\ufffd", text)


def plain(value: Any) -> Any:
    """The JSON value that comes back after `value` was stored: moments are ISO 8601 texts, tuples lists."""
    return json.loads(canonical_json(value))


def since_epoch(microseconds: int) -> datetime:
    """The moment that many microseconds after the epoch, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


class Moment(TypeDecorator[datetime]):
    """An aware moment, kept as microseconds since the epoch."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """Refuse naive moments: their zone would be a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone cannot be stored: {value}")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Always UTC."""
        return None if value is None else since_epoch(value)


class Span(TypeDecorator[timedelta]):
    """A length of time, kept as microseconds."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """Whole microseconds."""
        return None if value is None else value // _MICROSECOND

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> timedelta | None:  # noqa: ARG002
        """The same length."""
        return None if value is None else timedelta(microseconds=value)


class Words(TypeDecorator[str]):
    """Text that strangers may have written, made storable."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """See `storable`."""
        return None if value is None else storable(value)


class Document(TypeDecorator[Any]):
    """A JSON value, kept as its canonical text, so that one value is one text on every database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """None is NULL. Raises TypeError for what has no stable text."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        """See `plain`."""
        return None if value is None else json.loads(value)
