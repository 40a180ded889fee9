"""Structured logs: one line an event, no secrets."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator

import pytest

from detector.config import load
from detector.observe.logs import JsonFormatter, Seldom, TextFormatter, configure, logging_config

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
FORMATTERS = [TextFormatter(), JsonFormatter()]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards with all that hangs on it."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    """A log record as a call of `log.warning` makes it."""
    return logging.getLogger("detector.app").makeRecord(
        "detector.app", logging.WARNING, "app.py", 1, message, arguments, None, extra=extra or None
    )


def test_text_is_one_line_with_its_fields() -> None:
    """Time in UTC, level, logger, message, then each extra field."""
    line = TextFormatter().format(record("record %d rejected", 7, reason="truncated", topic="otlp_spans"))
    time, rest = line.split(" ", 1)
    assert time.endswith("Z")
    assert rest == "warning detector.app: record 7 rejected reason=truncated topic=otlp_spans"


def test_json_is_one_object_a_line() -> None:
    """The same as an object: numbers stay numbers, other things become text."""
    line = JsonFormatter().format(record("text\nof two lines", partition=3, where=("a", 1), none=None))
    assert "\n" not in line
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "warning",
        "logger": "detector.app",
        "message": "text\nof two lines",
        "partition": 3,
        "where": "('a', 1)",
        "none": None,
    }


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_no_secret_is_written(formatter: logging.Formatter) -> None:
    """A secret in the message, its arguments or a field is replaced, and the line stays readable."""
    line = formatter.format(record("refused %s", f"Bearer {SECRET}", header=f'token="{SECRET}"', where={"key": SECRET}))
    assert SECRET not in line
    assert "redacted" in line
    if isinstance(formatter, JsonFormatter):
        assert json.loads(line)["message"].startswith("refused Bearer")


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_no_secret_is_written_with_a_traceback(formatter: logging.Formatter) -> None:
    """The text of an exception is redacted like any other."""
    try:
        int(SECRET)
    except ValueError as fault:
        made = record("failed")
        made.exc_info = (type(fault), fault, fault.__traceback__)
    line = formatter.format(made)
    assert "ValueError: invalid literal" in line
    assert SECRET not in line


def test_configure_writes_to_stderr(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """Our loggers speak from the configured level on, libraries from `warning` on."""
    configure(load(log_format="json", log_level="info"))
    logging.getLogger("detector.app").info("ours")
    logging.getLogger("aiokafka.conn").info("theirs")
    logging.getLogger("aiokafka.conn").warning("their warning")
    out, err = capsys.readouterr()
    assert out == ""
    assert [json.loads(line)["message"] for line in err.splitlines()] == ["ours", "their warning"]
    assert len(root.handlers) == 1


@pytest.mark.parametrize(("level", "theirs"), [("debug", "INFO"), ("info", "WARNING"), ("error", "ERROR")])
def test_libraries_are_never_louder_than_asked(level: str, theirs: str) -> None:
    """At `error` they are quiet below it; at `debug` they tell more, and never the bytes of records."""
    assert logging_config(load(log_level=level))["loggers"]["faust"]["level"] == theirs


class Clock:
    """Stands until it's moved."""

    now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def library(
    message: str, *arguments: object, level: int = logging.ERROR, name: str = "aiokafka.x"
) -> logging.LogRecord:
    """A record of a library."""
    return logging.getLogger(name).makeRecord(name, level, "x.py", 1, message, arguments, None)


def test_a_library_repeats_itself_seldom() -> None:
    """The same line of a library is written once in 30 s, then with how often it was left out; ours always is."""
    clock = Clock()
    seldom = Seldom(30.0, clock)
    assert seldom.filter(library("marking %s dead", "a"))
    assert not any(seldom.filter(library("marking %s dead", each)) for each in "bcd")
    assert seldom.filter(library("something else"))
    assert seldom.filter(library("marking %s dead", "e", level=logging.CRITICAL))
    assert all(seldom.filter(library("judged", name="detector.app")) for _ in range(3))
    clock.now = 31.0
    again = library("marking %s dead", "f")
    assert seldom.filter(again)
    assert "left_out=3" in TextFormatter().format(again)


def test_what_is_told_elsewhere_is_not_written() -> None:
    """Why a connection failed is in our own line, and so is that a broker is gone."""
    seldom = Seldom()
    told = library("Unable connect to %s")
    told.told = True
    assert not seldom.filter(told)
    assert not seldom.filter(library("Unable to update metadata from %s", [0]))


def test_what_seldom_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that says ever new things fills no memory."""
    monkeypatch.setattr("detector.observe.logs._KINDS", 10)
    seldom = Seldom()
    assert all(seldom.filter(library(f"new {n}")) for n in range(100))
    assert len(seldom._said) <= 10
