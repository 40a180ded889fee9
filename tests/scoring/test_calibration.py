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


def test_no_pause_without_local_proof() -> None:
    """Too few runs: alerts, but no threshold to pause at."""
    few = threshold([0.4, 0.5, 0.6], 3)
    assert few.pause is None
    assert few.alert == 0.6
    many = threshold(list(np.linspace(0.3, 0.6, 300)), 20)
    assert many.pause is not None
    assert many.alert < many.pause
    assert threshold(list(np.linspace(0.3, 0.6, 300)), 20, proof=False).pause is None


def test_a_workflow_has_its_own_or_the_common_one() -> None:
    """Calibration is local where there is one, and survives the manifest."""
    common, local = Threshold(0.6, None, 900, 90, 0.01), Threshold(0.5, 0.55, 300, 30, 0.01)
    made = Calibration.from_dict(Calibration(common, {"coding": local}).to_dict())
    assert made.of("coding") == local
    assert made.of("unheard of") == common
