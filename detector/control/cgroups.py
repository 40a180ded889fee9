"""cgroup v2: a group of its own for every run, where one can be had.

A process can't leave its group by forking, by a session of its own or by losing its parent,
so freezing or killing the group is complete. Kernel interface:
https://docs.kernel.org/admin-guide/cgroup-v2.html (cgroup.freeze, cgroup.kill, cgroup.events).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
from pathlib import Path

from detector.errors import EnforcerError
from detector.records import Desired

FOLDER = "agent-run-detector"
"""The folder, below the launcher's own cgroup, that holds the groups of runs."""


class ControlGroup:
    """One cgroup v2 folder. Freezes, thaws and kills all that is in it and below it."""

    kind = "cgroup"
    misses = ""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, pid: int) -> None:
        """Moves a process in. Raises OSError where the kernel refuses."""
        self._write("cgroup.procs", str(pid))

    def request(self, desired: Desired) -> None:
        """Asks the kernel for a state; it's proven by `state`."""
        try:
            if desired is Desired.KILLED:
                self._kill()
            else:
                self._write("cgroup.freeze", "1" if desired is Desired.PAUSED else "0")
        except OSError:
            # The launcher removes a group the moment that it's empty.
            if self.state() is not Desired.KILLED:
                raise

    def state(self) -> Desired:
        """Killed where the group is gone or empty, paused where the kernel says that all are frozen."""
        try:
            text = (self.path / "cgroup.events").read_text()
        except OSError as fault:
            # Only a group that is gone is empty; anything else (no descriptor left, no right) proves nothing.
            if fault.errno in {errno.ENOENT, errno.ENODEV}:
                return Desired.KILLED
            raise
        events = dict(line.split() for line in text.splitlines())
        # An emptied group may still say `frozen 1`: `populated` comes first.
        if events["populated"] == "0":
            return Desired.KILLED
        return Desired.PAUSED if events["frozen"] == "1" else Desired.RUNNING

    def pids(self) -> list[int]:
        """The processes in the group and below it."""
        found = []
        for folder in self._folders():
            with contextlib.suppress(OSError):
                found += [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
        return found

    def inode(self) -> int:
        """The kernel's number for this folder, never used twice while the machine is up."""
        return self.path.stat().st_ino

    def remove(self) -> bool:
        """Removes the group and those below it; False where a process is in one of them."""
        try:
            for folder in reversed(self._folders()):
                folder.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _kill(self) -> None:
        try:
            self._write("cgroup.kill", "1")
        except FileNotFoundError:
            # Before Linux 5.14. Frozen first, so that none can fork between two signals.
            self._write("cgroup.freeze", "1")
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _folders(self) -> list[Path]:
        return [self.path, *(Path(root) / name for root, names, _ in os.walk(self.path) for name in names)]

    def _write(self, name: str, value: str) -> None:
        # Never creates: in a cgroup file system an absent file is a feature that the kernel lacks.
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, value.encode())
        finally:
            os.close(descriptor)


def is_cgroup(path: Path) -> bool:
    """Whether the folder is one of a cgroup v2 hierarchy."""
    return (path / "cgroup.procs").is_file() and (path / "cgroup.controllers").is_file()


def root(configured: Path | None) -> Path:
    """The folder in which groups for runs are made, created where it's absent.

    Where none is configured, it stands below this process's own cgroup: the part of the tree
    that systemd or a container delegates. Raises EnforcerError that says why there is none.
    """
    if configured is not None:
        if not is_cgroup(configured) or not os.access(configured, os.W_OK):
            raise EnforcerError(f"cgroup_root: expected a writable cgroup v2 folder, came {str(configured)!r}")
        return configured
    faults = []
    for own in own_folders(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text()):
        try:
            (own / FOLDER).mkdir(exist_ok=True)
        except OSError as fault:
            faults.append(f"{own}: {fault.strerror}")
            continue
        if is_cgroup(own / FOLDER):
            return own / FOLDER
    raise EnforcerError("; ".join(faults) or "no cgroup v2 hierarchy is mounted")


def own_folders(mountinfo: str, cgroup: str) -> list[Path]:
    """This process's own cgroup v2 folder under every mount that shows it, hybrid set-ups included.

    `mountinfo` and `cgroup` are the texts of /proc/self/mountinfo and /proc/self/cgroup (proc(5), cgroups(7)).
    """
    own = next((line[3:] for line in cgroup.splitlines() if line.startswith("0::")), None)
    if own is None:
        return []
    found = []
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        if rest.split(" ")[0] != "cgroup2":
            continue
        shown, mounted = (_unescape(field) for field in fields.split(" ")[3:5])
        # A mount may show only a part of the tree; "/.." is a group outside of this namespace.
        if own.startswith("/..") or not Path(own).is_relative_to(shown):
            continue
        found.append(Path(mounted) / Path(own).relative_to(shown))
    return found


def make(folder: Path, name: str) -> ControlGroup:
    """An empty group of this name. Raises EnforcerError where it can't be made or holds processes."""
    group = ControlGroup(folder / name)
    # What is left of an ended run of the same name goes first: it may be frozen still.
    group.remove()
    try:
        group.path.mkdir()
    except OSError as fault:
        raise EnforcerError(f"{group.path}: {fault.strerror}") from fault
    return group


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)
