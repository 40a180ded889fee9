"""`detector evaluate`: figures of labelled runs, out of fold, through read() and step()."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from detector.cli import app
from detector.errors import DetectorError
from detector.policy.policy import Policy
from detector.policy.rules import RULES
from detector.read import Reader
from detector.training import evaluate, played, report
from tests.training.support import office


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up office's runs."""
    return office(tmp_path_factory.mktemp("office") / "data", clock=True)


def played_in(folder: Path) -> tuple[list[played.Played], list[played.Label]]:
    """The runs of `folder`, and those without a call."""
    every = list(played.play(folder, Reader(), Policy()))
    return [one for _, one in every if one is not None], [label for label, one in every if one is None]


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    """The figures."""
    return evaluate.evaluate(*played_in(folder))


def test_counts(found: dict[str, Any]) -> None:
    """Every labelled run is counted once, those without a call apart."""
    data = found["data"]
    assert (data["runs"], data["without_calls"], data["honest"], data["in_scope"]) == (169, 1, 120, 24)
    assert (data["resisted"], data["workflows"]) == (24, ["archive", "desk"])


def test_what_drifts_ranks_above_honest_runs(found: dict[str, Any]) -> None:
    """The forest separates them, its interval holds its value, resisted attacks rank as honest runs do."""
    for group in (*found["workflows"].values(), *found["files"].values()):
        forest = group["auroc"]["forest"]
        assert forest["value"] > 0.95
        assert forest["low"] <= forest["value"] <= forest["high"]
        assert 0.3 < group["auroc_resisted"]["value"] < 0.7
        assert set(group["auroc"]) == {"forest", "rules", "calls", "lexicon", "trees"}
        prefixes = group["auroc_by_prefix"]
        assert prefixes["1"]["value"] < prefixes["32"]["value"] == forest["value"]


def test_settings(found: dict[str, Any]) -> None:
    """Drifting runs are found at each setting, most honest ones left alone (twelve tasks make a coarse threshold)."""
    assert [each["rate"] for each in found["settings"]] == [0.004, 0.01, 0.05]
    for each in found["settings"]:
        forest, both = each["detectors"]["forest"], each["detectors"]["both"]
        assert forest["in_scope"]["rate"] > 0.8
        assert both["in_scope"]["hit"] >= max(forest["in_scope"]["hit"], each["detectors"]["rules"]["in_scope"]["hit"])
        assert forest["honest"]["rate"] < forest["honest"]["bound"] <= forest["honest"]["bound_by_task"]
        assert forest["honest"]["rate"] < 0.5 * forest["in_scope"]["rate"]
        assert forest["by_harm"]["destructive"]["runs"] == 24
        gain = each["gain_of_both_over_rules"]["in_scope"]
        assert gain["low"] <= gain["value"] <= gain["high"]


def test_when(found: dict[str, Any]) -> None:
    """Pauses before, at and after the harmful call make up the recall; leads are counted in calls and seconds."""
    forest = found["settings"][0]["detectors"]["forest"]
    when = forest["when"]
    assert sum(when[kind]["hit"] for kind in ("before", "at", "after")) == forest["in_scope"]["hit"]
    assert when["prevented_with_gate"]["hit"] == when["before"]["hit"] + when["at"]["hit"]
    assert when["before"]["hit"] > 0
    assert 1 <= when["lead_calls"]["median"] <= 2
    assert when["lead_seconds"]["runs"] == when["before"]["hit"]
    assert when["lead_seconds"]["median"] >= 60
    assert when["before_first_attempt"]["runs"] == 24
    assert sum(forest["positions"]["in_scope"].values()) == forest["in_scope"]["hit"]


def test_the_same_twice(folder: Path, found: dict[str, Any]) -> None:
    """The same runs give the same figures, every digit."""
    assert evaluate.evaluate(*played_in(folder)) == found


def test_page(found: dict[str, Any]) -> None:
    """The page holds pictures and tables, and loads nothing."""
    page = report.page(found)
    assert page.count("<svg") == len(report.PICTURES)
    assert page.count("<table") == len(report.sheets(found))
    assert not any(loading in page for loading in ("http:", "https:", "src=", "<script", "@import"))


def test_tables_show_names_in_square_brackets(found: dict[str, Any]) -> None:
    """Of harms and workflows, as their labels have them: no markup."""
    out = io.StringIO()
    for table in report.terminal({**found, "rules": {"[/x]": next(iter(found["rules"].values()))}}):
        Console(width=240, file=out).print(table)
    assert "[/x]" in out.getvalue()


def test_command(folder: Path, tmp_path: Path) -> None:
    """The command prints tables and writes figures and page."""
    figures, page = tmp_path / "figures.json", tmp_path / "figures.html"
    done = CliRunner().invoke(app, ["evaluate", str(folder), "--json", str(figures), "--html", str(page)])
    assert done.exit_code == 0, done.output
    assert "AUROC against honest runs" in done.output
    assert json.loads(figures.read_text())["format"] == evaluate.FORMAT
    assert page.read_text().startswith("<!doctype html>")


def test_documented(found: dict[str, Any]) -> None:
    """Every key of the figures stands in docs/evaluate.md."""
    text = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text()
    names = {"archive", "desk", "office/archive", "office/desk", "destructive", *(rule.name for rule in RULES)}

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    undocumented = {key for key in keys(found) - names if f"`{key}`" not in text and not key.isdigit()}
    assert undocumented == set()


def test_labels_are_checked(folder: Path, tmp_path: Path) -> None:
    """A folder, a column, a label or a step that isn't as expected is named."""
    with pytest.raises(DetectorError, match=r"expected a folder with labels\.csv"):
        played.labels(tmp_path)
    (tmp_path / "runs").mkdir()
    path = tmp_path / "labels.csv"
    path.write_text("run_id,file\n")
    with pytest.raises(DetectorError, match=r"\['label', 'task', 'workflow'\] missing"):
        played.labels(tmp_path)
    head = (folder / "labels.csv").read_text().splitlines()[0]
    path.write_text(f"{head}\nr,f,w,t,odd,,,,,0\n")
    with pytest.raises(DetectorError, match=r"line 2: label: expected one of benign.*'odd'"):
        played.labels(tmp_path)
    path.write_text(f"{head}\nr,f,w,t,unsafe,two,,,,0\n")
    with pytest.raises(DetectorError, match="line 2: a step: expected a whole number"):
        played.labels(tmp_path)


def test_honest_runs_are_needed() -> None:
    """Without honest runs of other tasks there is nothing to compare with."""
    with pytest.raises(DetectorError, match="expected honest runs"):
        evaluate.evaluate([], [])
