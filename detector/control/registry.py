"""The runs that were started on this host by `detector run`: one file each, in a private folder.

Run ids come from spans and commands, so from anyone: no path is built from one unless it's
encoded, and nothing is acted upon but a registration that still fits: this host, this boot,
the same processes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from detector.control.cgroups import ControlGroup
from detector.control.groups import Group
from detector.control.processes import ProcessGroup, boot
from detector.errors import ConfigError, EnforcerError
from detector.records import Desired

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SUFFIX = ".json"


class Registration(msgspec.Struct, frozen=True):
    """One launch of an agent."""

    run: str
    pid: int
    """The agent's first process."""
    started: int
    """Its start in clock ticks after boot."""
    host: str
    boot: str
    created: int
    """Nanoseconds since 1970."""
    cgroup: str = ""
    """Path of its cgroup; empty where signals have to do."""
    inode: int = 0
    """The cgroup's number, against another one at the same path."""
    token: str = ""
    """Marks its processes where signals have to do."""
    workflow: str = ""

    def is_here(self) -> bool:
        """Whether its processes, if any live, are of this host and this boot: elsewhere pids mean others."""
        return self.host == socket.gethostname() and self.boot == boot()

    def group(self) -> Group:
        """What holds the run's processes. Raises EnforcerError where that isn't this launch's any more."""
        if not self.is_here():
            raise EnforcerError(f"run {self.run!r}: registered on another host or before the last boot")
        if not self.cgroup:
            return ProcessGroup(self.pid, self.started, self.token)
        group = ControlGroup(Path(self.cgroup))
        with contextlib.suppress(FileNotFoundError):
            if group.inode() != self.inode:
                raise EnforcerError(f"run {self.run!r}: {self.cgroup} is not the cgroup that it was started in")
        return group


def safe_name(run: str) -> str:
    """A file name for any run id: itself where it's plain, else its hash. No two ids share one."""
    if _PLAIN.fullmatch(run):
        return run
    return "run." + hashlib.sha256(run.encode(errors="surrogatepass")).hexdigest()[:32]


class Registry:
    """The folder of registrations, private to one user.

    Raises ConfigError where the folder can't be made, is another user's, or lets others write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.lstat()
        except OSError as fault:
            raise ConfigError([f"run_dir: {folder} could not be made: {fault.strerror}"]) from fault
        if not stat.S_ISDIR(found.st_mode):
            raise ConfigError([f"run_dir: expected a folder, {folder} is none"])
        if found.st_uid != os.getuid():
            raise ConfigError([f"run_dir: expected {folder} to be owned by user {os.getuid()}, found {found.st_uid}"])
        if found.st_mode & 0o022:
            mode = f"{stat.S_IMODE(found.st_mode):04o}"
            raise ConfigError([f"run_dir: expected {folder} to be writable by its owner only, found mode {mode}"])

    def add(self, registration: Registration) -> None:
        """Registers a launch, in place of an ended one of the same run. Raises OSError."""
        path = self._path(registration.run)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.encode(registration))
        draft.replace(path)

    def find(self, run: str) -> Registration | None:
        """The registration of a run, live or not; None where there is none."""
        found = self._read(self._path(run))
        return found if found is not None and found.run == run else None

    def names(self) -> dict[str, tuple[int, int]]:
        """File names of all registrations, with what changes when one is written anew."""
        found = {}
        # Folders and files may vanish: runs end, and /tmp is swept on some machines.
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX) and not entry.name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        found[entry.name] = (status.st_ino, status.st_mtime_ns)
        return found

    def read(self, name: str) -> Registration | None:
        """The registration in one of `names`; None where it's gone or can't be read."""
        return self._read(self.folder / name)

    def clear(self, registration: Registration) -> bool:
        """Forgets a launch, with its cgroup, unless one of its processes lives; says whether it did."""
        with self.locked():
            if self.find(registration.run) != registration or is_live(registration):
                return False
            if registration.cgroup:
                ControlGroup(Path(registration.cgroup)).remove()
            self._path(registration.run).unlink(missing_ok=True)
        return True

    def sweep(self) -> None:
        """Forgets every launch that has ended."""
        for name in self.names():
            if registration := self.read(name):
                self.clear(registration)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes from adding and clearing meanwhile."""
        descriptor = os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            # A child that was forked meanwhile holds the same lock; closing alone would leave it locked.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _path(self, run: str) -> Path:
        return self.folder / (safe_name(run) + _SUFFIX)

    def _read(self, path: Path) -> Registration | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=Registration)
        except (OSError, msgspec.MsgspecError):
            return None


def is_live(registration: Registration) -> bool:
    """Whether a process of this launch lives; taken to, where that can't be seen."""
    if registration.host != socket.gethostname():
        return True
    try:
        return registration.group().state() is not Desired.KILLED
    except EnforcerError:
        return False
    except OSError:
        return True
