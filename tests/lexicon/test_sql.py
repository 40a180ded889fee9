"""SQL statements: what they do, to which tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.lexicon import sql, sql_names, sql_rows, sql_table, sql_text
from detector.lexicon.entries import Entry, PatternSet
from detector.records import Does

GONE = Does.DELETE | Does.IRREVERSIBLE
LABELLED = [
    json.loads(line)["arguments"]
    for line in (Path(__file__).parent / "calls" / "sql.jsonl").read_text(encoding="utf-8").splitlines()
]
TEXTS = [given.get("query") or given.get("sql") or given.get("statement") for given in LABELLED]
WORD = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\\w+|[A-Za-z_]+|\s+|.", re.DOTALL)
"""Pieces of which only plain words may change their case, and blanks their number."""


@pytest.mark.parametrize(
    ("text", "signs", "tables", "does"),
    [
        ("SELECT * FROM users WHERE id = 1", (), (), Does.READ),
        ("select 'drop table' from logs", (), (), Does.READ),
        ("INSERT INTO a VALUES (1)", (), (), Does.WRITE),
        ("DROP TABLE IF EXISTS users CASCADE", ("drop-table",), ("users",), GONE | Does.BROAD),
        ("DROP DATABASE shop", ("drop-database",), ("shop",), GONE | Does.BROAD),
        ("TRUNCATE TABLE orders", ("truncate",), ("orders",), GONE | Does.BROAD),
        ("DELETE FROM orders", ("delete-all",), ("orders",), GONE | Does.BROAD),
        ("DELETE FROM orders WHERE 1=1", ("delete-all",), ("orders",), GONE | Does.BROAD),
        ("DELETE FROM orders WHERE (TRUE OR id = 3)", ("delete-all",), ("orders",), GONE | Does.BROAD),
        ("DELETE FROM orders WHERE id = 3", ("delete-rows",), ("orders",), Does.DELETE),
        ("UPDATE users SET name = 'x'", ("update-all",), ("users",), Does.WRITE | Does.BROAD),
        ("UPDATE users SET name = 'x' WHERE id = 3", (), ("users",), Does.WRITE),
        ("UPDATE users SET password = 'x' WHERE id = 3", ("change-password",), ("users",), Does.ROTATE),
        ("GRANT ALL ON users TO bob", ("grant",), (), Does.GRANT),
        ("ALTER TABLE a DROP COLUMN b", ("drop-column",), ("a",), GONE),
        ("SET ROLE admin", ("set-role",), (), Does.ESCALATE),
        ("ALTER SYSTEM SET log_statement = 'none'", ("audit-off",), (), Does.AUDIT),
        ("ALTER DATABASE shop SET pgaudit.log='none'", ("audit-off",), (), Does.AUDIT | Does.WRITE),
        ("SET GLOBAL general_log = 'OFF'", ("audit-off",), (), Does.AUDIT),
        ("ALTER DATABASE shop SET timezone = 'UTC'", (), (), Does.WRITE),
        ("ALTER SYSTEM SET work_mem = '64MB'", (), (), Does.WRITE),
        ("SELECT * FROM audit_log", (), (), Does.READ),
        ("SET SESSION AUTHORIZATION postgres", ("set-role",), (), Does.ESCALATE),
        ("set role = 'postgres'", ("set-role",), (), Does.ESCALATE),
        ("RESET ROLE", (), (), Does(0)),
        ("UPDATE users SET role = 'editor' WHERE id = 3", (), ("users",), Does.WRITE),
        ("SELECT rolname FROM pg_roles WHERE superuser", (), (), Does.READ),
        ("ALTER ROLE app WITH SUPERUSER", ("give-authority",), ("app",), Does.GRANT | Does.ESCALATE),
        ("SELECT * FROM api_keys", ("read-secrets",), (), Does.OPEN_CREDENTIAL),
        ("-- clean up\nDROP TABLE a; DROP TABLE b", ("drop-table",), ("a", "b"), GONE),
        ("hello there", (), (), Does(0)),
    ],
)
def test_statements(text: str, signs: tuple[str, ...], tables: tuple[str, ...], does: Does) -> None:
    """Signs, tables and flags of one text; a word in a string is no statement."""
    found = sql.read(text)

    assert set(signs) <= set(found.signs)
    assert bool(found.signs) == bool(signs)
    assert set(tables) <= set(found.tables)
    assert found.does & does == does
    assert bool(found.does & Does.DELETE) == bool(does & Does.DELETE)


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("ALTER ROLE app WITH SUPERUSER", Does.GRANT | Does.ESCALATE),
        ("ALTER ROLE app NOSUPERUSER", Does(0)),
        ("ALTER ROLE app SET search_path = shop", Does(0)),
        ("CREATE ROLE reporting NOLOGIN", Does(0)),
        ("REVOKE ALL ON users FROM bob", Does(0)),
        ("ALTER SYSTEM SET log_statement='all'", Does(0)),
        ("SET search_path = shop", Does(0)),
        ("UPDATE users\nSET role = 'editor' WHERE id = 3", Does(0)),
        ("ALTER SYSTEM SET log_statement='none'", Does.AUDIT),
        ("ALTER SYSTEM SET work_mem='64MB'", Does(0)),
    ],
)
def test_authority_and_audit_trails(text: str, does: Does) -> None:
    """Just these flags of the three: more rights for somebody, other rights for oneself, an audit trail touched."""
    assert sql.read(text).does & (Does.GRANT | Does.ESCALATE | Does.AUDIT) == does


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM orders; " + "(" * 1500,
        "DROP TABLE a " + "x" * 5000,
        "DELETE FROM orders -- " + "é\ud800\x00" * 500,
        "TRUNCATE " + "SELECT (" * 200,
    ],
)
def test_what_cannot_be_parsed_is_judged_by_first_words(text: str) -> None:
    """Statements too long, too deep or broken still show what they delete."""
    assert sql.read(text).does & Does.DELETE


# --- the same statement, written otherwise -------------------------------------------------


def rewritten(text: str, words: str, blank: str) -> str:
    """The statement with its plain words in another case and other blanks between them."""
    pieces = WORD.findall(text)
    return "".join(
        blank if piece.isspace() and "\n" not in piece else getattr(piece, words)() if piece.isalpha() else piece
        for piece in pieces
    )


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(TEXTS),
    st.sampled_from(("upper", "lower", "title")),
    st.sampled_from(("  ", "\t", "\n", " /* x */ ")),
)
def test_case_blanks_and_comments_change_nothing(text: str, words: str, blank: str) -> None:
    """Words in any case, with any blanks or comments between them."""
    if "delta.`" in text or "\\" in text:
        return

    assert sql.read(rewritten(text, words, blank)).does == sql.read(text).does


@pytest.mark.parametrize("quote", ['"{}"', "`{}`", "[{}]", "public.{}", '"public"."{}"', "shop.dbo.[{}]"])
@pytest.mark.parametrize(
    "text", ["DROP TABLE {}", "TRUNCATE {}", "DELETE FROM {}", "UPDATE {} SET a = 1", "ALTER TABLE {} DROP COLUMN b"]
)
def test_quoted_and_qualified_names_are_the_same_table(text: str, quote: str) -> None:
    """However a table is quoted or qualified."""
    plain, quoted = sql.read(text.format("orders")), sql.read(text.format(quote.format("orders")))

    assert quoted.does == plain.does
    assert quoted.signs == plain.signs
    assert "orders" in quoted.tables


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1; DROP TABLE a",
        "/* tidy */ DROP TABLE a -- done",
        "/*!50000 DROP TABLE a */",
        "BEGIN; DROP TABLE a; COMMIT",
        "DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$",
        "EXEC('DROP TABLE a')",
        "EXEC sp_executesql N'DROP TABLE a'",
        "PREPARE x FROM 'DROP TABLE a'",
        "SELECT 'it\\'s'; DROP TABLE a; --'",
        "WITH b AS (SELECT 1) SELECT * FROM b; DROP TABLE a",
        "SELECT 1 -- x\n; DROP TABLE a",
        "SELECT '" + "x" * 9000 + "'; DROP TABLE a",
    ],
)
def test_a_statement_is_found_in_what_it_stands_in(text: str) -> None:
    """Behind others, between comments, in blocks and strings that are run, behind a long text."""
    assert "drop-table" in sql.read(text).signs


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN; DELETE FROM a; ROLLBACK",
        "EXPLAIN DROP TABLE a",
        "CREATE TEMP TABLE a (b int); DROP TABLE a",
        "CREATE FUNCTION f() RETURNS void AS $$ DELETE FROM a $$ LANGUAGE sql",
        "CREATE PROCEDURE p() BEGIN DELETE FROM a; DROP TABLE a; END; SELECT 1",
        "INSERT INTO log VALUES ('DROP TABLE a; DELETE FROM a')",
        "CREATE TRIGGER t AFTER DELETE ON a FOR EACH ROW EXECUTE FUNCTION f()",
    ],
)
def test_what_is_not_carried_out_deletes_nothing(text: str) -> None:
    """Rolled back, planned, in a session's own table, kept in a routine, in a string."""
    assert not sql.read(text).does & Does.DELETE


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("1 = 1", True),
        ("'a' = 'a'", True),
        ("2 > 1", True),
        ("id = id", True),
        ("NOT false", True),
        ("id > 0", True),
        ("id IS NOT NULL", True),
        ("a = 1 OR a <> 1", True),
        ("a IS NULL OR NOT a IS NULL", True),
        ("email LIKE '%'", True),
        ("id IN (SELECT id FROM t)", True),
        ("EXISTS (SELECT 1)", True),
        ("created_at < now()", True),
        ("true OR a = 2", True),
        ("id = 5", False),
        ("a IN (1, 2)", False),
        ("created_at < '2020-01-01'", False),
        ("deleted_at IS NOT NULL", False),
        ("email LIKE 'a%'", False),
        ("id IN (SELECT id FROM t WHERE a = 1)", False),
        ("id IN (SELECT id FROM u)", False),
        ("1 = 2", False),
        ("a = 1 AND 1 = 1", False),
        ("id > 100", False),
    ],
)
def test_conditions_that_always_hold(condition: str, expected: bool) -> None:
    """As far as their words tell."""
    assert sql_rows.always(condition, "t") is expected
    assert ("delete-all" in sql.read(f"DELETE FROM t WHERE {condition}").signs) is expected


@pytest.mark.parametrize("entry", sql_table.ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_fires_and_is_quiet(entry: Entry) -> None:
    """It matches its example and not the one near to it; both are written as statements are."""
    match = PatternSet([f"^(?:{entry.pattern})"]).match

    for text in (entry.fires, entry.quiet):
        assert sql_text.line(sql_text.statements(text)[0]) == text
    assert match(entry.fires.encode())
    assert not match(entry.quiet.encode())


def test_the_tables_agree() -> None:
    """Every sign has words and flags, and no name stands twice."""
    assert sql.WORDS.keys() == sql.DOES.keys()
    assert len(sql.WORDS) == len(sql_table.ENTRIES) + len(sql_table.ROWS)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            "drop table delete from where update set alter create or replace select insert into overwrite merge when"
            " matched then source explain analyze begin rollback commit grant to exec do with as ( ) ' \" ` [ ] ; ,"
            " . $$ -- /* */ = * a b 1 limit truncate all cascade xp_cmdshell partition database match \\".split(" ")
        ),
        max_size=24,
    )
)
def test_any_words_are_read(words: list[str]) -> None:
    """Nothing is raised, whatever stands where; names and programs stay few."""
    found = sql.read(" ".join(words))

    assert len(found.tables) <= sql_names.MAX_NAMES
    assert len(found.programs) <= 4
