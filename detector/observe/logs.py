"""Structured logs: one line an event, as text or as a JSON object, without secrets.

Faust, aiokafka and our own loggers end in the same handler on stderr. Whatever looks like a
secret is replaced before a line is written, in tracebacks too: a library may put into an
error what it was given.
"""

from __future__ import annotations

import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

import msgspec

from detector.config import Settings
from detector.lexicon.secrets import redact

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_QUIET = ("aiokafka", "faust", "mode", "kafka", "numba", "asyncio", "venusian")


class TextFormatter(logging.Formatter):
    """`2026-04-01T12:00:00.000Z info detector.app: text key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; a traceback follows on lines of its own."""
        extra = "".join(f" {name}={value}" for name, value in _extra(record).items())
        line = f"{_time(record)} {record.levelname.lower()} {record.name}: {record.getMessage()}{extra}"
        trace = _traceback(self, record)
        return redact(f"{line}\n{trace}" if trace else line)


class JsonFormatter(logging.Formatter):
    """`{"time": ..., "level": ..., "logger": ..., "message": ..., ...extra}`, one object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a JSON object; a traceback is its key `traceback`."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        # Redacted before encoding: a mark put into encoded text could break its quotes.
        line |= {name: _plain(value) for name, value in _extra(record).items()}
        if trace := _traceback(self, record):
            line["traceback"] = redact(trace)
        return msgspec.json.encode(line).decode()


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | float) else redact(str(value))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = [formatter.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
    if record.stack_info:
        parts.append(record.stack_info)
    return "\n".join(parts)


def logging_config(settings: Settings) -> dict[str, Any]:
    """The set-up as `logging.config.dictConfig` takes it; also Faust's `logging_config`.

    Libraries speak from `warning` on; all of them from `debug` on where that is the level.
    """
    formatter = JsonFormatter if settings.log_format == "json" else TextFormatter
    level = settings.log_level.upper()
    theirs = "DEBUG" if level == "DEBUG" else max(level, "WARNING", key=logging.getLevelName)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {name: {"level": theirs} for name in _QUIET},
    }


def configure(settings: Settings) -> None:
    """Sets up logging for this process."""
    logging.config.dictConfig(logging_config(settings))
