"""The forest as arrays: equal to scikit-learn, and refused where a walk could leave them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from detector.errors import ModelError
from detector.scoring import forest
from detector.scoring.forest import Forest

FEATURES = 12


def data(rows: int, seed: int = 0) -> NDArray[np.float64]:
    """Rows like those of runs: mostly zeros, a few decayed sums."""
    random = np.random.default_rng(seed)
    return random.exponential(1.0, (rows, FEATURES)) * (random.random((rows, FEATURES)) < 0.4)


@pytest.fixture(scope="module")
def fitted() -> IsolationForest:
    """scikit-learn's own."""
    return IsolationForest(n_estimators=40, max_samples=128, random_state=3).fit(data(600))


@pytest.fixture(scope="module")
def flat(fitted: IsolationForest) -> Forest:
    """The same, flattened."""
    return forest.from_sklearn(fitted)


def test_scores_equal_scikit_learn(fitted: IsolationForest, flat: Forest) -> None:
    """The compiled walk gives scikit-learn's score for every row, to rounding."""
    rows = data(300, seed=1)
    theirs = -fitted.score_samples(rows)
    ours = [flat.score(row) for row in rows]
    assert np.allclose(ours, theirs, rtol=0, atol=1e-12)


def test_storage_is_exact(flat: Forest) -> None:
    """What is read back scores bit for bit the same."""
    stored = forest.dump(flat)
    again = forest.load(stored, hashlib.sha256(stored).hexdigest())
    rows = data(50, seed=2)
    assert [again.score(row) for row in rows] == [flat.score(row) for row in rows]


def test_attribution_adds_up(flat: Forest) -> None:
    """Contributions of all features are the way from the root's mean path length to the row's own."""
    row = data(1, seed=5)[0]
    mean_at_roots = float(np.mean(flat.depth[flat.roots]))
    own = -np.log2(flat.score(row)) * flat.scale
    assert flat.attribute(row).sum() == pytest.approx(mean_at_roots - own)


def test_attribution_finds_the_planted_feature(flat: Forest) -> None:
    """A row that is odd in one feature is explained by that feature."""
    row = np.zeros(FEATURES)
    row[7] = 50.0
    assert int(np.argmax(flat.attribute(row))) == 7


def test_checksum(flat: Forest) -> None:
    """A file that is not the one of the manifest is refused before it's parsed."""
    with pytest.raises(ModelError, match="expected sha256 00"):
        forest.load(forest.dump(flat), "00")


@pytest.mark.parametrize("junk", [b"", b"PK\3\4 not a zip", b"\x93NUMPY"])
def test_junk(junk: bytes) -> None:
    """Bytes that are no npz are refused by name even under their own checksum."""
    with pytest.raises(ModelError, match="not an npz"):
        forest.load(junk, hashlib.sha256(junk).hexdigest())


def test_pickle_is_not_loaded() -> None:
    """An object array, which would need pickle, is refused."""
    import io

    buffer = io.BytesIO()
    np.savez(buffer, feature=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ModelError, match="not an npz"):
        forest.load(buffer.getvalue(), hashlib.sha256(buffer.getvalue()).hexdigest())


def broken(flat: Forest) -> dict[str, Forest]:
    """Forests that a compiled walk must never see."""
    inner = int(np.flatnonzero(flat.feature >= 0)[0])

    def change(name: str, at: int, value: float) -> Forest:
        array = getattr(flat, name).copy()
        array[at] = value
        return replace(flat, **{name: array})

    return {
        "out of range": change("feature", inner, FEATURES),
        "a feature": change("feature", inner, -2),
        "a child": change("left", inner, inner),
        "or out of range": change("right", inner, len(flat.feature)),
        "not finite": change("threshold", inner, np.nan),
        "a root": change("roots", 0, len(flat.feature)),
        "not positive": replace(flat, scale=0.0),
        "one length": replace(flat, left=flat.left[:-1]),
        "one dimension": replace(flat, depth=flat.depth.astype(np.float32)),
    }


@pytest.mark.parametrize(
    "fault",
    [
        "out of range", "a feature", "a child", "or out of range", "not finite",
        "a root", "not positive", "one length", "one dimension",
    ],
)  # fmt: skip
def test_validation(flat: Forest, fault: str) -> None:
    """Cycles, ranges, numbers and shapes are held to before any walk."""
    with pytest.raises(ModelError, match=fault):
        forest.validate(broken(flat)[fault])
