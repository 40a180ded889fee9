"""Runs as feature rows, through step() itself: what the forest learns is what the stream computes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import layout
from detector.policy.policy import Policy
from detector.records import Action, RunEvents
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.runs.state import State
from detector.scoring.calibration import Calibration, Threshold
from detector.scoring.forest import Forest
from detector.scoring.model import Model
from detector.scoring.rarity import baseline
from detector.step import apply


def blank() -> Model:
    """A model of one leaf that finds everything equally normal, for when only features are wanted."""
    installed = layout()
    leaf, zero = np.array([-1], dtype=np.int32), np.array([0.0])
    n = len(installed.signals)
    forest = Forest(leaf, zero, leaf, leaf, zero + 1.0, np.array([0], dtype=np.int32), 1.0, n)
    return Model(
        "blank", installed, baseline(np.zeros((1, n))), forest, Calibration(Threshold(1.0, None, 0, 0, 1.0), {}), {}
    )


def rows(records: Iterable[RunEvents], judge: Judge) -> NDArray[np.float64]:
    """The run's features after each of its actions, one row each."""
    out: list[NDArray[np.float64]] = []
    run: State | None = None
    for record in records:
        for event in record.events:
            alone = RunEvents(record.run, [event], workflow=record.workflow, workflow_rank=record.workflow_rank)
            run, _ = apply(run, alone, judge)
            if isinstance(run, Run) and isinstance(event, Action):
                out.append(run.vector().copy())
    width = 2 * len(judge.model.layout.signals)
    return np.array(out) if out else np.empty((0, width))


def feature_judge() -> Judge:
    """A judge that computes features and decides nothing."""
    return Judge(blank(), Policy(rules=(), mode="shadow"))
