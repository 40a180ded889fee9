"""What an evaluation's pictures show beyond its tables: ROC curves, and where runs' peaks lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HONEST = (0.0, 0.001, 0.002, 0.004, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of honest runs at which a ROC curve is told."""
BINS = 500
"""Of peaks, from 0 to 1."""

Floats = NDArray[np.float64]


def roc(bad: Floats, good: Floats) -> list[list[float]]:
    """[share of `good`, share of `bad`] above the lowest threshold that so many of `good` pass at most.

    Empty where either side is.
    """
    if not len(bad) or not len(good):
        return []
    ranked = np.sort(good)[::-1]
    out = []
    for share in HONEST:
        passed = int(share * len(ranked) + 1e-9)
        limit = ranked[passed] if passed < len(ranked) else -np.inf
        out.append([round(float((good > limit).mean()), 4), round(float((bad > limit).mean()), 4)])
    return out


def histogram(peaks: Floats) -> dict[str, Any]:
    """How many peaks fall into each of BINS bins from 0 to 1, without the empty ones before `first` and at the end."""
    counts = np.histogram(peaks, BINS, (0.0, 1.0))[0]
    used = np.flatnonzero(counts)
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, -1)
    return {"first": first, "counts": counts[first : last + 1].tolist()}


def curves(honest: Floats, in_scope: Floats, resisted: Floats) -> dict[str, Any]:
    """What docs/evaluate.md calls `curves`, of peaks by what the runs were."""
    return {
        "roc": roc(in_scope, honest),
        "peaks": {name: histogram(of) for name, of in
                  (("honest", honest), ("in_scope", in_scope), ("resisted", resisted))},
    }  # fmt: skip
