"""A model's card, and what each family of behaviours is worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from detector.behaviours.base import layout
from detector.cli import app
from detector.config import PACKAGED_MODELS
from detector.errors import DetectorError
from detector.policy.policy import Policy
from detector.read import Reader
from detector.scoring import model as models
from detector.training import ablation, card, evaluate, played
from detector.training.fit import fold
from tests.training.support import office

MANIFEST: dict[str, Any] = json.loads((PACKAGED_MODELS / models.current(PACKAGED_MODELS) / "manifest.json").read_text())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[played.Played]:
    """A made-up office's runs, of tasks in two folds."""
    folder = office(tmp_path_factory.mktemp("office") / "data", runs=60, tasks=12, drifts=12)
    every = [one for _, one in played.play(folder, Reader(), Policy()) if one is not None]
    folds = sorted({fold(run.label.task) for run in every})[:2]
    return [run for run in every if fold(run.label.task) in folds]


@pytest.fixture(scope="module")
def found(runs: list[played.Played]) -> dict[str, Any]:
    """An evaluation of the shipped model, with the ablation of one family."""
    measured = evaluate.evaluate(runs, [], model=models.load(PACKAGED_MODELS))
    return {**measured, "ablation": ablation.ablate(runs, families=("destruction",))}


def test_the_forest_is_fitted_without_each_family(runs: list[played.Played], found: dict[str, Any]) -> None:
    """With all families and without one, on all runs; a family left out is one that no run has shown, ever."""
    assert list(found["ablation"]) == ["", "destruction"]
    in_scope = found["data"]["in_scope"]
    for each in found["ablation"].values():
        assert [setting["rate"] for setting in each["settings"]] == list(evaluate.RATES)
        assert {setting["in_scope"]["runs"] for setting in each["settings"]} == {in_scope}
        assert set(each["auroc"]) == set(found["workflows"])
    installed = layout()
    start = installed.index["destruction.deleted"]
    drifting = next(run for run in runs if run.sums[:, start].any())
    bare = ablation.without(drifting, slice(start, start + 1)).sums
    assert not bare[:, start].any()
    assert (bare[:, start + 1 :] == drifting.sums[:, start + 1 :]).all()
    assert drifting.sums[:, start].any()


def test_the_card_says_what_the_model_is_and_what_was_measured(found: dict[str, Any]) -> None:
    """Checksums, data with licences, guarantees, figures, families, blind spots and the way home; no table is torn."""
    text = card.text(MANIFEST, found)
    for checksum in MANIFEST["sha256"].values():
        assert checksum in text
    for workflow, runs in MANIFEST["fitted"]["workflows"].items():
        assert f"| {workflow} | {runs:,} | " in text
        assert workflow in card.SOURCES
    for head in (
        "Data",
        "Guarantees",
        "Figures",
        "What each family is worth",
        "What it cannot see",
        "Calibrate at home",
    ):
        assert f"\n## {head}\n" in text
    assert "| without destruction |" in text
    for workflow in ("coding", "data", "office", "support"):
        assert MANIFEST["fitted"]["sources"][workflow] == "simulated"
    assert "simulated runs, counting as" in text
    assert "a fleet of yours needs a proof of its own" in text
    for block in text.split("\n\n"):
        lines = block.splitlines()
        assert len({line.count("|") for line in lines if line.startswith("|")}) <= 1


def test_figures_of_other_behaviours_are_refused(found: dict[str, Any]) -> None:
    """A card never mixes a model with what was measured before its behaviours changed."""
    with pytest.raises(DetectorError, match="came some of before: evaluate anew"):
        card.text(MANIFEST, {**found, "model": {**found["model"], "layout": "before"}})


def test_a_card_without_figures() -> None:
    """Before anything was measured it says what the manifest knows."""
    text = card.text(MANIFEST)
    assert "## Guarantees" in text
    assert "## Figures" not in text


def test_the_command(tmp_path: Path, found: dict[str, Any]) -> None:
    """It writes CARD.md beside the manifest, and says what it can't read."""
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "figures.json").write_text(json.dumps(found))
    ended = CliRunner().invoke(app, ["card", str(tmp_path), "--evaluation", str(tmp_path / "figures.json")])
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "CARD.md").read_text() == card.text(MANIFEST, found)
    ended = CliRunner().invoke(app, ["card", str(tmp_path / "gone")])
    assert "card: " in str(ended.exception)
