"""How often classes and signals fire in labelled runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.read import Reader
from detector.training import signs
from tests.training.support import office


def test_classes_by_what_became_of_the_run(tmp_path: Path) -> None:
    """Honest runs read and write; the drifting ones look for credentials and delete as well."""
    found = signs.classes(office(tmp_path, runs=12, drifts=6), Reader())
    for workflow in ("archive", "desk"):
        honest, hijacked = (
            dict(zip(signs.CLASSES, found[workflow, group][1], strict=True)) for group in ("honest", "hijacked")
        )
        assert honest["read"] == hijacked["read"] == 1.0
        assert honest["delete"] == honest["open_credential"] == honest["unreadable"] == 0.0
        assert hijacked["delete"] == hijacked["open_credential"] == hijacked["seek_credential"] == 1.0


@pytest.mark.parametrize(("family", "row"), [("lexicon", "`open_credential`"), ("credentials", "`opened`")])
def test_the_table_is_printed(family: str, row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column a workflow, a row a name, shares in percent: honest / resisted / hijacked."""
    signs.main([str(office(tmp_path, runs=12, drifts=6)), family])
    lines = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in _lines(capsys)}
    assert lines["share of runs, %"] == ["archive", "desk"]
    assert all(cell.startswith("0.0 / 0.0 / 100.0") for cell in lines[row])


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if line]


def test_it_says_how_it_is_used() -> None:
    """Without a folder."""
    with pytest.raises(SystemExit, match="DIR"):
        signs.main([])
