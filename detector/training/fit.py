"""Fits the forest on honest runs, calibrates it on others, and writes the model's folder."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import layout
from detector.errors import DetectorError
from detector.scoring import calibration, model
from detector.scoring.forest import Forest
from detector.scoring.rarity import EVEN, POWER, Rarity
from detector.training import recipe
from detector.training.corpus import Example
from detector.training.matrix import feature_judge, rows

FOLDS = 5
"""By task: each run's peak comes from a model that saw no run of its task."""
FEWEST = 40
"""Honest runs, below which nothing is fitted."""


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

    Raises DetectorError where there are too few runs. The same runs, seed and libraries give the same bytes.
    """
    judge = feature_judge()
    signals = len(judge.model.layout.signals)
    every = [(example, rows(example.records, judge)[:, signals:]) for example in examples]
    every = [(example, matrix) for example, matrix in every if len(matrix)]
    if len(every) < FEWEST:
        raise DetectorError(f"train: expected at least {FEWEST} honest runs that call a tool, came {len(every)}")
    rarity, forest = learn(every, seed)
    calibrated = calibrate(every, seed)
    about = {
        "fitted": {
            "runs": len(every),
            "tasks": len({example.task for example, _ in every}),
            "folds": FOLDS,
            "rows_a_run": recipe.ROWS_A_RUN,
            "samples": recipe.SAMPLES,
            "planted_a_row": recipe.PLANTED_A_ROW,
            "rarity_power": POWER,
            "rarity_even": EVEN,
            "seed": seed,
            "workflows": _counts(example for example, _ in every),
            "sources": _sources(example for example, _ in every),
        }
    }
    folder = model.save(out, version, rarity, forest, calibrated, about)
    (out / "current").write_text(version + "\n", encoding="utf-8")
    tasks = len({example.task for example, _ in every})
    return Fitted(folder, len(every), tasks, calibrated.workflows, calibrated.everywhere)


def learn(every: Sequence[tuple[Example, NDArray[np.float64]]], seed: int) -> tuple[Rarity, Forest]:
    """The recipe, on examples and their rows."""
    workflows = [example.workflow for example, _ in every]
    return recipe.learn([matrix for _, matrix in every], workflows, seed, layout().full)


def fold(task: str) -> int:
    """The fold of a task, by a checksum of its name: a task is never on both sides."""
    return hashlib.sha256(task.encode()).digest()[0] % FOLDS


def calibrate(
    every: Sequence[tuple[Example, NDArray[np.float64]]], seed: int, unsaid: Mapping[str, int] | None = None
) -> calibration.Calibration:
    """Thresholds for each workflow that has enough independent honest runs, and for all others together: enough to
    alert by, and where there are more, to pause by.

    Peaks are out of fold by task. The forest that ships saw all runs; its scores differ from those
    of its folds by what a fifth of the tasks teaches (cross-conformal, not split: the bound is
    that of the folds' forests). `unsaid`: by workflow, runs that may have been honest and that nothing was learnt
    from. They count as above every threshold.
    """
    reached: dict[str, dict[str, tuple[float, str]]] = defaultdict(dict)
    for n in range(FOLDS):
        held = [(example, matrix) for example, matrix in every if fold(example.task) == n]
        others = [(example, matrix) for example, matrix in every if fold(example.task) != n]
        if not held or not others:
            continue
        rarity, forest = learn(others, seed)
        for example, matrix in held:
            peak = float(forest.scores(rarity.weigh(matrix)).max())
            of = reached[example.workflow]
            # A blind twin is the same run once more: the higher of the two peaks counts, once.
            of[example.original] = max(of.get(example.original, (0.0, "")), (peak, example.draw))
    peaks = {workflow: [peak for peak, _ in of.values()] for workflow, of in reached.items()}
    tasks = {workflow: [draw for _, draw in of.values()] for workflow, of in reached.items()}
    if not peaks:
        raise DetectorError("train: expected runs of more than one task, to calibrate on those of another")
    for workflow, count in (unsaid or {}).items():
        if workflow in peaks:
            peaks[workflow] += [math.inf] * count
            tasks[workflow] += [f"unsaid {n}" for n in range(count)]
    everywhere = calibration.threshold(
        [p for each in peaks.values() for p in each], [t for each in tasks.values() for t in each], proof=False
    )
    made = {
        workflow: calibration.threshold(peaks[workflow], tasks[workflow], floor=everywhere.alert)
        for workflow in sorted(peaks)
    }
    local = {
        workflow: limit for workflow, limit in made.items() if limit.effective >= 1.0 / calibration.ALERT_RATE - 1.0
    }
    return calibration.Calibration(everywhere, local)


def _sources(examples: Iterable[Example]) -> dict[str, str]:
    """Where each workflow's runs come from."""
    found: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        found[example.workflow].add(example.source)
    return {workflow: ", ".join(sorted(sources)) for workflow, sources in sorted(found.items())}


def _counts(examples: Any) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for example in examples:
        counted[example.workflow] += 1
    return dict(sorted(counted.items()))
