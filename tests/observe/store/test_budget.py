"""The budget of false pauses: the monitor's own measure, from counts alone."""

from __future__ import annotations

import pytest

from detector.observe.store.budget import used
from detector.scoring.calibration import PAUSE_RATE
from detector.scoring.monitor import Monitor


@pytest.mark.parametrize(
    ("runs", "paused"),
    [(0, 0), (10, 0), (10, 1), (50, 2), (100, 5), (1000, 4), (1000, 20), (20_000, 80), (20_000, 160)],
)
def test_it_is_the_monitors_evidence(runs: int, paused: int) -> None:
    """1 where the monitor's alarm begins, and never below 0."""
    monitor = Monitor("w", "m", runs, paused)
    share = used(runs, paused)
    assert share == pytest.approx(max(0.0, monitor.evidence) / 2.9957, abs=0.01, rel=0.01)
    assert monitor.alarm == (share >= 1.0)


def test_few_runs_use_little_of_it() -> None:
    """One false pause in a workflow's first twenty runs is no alarm; as many as were promised never are."""
    assert 0.0 < used(20, 1) < 0.5
    assert used(10_000, int(10_000 * PAUSE_RATE)) == 0.0
