"""SQL statements: what they do, to which tables, and whether to all of their rows.

A statement is written as plain words in one order for every dialect. The first of them say what
goes; one set of patterns finds the rest; sqlglot judges the conditions of DELETE and UPDATE.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from detector.lexicon import sql_text
from detector.lexicon.entries import Surface
from detector.lexicon.sql_reading import STARTS, Reading
from detector.lexicon.sql_table import ENTRIES, ROWS
from detector.records import Does

__all__ = ["DOES", "STARTS", "WORDS", "Statement", "read"]

MAX_KNOWN_CHARS = 2048
"""Of a text that is remembered."""

_READ = int(Does.READ)
_SHELL = re.compile(r"\s*(?:\\!|system\s|\.(?:shell|system)\s|!)\s*(.+)", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    """What a text of SQL does. Signs are names without their surface."""

    does: int
    signs: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    """Names of what it acts on: tables, databases, roles, policies; at most 8, each with and without its schema."""
    programs: tuple[str, ...] = ()
    """Shell commands that the database's server is told to run."""
    lines: tuple[str, ...] = ()
    """The statements as plain words and the places that they name, as lines for matching."""


DOES = {entry.name: entry.does for entry in ENTRIES} | {name: does for name, (does, _) in ROWS.items()}
WORDS = {entry.name: entry.words for entry in ENTRIES} | {name: words for name, (_, words) in ROWS.items()}


def read(text: str) -> Statement:
    """What the statements in `text` do. Never raises."""
    return _known(text) if len(text) <= MAX_KNOWN_CHARS else _read(text)


def _read(text: str) -> Statement:
    if (shell := _SHELL.match(text[:MAX_KNOWN_CHARS])) is not None:
        return Statement(int(Does.EXECUTE), programs=(shell[1],))
    if STARTS.search(text) is None:
        return Statement(_READ) if text.lstrip()[:1] in ("\\", ".") else Statement(0)
    reading = Reading()
    head, rest = sql_text.cut(text) if len(text) > sql_text.MAX_TOKENS else (text, "")
    statements = sql_text.statements(head)
    reading.all(statements, 0)
    if rest or len(statements) == sql_text.MAX_STATEMENTS:
        reading.behind(rest or text)
    for sign in reading.signs:
        reading.does |= DOES[sign]
    names = tuple(name.strip("\"' ").rstrip("/").lower()[:256] for name in reading.names if name.strip("/"))[:8]
    return Statement(
        int(reading.does),
        tuple(reading.signs),
        names,
        tuple(reading.programs)[:4],
        (
            *(f"{Surface.SQL}: {line}" for line in reading.lines),
            *(f"{Surface.ARGUMENT}: database={name}" for name in reading.databases),
        ),
    )


_known = lru_cache(maxsize=2048)(_read)
