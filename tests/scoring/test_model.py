"""A model's folder: written, read back, and refused where anything in it is not what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.errors import ModelError
from detector.scoring import model
from detector.scoring.calibration import Calibration, Threshold
from detector.scoring.forest import from_sklearn
from detector.training.matrix import blank

CALIBRATION = Calibration(Threshold(0.6, None, 10, 5, 0.3), {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with one version, `v1`, in force."""
    from sklearn.ensemble import IsolationForest

    random = np.random.default_rng(0)
    width = len(blank().layout.feature_names)
    fitted = IsolationForest(n_estimators=60, max_samples=64, random_state=0).fit(random.random((200, width)))
    model.save(tmp_path, "v1", from_sklearn(fitted), CALIBRATION, {})
    (tmp_path / "current").write_text("v1\n")
    return tmp_path


def edit(folder: Path, **changes: Any) -> None:
    """Changes the manifest."""
    path = folder / "v1" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_round_trip(folder: Path) -> None:
    """The current version loads with its calibration."""
    loaded = model.load(folder)
    assert loaded.version == "v1"
    assert loaded.calibration == CALIBRATION


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": "0" * 64}, "expected sha256 000"),
        ({"features": ["only.one/short"]}, "made for other behaviours"),
        ({"layout": "another"}, "made for other behaviours"),
        ({"calibration": {}}, "lacks or misspells"),
        ({"calibration": {"everywhere": {"bogus": 1}, "workflows": {}}}, "lacks or misspells"),
    ],
)
def test_refused(folder: Path, changes: dict[str, Any], said: str) -> None:
    """A manifest that doesn't fit forest or program is refused, and the error says why."""
    edit(folder, **changes)
    with pytest.raises(ModelError, match=said):
        model.load(folder)


def test_missing(tmp_path: Path) -> None:
    """No folder, no `current`, no version: each is named."""
    with pytest.raises(ModelError, match="names a version"):
        model.load(tmp_path)
    with pytest.raises(ModelError, match=r"v9.*can't be read"):
        model.load(tmp_path, "v9")


def test_current_is_no_path(tmp_path: Path) -> None:
    """`current` can't lead out of the folder."""
    (tmp_path / "current").write_text("../../elsewhere")
    with pytest.raises(ModelError, match="expected a version"):
        model.load(tmp_path)


def test_explanation_is_in_words(folder: Path) -> None:
    """Shares come largest first, with words."""
    loaded = model.load(folder)
    signals = np.full(len(loaded.layout.feature_names), 0.5)
    signals[[3, len(loaded.layout.signals) + 3]] = 30.0
    shares = loaded.explain(signals)
    assert shares[0].behaviour == loaded.layout.names[3]
    assert [s.share for s in shares] == sorted((s.share for s in shares), reverse=True)
    assert shares[0].words == loaded.layout.signals[3].words
