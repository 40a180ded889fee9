"""Thresholds: what share of honest runs may ever be paused by the model, and how sure that is.

A threshold is an order statistic of the peaks of honest runs that the forest was not fitted
on. A run's peak is the highest score that it ever reached: rates are per run, never per span.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

PAUSE_RATE = 0.004
ALERT_RATE = 0.02


@dataclass(frozen=True)
class Threshold:
    """One workflow's thresholds and the honest runs behind them.

    `pause` is None where there is no local proof: too few honest runs for a finite order
    statistic at PAUSE_RATE. The model then only alerts there.
    """

    alert: float
    pause: float | None
    runs: int
    tasks: int
    bound: float
    """Upper 95 % bound on the rate of honest runs that score above `pause` (above `alert` without one)."""


@dataclass(frozen=True)
class Calibration:
    """Thresholds by workflow; `everywhere` holds where a workflow has none of its own."""

    everywhere: Threshold
    workflows: dict[str, Threshold]

    def of(self, workflow: str) -> Threshold:
        """The thresholds for `workflow`."""
        return self.workflows.get(workflow, self.everywhere)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Calibration:
        """From the manifest's plain values."""
        return cls(Threshold(**plain["everywhere"]), {name: Threshold(**t) for name, t in plain["workflows"].items()})


def order_statistic(peaks: Sequence[float], rate: float) -> float | None:
    """The smallest of `peaks` that, used as threshold, a new exchangeable run passes with chance `rate` at most.

    None where there are too few: fewer than 1 / rate - 1. (Split conformal prediction: rank
    ceil((n + 1)(1 - rate)) of n.)
    """
    rank = math.ceil((len(peaks) + 1) * (1.0 - rate) - 1e-9)
    return sorted(peaks)[rank - 1] if 0 < rank <= len(peaks) else None


def upper_bound(passed: int, runs: int, confidence: float = 0.95) -> float:
    """Clopper-Pearson upper bound on a rate of which `passed` in `runs` were seen."""
    from scipy.stats import beta  # imported here: the worker reads calibrations and makes none

    return 1.0 if passed >= runs else float(beta.ppf(confidence, passed + 1, runs - passed))


def threshold(peaks: Sequence[float], tasks: int, *, proof: bool = True) -> Threshold:
    """The thresholds for honest runs with these `peaks`, out of `tasks` tasks."""
    alert = order_statistic(peaks, ALERT_RATE)
    if alert is None:
        alert = max(peaks)
    pause = order_statistic(peaks, PAUSE_RATE) if proof else None
    # An order statistic lies on a point of the data: the next higher float keeps that run itself quiet.
    passed = sum(1 for peak in peaks if peak > (alert if pause is None else pause))
    return Threshold(alert, pause, len(peaks), tasks, upper_bound(passed, len(peaks)))
