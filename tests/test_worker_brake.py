"""The brake in worker processes: pulled, seen in the metrics, taken over by a successor, the same in a replay."""

from __future__ import annotations

import time
from pathlib import Path
from signal import SIGKILL

import pytest

from detector.records import Outcome, encode_log
from detector.scoring import model as models
from detector.testing import act, record
from tests.chaos.check import check
from tests.chaos.topics import Reader
from tests.policy.test_shadow import limited
from tests.workers import Stream


@pytest.fixture
def stream(bootstrap: str, tmp_path: Path) -> Stream:
    """A broker without workers; theirs have a model that pauses runs which were refused, and a brake after two."""
    model = limited(0.3, 0.4)
    models.save(tmp_path / "models", "t", model.rarity, model.forest, model.calibration, {})
    (tmp_path / "models" / "current").write_text("t")
    return Stream(
        bootstrap,
        tmp_path,
        DETECTOR_MODELS=str(tmp_path / "models"),
        DETECTOR_BRAKE_STOPS="2",
        DETECTOR_SESSION_SECONDS="2",
    )


def test_a_successor_brakes_where_its_predecessor_did(stream: Stream) -> None:
    """Two runs of a partition are paused, the third is alerted on, though a worker dies when only its disk knows of the
    second. Its successor has that disk, the next one an empty one. Another partition has a brake of its own. A replay
    of the run log has the same effects and states.
    """

    def goes_wrong(run: str, partition: int) -> None:
        odd = [act(), act(outcome=Outcome.REFUSED), act(outcome=Outcome.REFUSED)]
        value = encode_log(record(*odd, run=run, written=time.time_ns()))
        stream.send(value, topic="agent-run-log", key=run.encode(), partition=partition)

    with stream.worker("first", DETECTOR_FAILPOINT="watch.stored-locally:2") as first:
        for n in range(3):
            goes_wrong(f"run-{n}", 1)
        assert first.server.process.wait(60) == -SIGKILL
    with stream.worker("first") as second:
        second.wait('detector_braked_total{workflow="testing"}', 1)
        second.wait("detector_brake_pulled", 1)
        assert stream.committed("agent-run-log", 1, 3)
        second.kill()
    with stream.worker("third") as third:
        third.wait("detector_brake_pulled", 1)
        goes_wrong("run-3", 1)
        goes_wrong("run-4", 2)
        third.wait('detector_braked_total{workflow="testing"}', 1)
        assert stream.committed("agent-run-log", 1, 4)
        assert stream.committed("agent-run-log", 2, 1)
        third.wait("detector_live_runs", 5)

    told = {verdict["run"]: (verdict["level"], verdict["cause"]) for verdict in stream.json("agent-verdicts", 5)}
    paused, alerted = ("PAUSE", "model"), ("ALERT", "brake")
    assert told == {"run-0": paused, "run-1": paused, "run-2": alerted, "run-3": alerted, "run-4": paused}
    assert {command["run"] for command in stream.json("agent-commands")} == {"run-0", "run-1", "run-4"}
    report = check(stream.settings, Reader(stream.bootstrap))
    assert (report.effects, report.effects_lost, report.effects_repeated, report.states_wrong) == (8, 0, 0, 0)
