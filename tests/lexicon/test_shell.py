"""Shell text to simple commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.lexicon import script, shell


def commands(text: str) -> list[str]:
    """Commands as lines: a blank inside of a word as `_`, what a listing gives as `+`, an unknown value as `?`."""
    lines = [shell.line(command.words) for command in shell.parse(text).commands]
    return [line.translate({0x1F: "_", 0x1E: "+", 0x1D: "?"}) for line in lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ls -la /tmp | head -3", ["ls -la /tmp", "head -3"]),
        ("cd /a && rm -rf b; echo done &", ["cd /a", "rm -rf b", "echo done"]),
        ("echo 'rm -rf /' \"x y\"", ["echo rm_-rf_/ x_y"]),
        ("FOO=1 sudo -n /bin/rm -r x", ["rm -r x"]),
        ("timeout 5s nohup nice -n 3 ls", ["ls"]),
        ("find . | xargs -0 rm -f", ["find .", "rm -f"]),
        ("bash -lc 'rm -rf /data && ls'", ["bash -lc rm_-rf_/data_&&_ls", "rm -rf /data", "ls"]),
        ("ssh -i key host rm -rf /data", ["ssh -i key host rm -rf /data", "rm -rf /data"]),
        ("echo $(cat .env) `id`", ["cat .env", "id", "echo ? ?"]),
        ("rm $(ls)/a", ["ls", "rm +/a"]),
        ('echo "a $(cat .env)"', ["cat .env", "echo a_?"]),
        ("ls 2>&1 >/dev/null # rm -rf /", ["ls > /dev/null"]),
        ("cat <<'EOF' > a\nrm -rf /\nEOF\nls", ["cat > a", "ls"]),
        ("bash <<EOF\nrm -rf /data\nEOF", ["bash", "rm -rf /data"]),
        ("if true; then rm x; fi", ["true", "rm x"]),
        ("kubectl exec pod -- rm -rf /data", ["kubectl exec pod -- rm -rf /data", "rm -rf /data"]),
        ("curl a\\ b 'it''s", ["curl a_b its"]),
        ("", []),
        ("$(((((", []),
    ],
)
def test_commands(text: str, expected: list[str]) -> None:
    """Quotes, lists, substitutions, wrappers and here-documents are seen through."""
    assert commands(text) == expected


def test_variables_and_documents_are_kept_apart() -> None:
    """What is set for a command, and what an interpreter reads, isn't lost."""
    script = shell.parse("PGPASSWORD=x psql shop <<SQL\nDROP TABLE a;\nSQL\n")

    assert script.variables == ["PGPASSWORD=x"]
    assert [(command.words[0], command.stdin) for command in script.commands] == [("psql", "DROP TABLE a;\n")]


def test_more_commands_than_are_read_are_told() -> None:
    """Padding can't hide a command unnoticed."""
    read = shell.parse("true;" * 1000 + "rm -rf /data")

    assert len(read.commands) == script.MAX_COMMANDS
    assert not read.whole


@pytest.mark.parametrize(
    "text", ['"' * 16_000, "'" * 16_000, "$(" * 8_000, "`" * 16_000, "<<A " * 4_000, '" \\"' * 4_000]
)
def test_hostile_text_is_read_in_one_pass(text: str) -> None:
    """Unclosed quotes, substitutions and documents end with the text."""
    assert len(shell.parse(text).commands) <= script.MAX_COMMANDS


@given(st.text(alphabet="ab '\"\\$()`<>#;&|\n=-E", max_size=200))
def test_any_text_is_read(text: str) -> None:
    """Nothing is raised, and no command is without a program."""
    assert all(command.words and command.words[0] for command in shell.parse(text).commands)
