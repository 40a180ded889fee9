"""SQL statements: what they do, to which tables."""

from __future__ import annotations

import pytest

from detector.lexicon import sql
from detector.records import Does

GONE = Does.DELETE | Does.IRREVERSIBLE


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
        ("ALTER SYSTEM SET log_statement = 'none'", ("touch-audit",), (), Does.AUDIT),
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
