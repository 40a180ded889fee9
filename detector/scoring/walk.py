"""The compiled inner loop: decay the signals, weigh them by rarity, walk the forest, attribute a score.

Arrays of a forest, one entry a node, trees one after the other: `feature` (int32, -1 at a
leaf), `threshold` (float64), `left` and `right` (int32, absolute, greater than the node's own
index), `depth` (float64: at a leaf the path length with the usual correction for the samples
that ended there, elsewhere the mean over the leaves below, weighted by samples), `roots`
(int32, one a tree). `validate` in forest.py holds them to that before anything here runs:
compiled code checks no bounds.
"""

# ruff: noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects
from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


def _compiled(function: Any) -> Any:
    # fastmath stays off: a replay must give the same bits.
    return numba.njit(cache=True, nogil=True)(function)


@_compiled
def decay(signals: Floats, amounts: Floats, short: float, long: float) -> None:
    """`signals` (2n: short sums, long sums) fades by one action, then gains `amounts` (n), which is cleared."""
    n = amounts.shape[0]
    for i in range(n):
        amount = amounts[i]
        signals[i] = signals[i] * short + amount
        signals[n + i] = signals[n + i] * long + amount
        amounts[i] = 0.0


@_compiled
def weigh(
    sums: Floats, faded: float, full: Floats, starts: Ints, levels: Floats, weights: Floats, row: Floats
) -> None:  # fmt: skip
    """Writes into `row` how rare each of the long `sums` is among honest runs (see rarity.py); most sums are zero."""
    for i in range(sums.shape[0]):
        shown = min(sums[i], full[i])
        if shown < faded:
            row[i] = 0.0
            continue
        at, end = starts[i], starts[i + 1]
        while at < end and levels[at] < shown:
            at += 1
        row[i] = weights[at] if at < end else 1.0


@_compiled
def score(
    row: Floats, feature: Ints, threshold: Floats, left: Ints, right: Ints, depth: Floats, roots: Ints, scale: float
) -> float:
    """The anomaly score of `row`, 0 to 1, high is anomalous: 2 ** (-mean path length / scale)."""
    total = 0.0
    for tree in range(roots.shape[0]):
        node = roots[tree]
        f = feature[node]
        while f >= 0:
            # scikit-learn compares in float32: so must we, or rows on a threshold go the other way.
            node = left[node] if np.float32(row[f]) <= threshold[node] else right[node]
            f = feature[node]
        total += depth[node]
    result: float = 2.0 ** (-total / (roots.shape[0] * scale))
    return result


@_compiled
def advance(
    signals: Floats, amounts: Floats, short: float, long: float, faded: float,
    full: Floats, starts: Ints, levels: Floats, weights: Floats,
    feature: Ints, threshold: Floats, left: Ints, right: Ints, depth: Floats, roots: Ints, scale: float,
) -> float:  # fmt: skip
    """`decay`, `weigh`, then `score`: one crossing from Python for each action, not three."""
    decay(signals, amounts, short, long)
    row = np.empty(amounts.shape[0])
    weigh(signals[amounts.shape[0] :], faded, full, starts, levels, weights, row)
    result: float = score(row, feature, threshold, left, right, depth, roots, scale)
    return result


@_compiled
def scores(
    rows: Floats, feature: Ints, threshold: Floats, left: Ints, right: Ints, depth: Floats, roots: Ints, scale: float,
    out: Floats,
) -> None:  # fmt: skip
    """`score` of each of `rows`, into `out`."""
    for i in range(rows.shape[0]):
        out[i] = score(rows[i], feature, threshold, left, right, depth, roots, scale)


@_compiled
def attribute(
    row: Floats, feature: Ints, threshold: Floats, left: Ints, right: Ints, depth: Floats, roots: Ints, out: Floats
) -> None:
    """Adds to `out` (one entry a feature) by how much each feature's splits shortened the path, summed over trees."""
    for tree in range(roots.shape[0]):
        node = roots[tree]
        f = feature[node]
        while f >= 0:
            below = left[node] if np.float32(row[f]) <= threshold[node] else right[node]
            out[f] += depth[node] - depth[below]
            node = below
            f = feature[node]
