"""What can be held without a cgroup: the processes of a run that signals reach.

A process belongs to the run when it's in the process group of its leader, descends from the
leader, or carries the launch's token in its environment. Once seen it stays, so that the end
of a parent hides nothing. Missed is a process that detached from its parents and cleared its
environment before it was first seen.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import NamedTuple

from detector.records import Desired

TOKEN = "AGENT_RUN_LAUNCH"  # noqa: S105 - a variable's name
"""Environment variable that marks the processes of one launch; random, so never by accident."""

_PROC = Path("/proc")
_STOPPED = "Tt"
_GONE = "ZXx"


class Process(NamedTuple):
    """One line of /proc/PID/stat (proc_pid_stat(5))."""

    pid: int
    parent: int
    group: int
    started: int
    """Clock ticks after boot: with the pid, a name that isn't used twice."""
    state: str


def look(pid: int) -> Process | None:
    """The process as it is now; None where there's none, or only its exit code is left."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold any character, brackets included.
    fields = text[text.rindex(")") + 2 :].split()
    found = Process(pid, int(fields[1]), int(fields[2]), int(fields[19]), fields[0])
    return None if found.state in _GONE else found


def every() -> list[Process]:
    """All processes that can be seen."""
    return [found for path in _PROC.iterdir() if path.name.isdigit() and (found := look(int(path.name)))]


def boot() -> str:
    """The number of this boot: pids of another one mean nothing."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def signal_process(process: Process, number: int) -> None:
    """Signals exactly this process, never another one that has come to its pid."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(process.pid)
        try:
            now = look(process.pid)
            if now is not None and now.started == process.started:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


class ProcessGroup:
    """The processes of one run by process group, descent and token."""

    kind = "process group"
    misses = "a process that detached from its parents and cleared its environment"

    def __init__(self, leader: int, started: int, token: str) -> None:
        self.leader = leader
        self.started = started
        self._mark = f"{TOKEN}={token}".encode() if token else b""
        self._known: set[tuple[int, int]] = {(leader, started)}

    def request(self, desired: Desired) -> None:
        """Signals all members: SIGSTOP, SIGCONT, or SIGSTOP and then SIGKILL."""
        if desired is Desired.RUNNING:
            self._send(signal.SIGCONT)
            return
        self._send(signal.SIGSTOP)
        if desired is Desired.KILLED:
            # All stand still: none can fork between being seen and being killed.
            self._send(signal.SIGKILL)

    def state(self) -> Desired:
        """Killed where no member lives, paused where every member is stopped."""
        members = self._members()
        if not members:
            return Desired.KILLED
        return Desired.PAUSED if all(member.state in _STOPPED for member in members) else Desired.RUNNING

    def pids(self) -> list[int]:
        """The processes found."""
        return [member.pid for member in self._members()]

    def _send(self, number: int) -> None:
        refused: OSError | None = None
        for member in self._members():
            try:
                signal_process(member, number)
            except OSError as fault:
                refused = fault
        # One that must not be signalled (setuid) is no reason to spare the others.
        if refused is not None:
            raise refused

    def _members(self) -> list[Process]:
        processes = every()
        living = {(process.pid, process.started) for process in processes}
        self._known &= living
        self._known |= {(process.pid, process.started) for process in processes if self._is_marked(process)}
        # The leader's pid names its process group only while that number can't be another's:
        # as long as a process that is known to be ours is in it.
        if any(process.group == self.leader and self._is_known(process) for process in processes):
            self._known |= {(p.pid, p.started) for p in processes if p.group == self.leader}
        self._add_descendants(processes)
        return [process for process in processes if self._is_known(process)]

    def _add_descendants(self, processes: list[Process]) -> None:
        children: dict[int, list[Process]] = {}
        for process in processes:
            children.setdefault(process.parent, []).append(process)
        waiting = [pid for pid, _ in self._known]
        while waiting:
            for child in children.pop(waiting.pop(), ()):
                self._known.add((child.pid, child.started))
                waiting.append(child.pid)

    def _is_known(self, process: Process) -> bool:
        return (process.pid, process.started) in self._known

    def _is_marked(self, process: Process) -> bool:
        if not self._mark or self._is_known(process):
            return False
        try:
            return self._mark in (_PROC / str(process.pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
