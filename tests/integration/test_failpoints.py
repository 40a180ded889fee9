"""Every failpoint once, on Apache Kafka: a process dies there by SIGKILL, and nothing is lost or done twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from detector.failpoints import POINTS
from tests.chaos.points import Outcome, outcome

AT_ONCE = 3
"""Scenes at a time: each mostly waits, for a session to run out and for topics to be quiet."""
TAKE_OVER_SECONDS = 10.0


@pytest.fixture(scope="module")
def outcomes(
    kafka: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """The outcome of the scene of every point that was asked for, some at a time."""
    folder = tmp_path_factory.mktemp("failpoints")
    asked = {item.callspec.params.get("point") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        scenes = {point: pool.submit(outcome, point, kafka, folder) for point in POINTS if point in asked}
        yield scenes
        for scene in scenes.values():
            scene.cancel()


@pytest.mark.parametrize("point", POINTS)
def test_a_death_loses_and_repeats_nothing(outcomes: dict[str, Future[Outcome]], point: str) -> None:
    """All events stand in the run log, all effects are those of its replay, paused runs are still paused, and
    another process has taken over within 10 s.
    """
    came = outcomes[point].result()
    assert came.report.faults == []
    assert came.report.good
    assert came.report.events > 0
    assert came.report.runs_stopped > 0
    assert came.still_paused
    assert came.honest_moves
    assert came.took is not None
    assert came.took < TAKE_OVER_SECONDS
