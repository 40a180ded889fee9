"""An agent's process as the demo sees it from outside: what it says it did, and whether it still runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.control.registry import Registration, Registry
from detector.demo.services import Service
from detector.errors import EnforcerError
from detector.records import Desired


@dataclass(frozen=True)
class Done:
    """One call that has ended."""

    tool: str
    note: str
    at: int


class Agent:
    """Follows one agent's output. `started` and `at` are nanoseconds since 1970."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.run = ""
        self.started = 0
        self.calls: list[Done] = []
        self._task = asyncio.create_task(self._follow())

    @property
    def ended(self) -> bool:
        """The process, or the launcher that it runs under, is gone."""
        return self.service.process.returncode is not None

    @property
    def doing(self) -> str:
        """Its last call in words."""
        return (self.calls[-1].note or self.calls[-1].tool) if self.calls else "starts"

    async def over(self) -> None:
        """Waits until it has ended and all its output is read."""
        await self.service.process.wait()
        await self._task

    def seconds(self, at: int) -> float:
        """Seconds from the agent's start to `at`."""
        return (at - self.started) / 1e9

    async def _follow(self) -> None:
        stdout = self.service.process.stdout
        if stdout is None:
            return
        async for line in stdout:
            said = json.loads(line)
            if "run" in said:
                self.run, self.started = said["run"], said["at"]
            else:
                self.calls.append(Done(said["tool"], said["note"], said["at"]))


def state_of(registration: Registration) -> str:
    """frozen, running or dead, read from the kernel itself and not from any part of the detector."""
    if registration.cgroup:
        try:
            text = (Path(registration.cgroup) / "cgroup.events").read_text()
        except OSError:
            return "dead"
        events = dict(line.split() for line in text.splitlines())
        if events["populated"] == "0":
            return "dead"
        return "frozen" if events["frozen"] == "1" else "running"
    try:
        stat = Path(f"/proc/{registration.pid}/stat").read_text()
    except OSError:
        return "dead"
    # The command's name stands in parentheses and may hold anything; the state follows the last one.
    letter = stat.rpartition(")")[2].split()[0]
    return {"T": "frozen", "Z": "dead", "X": "dead"}.get(letter, "running")


def registrations(run_dir: Path) -> Iterator[Registration]:
    """The launches that are registered in `run_dir`."""
    registry = Registry(run_dir)
    for name in registry.names():
        if registration := registry.read(name):
            yield registration


def kill_all(run_dir: Path) -> None:
    """Kills what is left of every launch in `run_dir`, frozen or not."""
    for registration in registrations(run_dir):
        with contextlib.suppress(EnforcerError, OSError):
            registration.group().request(Desired.KILLED)
