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
from detector.training.matrix import blank
from detector.training.recipe import learn

CALIBRATION = Calibration(Threshold(0.6, None, 10, 5, 0.3), {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with one version, `v1`, in force."""
    random = np.random.default_rng(0)
    width = len(blank().layout.signals)
    # Hardly a run shows a signal.
    runs = [(random.random((3, width)) < 0.003).astype(np.float64) for _ in range(60)]
    model.save(tmp_path, "v1", *learn(runs, ["desk"] * len(runs), 0), CALIBRATION, {})
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
        ({"sha256": {"baseline": "0" * 64, "forest": "0" * 64}}, "baseline: expected sha256 000"),
        ({"sha256": {"baseline": "0" * 64}}, "baseline: expected sha256 000"),
        ({"sha256": {}}, "lacks or misspells"),
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
    n = len(loaded.layout.signals)
    signals = np.zeros(2 * n)
    signals[n + 3] = 1.0
    shares = loaded.explain(signals)
    assert [share.behaviour for share in shares] == [loaded.layout.names[3]]
    assert shares[0].words == loaded.layout.signals[3].words
    signals[n + 9] = 1.0
    shares = loaded.explain(signals)
    assert [s.share for s in shares] == sorted((s.share for s in shares), reverse=True)


def test_what_would_have_made_it_quiet(folder: Path) -> None:
    """Signals are named without which the run stays below the limit; none where it does so as it is."""
    loaded = model.load(folder)
    n = len(loaded.layout.signals)
    signals = np.zeros(2 * n)
    calm = loaded.scores(signals[None, n:])[0]
    signals[n + 3] = 1.0
    assert loaded.scores(signals[None, n:])[0] > calm
    assert loaded.quiet(signals, calm) == [loaded.layout.names[3]]
    assert loaded.quiet(signals, 1.0) == []


def test_one_row_and_many_score_alike(folder: Path) -> None:
    """What the stream computes for an action is what training computes for a matrix."""
    loaded = model.load(folder)
    n = len(loaded.layout.signals)
    rows = np.random.default_rng(1).random((20, n)) * 1.4
    streamed = [loaded.advance(np.concatenate([row, row]), np.zeros(n), fade=False) for row in rows]
    assert streamed == loaded.scores(rows).tolist()
