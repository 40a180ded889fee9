"""SQL statements: what they do, to which tables, and whether to all of their rows.

Only statements that the pattern below lets through are parsed, and each distinct one once.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

from detector.lexicon.entries import PatternSet
from detector.records import Does

MAX_PARSED_CHARS = 2048
"""A longer statement is judged by its first words: a parse takes up to a microsecond a character."""

MAX_STATEMENTS = 8

STARTS = re.compile(
    r"\b(select|insert|update|delete|drop|truncate|grant|revoke|alter|create|merge|with|copy|pragma|show|describe|explain"
    r"|vacuum|replace|set|reset)\b",
    re.IGNORECASE,
)
_HARMFUL = re.compile(r"\b(drop|truncate|delete|update|grant|revoke|alter|create\s+(?:user|role))\b", re.IGNORECASE)
# The rest looks over any distance, so it is matched by one set in one pass.
_FURTHER = {
    # `SET ROLE x`, or with `=` where it begins a statement: `UPDATE users SET role = 'x'` is something else.
    "set-role": r"\bset\s+(?:(?:session|local)\s+)?(?:role\s+['\"]?\w|(?:session\s+)?authorization\b)"
    r"|(?:^|;)\s*set\s+(?:(?:session|local)\s+)?role\s*="
    r"|\b(?:create|alter)\s+(?:user|role)\b[^;]*\b(?:superuser|createrole|bypassrls)\b",
    "touch-audit": r"\b(?:alter|set|drop|disable|truncate|delete)\b(?s:.)*"
    r"\b(?:pgaudit|log_statement|audit\w*|general_log|log_min)",
    "read-secrets": r"\b(?:from|join)\s+\S*(?:secret|credential|password|api_?key|access_?token)",
    "change-password": r"\b(?:update|alter)\b(?s:.)*\bset\b(?s:.)*\b(?:password|passwd|secret|api_?key|token)\w*\s*=",
}
_further = PatternSet(_FURTHER.values()).match
_FURTHER_SIGNS = tuple(_FURTHER)
_READS = frozenset("select with show describe explain pragma".split())

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Statement:
    """What a text of SQL does. Signs are names without their surface."""

    does: int
    signs: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


WORDS = {
    "drop-table": "drops a table",
    "drop-database": "drops a database or schema",
    "drop-other": "drops a database object",
    "drop-column": "drops a column",
    "truncate": "empties a table",
    "delete-all": "deletes every row of a table",
    "delete-rows": "deletes rows",
    "update-all": "changes every row of a table",
    "grant": "grants rights in a database",
    "alter": "changes a table's shape",
    "create-user": "creates a database user",
    "change-password": "changes a stored credential",
    "read-secrets": "reads a table of credentials",
    "set-role": "takes on another role's rights in a database",
    "touch-audit": "changes or erases a database's audit trail",
}

_GONE = Does.DELETE | Does.IRREVERSIBLE
DOES = {
    "drop-table": _GONE | Does.BROAD,
    "drop-database": _GONE | Does.BROAD,
    "drop-other": Does.DELETE,
    "drop-column": _GONE,
    "truncate": _GONE | Does.BROAD,
    "delete-all": _GONE | Does.BROAD,
    "delete-rows": Does.DELETE,
    "update-all": Does.WRITE | Does.BROAD,
    "grant": Does.GRANT | Does.WRITE,
    "alter": Does.WRITE,
    "create-user": Does.GRANT | Does.WRITE,
    "change-password": Does.ROTATE | Does.WRITE,
    "read-secrets": Does.OPEN_CREDENTIAL | Does.READ,
    "set-role": Does.ESCALATE,
    "touch-audit": Does.AUDIT | Does.WRITE,
}


@lru_cache(maxsize=2048)
def read(text: str) -> Statement:
    """What the statements in `text` do. Never raises."""
    start = STARTS.search(text)
    if start is None:
        return Statement(0)
    verb = start[1].lower()
    does = Does.READ if verb in _READS else Does(0) if verb in ("set", "reset") else Does.WRITE
    signs: list[str] = []
    tables: list[str] = []
    if _HARMFUL.search(text):
        parsed = _parse(text[start.start() :]) if len(text) <= MAX_PARSED_CHARS else []
        for statement in parsed:
            _statement(statement, signs, tables)
        if not parsed:
            signs = _by_words(text)
    signs += [_FURTHER_SIGNS[hit] for hit in _further(text.encode("utf-8", "surrogatepass")) or ()]
    for sign in signs:
        does |= DOES[sign]
    return Statement(int(does), tuple(dict.fromkeys(signs)), tuple(dict.fromkeys(tables))[:8])


def _parse(text: str) -> list[Any]:
    try:
        return [statement for statement in sqlglot.parse(text)[:MAX_STATEMENTS] if statement is not None]
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, IndexError):
        return []


def _statement(statement: Any, signs: list[str], tables: list[str]) -> None:
    match statement:
        case exp.Drop():
            kind = str(statement.args.get("kind") or "").upper()
            signs.append(
                {"TABLE": "drop-table", "DATABASE": "drop-database", "SCHEMA": "drop-database"}.get(kind, "drop-other")
            )
        case exp.TruncateTable():
            signs.append("truncate")
        case exp.Delete():
            signs.append("delete-all" if _touches_all(statement) else "delete-rows")
        case exp.Update():
            if _touches_all(statement):
                signs.append("update-all")
        case exp.Grant():
            signs.append("grant")
        case exp.Alter():
            dropped = any(isinstance(action, exp.Drop) for action in statement.args.get("actions") or ())
            signs.append("drop-column" if dropped else "alter")
        case exp.Command():
            signs.extend(_by_words(statement.sql()))
    tables.extend(table.name.lower() for table in statement.find_all(exp.Table) if table.name)


def _touches_all(statement: Any) -> bool:
    where = statement.args.get("where")
    if statement.args.get("limit") is not None:
        return False
    return where is None or _always(where.this)


def _always(condition: Any) -> bool:
    """Whether a condition holds for every row, as far as literals tell."""
    match condition:
        case exp.Paren():
            return _always(condition.this)
        case exp.Boolean():
            return bool(condition.this)
        case exp.Literal():
            return str(condition.this) not in ("0", "")
        case exp.Or():
            return _always(condition.left) or _always(condition.right)
        case exp.And():
            return _always(condition.left) and _always(condition.right)
        case exp.EQ():
            return condition.left == condition.right
        case exp.Not():
            return isinstance(condition.this, exp.Is) and isinstance(condition.this.expression, exp.Null)
    return False


_FIRST_WORDS = (
    (re.compile(r"\bdrop\s+table\b", re.IGNORECASE), "drop-table"),
    (re.compile(r"\bdrop\s+(?:database|schema)\b", re.IGNORECASE), "drop-database"),
    (re.compile(r"\btruncate\b", re.IGNORECASE), "truncate"),
    (re.compile(r"\bdelete\s+from\s+[^\s;]+\s*(?:;|$)", re.IGNORECASE), "delete-all"),
    (re.compile(r"\bdelete\s+from\b", re.IGNORECASE), "delete-rows"),
    (re.compile(r"\bgrant\s+\S+", re.IGNORECASE), "grant"),
    (re.compile(r"\bcreate\s+(?:user|role)\b|\balter\s+(?:user|role)\b", re.IGNORECASE), "create-user"),
    (re.compile(r"\balter\s+table\b", re.IGNORECASE), "alter"),
)


def _by_words(text: str) -> list[str]:
    """Signs by first words, where a statement can't be parsed."""
    return [sign for pattern, sign in _FIRST_WORDS if pattern.search(text)]
