"""Logs: one line for each event, to one stream, with no secret in it.

Everything that is logged in this process, also by the libraries, takes this way: the traceback becomes text, secrets
are replaced, and whatever could end a line or steer a terminal is written as an escape. The time is ISO in UTC.
"""

from __future__ import annotations

import json as jsonlib
import logging
import math
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"

SHORTEST = 4
"""Signs of the shortest value that is looked for: replacing shorter ones would garble every line and hide nothing."""

_DEEPEST = 6
_QUIET = ("dbos", "httpx", "httpcore", "azure", "aiosqlite", "aiohttp.access")
_OWN_HANDLERS = ("dbos", "uvicorn", "uvicorn.error", "uvicorn.access", "slack_bolt", "slack_sdk", "aiohttp", "httpx")
"""Loggers to which their libraries attach handlers of their own."""

_SHAPES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\bx(?:ox[a-z]|app)-[\w.-]+", HIDDEN),
        (r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?", HIDDEN),
        # Whoever has the address that came with a command can speak in the bot's name: it is all secret.
        (r"(https://hooks\.slack\.com/)[^\s\"'<>|]+", rf"\1{HIDDEN}"),
        (r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}", rf"\1{HIDDEN}"),
        (r"(?i)(authorization\W{1,6}basic\s+)[\w+/=-]+", rf"\1{HIDDEN}"),
        # AbuseIPDB takes its key in a header named Key. As a header line, in a dict, and in a list of pairs.
        (r"""(?<![\w-])(['"]?Key['"]?\s*[:=]\s*b?['"]?)[^\s'",;)}\]]+""", rf"\1{HIDDEN}"),
        (r"""(?i)(?<![\w-])(['"]?key['"]?\s*[:=]\s*b?['"]?)[A-Za-z0-9]{24,}""", rf"\1{HIDDEN}"),
        (r"""(?i)(['"]key['"],\s*b?['"])[^'"]+""", rf"\1{HIDDEN}"),
        (r"(://[^\s/:@]*:)[^\s/@]+(?=@)", rf"\1{HIDDEN}"),
    )
)


class Redactor:
    """Replaces secrets by `***`: the values that it was given, however they are written, and what looks like one."""

    def __init__(self, secrets: Iterable[SecretStr] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret.get_secret_value())}
        # The longest first: a value may begin with another one.
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """The text without its secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern, replacement in _SHAPES:
            text = pattern.sub(replacement, text)
        return text

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """The event as plain values without secrets, for the renderer."""
        return {self.text(str(key)): self._plain(value) for key, value in event.items()}

    def _plain(self, value: object, depth: int = 0) -> Any:
        if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        if isinstance(value, Mapping) and depth < _DEEPEST:
            return {self.text(str(key)): self._plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
            return [self._plain(item, depth + 1) for item in value]
        return self.text(str(value))


class OneLine(logging.StreamHandler[TextIO]):
    """Writes lines. What cannot be written is told by its place, because Python's own way shows the arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, the library's name
        """Say where the line stands that could not be made."""
        kind = getattr(sys.exc_info()[0], "__name__", "error")
        place = escaped(f"{record.pathname}:{record.lineno}")
        try:
            self.stream.write(f"error {escaped(record.name)} a line could not be logged ({kind}) at {place}\n")
            self.flush()
        except (OSError, ValueError):
            return  # The stream itself is closed or full: there is nowhere left to say it.


def configure(
    level: str, *, json: bool, redactor: Redactor | None = None, stream: TextIO | None = None
) -> logging.Handler:
    """Send every log line of this process to `stream` (standard error), from `level` on. Repeating it replaces it.

    Call it before the durable engine is made: its library attaches a handler of its own where it finds none. Run
    uvicorn with `log_config=None`.
    """
    handler = OneLine(stream or sys.stderr)
    handler.name = "tocsin"
    handler.setFormatter(_formatter(redactor or Redactor(), json=json))
    _attach(handler, level)
    structlog.configure(
        processors=[*_first_steps(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return handler


def escaped(text: str) -> str:
    """The text with every sign that is not printable written as an escape, such as \\n or \\u202e."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


def _attach(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if other.name != handler.name] + [handler]
    root.setLevel(level)
    for name in _OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    # dbos adds a handler and stops propagation when its logger has none.
    engine = logging.getLogger("dbos")
    engine.handlers, engine.propagate = [handler], False
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


def _formatter(redactor: Redactor, *, json: bool) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_first_steps(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redactor,
            _as_json if json else _as_text,
        ],
    )


def _first_steps() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    # ASCII only: what could end a line or steer a terminal is an escape.
    return jsonlib.dumps(event)


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """`time level logger message key=value …`. The message is quoted where it could be taken for a field."""
    message = str(event.pop("event", ""))
    head = [event.pop("time"), event.pop("level"), event.pop("logger", "-")]
    said = _quoted(message) if "=" in message or message.startswith('"') else escaped(message)
    return " ".join([*map(escaped, head), said, *(f"{_word(key)}={_word(value)}" for key, value in event.items())])


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else jsonlib.dumps(value)
    return text if re.fullmatch(r"[\w.:/@+-]+", text) and text.isprintable() else _quoted(text)


def _quoted(text: str) -> str:
    return escaped(jsonlib.dumps(text, ensure_ascii=False))


def _forms(value: str) -> set[str]:
    """A value as it is, and as URLs, JSON and Python's repr write it."""
    if len(value) < SHORTEST:
        return set()
    return {
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        jsonlib.dumps(value)[1:-1],
        repr(value)[1:-1],
    }
