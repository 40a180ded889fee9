"""SQL onto the lines of a call, with the programs that a database's server is told to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detector.lexicon import sql
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

MAX_NESTED = 2
"""Programs in statements in programs that are followed."""

_DELETE, _BACKUP = int(Does.DELETE), int(Does.BACKUP)


def read(lines: Lines, text: str) -> None:
    """The statements of a text."""
    statement = sql.read(text)
    lines.does |= statement.does
    for sign in statement.signs:
        lines.signs[f"sql.{sign}"] = None
    lines.put(statement.tables, statement.lines)
    if statement.programs and lines.within < MAX_NESTED:
        lines.within += 1
        for program in statement.programs:
            lines.shell(program)
            if lines.does & _DELETE and "backup" in program.lower():
                lines.does |= _BACKUP
        lines.within -= 1
