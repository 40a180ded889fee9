"""The recipe: honest runs to a rarity baseline and an isolation forest over it. Same runs, same seed: same bytes.

A row is what a run has shown so far, each signal as its rarity among honest runs from 0 to 1
(scoring/rarity.py). The forest is fitted on honest rows and on ten times as many planted ones: honest
rows in which one to six signals are set to 1, the rarest that there is. What planted rows do:

- Every signal varies in every tree's sample, so every signal is split on, also those that no honest run shows.
- All signals range from 0 to 1, and a cut falls uniformly between: a signal that half the honest runs
  show is cut off from them seldom, one that none shows almost always. Each signal so counts by its rarity,
  where rows stretched to each signal's own range make a common signal count like one never seen.
- A signal is split on by many trees, not by the few whose sample held a stretched row of it.

Liu, Ting and Zhou, "Isolation Forest", ICDM 2008.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detector.scoring import forest as forests
from detector.scoring.forest import Forest
from detector.scoring.rarity import Rarity, baseline

TREES = 200
SAMPLES = 256
ROWS_A_RUN = 4
"""Taken evenly over a run, its last included, so that a long run teaches no more than a short one."""
HONEST_ROWS = 4096
"""At most; the trees sample far fewer."""
PLANTED_A_ROW = 10
PLANTED_SIGNALS = (1, 6)


def learn(
    runs: Sequence[NDArray[np.float64]], workflows: Sequence[str], seed: int, full: Sequence[float] = ()
) -> tuple[Rarity, Forest]:
    """Baseline and forest of honest `runs`, one matrix (actions, n) of long sums each, none of them empty, and the
    workflow of each. `full`: up to what each signal counts (behaviours.base.Layout.full).
    """
    from sklearn.ensemble import IsolationForest

    random = np.random.default_rng(seed)
    rarity = baseline(np.array([matrix.max(axis=0) for matrix in runs]), workflows, full)
    honest = rarity.weigh(np.concatenate([matrix[spread(len(matrix))] for matrix in runs]))
    if len(honest) > HONEST_ROWS:
        honest = honest[np.sort(random.choice(len(honest), HONEST_ROWS, replace=False))]
    data = np.concatenate([honest, planted(honest, random)])
    fitted = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLES, len(data)), random_state=seed).fit(data)
    return rarity, forests.from_sklearn(fitted)


def planted(honest: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Honest rows, each PLANTED_A_ROW times, in which a few signals are as rare as can be."""
    made = np.repeat(honest, PLANTED_A_ROW, axis=0)
    low, high = PLANTED_SIGNALS
    high = min(high, made.shape[1])
    # The signals of a row are the first of its own order of all signals.
    order = np.argsort(random.random(made.shape), axis=1)[:, :high]
    count = random.integers(low, high, size=len(made), endpoint=True)
    for n in range(high):
        there = count > n
        made[there, order[there, n]] = 1.0
    return made


def spread(count: int) -> NDArray[np.int64]:
    """ROWS_A_RUN indices of `count`, evenly, first and last included."""
    return np.unique(np.linspace(0, count - 1, min(count, ROWS_A_RUN)).astype(np.int64))
