"""How rarely honest runs show each signal: the baseline that the forest reads signals through.

An isolation tree never splits on what is constant in its data, and cuts anywhere between the smallest
and the largest value of what varies: so it can't react to what honest runs never show, and spends its
cuts on how often they show what is common. Here a signal becomes a number from 0 to 1 that says how
rare it is among honest runs to show it at all, on one scale for all signals. On that scale a cut falls
between a rare signal and the honest rest as much more often as it is rarer (training/recipe.py).

The baseline is a step function for each signal: `levels` that honest runs reached, ascending, and the
`weights` of a value up to each; beyond the last level the weight is 1. It is versioned with the model.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError

FADED = 1.0 / 16.0
"""A sum below this is forgotten: four half-lives after a single showing."""
POWER = 5.0
"""Of the surprise. A single signal that no honest run shows must outweigh several that a few of them show."""
EVEN = 0.2
"""Share of the weight that the surprise has without that power: of runs with the same rare signal those stand out that
show more that is uncommon; without it chance in the trees ranks them.
"""
PRIOR = 20.0
"""Runs of all workflows together that a workflow's own are mixed with: a handful of runs makes nothing common."""
LEVELS = 16
"""Kept for a signal at most."""
MAX_LEVELS = 1_000_000
DTYPES: dict[str, np.dtype[Any]] = {
    "full": np.dtype(np.float64),
    "starts": np.dtype(np.int32),
    "levels": np.dtype(np.float64),
    "weights": np.dtype(np.float64),
}


@dataclass(frozen=True)
class Rarity:
    """Signal i has `levels[starts[i]:starts[i + 1]]` and `weights` beside them; `runs` honest ones are behind it."""

    full: NDArray[np.float64]
    """A signal's sum counts up to this (behaviours.base.Signal.full)."""
    starts: NDArray[np.int32]
    levels: NDArray[np.float64]
    weights: NDArray[np.float64]
    runs: int

    @property
    def signals(self) -> int:
        """How many signals it weighs."""
        return len(self.starts) - 1

    @cached_property
    def arrays(self) -> tuple[Any, ...]:
        """The arguments of every lookup, in the order of walk.py."""
        return (self.full, self.starts, self.levels, self.weights)

    def weigh(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weights, 0 to 1, of rows (m, n) of long sums; what walk.py computes, for many rows at once."""
        shown = np.minimum(sums, self.full)
        out = np.zeros(shown.shape)
        for i in range(self.signals):
            levels = self.levels[self.starts[i] : self.starts[i + 1]]
            weights = np.append(self.weights[self.starts[i] : self.starts[i + 1]], 1.0)
            there = shown[:, i] >= FADED
            out[there, i] = weights[np.searchsorted(levels, shown[there, i], side="left")]
        return out

    def share(self, weight: float) -> float:
        """The share of honest runs that show as much in the workflow where most do, from a weight."""
        surprise = np.linspace(0.0, 1.0, 10_001)
        return float((self.runs + 1.0) ** -np.interp(weight, _of_surprise(surprise), surprise))


def baseline(peaks: NDArray[np.float64], workflows: Sequence[str] = (), full: Sequence[float] = ()) -> Rarity:
    """The rarity of each signal among honest runs: `peaks` (runs, n) holds each run's highest long sums.

    `full`: up to what each signal's sum counts; none: all to 1, that a run shows it at all.
    `workflows` names each run's; none: all of one. A signal is as common as in the workflow where it is most common:
    what one workflow does all day says little in another that has not done it yet.
    """
    runs, of = len(peaks), _numbers(workflows, len(peaks))
    sizes = np.bincount(of)
    limits = np.array(full or [1.0] * peaks.shape[1])
    starts, levels, weights = [0], [], []
    for column in np.minimum(peaks, limits).T:
        reached = np.unique(column[column >= FADED])
        if len(reached) > LEVELS:
            # The higher end of each step is kept, so that no value is held for rarer than it is.
            reached = reached[np.unique(np.linspace(0, len(reached) - 1, LEVELS).astype(np.int64))]
        # A step holds what lies above the level before it.
        floors = np.concatenate([[FADED], np.nextafter(reached[:-1], np.inf)])[: len(reached)]
        counts = np.array([np.bincount(of, weights=column >= floor, minlength=len(sizes)) for floor in floors])
        levels.append(reached)
        weights.append(_weight(counts.reshape(len(reached), len(sizes)), sizes))
        starts.append(starts[-1] + len(reached))
    made = Rarity(limits, np.array(starts, dtype=np.int32), np.concatenate(levels), np.concatenate(weights), runs)
    validate(made)
    return made


def _numbers(workflows: Sequence[str], runs: int) -> NDArray[np.int64]:
    number = {name: n for n, name in enumerate(sorted(set(workflows)))}
    return np.array([number[name] for name in workflows], dtype=np.int64) if number else np.zeros(runs, dtype=np.int64)


def _weight(counts: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """From how many of each workflow's runs (levels, workflows) reach a level: its weight by its surprise, in units of
    the highest.
    """
    runs = int(sizes.sum())
    pooled = (counts.sum(axis=1) + 1.0) / (runs + 1.0)
    local = (counts + PRIOR * pooled[:, None]) / (sizes + PRIOR)
    share = np.maximum(pooled, local.max(axis=1))
    return _of_surprise(np.clip(np.log(share) / -math.log(runs + 1.0), 0.0, 1.0))


def _of_surprise(surprise: NDArray[np.float64]) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = (1.0 - EVEN) * surprise**POWER + EVEN * surprise
    return weights


def dump(rarity: Rarity) -> bytes:
    """The baseline as npz bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, runs=np.int64(rarity.runs), **{name: getattr(rarity, name) for name in DTYPES})
    return buffer.getvalue()


def load(data: bytes, sha256: str) -> Rarity:
    """The baseline in npz `data`. Raises ModelError where checksum or content are not as they must be."""
    came = hashlib.sha256(data).hexdigest()
    if came != sha256:
        raise ModelError(f"baseline: expected sha256 {sha256}, came {came}")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            rarity = Rarity(**{name: stored[name] for name in DTYPES}, runs=int(stored["runs"]))
    except Exception as fault:
        raise ModelError(f"baseline: not an npz of the arrays {sorted(DTYPES)}: {fault}") from fault
    validate(rarity)
    return rarity


def validate(rarity: Rarity) -> None:
    """Raises ModelError unless every lookup stays inside the arrays and gives a weight from 0 to 1."""
    for name, dtype in DTYPES.items():
        array = getattr(rarity, name)
        if array.dtype != dtype or array.ndim != 1:
            raise ModelError(f"baseline: {name}: expected one dimension of {dtype}, came {array.ndim} of {array.dtype}")
    starts, levels, weights = rarity.starts, rarity.levels, rarity.weights
    if not len(starts) > 1 or len(levels) != len(weights) or len(levels) > MAX_LEVELS:
        raise ModelError(
            f"baseline: expected levels and weights of one length up to {MAX_LEVELS} for at least one signal, "
            f"came {len(levels)}, {len(weights)} and {len(starts) - 1}"
        )
    first = np.zeros(len(levels) + 1, dtype=bool)
    faults = {
        "starts that do not go from the first level to the last": starts[0] != 0
        or starts[-1] != len(levels)
        or bool(np.any(np.diff(starts) < 0)),
        "a level or weight out of range": not bool(
            np.all((levels > 0.0) & np.isfinite(levels) & (weights >= 0.0) & (weights <= 1.0))
        ),
        "a limit that is not positive, or not one for each signal": len(rarity.full) != rarity.signals
        or not bool(np.all((rarity.full > 0.0) & np.isfinite(rarity.full))),
        "no runs": rarity.runs < 1,
    }
    found = [fault for fault, there in faults.items() if there]
    if not found:
        first[starts] = True
        rising = (np.diff(levels) > 0.0) & (np.diff(weights) >= 0.0)
        if not bool(np.all(rising | first[1:-1])):
            found = ["levels that do not rise within a signal"]
    if found:
        raise ModelError("baseline: " + "; ".join(found))
