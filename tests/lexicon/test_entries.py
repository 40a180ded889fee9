"""Every entry of the lexicon fires where it should and is quiet where it should."""

from __future__ import annotations

import re

import pytest

from detector.lexicon import calls, deeds, places, shell_table, sql, words
from detector.lexicon.entries import Entry, PatternSet, Place, Surface, line_pattern
from detector.lexicon.secret_forms import FORMS, MORE_FORMS, Form
from detector.lexicon.secrets import plain, redact, values
from detector.records import Does


def matches(surfaces: tuple[Surface, ...], pattern: str, line: str, *, anywhere: bool = False) -> bool:
    """Whether one pattern, alone in a set, matches a line with its tag."""
    return bool(PatternSet([line_pattern(surfaces, pattern, anywhere=anywhere)]).match(line.encode()))


@pytest.mark.parametrize("entry", shell_table.ENTRIES, ids=lambda entry: entry.sign)
def test_an_entry_fires_and_is_quiet(entry: Entry) -> None:
    """It matches its example, not the one near to it, and nothing on another surface."""
    other = Surface.HTTP if entry.surface is Surface.SHELL else Surface.SHELL

    assert matches((entry.surface,), entry.pattern, f"{entry.surface}: {entry.fires}")
    assert not matches((entry.surface,), entry.pattern, f"{entry.surface}: {entry.quiet}")
    assert not matches((entry.surface,), entry.pattern, f"{other}: {entry.fires}")


@pytest.mark.parametrize("place", places.PLACES, ids=lambda place: place.environment.name)
def test_a_place_fires_and_is_quiet(place: Place) -> None:
    """Whole words in places' names count, ordinary words that hold them don't."""
    for line in place.fires:
        assert matches(place.surfaces, place.pattern, line, anywhere=True), line
    for line in place.quiet:
        assert not matches(place.surfaces, place.pattern, line, anywhere=True), line


@pytest.mark.parametrize("deed", [*deeds.DEEDS, deeds.SOMETHING_DELETED], ids=lambda deed: deed.name)
def test_a_deed_is_read_from_names_in_any_style(deed: deeds.Deed) -> None:
    """A verb and a noun in any naming style make it; a near name doesn't."""
    for name in deed.fires:
        found = deeds.parse(name)
        assert found.deed is deed, name
        assert found.does & deed.does == deed.does
    for name in deed.quiet:
        assert deeds.parse(name).deed is not deed, name


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_form_of_secret_fires_and_is_quiet(form: Form) -> None:
    """A secret is known by its form, in quotes too; what only begins like one isn't."""
    for text in (form.fires, f'"{form.fires}"'):
        assert form.name in {name for name, _ in values(plain(text))}, text
    assert form.name not in {name for name, _ in values(plain(form.quiet))}


@pytest.mark.parametrize("form", MORE_FORMS, ids=lambda form: form.name)
def test_a_form_that_is_only_redacted(form: Form) -> None:
    """It is redacted and is no secret to the behaviours by its form; what only begins like one is left as it is."""
    assert f"[{form.name} redacted]" in redact(form.fires)
    assert form.name not in {name for name, _ in values(plain(form.fires))}
    assert redact(form.quiet) == form.quiet


def test_signs_are_names_of_ours_with_words_for_people() -> None:
    """Signs are unique, short and plain; each has words, and an unknown one is given back."""
    assert len({entry.sign for entry in shell_table.ENTRIES}) == len(shell_table.ENTRIES)
    for sign in calls.all_signs():
        assert re.fullmatch(r"[a-z]+\.[a-z-]+", sign)
        assert words(sign) != sign
    assert words("graphql.delete-volume") == "deletes a volume through GraphQL"
    assert words("no.such-sign") == "no.such-sign"


def test_every_sql_sign_has_words_and_flags() -> None:
    """The tables of the SQL part agree."""
    assert sql.WORDS.keys() == sql.DOES.keys()


def test_verbs_have_one_meaning() -> None:
    """What brings nothing back deletes, by whatever verb."""
    assert all(verb for verb in deeds.VERBS)
    for deed in deeds.DEEDS:
        if Does.IRREVERSIBLE in deed.does:
            assert Does.DELETE in deed.does, deed.name
