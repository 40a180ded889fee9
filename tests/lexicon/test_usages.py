"""The language of usages, and every usage and kind of the tables."""

from __future__ import annotations

import pytest

from detector.lexicon import shell
from detector.lexicon.cmdline import split
from detector.lexicon.commands import read
from detector.lexicon.extend import called_so
from detector.lexicon.piped import Command
from detector.lexicon.tables import ALL
from detector.lexicon.tables.kinds import KINDS, VERBS, Kind
from detector.lexicon.tables.syntaxes import syntax
from detector.lexicon.usage import Usage, compiled
from detector.records import Does


def signs(text: str) -> set[str]:
    """What the commands in a shell text are known for."""
    found = [read(command) for command in shell.parse(text).commands]
    return {sign for each in found if each for sign in each.signs}


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.usage)
def test_a_usage_fires_and_is_quiet(entry: Usage) -> None:
    """It matches its example and not the one near to it."""
    assert called_so(entry.usage, entry.fires)
    assert not called_so(entry.usage, entry.quiet)


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.usage)
def test_a_usage_is_found_by_its_program(entry: Usage) -> None:
    """Its example carries its sign, unless it is but a trial."""
    assert entry.sign in signs(entry.fires)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_fires_and_is_quiet(kind: Kind) -> None:
    """A verb with a noun makes it on every platform; another verb, or a thing that matters less, doesn't."""
    for text in kind.fires:
        assert kind.sign in signs(text), text
    for text in kind.quiet:
        assert kind.sign not in signs(text), text


def test_rows_of_one_name_have_its_words() -> None:
    """A sign has one text for people, wherever it is given."""
    words: dict[str, set[str]] = {}
    for row in (*ALL, *KINDS):
        words.setdefault(row.sign, set()).add(row.words)

    assert {sign: texts for sign, texts in words.items() if len(texts) > 1} == {}


def test_verbs_are_in_lower_case_and_of_the_kinds() -> None:
    """What a kind asks for can be read as a verb."""
    assert all(verb == verb.lower() for verb in VERBS)
    assert {verb for kind in KINDS for verb in kind.verbs} - set(VERBS) <= {
        "bind",
        "generate",
        "issue",
        "mint",
        "refresh",
        "reset",
    }


@pytest.mark.parametrize(
    ("usage", "text", "expected"),
    [
        ("a b", "a b", True),
        ("a b", "a x b", True),
        ("a b", "a x y z b", False),
        ("a ^b", "a x b", False),
        ("a b|c d", "a c x d", True),
        ("a b d", "a d b", False),
        ("a|z b", "z B", True),
        ("a x*", "a xyz", True),
        ("a -f|--force", "a --FORCE", True),
        ("a -f|--force", "a -vf", True),
        ("a -D", "a -d", False),
        ("a --to=*.b", "a --to=c.b", True),
        ("a --to=x|y", "a --to z", False),
        ("a !-n b", "a -n b", False),
        ("a !c b", "a b c", False),
        ("a b --many", "echo x | xargs a b", True),
        ("a b --many", "a b x", False),
        ("a b", "sudo env X=1 a b", True),
        ("a b", "b a", False),
    ],
)
def test_the_language_of_usages(usage: str, text: str, expected: bool) -> None:
    """Words in their order, flags in any, alternatives, globs, what must be missing, what a listing gives."""
    assert called_so(usage, text) is expected


@pytest.mark.parametrize("usage", ["", "-f", "!a", "a b|", "a ||", "a !"])
def test_what_is_no_usage(usage: str) -> None:
    """A program comes first, and no alternative is empty."""
    with pytest.raises(ValueError, match="expected"):
        compiled(usage)


def test_flags_and_operands_are_told_apart() -> None:
    """Values of flags, clusters of letters, redirections and what stands behind `--`."""
    called = split("docker run -itv /a:/b --name=web -e A=1 -e B=2 img --x > out".split(), syntax("docker", "run"))

    assert called.words == ["run", "img"]
    assert called.flags == {"i": "", "t": "", "v": "/a:/b", "name": "web", "e": "A=1 B=2", "x": ""}
    assert split(["git", "checkout", "--", "-f"], syntax("git")).words == ["checkout", "-f"]


def test_a_program_without_a_table_is_none() -> None:
    """Nothing is said of programs that nobody described, unless they are named like a platform's."""
    assert read(Command(["acme", "tenants", "delete", "a"])) is None
    found = read(Command(["acmectl", "tenants", "delete", "a"]))
    assert found is not None
    assert found.does & Does.DELETE
