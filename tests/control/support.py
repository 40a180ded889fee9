"""What tests of control share: counters as agents, launches as users do them, records on topics."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaProducer

from detector.config import Settings, load
from detector.records import Command, Desired

LAUNCH = """
import sys
from pathlib import Path
from detector.config import load
from detector.control.launch import launch
run_dir, cgroup_root, run, *command = sys.argv[1:]
sys.exit(launch(command, run, "workflow", load(run_dir=Path(run_dir), cgroup_root=Path(cgroup_root))))
"""

# As LAUNCH, on a machine where no cgroup can be had.
LAUNCH_WITHOUT_CGROUP = """
import sys
from pathlib import Path
from detector.config import load
from detector.control import cgroups
from detector.control.launch import launch
cgroups.own_folders = lambda mountinfo, cgroup: []
run_dir, _, run, *command = sys.argv[1:]
sys.exit(launch(command, run, "workflow", load(run_dir=Path(run_dir))))
"""


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Waits until `holds`, at most 20 s; fails with `what` was waited for."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


async def until(holds: Callable[[], object], what: str) -> None:
    """As `wait_until`, while the event loop runs."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.005)
    assert holds(), what


def count(path: Path) -> int:
    """How far a counter's file has come: a byte a step."""
    return path.stat().st_size if path.exists() else 0


def grows(path: Path) -> bool:
    """Whether a counter takes ten more steps."""
    before = count(path)
    wait_until(lambda: count(path) >= before + 10, f"{path.name} to grow")
    return True


def rests(path: Path) -> bool:
    """Whether a counter that takes a step every 10 ms takes none in 30 times that."""
    before = count(path)
    time.sleep(0.3)
    return count(path) == before


COUNTER = "while :; do printf . >> {path}; sleep 0.01; done"


def _as_in_a_terminal() -> None:
    """A job in the background of a script inherits ignored signals, which a shell can't trap."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Launcher:
    """Starts `detector run` as a user does, in a process of its own."""

    def __init__(self, folder: Path, cgroup_root: Path | None) -> None:
        self.run_dir = folder / "runs"
        self.cgroup_root = cgroup_root
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, run: str, *command: str, **environment: str) -> subprocess.Popen[str]:
        """A launch of `command` under `run`."""
        code = LAUNCH if self.cgroup_root else LAUNCH_WITHOUT_CGROUP
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(self.run_dir), str(self.cgroup_root), run, *command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_as_in_a_terminal,  # noqa: PLW1509 - it only sets signals
        )
        self.started.append(process)
        return process

    def settings(self, **more: object) -> Settings:
        """Settings of an enforcer for the same runs."""
        return load(run_dir=self.run_dir, **more)

    def registered(self, run: str) -> Path:
        """The registration of a run, once it's there."""
        path = self.run_dir / f"{run}.json"
        wait_until(path.exists, f"{run} to register")
        return path

    def close(self) -> None:
        """Ends what is left."""
        for process in self.started:
            process.kill()
            process.communicate()


def command(desired: Desired, sequence: int, run: str = "r1", **more: object) -> Command:
    """A command for a run."""
    return msgspec.convert(
        {"run": run, "desired": desired, "sequence": sequence, "cause": "rule:test", "at": 1, **more}, Command
    )


async def produce(settings: Settings, topic: str, *values: object, written: float | None = None) -> None:
    """Writes records, or bytes as they are, to a topic; `written` in seconds since 1970 where it isn't now."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap)
    await producer.start()
    for value in values:
        key = getattr(value, "run", "r1").encode()
        body = value if isinstance(value, bytes) else msgspec.json.encode(value)
        stamp = None if written is None else int(written * 1000)
        await producer.send_and_wait(settings.topic(topic), body, key=key, timestamp_ms=stamp)
    await producer.stop()
