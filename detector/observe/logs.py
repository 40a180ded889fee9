"""Structured logs: one line an event, as text or as a JSON object, without secrets.

Faust, aiokafka and our own loggers end in the same handler on stderr. Whatever looks like a
secret is replaced before a line is written, in tracebacks too: a library may put into an
error what it was given.
"""

from __future__ import annotations

import logging
import logging.config
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from detector.config import Settings
from detector.lexicon.secrets import redact

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "told"}

_QUIET = ("aiokafka", "faust", "mode", "kafka", "numba", "asyncio", "venusian")
_AWAY = ("Unable connect to node with id", "Unable to update metadata from", "Failed fetch messages from")
"""What aiokafka says, many times a second, of a Kafka that is gone. Each of our programs says so itself: outage.py."""
_KINDS = 1000
"""Different lines of libraries that are remembered."""


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


class Seldom(logging.Filter):
    """Lets a library say the same thing once in `seconds`, and then how often it would have."""

    def __init__(self, seconds: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        if getattr(record, "told", False) or str(record.msg).startswith(_AWAY):
            return False
        if record.levelno >= logging.CRITICAL or record.exc_info or record.name.partition(".")[0] not in _QUIET:
            return True
        # By what the line says in general: addresses, offsets and times in it differ every time.
        about, now = (record.name, str(record.msg)[:200]), self._clock()
        since, left_out = self._said.get(about, (-self._seconds, 0))
        if now - since < self._seconds:
            self._said[about] = since, left_out + 1
            return False
        if len(self._said) >= _KINDS:
            self._said.clear()
        self._said[about] = now, 0
        if left_out:
            record.left_out = left_out
        return True


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

    Libraries speak from `warning` on, and say the same thing once in a while; where the level is `debug`, from `info`
    on, all of it. Not from `debug` on: there aiokafka writes the bytes of records, and so every prompt.
    """
    formatter = JsonFormatter if settings.log_format == "json" else TextFormatter
    level = settings.log_level.upper()
    theirs = "INFO" if level == "DEBUG" else max(level, "WARNING", key=logging.getLevelName)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "filters": {"seldom": {"()": Seldom}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": [] if level == "DEBUG" else ["seldom"],
            }
        },
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {name: {"level": theirs} for name in _QUIET},
    }


def configure(settings: Settings) -> None:
    """Sets up logging for this process."""
    logging.config.dictConfig(logging_config(settings))
