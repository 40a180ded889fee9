"""The statements of one SQL text as they are read: what each does to rows and tables, and what it runs."""

from __future__ import annotations

import re
from collections.abc import Callable

from detector.lexicon import sql_names, sql_rows, sql_text
from detector.lexicon.entries import PatternSet
from detector.lexicon.sql_table import ENTRIES
from detector.records import Does

MAX_JUDGED = 4
"""Conditions of one text that are judged: about 50 microseconds each. Later ones are taken by their first words."""

STARTS = re.compile(
    r"\b(select|insert|update|delete|drop|truncate|grant|revoke|alter|create|merge|with|copy|pragma|show|describe|explain"
    r"|vacuum|replace|set|reset|call|exec|execute|begin|start|purge|noaudit|backup|restore|comment|refresh|reindex|use"
    r"|analyze|do|discard|unload|export|optimize|undrop|desc|deny|lock|kill|values|rename|savepoint|prepare|declare"
    r"|upsert|match)\b",
    re.IGNORECASE,
)

_READING = frozenset("select with show describe desc explain values table pragma help list dbcc analyze match".split())
_WRITING = frozenset(
    "insert update delete drop truncate grant revoke alter create merge replace comment refresh reindex"
    " vacuum import undrop purge copy backup restore rename upsert optimize deny unload export attach detach"
    " cluster msck".split()
)
_READ, _WRITE = int(Does.READ), int(Does.WRITE)

_SIGNS = tuple(entry.name for entry in ENTRIES)
_match = PatternSet([f"^(?:{entry.pattern})" for entry in ENTRIES]).match


class Reading:
    """The statements of one text as they are read."""

    def __init__(self) -> None:
        self.does = 0
        self.signs: dict[str, None] = {}
        self.names: dict[str, None] = {}
        self.programs: list[str] = []
        self.lines: list[str] = []
        self.databases: list[str] = []
        """Databases and schemas that are named."""
        self.made: set[str] = set()
        """Tables that the text itself makes, and may drop again."""
        self.judged = 0

    def all(self, statements: list[sql_text.Statement], depth: int) -> None:
        """Statements in their order. What is rolled back at the end did nothing."""
        before = dict(self.signs), self.does
        for statement in statements:
            if statement[0] == "rollback" and "to" not in statement and len(statements) > 1:
                self.signs, self.does = dict(before[0]), before[1] | (_READ if self.does else 0)
            elif statement[0] in ("commit", "end"):
                before = dict(self.signs), self.does
            else:
                self.one(statement, depth)

    def one(self, statement: sql_text.Statement, depth: int) -> None:
        """One statement, and what it runs."""
        statement = _run(statement)
        while len(statement) > 1 and statement[0] in ("(", "begin", "then", "else"):
            statement = statement[1:]
        if statement[0] == "explain":
            self.does |= _READ
            return
        line = sql_text.line(statement)
        self.lines.append(_STRING.sub("''", line))
        self.does |= _base(statement)
        for hit in _match(line.encode("utf-8", "surrogatepass")) or ():
            self.signs[_SIGNS[hit]] = None
        for name in sql_names.names(statement):
            self.names[name] = None
            if "." in name:
                self.databases.append(name.rsplit(".", 1)[0])
            elif not _DATABASES.isdisjoint(statement[:3]):
                self.databases.append(name)
        for start in _parts(statement):
            self._part(statement[start:])
        self._runs(statement, depth)

    def _part(self, part: sql_text.Statement) -> None:
        """What one statement, or one in another, does to rows and tables."""
        read = _READERS.get(part[0])
        if read is not None and (sign := read(self, part)):
            self.signs[sign] = None

    def truncated(self, part: sql_text.Statement) -> str:
        """TRUNCATE."""
        return self._of_scratch("truncate", sql_names.first(part[1:]))

    def deleted(self, part: sql_text.Statement) -> str:
        """DELETE: of all rows or of some."""
        table = sql_names.first(part[1:])
        return self._of_scratch("delete-all" if self._is_all(part[1:], table) else "delete-rows", table)

    def updated(self, part: sql_text.Statement) -> str:
        """UPDATE of all rows."""
        return "update-all" if "set" in part and self._is_all(part[1:], sql_names.first(part[1:])) else ""

    def inserted(self, part: sql_text.Statement) -> str:
        """INSERT OVERWRITE."""
        return "overwrite" if "overwrite" in part[:2] else ""

    def matched(self, part: sql_text.Statement) -> str:
        """Cypher: nodes without a label and without a condition are all of them."""
        if "delete" not in part:
            return ""
        wide = part[1:2] == ["("] and part[3:4] == [")"] and "where" not in part
        return "delete-all" if wide else "delete-rows"

    def _is_all(self, behind: sql_text.Statement, table: str) -> bool:
        self.judged += 1
        return sql_rows.is_all(behind, table, parses=self.judged <= MAX_JUDGED)

    def dropped(self, part: sql_text.Statement) -> str:
        """DROP, by what is dropped."""
        kinds = set(part[1:4])
        if "table" in kinds:
            return self._of_scratch("drop-table", sql_names.first(part[1:]))
        if not kinds.isdisjoint(("database", "schema", "keyspace", "catalog")) and kinds.isdisjoint(_PARTS_OF_ONE):
            return "drop-database"
        return "drop-other"

    def _of_scratch(self, sign: str, table: str) -> str:
        last = table.rsplit(".", 1)[-1]
        if table in self.made or table.startswith(("pg_temp.", "#", "tempdb.", "temp.")) or last.startswith("#"):
            return ""
        return "delete-scratch" if _SCRATCH.match(last) else sign

    def created(self, part: sql_text.Statement) -> str:
        """CREATE TABLE: remembered where it is new, a loss where it replaces one."""
        if "table" not in part[:6]:
            return ""
        head = part[: part.index("table")]
        if "temp" in head or "temporary" in head or ("exists" not in part[:8] and "replace" not in head):
            self.made.add(sql_names.first(part[len(head) :]))
        return "replace-table" if "replace" in head else ""

    def altered(self, part: sql_text.Statement) -> str:
        """What an ALTER TABLE takes away."""
        if "table" not in part[:4]:
            return ""
        for position in range(2, len(part) - 1):
            word, following = part[position], part[position + 1]
            if word in ("drop", "truncate", "exchange") and following in ("partition", "subpartition", "partitions"):
                return "truncate" if "all" in part[position:] else "drop-partition"
            if word in ("delete", "update") and position == 3:
                # ClickHouse changes rows so.
                return _READERS[word](self, part[position:]) or "alter"
            if word in ("drop", "clear") and following not in _NOT_DATA and part[position - 1] != "column":
                return "drop-column" if not (position > 4 and part[position - 3] == "alter") else "alter"
        return "alter"

    def merged(self, part: sql_text.Statement) -> str:
        """MERGE with a DELETE: of what a source lacks, or of all where the source is empty."""
        if "delete" not in part:
            return ""
        if "source" not in part[part.index("when") :] if "when" in part else True:
            return "delete-rows"
        if "where" in part and sql_rows.never(part[part.index("where") + 1 :]):
            return "delete-all"
        return "merge-delete"

    def _runs(self, statement: sql_text.Statement, depth: int) -> None:
        """Statements and commands that stand in strings and are run."""
        if depth >= sql_text.MAX_NESTED:
            return
        if not _RUNNING.isdisjoint(statement):
            self.programs += [word[1:-1] for word in statement if word[0] == "'" and len(word) > 4]
        elif statement[0] in ("do", "exec", "execute", "prepare", "call") or "sp_executesql" in statement:
            text = " ".join(word[1:-1] for word in statement if word[0] == "'")
            if STARTS.search(text):
                self.all(sql_text.statements(text), depth + 1)

    def behind(self, rest: str) -> None:
        """What stands behind all that is read, by its words."""
        for hit in _behind(rest.encode("utf-8", "surrogatepass")) or ():
            self.signs[_BEHIND_SIGNS[hit]] = None


_STRING = re.compile(r"'[^']*'")
_DATABASES = frozenset(("database", "schema", "use", "keyspace", "catalog"))
_READERS: dict[str, Callable[[Reading, sql_text.Statement], str]] = {
    "drop": Reading.dropped,
    "truncate": Reading.truncated,
    "delete": Reading.deleted,
    "update": Reading.updated,
    "alter": Reading.altered,
    "merge": Reading.merged,
    "match": Reading.matched,
    "insert": Reading.inserted,
    "create": Reading.created,
}
"""What the first word of a statement does to rows and tables: a sign, or none."""

_RUNNING = frozenset(("xp_cmdshell", "program", "sys_exec", "sys_eval"))
_PARTS_OF_ONE = frozenset("audit role user trigger link scoped encryption".split())
_SCRATCH = re.compile(r"(?:tmp|temp|scratch)_|.*_(?:tmp|temp|scratch)$|(?:tmp|temp|scratch)$")
_DML = frozenset(("insert", "update", "delete", "merge"))


def _parts(statement: sql_text.Statement) -> list[int]:
    """Where a statement begins, and those that stand in its WITH, its batch or its block."""
    starts = [0]
    if statement[0] not in ("with", "if", "while", "declare", "when", "for", "set", "use", "select"):
        return starts
    for position in range(1, len(statement)):
        word = statement[position]
        if word in _BREAKING and statement[position - 1] in _BEFORE:
            starts.append(position)
    return starts[:8]


_BREAKING = _DML | {"drop", "truncate"}
_BEFORE = frozenset(("(", ")", "begin", "then", "else", "do", "as"))


def _run(statement: sql_text.Statement) -> sql_text.Statement:
    """What an EXPLAIN carries out; the EXPLAIN itself where it only plans."""
    if statement[0] != "explain":
        return statement
    for position, word in enumerate(statement[1:9], 1):
        if word in _STARTING:
            return statement[position:] if {"analyze", "analyse"} & set(statement[1:position]) else ["explain"]
    return ["explain"]


_STARTING = _DML | {"select", "with", "create", "drop", "truncate", "table", "values", "execute", "replace"}


def _base(statement: sql_text.Statement) -> int:
    verb = statement[0]
    if verb in _READING:
        changes = verb in ("with", "select") and not _DML.isdisjoint(statement[i] for i in _parts(statement)[1:])
        changes = changes or (verb == "select" and "into" in statement[:40]) or (verb == "pragma" and "=" in statement)
        return _READ | _WRITE if changes else _READ
    if verb == "copy" and "to" in statement and "program" not in statement:
        return _READ
    if verb == "vacuum" or (verb == "alter" and "session" in statement[:2]):
        return 0 if "retain" not in statement else _WRITE
    if verb[0] in "\\.":
        return _READ
    return _WRITE if verb in _WRITING else 0


_NOT_DATA = frozenset(
    "not default constraint primary foreign unique index key keys check identity expression trigger policy"
    " row masking network tag search clustering statistics on member add password authentication session".split()
)


_BY_WORDS = {
    "drop-table": r"\bdrop\s+table\b",
    "drop-database": r"\bdrop\s+(?:database|schema)\b",
    "truncate": r"\btruncate\s+(?:table\s+)?[\"`\[\w]",
    "delete-all": r"\bdelete\s+from\s+[^\s;]+\s*(?:;|$)",
    "delete-rows": r"\bdelete\s+from\b",
    "grant": r"(?:^|;)\s*grant\s+\S+",
    "create-user": r"(?:^|;)\s*(?:create|alter)\s+(?:user|role)\b",
}
_behind = PatternSet(_BY_WORDS.values()).match
_BEHIND_SIGNS = tuple(_BY_WORDS)
