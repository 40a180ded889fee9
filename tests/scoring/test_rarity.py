"""The baseline: how rarely honest runs show a signal, on one scale, as data that is checked before use."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.scoring import rarity, walk
from detector.scoring.rarity import FADED, Rarity, baseline

PEAKS = np.array([[0.0, 1.0, 0.5]] + [[0.0, 1.0, 0.0]] * 49 + [[0.0, 0.0, 0.0]] * 50)
"""A hundred runs: none shows the first signal, half show the second, one shows half of the third."""
AGAIN = (1.0, 3.0, 1.0)


@pytest.fixture
def made() -> Rarity:
    """The baseline of PEAKS."""
    return baseline(PEAKS, full=AGAIN)


def test_rarer_weighs_more(made: Rarity) -> None:
    """What none shows weighs 1, what is not shown nothing, what half show nearly nothing."""
    never, half, once = made.weigh(np.ones((1, 3)))[0]
    assert never == 1.0
    assert 0.0 < half < 0.05
    assert once == 1.0, "more of it than any honest run showed"
    assert half < made.weigh(np.array([[0.0, 0.0, 0.5]]))[0, 2] < 1.0
    assert not made.weigh(np.zeros((1, 3))).any()


def test_how_often_counts_where_the_signal_says_so(made: Rarity) -> None:
    """Up to a signal's own limit more of it is another thing; beyond it long honest runs repeat themselves."""
    once, thrice, often = (made.weigh(np.full((1, 3), sum_))[0] for sum_ in (1.0, 3.0, 10.0))
    assert once[1] < thrice[1] == 1.0
    assert np.array_equal(thrice, often)
    at_all = baseline(PEAKS)
    assert np.array_equal(at_all.weigh(np.full((1, 3), 1.0)), at_all.weigh(np.full((1, 3), 10.0)))


def test_it_fades(made: Rarity) -> None:
    """A sum that has decayed for four half-lives is forgotten."""
    assert made.weigh(np.full((1, 3), FADED * 0.99)).sum() == 0.0
    assert made.weigh(np.full((1, 3), FADED)).sum() > 0.0


def test_common_in_one_workflow_is_not_rare() -> None:
    """What every run of one workflow shows weighs little in all, though it is rare among all runs together."""
    peaks = np.zeros((1000, 1))
    peaks[:50] = 1.0
    one = baseline(peaks).weigh(np.ones((1, 1)))[0, 0]
    two = baseline(peaks, ["small"] * 50 + ["large"] * 950).weigh(np.ones((1, 1)))[0, 0]
    assert two < one / 8
    handful = np.zeros((1000, 1))
    handful[0] = 1.0
    alone = baseline(handful, ["new"] + ["large"] * 999).weigh(np.ones((1, 1)))[0, 0]
    assert alone > two, "a workflow of a single run makes nothing common"


def test_share(made: Rarity) -> None:
    """A weight tells the share of honest runs that show as much."""
    assert made.share(1.0) == pytest.approx(1 / 101)
    assert made.share(float(made.weigh(np.ones((1, 3)))[0, 1])) == pytest.approx(51 / 101)


@settings(max_examples=50)
@given(
    peaks=arrays(np.float64, st.tuples(st.integers(1, 60), st.just(4)), elements=st.floats(0, 3)),
    row=arrays(np.float64, 4, elements=st.floats(0, 3)),
    full=st.lists(st.floats(0.5, 4), min_size=4, max_size=4),
)
def test_compiled_and_plain_lookup_agree(
    peaks: NDArray[np.float64], row: NDArray[np.float64], full: list[float]
) -> None:
    """The inner loop weighs bit for bit as training does, and more of a signal never weighs less."""
    made = baseline(peaks, full=full)
    rarity.validate(made)
    out = np.empty(4)
    walk.weigh(row, FADED, *made.arrays, out)
    assert np.array_equal(out, made.weigh(row[None])[0])
    assert np.all(made.weigh((row * 1.5)[None])[0] >= out)


@given(values=st.lists(st.floats(FADED, 1), min_size=40, max_size=80))
def test_few_levels_are_kept_and_none_too_rare(values: list[float]) -> None:
    """A step function of few levels never holds a value for rarer than it is among the runs."""
    made = baseline(np.array(values)[:, None])
    assert len(made.levels) <= rarity.LEVELS
    for value in values:
        reach = sum(other >= value for other in values)
        assert made.share(float(made.weigh(np.array([[value]]))[0, 0])) >= (reach + 1) / (len(values) + 1) - 1e-9


def test_storage_is_exact(made: Rarity) -> None:
    """What is read back weighs the same, and writing it twice gives the same bytes."""
    data = rarity.dump(made)
    again = rarity.load(data, hashlib.sha256(data).hexdigest())
    rows = np.random.default_rng(0).random((20, 3))
    assert np.array_equal(again.weigh(rows), made.weigh(rows))
    assert rarity.dump(again) == data


def test_refused_by_checksum_and_content(made: Rarity) -> None:
    """Another file than the manifest's, or no such npz, is refused by name."""
    with pytest.raises(ModelError, match="expected sha256 00"):
        rarity.load(rarity.dump(made), "00")
    with pytest.raises(ModelError, match="not an npz"):
        rarity.load(b"junk", hashlib.sha256(b"junk").hexdigest())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"starts": np.array([0, 1, 9, 2], dtype=np.int32)}, "starts"),
        ({"starts": np.array([0], dtype=np.int32)}, "at least one signal"),
        ({"levels": np.array([0.5, np.nan])}, "a level or weight out of range"),
        ({"weights": np.array([0.5, 2.0])}, "a level or weight out of range"),
        ({"weights": np.array([0.5])}, "of one length"),
        ({"levels": np.array([0.5, 1.0], dtype=np.float32)}, "one dimension of float64"),
        ({"starts": np.array([0, 0, 2, 2], dtype=np.int32), "levels": np.array([0.5, 0.25])}, "do not rise"),
        ({"full": np.array([1.0, 1.0])}, "a limit that is not positive, or not one for each"),
        ({"full": np.array([1.0, 0.0, 1.0])}, "a limit that is not positive"),
        ({"runs": 0}, "no runs"),
    ],
)
def test_validation(made: Rarity, changes: dict[str, object], said: str) -> None:
    """Ranges, lengths, numbers and order are held to before any lookup."""
    with pytest.raises(ModelError, match=said):
        rarity.validate(replace(made, **changes))  # type: ignore[arg-type]
