"""A model from summaries, and beside the one that runs: which runs would have met another verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.records import Level, Summary
from detector.scoring import model as models
from detector.scoring.calibration import Calibration
from detector.scoring.model import Model
from detector.training import fit as fitting
from detector.training.corpus import Example
from detector.training.summaries import MARGIN, rows


@dataclass(frozen=True)
class Comparison:
    """Runs under two models: peaks (runs,), and what the model alone proposes."""

    summaries: list[Summary]
    old: NDArray[np.float64]
    new: NDArray[np.float64]
    old_level: list[Level]
    new_level: list[Level]

    def changed(self) -> list[tuple[Summary, Level, Level, float, float]]:
        """(run, old level, new level, old peak, new peak) where the levels differ, the highest new peak first."""
        every = zip(self.summaries, self.old_level, self.new_level, self.old.tolist(), self.new.tolist(), strict=True)
        return sorted((each for each in every if each[1] != each[2]), key=lambda each: -each[4])


def fit(honest: Sequence[Summary], out: Path, version: str, *, unsaid: Sequence[Summary] = (), seed: int = 0) -> Model:
    """Fits and calibrates on honest summaries, writes `out`/`version`/, points `out`/current at it and loads it back.

    `unsaid`: runs that were paused or killed and of which nobody has said what they were. Nothing is learnt from them,
    and in the calibration they count as honest runs above every threshold: were they left out, each model would be
    calibrated on what the one before let pass, and its threshold be lower than that one's.
    Raises DetectorError where there are too few. The same summaries, seed and libraries give the same bytes.
    """
    if len(honest) < fitting.FEWEST:
        raise DetectorError(f"retrain: expected at least {fitting.FEWEST} honest summaries, came {len(honest)}")
    ordered = sorted(honest, key=lambda summary: summary.run)
    every = [(Example(s.run, s.workflow, s.run, []), rows(s, MARGIN)) for s in ordered]
    rarity, forest = fitting.learn(every, seed)
    about = {
        "fitted": {
            "from": "summaries",
            "runs": len(every),
            "tasks": len(every),
            "folds": fitting.FOLDS,
            "seed": seed,
            "unsaid": len(unsaid),
            "workflows": dict(sorted(Counter(s.workflow for s in ordered).items())),
        }
    }
    limits = fitting.calibrate(every, seed, Counter(s.workflow for s in unsaid))
    models.save(out, version, rarity, forest, limits, about)
    (out / "current").write_text(version + "\n", encoding="utf-8")
    return models.load(out, version)


def compare(found: Sequence[Summary], old: Model, new: Model) -> Comparison:
    """The runs under both models. A new model's scores of runs that it was fitted on flatter it a little."""
    before, after = peaks(found, old), peaks(found, new)
    workflows = [summary.workflow for summary in found]
    return Comparison(
        list(found),
        before,
        after,
        proposed(before, workflows, old.calibration),
        proposed(after, workflows, new.calibration),
    )


def peaks(found: Sequence[Summary], model: Model) -> NDArray[np.float64]:
    """The highest score (runs,) of each run's rows."""
    return np.array([model.scores(rows(summary)).max() for summary in found])


def proposed(scores: NDArray[np.float64], workflows: Sequence[str], limits: Calibration) -> list[Level]:
    """What the model proposes for a run of each workflow with each score as its peak."""
    out: list[Level] = []
    for score, workflow in zip(scores.tolist(), workflows, strict=True):
        limit = limits.of(workflow)
        if limit.pause is not None and score > limit.pause:
            out.append(Level.PAUSE)
        else:
            out.append(Level.ALERT if score > limit.alert else Level.ALLOW)
    return out
