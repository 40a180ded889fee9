"""Thresholds: what share of honest runs may ever be paused by the model, and how sure that is.

A threshold is an order statistic of the peaks of honest runs that the forest was not fitted
on. A run's peak is the highest score that it ever reached: rates are per run, never per span.
Runs count as independent as far as those of one task differ.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

PAUSE_RATE = 0.004
ALERT_RATE = 0.02


@dataclass(frozen=True)
class Threshold:
    """One workflow's thresholds and the honest runs behind them.

    `pause` is None where there is no local proof: too few independent honest runs for a
    finite order statistic at PAUSE_RATE (249). The model then only alerts there.
    """

    alert: float
    pause: float | None
    runs: int
    tasks: int
    """Of the runs, or draws where each run draws its task anew: what was counted as the same is one."""
    bound: float
    """Upper 95 % bound on the rate of honest runs that score above `pause` (above `alert` without one)."""
    effective: float = 0.0
    """As how many independent runs they count: runs of one task resemble each other."""

    def in_words(self) -> str:
        """What is guaranteed, on how many runs."""
        counted = f"{self.runs} honest runs, which count as {self.effective:.0f} independent ones"
        if self.pause is None:
            return (
                f"the model alerts above {self.alert:.3f} and never pauses, for want of local proof; at most "
                f"{self.bound:.2%} of honest runs are ever alerted on by it, with 95 % confidence ({counted})"
            )
        return (
            f"the model alerts above {self.alert:.3f} and pauses above {self.pause:.3f}; at most {self.bound:.2%} "
            f"of honest runs are ever paused by it, with 95 % confidence ({counted})"
        )


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


def order_statistic(peaks: Sequence[float], rate: float, effective: float | None = None) -> float | None:
    """The smallest of `peaks` that, used as threshold, a new exchangeable run passes with chance `rate` at most.

    `effective`: as how many independent runs they count (default: all). None where there are too few:
    fewer than 1 / rate - 1. (Split conformal prediction: rank ceil((n + 1)(1 - rate)) of n.)
    """
    n = len(peaks) if effective is None else min(effective, len(peaks))
    if n <= 0:
        return None
    share = (n + 1.0) * (1.0 - rate) / n
    rank = math.ceil(share * len(peaks) - 1e-9)
    return sorted(peaks)[rank - 1] if 0 < rank <= len(peaks) else None


def effective_runs(peaks: Sequence[float], tasks: Sequence[str]) -> float:
    """As how many independent runs these count, from the number of tasks to the number of runs.

    Runs of a task resemble each other. n / (1 + (m - 1) rho), Kish's design effect, with rho the intraclass
    correlation of the peaks' ranks (one-way analysis of variance) and m the mean size of a run's task.
    """
    from scipy.stats import rankdata

    groups: dict[str, list[float]] = defaultdict(list)
    for task, rank in zip(tasks, rankdata(peaks), strict=True):
        groups[task].append(float(rank))
    n, k = len(peaks), len(groups)
    if k in {n, 1}:
        return float(k)
    mean, squares = (n + 1) / 2, sum(len(g) ** 2 for g in groups.values()) / n
    between = sum(len(g) * (sum(g) / len(g) - mean) ** 2 for g in groups.values()) / (k - 1)
    within = sum((r - sum(g) / len(g)) ** 2 for g in groups.values() for r in g) / (n - k)
    size = (n - squares) / (k - 1)
    spread = between + (size - 1.0) * within
    rho = max(0.0, (between - within) / spread) if spread > 0.0 else 1.0
    return min(float(n), max(float(k), n / (1.0 + (squares - 1.0) * rho)))


def upper_bound(passed: float, runs: float, confidence: float = 0.95) -> float:
    """Clopper-Pearson upper bound on a rate of which `passed` in `runs` were seen.

    Numbers need not be whole: scaled to the effective number of runs this is Korn and Graubard's bound for
    clustered data (Survey Methodology 24, 1998).
    """
    from scipy.stats import beta  # imported here: the worker reads calibrations and makes none

    return 1.0 if passed >= runs else float(beta.ppf(confidence, passed + 1, runs - passed))


def threshold(peaks: Sequence[float], tasks: Sequence[str], *, proof: bool = True, floor: float = 0.0) -> Threshold:
    """The thresholds for honest runs with these `peaks`, each of the task beside it.

    A peak of infinity is that of a run of which nobody knows whether it was honest: above every threshold.
    `floor`: the lowest score to pause at, that which few honest runs of all workflows pass. Where all runs of a
    workflow score low, the highest of them is chance, and a first call that fails would pass it.
    """
    effective = effective_runs(peaks, tasks)
    alert = order_statistic(peaks, ALERT_RATE, effective)
    if alert is None or alert == math.inf:
        alert = max(peak for peak in peaks if peak < math.inf)
    pause = order_statistic(peaks, PAUSE_RATE, effective) if proof else None
    pause = None if pause is None or pause == math.inf else max(pause, floor)
    # Only what lies above a threshold passes it: the run that it is taken from stays quiet.
    passed = sum(1 for peak in peaks if peak > (alert if pause is None else pause))
    scale = effective / len(peaks)
    bound = upper_bound(passed * scale, effective)
    return Threshold(alert, pause, len(peaks), len(set(tasks)), bound, round(effective, 1))
