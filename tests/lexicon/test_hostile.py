"""Texts that were found to stop, to blind or to outlast the lexicon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.lexicon import Lexicon, deeds, plans, secrets, sql, sql_rows
from detector.records import Does


@pytest.mark.parametrize("command", ["rm -rf /", "rm -rf / --no-preserve-root", "sudo rm -r -- //", "rm -rf / tmp"])
def test_the_root_is_deleted_like_any_folder(command: str) -> None:
    """A target of nothing but slashes is read, and is no scratch folder."""
    call = Lexicon().read("bash", {"command": command})

    assert "shell.rm-recursive" in call.signs
    assert call.does & Does.DELETE
    assert call.does & Does.BROAD


@pytest.mark.parametrize("opening", ["array[", "struct(", "decimal("])
def test_a_statement_that_takes_for_ever_is_judged_by_its_words(opening: str) -> None:
    """Types in types make sqlglot go back twice a level: it is stopped, and what the words say stands."""
    condition = f"{opening * 20}1"

    assert not sql_rows.always(condition)
    assert sql.read(f"DELETE FROM users WHERE {condition}").signs == ("delete-rows",)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("DELETE FROM t WHERE " + " OR ".join(f"a = {n}" for n in range(180)), "delete-rows"),
        (f"DELETE FROM t WHERE a IN ({','.join(map(str, range(400)))})", "delete-rows"),
        ("DELETE FROM t WHERE a = array[array[array[1, 2], array[3]]] OR 1 = 1", "delete-all"),
        (
            "DELETE FROM t WHERE a IN (SELECT b FROM (SELECT b FROM c WHERE d = (SELECT max(d) FROM c)) e)",
            "delete-rows",
        ),
    ],
)
def test_long_and_nested_statements_are_parsed_all_the_same(text: str, sign: str) -> None:
    """What people write takes a few steps a token."""
    assert sql.read(text).signs == (sign,)


def test_conditions_without_end_are_no_fault() -> None:
    """A chain of conditions is as deep as it is long."""
    assert sql.read("delete from t where " + "0 or " * 400 + "1").does & Does.DELETE


def test_long_names_and_statements_are_not_remembered() -> None:
    """What is remembered by its text is short, so that megabytes of names don't stay in memory."""
    remembered = (plans._known_tool, plans._known_plan, deeds._known, deeds._known_name, sql._known)
    before = [cache.cache_info().currsize for cache in remembered]
    for number in range(5):
        plans.tool(f"delete_volume_{number:03d}" + "x" * 5000)
        sql.read(f"DROP TABLE t{number} " + "x" * 5000)

    assert [cache.cache_info().currsize for cache in remembered] == before
    assert plans.tool("delete_volume" + "_x" * 5000) == plans.tool(("delete_volume" + "_x" * 5000)[:256])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"a": "{\\"token\\": \\"abcd1234efgh5678\\"}"}', '{"a": "{\\"token\\": \\"[credential redacted]\\"}"}'),
        ("password=" + "a1" * 400 + " end", "password=[credential redacted] end"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n" + "abcdEFGH0123\n" * 30 + "-----END",
            "-----BEGIN RSA PRIVATE KEY-----\n[private-key redacted]-----END",
        ),
        ("token=a1b2c3d4e5\\ntoken=a1b2c3d4e5", "token=[credential redacted]\\ntoken=[credential redacted]"),
    ],
)
def test_redaction_takes_all_of_a_secret(text: str, left: str) -> None:
    """Long values, keys over many lines and values behind escapes go to their end, and nothing else changes."""
    assert secrets.redact(text) == left


@given(st.text(alphabet='\\n"/ =:aA1é\ud800', max_size=60))
def test_redaction_keeps_what_is_around(text: str) -> None:
    """Whatever is escaped before and after, the secret goes and the rest stays."""
    token = "ghp_" + "0aB" * 12
    left = secrets.redact(f"{text} {token} {text}")

    assert token not in left
    assert "[github redacted]" in left
