"""Training: same data, same bytes; a model that reacts to what honest runs never show."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from detector.errors import DetectorError
from detector.read import Reader
from detector.scoring import model
from detector.training import corpus, fit, recipe
from tests.training.support import office


def checksums(folder: Path) -> dict[str, str]:
    """Of every file in a model's folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_same_data_same_bytes(tmp_path: Path) -> None:
    """Training twice gives the same files, and the manifest's checksums are theirs."""
    data = office(tmp_path / "data")
    made = [
        fit.train(list(corpus.examples(data, Reader())), tmp_path / name, "v1", seed=3).folder
        for name in ("one", "two")
    ]
    first, second = map(checksums, made)
    assert first == second
    manifest = json.loads((made[0] / "manifest.json").read_text())
    assert manifest["sha256"] == {name: first[f"{name}.npz"] for name in ("baseline", "forest")}
    assert model.load(tmp_path / "one").version == "v1"


def test_few_tasks_prove_no_pause(tmp_path: Path) -> None:
    """120 honest runs are no proof for 0.4 %: the model that is fitted on them alerts only."""
    fitted = fit.train(list(corpus.examples(office(tmp_path / "data"), Reader())), tmp_path / "models", "v1")
    assert fitted.everywhere.pause is None
    assert all(limit.pause is None for limit in fitted.workflows.values())


def test_too_few_runs(tmp_path: Path) -> None:
    """Below a minimum nothing is fitted."""
    data = office(tmp_path / "data", runs=10, drifts=0)
    with pytest.raises(DetectorError, match="at least 40 honest runs"):
        fit.train(list(corpus.examples(data, Reader())), tmp_path / "models", "v1")


def test_the_forest_reacts_by_rarity() -> None:
    """What no honest run shows scores above what a tenth of them show, and that above what half show."""
    random = np.random.default_rng(0)
    often = np.array([0.5, 0.1, 0.0, *[0.02] * 20])
    runs = [np.where(random.random((3, len(often))) < often / 3, 1.0, 0.0) for _ in range(300)]
    rarity, forest = recipe.learn(runs, ["desk"] * len(runs), 0)
    rows = np.zeros((4, len(often)))
    rows[[0, 1, 2], [0, 1, 2]] = 1.0
    half, tenth, never, nothing = forest.scores(rarity.weigh(rows))
    assert never > tenth > half > nothing


def test_planted_rows() -> None:
    """Planted rows set one to six signals to the rarest, each signal alike often, and leave the rest of the row."""
    honest = np.full((400, 30), 0.25)
    made = recipe.planted(honest, np.random.default_rng(0))
    set_ = made == 1.0
    assert len(made) == recipe.PLANTED_A_ROW * len(honest)
    assert np.all(made[~set_] == 0.25)
    assert (set_.sum(axis=1).min(), set_.sum(axis=1).max()) == recipe.PLANTED_SIGNALS
    assert set_.mean(axis=0).std() < 0.02
