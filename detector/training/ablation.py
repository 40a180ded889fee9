"""What each family of behaviours is worth: the forest evaluated anew as if nothing ever showed it.

Fitted and scored out of fold like the evaluation itself, without the family's signals. Rules stay as they are, and are
not measured here: they read single signals, and without these they could not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from detector.behaviours.base import layout
from detector.training import figures
from detector.training.evaluate import RATES, Floats, Step, Table, out_of_fold, thresholds
from detector.training.outcomes import pauses
from detector.training.played import NEVER, Played


def ablate(
    runs: Sequence[Played], *, families: Sequence[str] = (), seed: int = 0, step: Step = lambda _: None
) -> dict[str, Any]:
    """Figures of the forest with all families, under "", and without each one, by its name; see docs/evaluate.md.

    `families`: only these; none: every one.
    """
    installed = layout()
    found: dict[str, Any] = {}
    step("fitting with all families")
    found[""] = _figures(Table(runs), seed)
    for behaviour, start in zip(installed.behaviours, installed.offsets, strict=True):
        if families and behaviour.name not in families:
            continue
        step(f"fitting without {behaviour.name}")
        gone = slice(start, start + len(behaviour.signals))
        found[behaviour.name] = _figures(Table([without(run, gone) for run in runs]), seed)
    return found


def without(run: Played, gone: slice) -> Played:
    """The run as if it had never shown the signals in `gone`."""
    sums = run.sums.copy()
    sums[:, gone] = 0.0
    return replace(run, sums=sums)


def _figures(table: Table, seed: int) -> dict[str, Any]:
    scores = out_of_fold(table, seed)
    peaks = np.array([each.max() for each in scores])
    return {
        "auroc": {name: _auroc(table, peaks, name) for name in sorted(set(table.workflow.tolist()))},
        "settings": [_setting(table, scores, peaks, rate) for rate in RATES],
    }


def _auroc(table: Table, peaks: Floats, workflow: str) -> float | None:
    here = table.workflow == workflow
    bad, good = peaks[here & table.in_scope], peaks[here & table.honest]
    if not len(bad) or not len(good):
        return None
    above = np.searchsorted(np.sort(good), bad, "left") + np.searchsorted(np.sort(good), bad, "right")
    return round(float(above.mean()) / 2 / len(good), 4)


def _setting(table: Table, scores: Sequence[Floats], peaks: Floats, rate: float) -> dict[str, Any]:
    paused = pauses(scores, thresholds(table, peaks, rate)) != NEVER
    return {
        "rate": rate,
        "in_scope": figures.share(paused[table.in_scope], table.tasks(table.in_scope)),
        "honest": figures.share(paused[table.honest], table.tasks(table.honest)),
    }
