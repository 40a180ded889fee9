"""The faults, one function each: it breaks something, mends it, and says when and how often.

Every fault has a phase of its own, with its own topics, fleet and workers, so that what was lost or
repeated is known to be its doing. Between faults a supervisor starts again what has ended, as the
one of a real deployment would.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.fleet import Fleet
from tests.chaos.stage import Stage, wait
from tests.integration.brokers import Node
from tests.integration.server import listens
from tests.workers import Worker

READY = 120.0
FREEZE_AT = (
    "watch.effects-sent",
    "watch.effects-confirmed",
    "watch.stored-locally",
    "watch.changelog-sent",
    "ingest.log-sent",
    "commit.before",
    "tick.due",
)
MOST_WORKERS = 4


@dataclass
class Scene:
    """A running phase, as faults see it."""

    stage: Stage
    node: Node
    fleet: Fleet
    random: random.Random
    session: float
    times: int = 0
    """How often the fault was injected."""
    since: list[float] = field(default_factory=list)
    """When each take-over began, in seconds since 1970."""
    restarts: int = 0
    """Workers that ended by themselves and were started again."""

    def struck(self, times: int = 1) -> None:
        """The fault was injected now; what comes next is the take-over."""
        self.times += times
        self.since.append(time.time())

    def supervise(self) -> None:
        """Starts workers again that have ended."""
        for worker in list(self.stage.workers):
            if worker.server.process.poll() is not None:
                self.restarts += 1
                self.again(worker)

    def again(self, worker: Worker, *, own_disk: bool = True, **env: str) -> Worker:
        """A worker in the place of one that has ended, on its disk or on an empty one."""
        self.stage.gone(worker)
        return self.stage.start_worker(ready=False, datadir=self.stage.disk_of(worker) if own_disk else "", **env)

    def recovered(self) -> None:
        """Waits until every worker judges."""

        def ready() -> bool:
            self.supervise()
            return all(worker.ready() for worker in self.stage.workers)

        wait(ready, READY, f"{self.stage.name}: all workers are ready")


# --- workers ----------------------------------------------------------------------------


def workers_killed(scene: Scene) -> None:
    """Any number of the workers but one, at once or shortly after one another; every third time in a recovery."""
    rng = scene.random
    victims = rng.sample(scene.stage.workers, rng.randint(1, len(scene.stage.workers) - 1))
    time.sleep(rng.uniform(0, 1))
    for victim in victims:
        time.sleep(rng.choice((0.0, rng.uniform(0, 0.3))))
        victim.kill()
    scene.struck(len(victims))
    for victim in victims:
        scene.again(victim, own_disk=rng.random() < 0.5)
    if rng.random() < 0.67:
        scene.recovered()
    else:
        time.sleep(rng.uniform(0, scene.session))


def worker_killed(scene: Scene) -> None:
    """One of two; the other takes over, and the first comes back later."""
    time.sleep(scene.random.uniform(0, 2))
    victim = scene.random.choice(scene.stage.workers)
    victim.kill()
    scene.struck()
    time.sleep(scene.session + 4)
    scene.again(victim)
    scene.recovered()


def all_workers_killed(scene: Scene) -> None:
    """All at once: there is nobody to take over before they are started again."""
    time.sleep(scene.random.uniform(0, 2))
    for worker in scene.stage.workers:
        worker.kill()
    scene.struck(len(scene.stage.workers))
    for worker in list(scene.stage.workers):
        scene.again(worker, own_disk=scene.random.random() < 0.5)
    scene.recovered()


def worker_frozen(scene: Scene) -> None:
    """One stands still at a failpoint until its session is long over, and wakes in the middle of its work."""
    rng = scene.random
    point = f"{rng.choice(FREEZE_AT)}:{rng.randint(1, 12)}:freeze"
    replaced = rng.choice(scene.stage.workers)
    replaced.kill()
    frozen = scene.again(replaced, DETECTOR_FAILPOINT=point)
    pid = frozen.server.process.pid
    wait(lambda: _state(pid) == "T", READY, f"{scene.stage.name}: a worker froze at {point}")
    scene.struck()
    time.sleep(scene.session + rng.uniform(1, 4))
    os.kill(pid, signal.SIGCONT)
    time.sleep(1)
    scene.recovered()


def rebalanced(scene: Scene) -> None:
    """A worker joins, leaves or dies: there are between one and four."""
    rng, workers = scene.random, scene.stage.workers
    joins = len(workers) < 2 or (len(workers) < MOST_WORKERS and rng.random() < 0.5)
    if joins:
        # It counts from where the others notice, not from where the process starts.
        joined = scene.stage.start_worker(ready=False)
        wait(lambda: listens(joined.port), READY, "a worker's metrics answer")
        scene.struck()
    else:
        leaving = rng.choice(workers)
        scene.stage.gone(leaving)
        scene.struck()
        leaving.kill() if rng.random() < 0.3 else leaving.server.stop()
    if rng.random() < 0.7:
        scene.recovered()


# --- enforcer, broker -------------------------------------------------------------------


def enforcer_killed(scene: Scene) -> None:
    """The enforcer, at any moment of its work; it's started again at once."""
    stage = scene.stage
    time.sleep(scene.random.uniform(0, 1.5))
    assert stage.enforcer is not None
    stage.enforcer.process.kill()
    stage.enforcer.process.wait()
    scene.struck()
    stage.start_enforcer()
    if scene.random.random() < 0.7:
        wait(lambda: stage.receiver.last > scene.since[-1], READY, "a command was delivered")


def broker_killed(scene: Scene) -> None:
    """Kafka, by SIGKILL; it comes back on its data after a moment."""
    _broker_away(scene, scene.random.uniform(0, 5))


def broker_gone(scene: Scene) -> None:
    """Kafka, by SIGKILL, and a minute without it."""
    _broker_away(scene, 60)


def broker_frozen(scene: Scene) -> None:
    """Kafka stands still for a minute, with all its connections open."""
    time.sleep(scene.random.uniform(0, 2))
    scene.node.server.process.send_signal(signal.SIGSTOP)
    time.sleep(60)
    scene.node.server.process.send_signal(signal.SIGCONT)
    scene.struck()
    time.sleep(5)
    scene.recovered()


def _broker_away(scene: Scene, seconds: float) -> None:
    time.sleep(scene.random.uniform(0, 2))
    scene.node.server.process.kill()
    scene.node.server.process.wait()
    time.sleep(seconds)
    broker_back(scene.node)
    scene.struck()
    time.sleep(3)
    scene.recovered()


def broker_back(node: Node) -> None:
    """Starts Kafka again and waits until it listens."""
    port = int(node.bootstrap.rpartition(":")[2])
    node.server.__enter__().until(lambda: listens(port))


# --- input ------------------------------------------------------------------------------


def disordered(scene: Scene) -> None:
    """Two of five requests come twice, as many late or out of order; the phase's fleet sees to it."""
    time.sleep(1)
    counts = scene.fleet.counts
    scene.times = sum(counts[kind] for kind in ("doubled", "reordered", "late", "minutes late"))


def poisoned(scene: Scene) -> None:
    """Rubbish on every topic that workers read, the run log as well."""
    scene.fleet.poison()
    scene.times = scene.fleet.counts["poisoned"]
    time.sleep(scene.random.uniform(0, 0.5))


# --- disks ------------------------------------------------------------------------------


def worker_disk_full(scene: Scene) -> None:
    """The disk of one worker's states is full for 15 s; another has room."""
    worker = scene.stage.workers[0]
    disk = scene.stage.folder / scene.stage.disk_of(worker)
    with _full(disk):
        scene.struck()
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            scene.supervise()
            time.sleep(1)
    scene.recovered()


def broker_disk_full(scene: Scene) -> None:
    """Kafka's disk is full until Kafka ends, or for 20 s; then there is room again."""
    process = scene.node.server.process
    with _full(scene.node.data):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.5)
    if process.poll() is not None:
        broker_back(scene.node)
    scene.struck()
    time.sleep(3)
    scene.recovered()


class _full:  # noqa: N801 - reads as what it is: with full disk
    """While it's a context, a file takes all room of the disk that `folder` is on, which has to be a small one."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder.parent / "ballast" if os.path.ismount(folder.parent) else folder / "ballast"

    def __enter__(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65536))
            except OSError:
                return

    def __exit__(self, *_: object) -> None:
        self._ballast.unlink()


def mount(folder: Path, megabytes: int) -> bool:
    """Makes `folder` a disk of its own, of this size; says whether this is permitted here."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def unmount(folder: Path) -> None:
    """Ends it."""
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@dataclass(frozen=True)
class Fault:
    """A row of the table. `share`: how often it's injected for 1,000 kills of workers."""

    name: str
    inject: Callable[[Scene], None]
    words: str
    share: float
    session: float = 2.0
    workers: int = 2
    disorder: float = 0.05
    measure: str = "term"
    """What ends a take-over: a new `term` of every partition, any `write` to each, a `delivery`, or nothing."""
    disk: str = ""
    """Whose disk is a small one: the `worker`'s or the `broker`'s."""


FAULTS = [
    Fault("worker killed", worker_killed, "one of two workers, SIGKILL, session 6 s", 0.02, session=6.0),
    Fault("all workers killed", all_workers_killed, "all three, SIGKILL, started again at once", 0.03, workers=3),
    Fault("worker frozen", worker_frozen, "SIGSTOP past its session, then SIGCONT", 0.02),
    Fault("rebalance", rebalanced, "workers join, leave, die: one to four", 0.04),
    Fault("enforcer killed", enforcer_killed, "SIGKILL, started again at once", 0.1, workers=1, measure="delivery"),
    Fault("broker killed", broker_killed, "Kafka, SIGKILL, back after 0 to 5 s", 0.01, measure="write"),
    Fault("broker gone", broker_gone, "Kafka, SIGKILL, back after 60 s", 0.002, measure="write"),
    Fault("broker frozen", broker_frozen, "Kafka, SIGSTOP for 60 s", 0.002, measure="write"),
    Fault("input disordered", disordered, "doubled, reordered, minutes late", 0.04, disorder=0.4, measure=""),
    Fault("input poisoned", poisoned, "rubbish on every input and the run log", 0.1, measure=""),
    Fault("worker's disk full", worker_disk_full, "for 15 s", 0.002, disk="worker"),
    Fault(
        "broker's disk full", broker_disk_full, "until Kafka ends or for 20 s", 0.002, measure="write", disk="broker"
    ),
    Fault("workers killed", workers_killed, "one to three of four at once, SIGKILL, session 2 s", 1.0, workers=4),
]
"""The long one last: it takes what is left of the time."""
