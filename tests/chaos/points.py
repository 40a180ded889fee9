"""One process dies at one failpoint while a fleet's spans flow; its successor goes on; the topics are checked."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer

from tests.chaos.check import Report, check, took_over
from tests.chaos.fleet import Fleet
from tests.chaos.stage import RealAgent, Stage, wait
from tests.integration.server import Server

RATE = 15.0
"""Requests a second."""
PASSES = {"commit": 3, "watch.effects": 4, "recovery.within": 10, "recovery.done": 1, "rebalance.revoked": 1, "tick": 5}
"""On which pass a process dies there, where it isn't the default: in the middle of work, not at its first record."""
PASS = 25
TO_DIE = 90.0
TAKE_OVER = 45.0


@dataclass
class Outcome:
    """What came of it: the exit code of the process, seconds until all partitions went on, and the check."""

    code: int
    took: float | None
    report: Report
    still_paused: bool = True
    honest_moves: bool = True


def outcome(point: str, bootstrap: str, folder: Path) -> Outcome:
    """Plays the scene of the point. Raises AssertionError where it can't be played to its end."""
    scene = _enforcer if point.startswith(("enforce.", "webhook.")) else _worker
    with Stage(bootstrap, folder / point, f"at-{point}") as stage:
        return scene(stage, point)


def _worker(stage: Stage, point: str) -> Outcome:
    kind = next((name for name in PASSES if point.startswith(name)), "")
    armed = {"DETECTOR_FAILPOINT": f"{point}:{PASSES.get(kind, PASS)}"}
    stage.start_enforcer()
    # In a recovery dies one that comes back, on an empty disk, while another has its partitions.
    recovering = point.startswith("recovery.")
    dying = stage.start_worker(ready=False, **({} if recovering else armed))
    stage.start_worker(ready=point != "rebalance.revoked")
    with Fleet(stage.settings, seed=len(point), rate=RATE):
        if recovering:
            time.sleep(4)
            dying.kill()
            stage.gone(dying)
            dying = stage.start_worker(ready=False, **armed)
        died = _death(dying.server)
        stage.gone(dying)
        took = _taken_over(stage, died)
        stage.start_worker(ready=False, datadir=stage.disk_of(dying))
        time.sleep(2)
    stage.settle()
    report = check(stage.settings, stage.reader, stage.receiver.deliveries)
    return Outcome(dying.server.process.returncode, took, report)


def _enforcer(stage: Stage, point: str) -> Outcome:
    stage.start_worker()
    dying = stage.start_enforcer(DETECTOR_FAILPOINT=f"{point}:2")
    with RealAgent(stage, "drifting") as drifting, RealAgent(stage, "honest") as honest:
        with Fleet(stage.settings, seed=len(point), rate=RATE):
            producer = Producer({"bootstrap.servers": stage.settings.bootstrap})
            producer.produce(stage.settings.spans_topic, drifting.fatal())
            assert producer.flush(10) == 0
            died = _death(dying)
            stage.start_enforcer()
            wait(lambda: stage.receiver.last > died, TAKE_OVER, "a command was delivered")
            took = stage.receiver.last - died
            wait(lambda: not drifting.moves(), TAKE_OVER, "the drifting agent is paused")
        stage.settle()
        still_paused, honest_moves = not drifting.moves(), honest.moves()
    report = check(stage.settings, stage.reader, stage.receiver.deliveries)
    return Outcome(dying.process.returncode, took, report, still_paused, honest_moves)


def _death(server: Server) -> float:
    """Waits for the process to die; returns when it had, in seconds since 1970."""
    code: Callable[[], int | None] = server.process.poll
    wait(lambda: code() is not None, TO_DIE, f"{server.name} reached its failpoint")
    assert code() == -signal.SIGKILL, f"{server.name} ended with {code()}; see {server.log}"
    return time.time()


def _taken_over(stage: Stage, since: float) -> float:
    changelog = stage.settings.topic(f"{stage.settings.group}-runs-changelog")
    found: list[float] = []

    def on() -> bool:
        took = took_over(stage.reader.records(changelog), since)
        found.extend([] if took is None else [took])
        return took is not None

    wait(on, TAKE_OVER, "every partition has a new owner")
    return found[0]
