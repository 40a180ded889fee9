"""What an evaluation's pictures are drawn of."""

from __future__ import annotations

import numpy as np

from detector.training.curves import BINS, curves, histogram, roc


def test_roc() -> None:
    """Points are shares above one threshold, never more of the honest than asked for, from none to all."""
    good, bad = np.arange(1000) / 1000.0, np.array([0.5, 0.9985, 2.0, 3.0])
    points = roc(bad, good)
    assert points[0] == [0.0, 0.5]
    assert [0.004, 0.75] in points
    assert points[-1] == [1.0, 1.0]
    assert points == sorted(points)


def test_ties_pass_no_threshold() -> None:
    """Where all honest runs score the same, a threshold is passed by none of them or by all."""
    assert {point[0] for point in roc(np.array([1.0]), np.full(10, 0.5))} == {0.0, 1.0}


def test_histogram_and_what_is_missing() -> None:
    """Every peak is counted once; where there are no unsafe runs there is no curve."""
    whole = histogram(np.array([0.0, 0.315, 0.315, 1.0]))
    assert (whole["first"], len(whole["counts"]), sum(whole["counts"]), whole["counts"][157]) == (0, BINS, 4, 2)
    assert histogram(np.array([0.315, 0.3195])) == {"first": 157, "counts": [1, 0, 1]}
    found = curves(np.array([0.3]), np.empty(0), np.empty(0))
    assert found["roc"] == []
    assert found["peaks"]["in_scope"]["counts"] == []
