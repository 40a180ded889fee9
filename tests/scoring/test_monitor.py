"""The always-valid test of false pauses: quiet under the promise however often one looks, loud where it's broken."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from detector.scoring.calibration import PAUSE_RATE
from detector.scoring.monitor import ALPHA, SPREAD, Monitor, interval, log_evidence

FLEETS, RUNS = 1000, 10_000
LOUD = -math.log(ALPHA)


def first_alarms(rate: float, budget: float, seed: int) -> np.ndarray:
    """After how many runs each of FLEETS fleets raises the alarm, with a look after every run that could; inf: never.

    The evidence grows at a false pause and falls at every other run: it is enough to look at the false pauses.
    """
    random = np.random.default_rng(seed)
    out = np.full(FLEETS, np.inf)
    for n in range(FLEETS):
        at = np.flatnonzero(random.random(RUNS) < rate) + 1
        for paused, runs in enumerate(at.tolist(), 1):
            if log_evidence(paused, runs, budget) >= LOUD:
                out[n] = runs
                break
    return out


def test_at_the_budget_the_alarm_is_false_at_most_as_often_as_said() -> None:
    """Of a thousand fleets at the very budget, watched over 10,000 runs each, 5 % at most ever raise the alarm."""
    alarmed = int(np.isfinite(first_alarms(PAUSE_RATE, PAUSE_RATE, seed=1)).sum())
    assert alarmed <= binom.ppf(0.999, FLEETS, ALPHA)
    assert np.mean(np.isfinite(first_alarms(PAUSE_RATE / 2, PAUSE_RATE, seed=2))) < 0.01


def test_at_five_times_the_budget_it_is_raised() -> None:
    """All fleets raise it, half of them within 300 runs, nine of ten within 700."""
    at = first_alarms(5 * PAUSE_RATE, PAUSE_RATE, seed=3)
    assert np.isfinite(at).all()
    assert np.median(at) < 300
    assert np.percentile(at, 90) < 700


def test_the_evidence_is_a_supermartingale_under_the_promise() -> None:
    """What is expected of it after one more run is never more than it is now, and at the budget exactly that."""
    for runs, paused in ((0, 0), (1, 1), (250, 0), (250, 3), (3000, 40)):
        now, next_quiet, next_paused = (
            math.exp(log_evidence(k, n, 0.01)) for k, n in ((paused, runs), (paused, runs + 1), (paused + 1, runs + 1))
        )
        assert 0.01 * next_paused + 0.99 * next_quiet == pytest.approx(now)
        assert 0.005 * next_paused + 0.995 * next_quiet < now


def summed(paused: int, runs: int, budget: float) -> float:
    """The log evidence by its definition: the prior's mean of the likelihood ratios above the budget, on a grid."""
    rates = np.geomspace(budget, 0.999, 200_000)
    prior = (1.0 / (SPREAD * budget) - 2.0) * np.log1p(-rates) + np.log(rates)
    ratio = paused * np.log(rates / budget) + (runs - paused) * (np.log1p(-rates) - math.log1p(-budget))
    return float(np.logaddexp.reduce(prior + ratio) - np.logaddexp.reduce(prior))


@pytest.mark.parametrize(("paused", "runs"), [(0, 1000), (5, 1000), (90, 20_000), (450, 100_000), (3700, 1_000_000)])
def test_the_evidence_is_what_it_is_defined_to_be(paused: int, runs: int) -> None:
    """Summed up on a grid it is the same, in fleets of a million runs too."""
    assert log_evidence(paused, runs, PAUSE_RATE) == pytest.approx(summed(paused, runs, PAUSE_RATE), abs=0.01)


@pytest.mark.parametrize(("paused", "runs"), [(0, 180_000), (100, 300_000), (1000, 1_000_000), (0, 10**8)])
def test_far_below_the_budget_it_is_never_more_than_that(paused: int, runs: int) -> None:
    """Where what is left above the budget is too small for a number, the evidence is a bound, and no alarm."""
    assert log_evidence(paused, runs, PAUSE_RATE) <= summed(paused, runs, PAUSE_RATE) + 0.01 < 0.0


def test_quiet_runs_never_raise_an_alarm() -> None:
    """With each further run that is not paused the evidence falls, up to a hundred million of them."""
    for paused in (0, 10, 1000):
        found = [log_evidence(paused, paused + int(n), PAUSE_RATE) for n in np.geomspace(1, 1e8, 400).round()]
        assert (np.diff(found) <= 1e-6).all()


def test_the_interval_holds_the_rate_at_all_times() -> None:
    """Over 300 fleets and looks after every 250 of 5,000 runs, the rate is outside at any time for 5 % at most."""
    random = np.random.default_rng(4)
    missed = 0
    for _ in range(300):
        counts = np.cumsum(random.random(5000) < 0.01)[249::250]
        bounds = [interval(int(k), 250 * (n + 1), PAUSE_RATE) for n, k in enumerate(counts)]
        missed += any(not low <= 0.01 <= high for low, high in bounds)
    assert missed <= binom.ppf(0.999, 300, ALPHA)


@given(st.integers(0, 10_000_000), st.integers(0, 60_000), st.sampled_from((0.001, 0.004, 0.01, 0.05)))
def test_figures_agree(quiet: int, paused: int, budget: float) -> None:
    """The interval holds the seen rate and lies in 0 to 1; one more false pause never makes the evidence smaller."""
    found = Monitor("desk", "v1", quiet + paused, paused, budget=budget)
    low, high = found.interval
    assert 0.0 <= low <= found.rate <= high <= 1.0
    assert log_evidence(paused + 1, quiet + paused + 1, budget) > found.evidence - 1e-9
    assert found.alarm == (found.evidence >= LOUD)


def test_nothing_seen_says_nothing() -> None:
    """Before the first honest run the evidence is none and every rate is possible."""
    found = Monitor("desk", "v1", 0, 0)
    assert (found.evidence, found.interval, found.alarm, found.rate) == (0.0, (0.0, 1.0), False, 0.0)


def test_the_calibrated_rate_shows() -> None:
    """3 false pauses in 1,000 honest runs are within 0.4 %, 30 are not."""
    assert not Monitor("desk", "v1", 1000, 3).alarm
    broken = Monitor("desk", "v1", 1000, 30)
    assert broken.alarm
    assert broken.interval[0] > PAUSE_RATE
