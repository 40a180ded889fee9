"""Thresholds as order statistics, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.scoring.calibration import (
    PAUSE_RATE,
    Calibration,
    Threshold,
    effective_runs,
    order_statistic,
    threshold,
    upper_bound,
)


@given(peaks=st.lists(st.floats(0, 1), min_size=1, max_size=400), rate=st.floats(0.001, 0.5))
def test_order_statistic(peaks: list[float], rate: float) -> None:
    """Either there are too few runs, or at most the promised share of them lies above."""
    limit = order_statistic(peaks, rate)
    if limit is None:
        assert len(peaks) < 1 / rate
    else:
        assert sum(peak > limit for peak in peaks) <= rate * (len(peaks) + 1)


@pytest.mark.parametrize(("runs", "finite"), [(248, False), (249, True)])
def test_runs_needed(runs: int, *, finite: bool) -> None:
    """0.4 % needs 249 honest runs for a finite threshold."""
    assert (order_statistic(list(np.linspace(0, 1, runs)), PAUSE_RATE) is not None) == finite


def test_upper_bound() -> None:
    """Clopper-Pearson: 748 runs without a false pause prove 0.4 % at 95 %; 747 do not."""
    assert upper_bound(0, 748) <= 0.004 < upper_bound(0, 747)
    assert upper_bound(3, 3) == 1.0


def names(runs: int, tasks: int) -> list[str]:
    """A task for each of `runs`, in turn."""
    return [f"t{n % tasks}" for n in range(runs)]


def test_no_pause_without_local_proof() -> None:
    """Too few runs: alerts, but no threshold to pause at."""
    few = threshold([0.4, 0.5, 0.6], names(3, 3))
    assert few.pause is None
    assert few.alert == 0.6
    peaks = list(np.linspace(0.3, 0.6, 300))
    many = threshold(peaks, names(300, 300))
    assert many.pause is not None
    assert many.alert < many.pause
    assert threshold(peaks, names(300, 300), proof=False).pause is None


def test_runs_of_a_task_are_not_independent() -> None:
    """300 runs of 20 tasks that each score alike count as 20, and prove no pause; unlike ones count as many."""
    tasks = names(300, 20)
    alike = [0.3 + 0.01 * (n % 20) for n in range(300)]
    assert effective_runs(alike, tasks) == pytest.approx(20)
    assert threshold(alike, tasks).pause is None
    unlike = list(np.random.default_rng(0).random(300))
    assert effective_runs(unlike, tasks) > 150
    assert effective_runs(unlike, names(300, 300)) == 300


def test_a_quiet_workflow_is_not_paused_at_what_is_common_elsewhere() -> None:
    """A local threshold to pause at is never below the floor; one to alert at may be."""
    peaks, tasks = [0.1] * 400, [str(n) for n in range(400)]
    assert threshold(peaks, tasks).pause == 0.1
    made = threshold(peaks, tasks, floor=0.3)
    assert (made.alert, made.pause) == (0.1, 0.3)


def test_the_bound_is_that_of_the_order_statistic() -> None:
    """Of the chance to pass the r-th of n sorted peaks 95 % lies below the stated bound, whatever scores are."""
    random = np.random.default_rng(1)
    bound = threshold(list(random.random(300)), names(300, 300)).bound
    passed = [1.0 - (threshold(list(random.random(300)), names(300, 300)).pause or 0.0) for _ in range(400)]
    assert 0.92 < np.mean(np.array(passed) <= bound) < 0.98


def test_the_guarantee_in_words() -> None:
    """It says what is guaranteed, on how many runs of how many tasks, and where the model may not pause."""
    peaks = list(np.linspace(0.3, 0.6, 300))
    proven = threshold(peaks, names(300, 300)).in_words()
    assert "pauses above 0.600; at most 0.99% of honest runs are ever paused by it, with 95 % confidence" in proven
    assert "(300 honest runs, which count as 300 independent ones)" in proven
    assert "never pauses, for want of local proof" in threshold(peaks, names(300, 300), proof=False).in_words()


def test_a_workflow_has_its_own_or_the_common_one() -> None:
    """Calibration is local where there is one, and survives the manifest."""
    common, local = Threshold(0.6, None, 900, 90, 0.01), Threshold(0.5, 0.55, 300, 30, 0.01)
    made = Calibration.from_dict(Calibration(common, {"coding": local}).to_dict())
    assert made.of("coding") == local
    assert made.of("unheard of") == common
