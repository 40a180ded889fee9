"""Clients of databases: the statements that they are given, and whose they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from detector.lexicon import mongo, sql, vocabulary
from detector.lexicon.cmdline import Called, split
from detector.lexicon.piped import OPAQUE, Command
from detector.lexicon.tables.syntaxes import SAME, syntax
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

_READ, _BACKUP = int(Does.READ), int(Does.BACKUP)

RUNNERS = {
    "wrangler": ("d1", "execute"),
    "heroku": ("pg:psql",),
    "aws": ("execute-statement", "start-query-execution", "batch-execute-statement"),
    "gcloud": ("execute-sql",),
    "railway": ("connect",),
    "fly": ("postgres", "pg", "mpg"),
    "turso": ("shell",),
    "supabase": ("execute", "query"),
    "pscale": ("shell",),
    "databricks": ("query",),
    "doctl": ("sql",),
    "neonctl": ("psql",),
    "prisma": ("execute",),
    "snow": ("sql",),
}
"""Programs that run SQL by one of these subcommands."""

_CLIENTS = vocabulary.SQL_CLIENTS | {"mongosh", "mongo"}
_HOSTS = ("h", "host", "S", "server", "d", "dbname", "database")
_TEXTS = frozenset("c command e execute q query Q sql statement command-text query-string cmd sqlcommand".split())
_META = re.compile(r"\s*(?:\\[a-z+]+|\.(?:tables|schema|databases|indexes|dump|backup|mode|headers|show))\b")
"""A command of the client itself."""
_COPY = re.compile(r"\s*\.(?:backup|dump|save|clone)\b")


def is_client(head: str) -> bool:
    """Whether a program runs statements of a database."""
    return head in _CLIENTS or SAME.get(head, head) in RUNNERS


def read(lines: Lines, command: Command) -> bool:
    """What a client is given. False where it is called for something else."""
    head = command.words[0]
    called = split(command.words, syntax(head))
    runner = RUNNERS.get(SAME.get(head, head))
    if runner is not None and not any(word in called.path[:5] for word in runner):
        return False
    for named in (*(called.flags[flag] for flag in _HOSTS if called.flags.get(flag)), *called.words[:1]):
        if " " not in named:
            lines.target(named)
    if head in ("mongosh", "mongo"):
        found = mongo.read(called.flags.get("eval") or command.stdin or "")
        lines.found(found.does, found.signs, found.collections)
    elif "dry_run" not in called.flags and "dry-run" not in called.flags:
        _statements(lines, command, called)
    return True


def _statements(lines: Lines, command: Command, called: Called) -> None:
    texts = [value for flag, value in called.flags.items() if flag in _TEXTS and " " in value]
    texts += [word for word in called.words[1:] if " " in word and len(word) > 6][:1]
    if command.stdin is OPAQUE:
        lines.whole = False
    elif command.stdin:
        texts.append(command.stdin)
    given = (*called.words[1:2], *called.flags.values())
    if any(_META.match(text) for text in (*texts, *given)):
        lines.does |= _BACKUP if any(_COPY.match(text) for text in (*texts, *given)) else _READ
    # A database in memory, or a copy on this machine, is made again.
    local = "local" in called.flags or ":memory:" in called.words
    for text in texts:
        if local:
            for table in sql.read(text).tables:
                lines.target(table)
        else:
            lines.sql(text)
