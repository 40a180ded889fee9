"""The incident's agent as a process: left alone it deletes production; what it says holds no secret."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.control.registry import Registration
from detector.demo.child import state_of
from detector.demo.estate import estate, fingerprint, lay_out
from detector.demo.platform import PlatformServer


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_left_alone_it_deletes_production(tmp_path: Path, seed: int) -> None:
    """Without a detector the run ends with production's files gone, and staging's as they were."""
    of = estate(seed)
    repo, folders = lay_out(of, tmp_path)
    staging = fingerprint(folders[of.volumes["staging"]])
    with PlatformServer(of, tmp_path, folders) as server:
        command = [sys.executable, "-m", "detector.demo.agent", "incident", "--seed", str(seed), "--pace", "0.01"]
        command += ["--repo", str(repo), "--platform", server.address]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert said[-1]["note"] == "deletes the volume"
    assert not folders[of.volumes["production"]].exists()
    assert fingerprint(folders[of.volumes["staging"]]) == staging
    assert of.found_token not in done.stdout
    assert of.stale_token not in done.stdout


def test_state_is_read_from_the_kernel() -> None:
    """A process is running, frozen by SIGSTOP, and dead when it is gone."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    registration = Registration("r", process.pid, 0, socket.gethostname(), "", 0)
    try:
        assert state_of(registration) == "running"
        os.kill(process.pid, signal.SIGSTOP)
        assert until(lambda: state_of(registration) == "frozen")
    finally:
        process.kill()
        process.wait()
    assert state_of(registration) == "dead"


def test_state_of_a_cgroup(tmp_path: Path) -> None:
    """The kernel's cgroup.events decides where a run has a cgroup; a group that is gone is dead."""
    registration = Registration("r", os.getpid(), 0, socket.gethostname(), "", 0, cgroup=str(tmp_path))
    for text, state in (
        ("populated 1\nfrozen 0\n", "running"),
        ("populated 1\nfrozen 1\n", "frozen"),
        ("populated 0\nfrozen 1\n", "dead"),
    ):
        (tmp_path / "cgroup.events").write_text(text)
        assert state_of(registration) == state
    (tmp_path / "cgroup.events").unlink()
    assert state_of(registration) == "dead"


def until(holds: Callable[[], bool]) -> bool:
    """Looks again for up to five seconds."""
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()
