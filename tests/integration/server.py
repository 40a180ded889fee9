"""Starts a real server on loopback, keeps its log, stops it by its own pid."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
"""What was downloaded or built, and the logs of the last run; git ignores it."""

STACK = ROOT / "detector" / "observe" / "stack"
"""The configuration files that compose.yaml mounts; the servers here start with the same."""

_given: set[int] = set()


class Server:
    """A process with its log in .cache/logs; a context manager that ends it."""

    def __init__(self, name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._command = [str(part) for part in command]
        self._env = {**os.environ, **(env or {})}
        self.log = CACHE / "logs" / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env, cwd=CACHE
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, ready: Callable[[], bool]) -> Self:
        """Enters and waits until `ready()` holds, for a context manager that has this one; ends it where that fails."""
        self.__enter__()
        try:
            return self.until(ready)
        except BaseException:
            self.stop()
            raise

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process. Raises AssertionError where it was never started."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process

    def instead(self, command: Sequence[str | Path]) -> Server:
        """A server that starts with another command, and is otherwise the same."""
        return Server(self.name, command, self._env)

    def stop(self, seconds: float = 20.0) -> int:
        """Asks the process to end, kills it when it doesn't in time, and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def until(self, ready: Callable[[], bool], seconds: float = 60.0) -> Self:
        """Waits until `ready()` holds.

        Raises AssertionError with the log's end where the process ends or takes longer.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            code = self.process.poll()
            late = time.monotonic() > deadline
            if code is not None or late:
                why = f"ended with {code}" if code is not None else f"was not ready after {seconds:g} s"
                raise AssertionError(f"{self.name} {why}; {self.log} ends:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)
        return self


def free_port() -> int:
    """A port on loopback that nothing listens on, and that was not given out before."""
    # Below the range that outgoing connections get theirs from: one of those could take it before the server does.
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            if port not in _given and probe.connect_ex(("127.0.0.1", port)) != 0:
                _given.add(port)
                return port


def listens(port: int) -> bool:
    """Whether something accepts connections on this port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def needed(program: str, why: str) -> str:
    """The path of a program. Raises AssertionError that says what it's needed for."""
    found = shutil.which(program)
    assert found, f"expected the program {program} on PATH ({why}), found none"
    return found
