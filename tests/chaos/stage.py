"""The processes of one phase: workers and an enforcer on a Kafka, a webhook's receiver, a real agent."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Self

from detector.config import Settings, load
from detector.control.registry import Registry
from detector.stream.changelog import FENCE
from detector.testing import Spans
from tests.chaos.fleet import FATAL
from tests.chaos.topics import Reader
from tests.integration.server import Server, free_port
from tests.workers import Worker

IDLE_SECONDS = 4.0
"""After so long without a span a run is finished, summarised and forgotten: that is under test as well."""
QUIET_SECONDS = IDLE_SECONDS + 2.0
"""Nothing was written for this long, and everything is committed: the workers are done."""
PATIENCE = 240.0
DETECTOR = [sys.executable, "-m", "detector"]
COUNTING = """
import itertools, pathlib, time
for n in itertools.count():
    time.sleep(0.05)
    pathlib.Path({file!r}).write_text(str(n))
"""


class Delivery(NamedTuple):
    """A command as the webhook's receiver got it; `at` in seconds since 1970."""

    at: float
    sequence: int
    desired: str
    body: bytes


class Receiver:
    """Takes what webhooks post, and remembers it."""

    def __init__(self) -> None:
        self.deliveries: dict[str, list[Delivery]] = defaultdict(list)
        self.last = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                command = json.loads(body)
                receiver.last = time.time()
                delivery = Delivery(receiver.last, command["sequence"], command["desired"], body)
                receiver.deliveries[command["run"]].append(delivery)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Stage:
    """What runs in one phase, in a folder, on the topics of one prefix. A context."""

    def __init__(self, bootstrap: str, folder: Path, name: str, **env: str) -> None:
        self.name = name
        self.folder = folder
        self.receiver = Receiver()
        self.env = {
            "DETECTOR_BOOTSTRAP": bootstrap,
            "DETECTOR_TOPIC_PREFIX": f"{name}.",
            "DETECTOR_GROUP": name,
            "DETECTOR_SPANS_TOPIC": f"{name}.otlp_spans",
            "DETECTOR_LOGS_TOPIC": f"{name}.otlp_logs",
            "DETECTOR_HASH_KEY": "chaos",
            "DETECTOR_SHADOW_SHARE": "0",
            "DETECTOR_BRAKE_STOPS": "0",
            "DETECTOR_TICK_SECONDS": "0.5",
            "DETECTOR_IDLE_SECONDS": str(IDLE_SECONDS),
            "DETECTOR_FINISHED_SECONDS": "2",
            "DETECTOR_RUN_DIR": str(folder / "runs"),
            "DETECTOR_WEBHOOK_URL": self.receiver.url,
            "DETECTOR_WEBHOOK_KEY": "chaos",
            **env,
        }
        own = {key.removeprefix("DETECTOR_").lower(): value for key, value in self.env.items()}
        self.settings: Settings = load(**own)
        self.reader = Reader(bootstrap, self.settings.topic_prefix + self.settings.group)
        self.workers: list[Worker] = []
        self.enforcer: Server | None = None
        self._made = 0
        self._disks: dict[int, str] = {}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "runs").mkdir(mode=0o700, exist_ok=True)
        self.receiver.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            end(worker.server)
        if self.enforcer is not None:
            end(self.enforcer)
        self.receiver.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- workers ------------------------------------------------------------------------

    def start_worker(self, *, ready: bool = True, datadir: str = "", **env: str) -> Worker:
        """A further worker; `datadir` names the folder of an earlier one."""
        self._made += 1
        port = free_port()
        name = f"{self.name}-{self._made}"
        disk = self._disks[port] = datadir or name
        own = {"DETECTOR_METRICS_PORT": str(port), "DETECTOR_DATADIR": str(self.folder / disk)}
        worker = Worker(name, port, self.env | own | env)
        worker.server.__enter__()
        self.workers.append(worker)
        if ready:
            worker.server.until(worker.ready, 90)
        return worker

    def disk_of(self, worker: Worker) -> str:
        """The name of the worker's folder, for one that takes it over."""
        return self._disks[worker.port]

    def gone(self, worker: Worker) -> None:
        """Forgets a worker that has ended."""
        self.workers.remove(worker)

    def start_enforcer(self, **env: str) -> Server:
        """The enforcer; of a phase there is one at a time."""
        self.enforcer = Server(f"{self.name}-enforcer", [*DETECTOR, "enforce"], self.env | env)
        return self.enforcer.__enter__()

    # --- the end ------------------------------------------------------------------------

    def settle(self) -> None:
        """Waits until the workers have applied everything; then ends them, so that topics stand still."""
        changelog = self.settings.topic(f"{self.settings.group}-runs-changelog")
        inputs = [self.settings.spans_topic, *map(self.settings.topic, ("agent-labels", "agent-acks", "agent-run-log"))]
        outputs = [*inputs, self.settings.topic("agent-commands"), changelog]
        deadline, before, since = time.monotonic() + PATIENCE, dict[tuple[str, int], int](), 0.0
        while True:
            ends = self.reader.ends(outputs)
            committed = self.reader.committed(inputs)
            behind = {place: (committed[place], ends[place]) for place in committed if committed[place] < ends[place]}
            if behind or ends != before:
                before, since = ends, time.monotonic()
            if time.monotonic() - since > QUIET_SECONDS:
                break
            assert time.monotonic() < deadline, f"{self.name}: not applied after {PATIENCE:g} s: {behind}"
            time.sleep(0.5)
        live = [worker.metrics().get("detector_live_runs") for worker in self.workers]
        for worker in self.workers:
            end(worker.server)
        if self.enforcer is not None:
            end(self.enforcer)
        # Those that are left when another one ends take its partitions over, by a fence in each.
        written = [r for r in self.reader.records(changelog) if r.offset >= before[changelog, r.partition]]
        fences = Counter((changelog, record.partition) for record in written if record.key == FENCE)
        after = {
            place: (before[place], end)
            for place, end in self.reader.ends(outputs).items()
            if end - fences[place] != before[place]
        }
        assert not after, f"{self.name}: more came after everything had been quiet, of {live} runs: {after}"


class RealAgent:
    """A process under `detector run` that counts in a file; the detector's fleet knows it as a run."""

    def __init__(self, stage: Stage, run: str) -> None:
        self.run = run
        self._stage = stage
        self._file = stage.folder / f"{run}.count"
        command = [*DETECTOR, "run", "--run-id", run, "--", sys.executable, "-c", COUNTING.format(file=str(self._file))]
        self._server = Server(f"{stage.name}-{run}", command, stage.env)

    def __enter__(self) -> Self:
        self._server.__enter__().until(self._file.exists, 30)
        return self

    def __exit__(self, *_: object) -> None:
        registration = Registry(self._stage.settings.run_dir).find(self.run)
        if registration is not None:
            for pid in registration.group().pids():
                os.kill(pid, signal.SIGKILL)
        self._server.stop()

    def fatal(self) -> bytes:
        """The request by which it's paused."""
        return (
            Spans("coder", "", trace=hash(self.run) % 2**60, agent__run__id=self.run)
            .tool("graphql", FATAL, "{}")
            .request()
        )

    def moves(self) -> bool:
        """Whether it runs."""
        before = self._file.read_text()
        time.sleep(0.3)
        return self._file.read_text() != before


def end(server: Server) -> None:
    """Ends a process, whatever state it's in: a frozen one wakes first."""
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGCONT)
    server.stop()


def wait(until: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits until it holds. Raises AssertionError that says what was waited for."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, f"not after {seconds:g} s: {what}"
        time.sleep(0.05)
