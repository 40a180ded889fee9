"""Fits the forest on honest runs, calibrates it on others, and writes the model's folder."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.scoring import calibration, forest, model
from detector.scoring.forest import Forest
from detector.training.corpus import Example
from detector.training.matrix import feature_judge, rows

TREES = 100
SAMPLES = 256
ROWS_A_RUN = 12
"""Taken evenly over a run, so that a long run teaches no more than a short one."""
FOLDS = 5
"""By task: each run's peak comes from a forest that saw no run of its task."""
STRETCHED = 0.05
"""Share of synthetic rows. A forest never splits on what is constant in its data, and so could
not react to what honest runs never show; these rows reach beyond every feature's range.
"""


@dataclass(frozen=True)
class Fitted:
    """What was fitted, and what it was fitted on."""

    folder: Path
    runs: int
    tasks: int
    workflows: dict[str, calibration.Threshold]
    everywhere: calibration.Threshold


def train(examples: Sequence[Example], out: Path, version: str, *, seed: int = 0) -> Fitted:
    """Fits on honest `examples`, writes `out`/`version`/ and points `out`/current at it.

    Raises DetectorError where there are too few runs. The same runs, seed and libraries give the same forest.
    """
    if len(examples) < 2 * SAMPLES // ROWS_A_RUN:
        raise DetectorError(f"train: expected at least {2 * SAMPLES // ROWS_A_RUN} honest runs, came {len(examples)}")
    judge = feature_judge()
    every = [(example, rows(example.records, judge)) for example in examples]
    every = [(example, matrix) for example, matrix in every if len(matrix)]
    fitted = fit([matrix for _, matrix in every], seed)
    calibrated = calibrate(every, seed)
    about = {
        "fitted": {
            "runs": len(every),
            "folds": FOLDS,
            "rows_a_run": ROWS_A_RUN,
            "samples": SAMPLES,
            "stretched": STRETCHED,
            "seed": seed,
            "workflows": _counts(example for example, _ in every),
        }
    }
    folder = model.save(out, version, fitted, calibrated, about)
    (out / "current").write_text(version + "\n", encoding="utf-8")
    tasks = len({example.task for example, _ in every})
    return Fitted(folder, len(every), tasks, calibrated.workflows, calibrated.everywhere)


def fold(task: str) -> int:
    """The fold of a task, by a checksum of its name: a task is never on both sides."""
    return hashlib.sha256(task.encode()).digest()[0] % FOLDS


def fit(runs: Sequence[NDArray[np.float64]], seed: int) -> Forest:
    """The forest of `runs`, one matrix (actions, features) each."""
    from sklearn.ensemble import IsolationForest

    random = np.random.default_rng(seed)
    honest = np.concatenate([matrix[_spread(len(matrix))] for matrix in runs])
    data = np.concatenate([honest, stretched(honest, random)])
    fitted = IsolationForest(n_estimators=TREES, max_samples=SAMPLES, random_state=seed).fit(data)
    return forest.from_sklearn(fitted)


def stretched(honest: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Synthetic rows: honest ones in which a few features reach up to twice beyond what honest runs show."""
    count = max(1, int(len(honest) * STRETCHED))
    made = honest[random.integers(len(honest), size=count)].copy()
    reach = 2.0 * np.maximum(honest.max(axis=0), 1.0)
    for row in made:
        chosen = random.choice(honest.shape[1], size=int(random.integers(2, 9)), replace=False)
        row[chosen] = random.random(len(chosen)) * reach[chosen]
    return made


def calibrate(every: Sequence[tuple[Example, NDArray[np.float64]]], seed: int) -> calibration.Calibration:
    """Thresholds for each workflow that has enough honest runs, and for all others together.

    Peaks are out of fold by task. The forest that ships saw all runs; its scores differ from those
    of its folds by what a fifth of the tasks teaches (cross-conformal, not split: the bound is
    that of the folds' forests).
    """
    peaks: dict[str, list[float]] = defaultdict(list)
    tasks: dict[str, set[str]] = defaultdict(set)
    for n in range(FOLDS):
        held = [(example, matrix) for example, matrix in every if fold(example.task) == n]
        others = [matrix for example, matrix in every if fold(example.task) != n]
        if not held or not others:
            continue
        judge = fit(others, seed)
        for example, matrix in held:
            peaks[example.workflow].append(max(judge.score(row) for row in matrix))
            tasks[example.workflow].add(example.task)
    if not peaks:
        raise DetectorError("train: expected runs of more than one task, to calibrate on those of another")
    everywhere = calibration.threshold(
        [p for each in peaks.values() for p in each], len(set().union(*tasks.values())), proof=False
    )
    local = {
        workflow: made
        for workflow in sorted(peaks)
        if (made := calibration.threshold(peaks[workflow], len(tasks[workflow]))).pause is not None
    }
    return calibration.Calibration(everywhere, local)


def _spread(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, ROWS_A_RUN)).astype(np.int64))


def _counts(examples: Any) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for example in examples:
        counted[example.workflow] += 1
    return dict(sorted(counted.items()))
