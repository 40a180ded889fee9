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
        ("ALTER DATABASE shop SET pgaudit.log='none'", ("touch-audit",), (), Does.AUDIT | Does.WRITE),
        ("SET GLOBAL general_log = 'OFF'", ("touch-audit",), (), Does.AUDIT),
        ("ALTER DATABASE shop SET timezone = 'UTC'", (), (), Does.WRITE),
        ("ALTER SYSTEM SET work_mem = '64MB'", (), (), Does.WRITE),
        ("SELECT * FROM audit_log", (), (), Does.READ),
        ("SET SESSION AUTHORIZATION postgres", ("set-role",), (), Does.ESCALATE),
        ("set role = 'postgres'", ("set-role",), (), Does.ESCALATE),
        ("RESET ROLE", (), (), Does(0)),
        ("UPDATE users SET role = 'editor' WHERE id = 3", (), ("users",), Does.WRITE),
        ("SELECT rolname FROM pg_roles WHERE superuser", (), (), Does.READ),
        ("ALTER ROLE app WITH SUPERUSER", ("create-user", "set-role"), (), Does.GRANT | Does.ESCALATE),
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
        ("ALTER ROLE app NOSUPERUSER", Does.GRANT),
        ("ALTER ROLE app SET search_path = shop", Does.GRANT),
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
