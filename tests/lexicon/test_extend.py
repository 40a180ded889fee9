"""Tables that users add, from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from detector.config import Settings
from detector.errors import ConfigError
from detector.lexicon import Lexicon, extend, words
from detector.lexicon.known import DEFAULT
from detector.read import Reader
from detector.records import Does, Environment

COMMAND = {
    "name": "delete-tenant",
    "usage": "acme tenants delete|purge",
    "does": ["DELETE", "IRREVERSIBLE"],
    "words": "deletes a tenant",
    "fires": "acme tenants purge blue",
    "quiet": "acme tenants list",
}
ENTRY = {
    "name": "wipe-cache",
    "surface": "sh",
    "pattern": "acme-wipe ",
    "does": "DELETE",
    "words": "wipes a cache",
    "fires": "acme-wipe all",
    "quiet": "acme-wiper all",
}
PLACE = {
    "environment": "PRODUCTION",
    "pattern": r"\bblue-team\b",
    "fires": "sh: psql -h blue-team",
    "quiet": "sh: ls blue",
}
ASSET = {"name": "ledger-7", "environment": "STAGING"}


def written(folder: Path, rows: Any, name: str = "lexicon.json") -> Path:
    """The rows as a file."""
    file = folder / name
    file.write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return file


def faults(file: Path) -> list[str]:
    """What is wrong with a file."""
    with pytest.raises(ConfigError) as raised:
        extend.load(file)
    return raised.value.faults


def test_rows_are_read_beside_the_packaged_ones(tmp_path: Path) -> None:
    """A command, a pattern, a place and an asset of one's own; what the package knows stays."""
    rows = {"commands": [COMMAND], "entries": [ENTRY], "places": [PLACE], "assets": [ASSET]}
    lexicon = Lexicon(extend.load(written(tmp_path, rows)))

    call = lexicon.read("bash", {"command": "sudo acme tenants delete x"})
    assert call.does & COMMAND_DOES == COMMAND_DOES
    assert "cli.delete-tenant" in call.signs
    assert words("cli.delete-tenant") == "deletes a tenant"
    assert "shell.wipe-cache" in lexicon.read("bash", {"command": "cd a && acme-wipe b"}).signs
    assert lexicon.read("bash", {"command": "psql -h blue-team"}).environment == Environment.PRODUCTION
    assert lexicon.read("get_row", {"table": "ledger-7"}).environment == Environment.STAGING
    assert lexicon.read("bash", {"command": "rm -rf /srv/media"}).does & Does.IRREVERSIBLE
    assert not Lexicon().read("bash", {"command": "acme tenants delete x"}).does & Does.DELETE


COMMAND_DOES = Does.DELETE | Does.IRREVERSIBLE


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.yaml", "assets:\n  - {name: ledger-7, environment: production}\n"),
        ("l.yml", "assets: [{name: ledger-7, environment: [PRODUCTION]}]"),
        ("l.toml", '[[assets]]\nname = "ledger-7"\nenvironment = "PRODUCTION"\n'),
        ("l.json", '{"assets": [{"name": "ledger-7", "environment": "PRODUCTION"}]}'),
    ],
)
def test_a_file_is_read_by_its_ending(tmp_path: Path, name: str, text: str) -> None:
    """YAML, TOML and JSON say the same."""
    lexicon = Lexicon(extend.load(written(tmp_path, text, name)))

    assert lexicon.read("bash", {"command": "psql ledger-7"}).environment == Environment.PRODUCTION
    assert lexicon.read("bash", {"command": "psql ledger-70"}).environment == 0


def test_no_file_and_an_empty_one_leave_the_packaged_tables(tmp_path: Path) -> None:
    """Nothing is needed of users."""
    assert extend.load(None) is DEFAULT
    assert (
        Lexicon(extend.load(written(tmp_path, "", "l.yaml"))).read("bash", {"command": "dropdb a"}).does & Does.DELETE
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"commands": [COMMAND | {"usage": "-f"}]}, "commands[0].usage: expected a program first"),
        ({"commands": [COMMAND | {"does": ["DELTE"]}]}, "commands[0].does: expected some of READ, SEARCH"),
        ({"commands": [COMMAND | {"does": []}]}, "commands[0].does: expected names of Does"),
        ({"commands": [COMMAND | {"name": "Delete Tenant"}]}, "commands[0].name: String should match pattern"),
        ({"commands": [{"name": "a"}]}, "commands[0].usage: Field required"),
        (
            {"commands": [COMMAND, COMMAND | {"fires": "acme tenants list"}]},
            "commands[1].fires: expected a match: 'acme tenants list'",
        ),
        (
            {"commands": [COMMAND | {"quiet": "acme tenants delete"}]},
            "commands[0].quiet: expected no match: 'acme tenants delete'",
        ),
        ({"entries": [ENTRY | {"pattern": "a(?=b)"}]}, "entries[0].pattern: expected an RE2 pattern, came 'a(?=b)'"),
        ({"entries": [ENTRY | {"surface": "shell"}]}, "entries[0].surface: Input should be"),
        ({"entries": [ENTRY | {"fires": "nothing"}]}, "entries[0].fires: expected a match: 'nothing'"),
        ({"places": [PLACE | {"quiet": "sh: ls blue-team"}]}, "places[0].quiet: expected no match"),
        ({"assets": [{"name": "x", "environment": "MOON"}]}, "assets[0].environment: expected some of LOCAL, TEST"),
        ({"asets": []}, "asets: Extra inputs are not permitted"),
        ([], "the file: Input should be a valid dictionary"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, rows: Any, said: str) -> None:
    """File, row and field, what was expected and what came."""
    assert any(fault.startswith(f"lexicon_file lexicon.json: {said}") for fault in faults(written(tmp_path, rows)))


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """Two bad rows give two sentences."""
    rows = {"commands": [COMMAND | {"does": "X"}], "assets": [{"name": "abc", "environment": "Y"}]}

    assert len(faults(written(tmp_path, rows))) == 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and broken text say so."""
    assert faults(tmp_path / "none.yaml")[0].startswith("lexicon_file: expected a readable file")
    assert faults(written(tmp_path, "a: [", "l.yaml"))[0].startswith("lexicon_file l.yaml: expected YAML, JSON or TOML")
    assert faults(written(tmp_path, "{", "l.json"))[0].startswith("lexicon_file l.json: expected YAML, JSON or TOML")


def test_a_reader_is_built_with_them(tmp_path: Path) -> None:
    """The setting is enough; where the file can't be used nothing starts."""
    Reader.from_settings(Settings(lexicon_file=written(tmp_path, {"commands": [COMMAND]})))

    with pytest.raises(ConfigError, match="expected a program first"):
        Reader.from_settings(Settings(lexicon_file=written(tmp_path, {"commands": [COMMAND | {"usage": "!a"}]})))
