"""A machine with agents on it: `detector enforce` runs there, and each agent was started by `detector run`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from detector.demo.child import kill_all, registrations, state_of
from tests.integration.brokers import Collector
from tests.integration.server import ROOT, Server

REST_SECONDS = 0.3
"""An agent that lives writes a beat every 20 ms."""


class Machine:
    """A context manager; what its launches left is killed at the end."""

    def __init__(self, folder: Path, name: str, env: Mapping[str, str], collector: Collector) -> None:
        self.folder = folder
        self.collector = collector
        self.runs = folder / "runs"
        self.enforcer = Server(
            name, [sys.executable, "-m", "detector", "enforce"], {**env, "DETECTOR_RUN_DIR": str(self.runs)}
        )
        self._launchers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.enforcer.start(lambda: "enforce: ready" in self.enforcer.log.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        kill_all(self.runs)
        for launcher in self._launchers:
            launcher.wait(20)
        assert self.enforcer.stop() == 0, f"the enforcer did not stop well; see {self.enforcer.log}"

    def launch(self, story: str, protocol: str) -> tuple[str, subprocess.Popen[bytes]]:
        """Starts an agent with this story, under a run id of its own, which is returned with its launcher."""
        run = f"{story}-{os.urandom(4).hex()}"
        port = self.collector.grpc if protocol == "grpc" else self.collector.http
        env = {
            **os.environ,
            "DETECTOR_RUN_DIR": str(self.runs),
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        }
        agent = [sys.executable, "-m", "tests.integration.agent", story, "--beats", str(self._beats(run))]
        launcher = subprocess.Popen(
            [sys.executable, "-m", "detector", "run", "--run-id", run, "--", *agent],
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )
        self._launchers.append(launcher)
        return run, launcher

    def wait_until_frozen(self, run: str) -> None:
        """Waits until the kernel says so, and sees that the agent takes no further step."""
        until(lambda: any(one.run == run for one in registrations(self.runs)), f"{run} to be registered")
        (mine,) = [one for one in registrations(self.runs) if one.run == run]
        until(lambda: state_of(mine) == "frozen", f"{run} to be frozen")
        before = self._steps(run)
        time.sleep(REST_SECONDS)
        assert self._steps(run) == before

    def _beats(self, run: str) -> Path:
        return self.folder / f"{run}.beats"

    def _steps(self, run: str) -> int:
        return self._beats(run).stat().st_size if self._beats(run).exists() else 0


def until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Waits until `holds`; fails with `what` was waited for."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
