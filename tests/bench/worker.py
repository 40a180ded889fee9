"""A worker as it is, or scoring each action with scikit-learn's own `score_samples`, on one core."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sklearn_scorer(features: int, trees: int) -> Callable[[Floats], float]:
    """A forest of the shipped one's size that scores by scikit-learn."""
    from sklearn.ensemble import IsolationForest

    rows = np.random.default_rng(0).exponential(1.0, (2000, features))
    fitted = IsolationForest(n_estimators=trees, max_samples=256, random_state=0).fit(rows)

    def score(row: Floats) -> float:
        return float(-fitted.score_samples(row[None, :])[0])

    return score


def main() -> None:
    """`python -m tests.bench.worker compiled|sklearn CORE`; settings come from the environment."""
    os.sched_setaffinity(0, {int(sys.argv[2])})
    from detector import app
    from detector.config import load
    from detector.scoring import walk
    from detector.scoring.model import LONG, SHORT, Model
    from detector.scoring.model import load as load_model

    settings = load()
    if sys.argv[1] == "sklearn":
        shipped = load_model(settings.models).forest
        score = sklearn_scorer(shipped.features, len(shipped.roots))

        def advance(model: Model, signals: Floats, amounts: Floats, *, fade: bool) -> float:
            walk.decay(signals, amounts, SHORT if fade else 1.0, LONG if fade else 1.0)
            return score(model.rarity.weigh(signals[None, len(amounts) :])[0])

        Model.advance = advance  # type: ignore[assignment, method-assign]
    app.main(settings)


if __name__ == "__main__":
    main()
