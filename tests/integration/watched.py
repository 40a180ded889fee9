"""A fleet under the detector with all that watches it: worker, enforcer, store, notifier, Prometheus. For dashboards.

The demo's stories are played in a minute or so: honest runs, drifting ones and re-enacted incidents, runs whose
spans come without arguments. People decide on the paused runs, or leave them to their deadline, and say what they
make of the others. An enforcer's webhook is answered by a server that records; one run goes on all the same.
"""

from __future__ import annotations

import contextlib
import heapq
import http.server
import json
import random
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import yaml
from confluent_kafka import Producer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.demo.estate import estate
from detector.demo.fleet import stories
from detector.demo.simulate import requests_of
from detector.demo.stories.drift import drifting
from detector.demo.stories.incident import incident
from detector.demo.worlds import PaperWorld
from detector.records import Label
from tests.conftest import embedded_broker
from tests.integration.postgres import Postgres
from tests.integration.server import STACK, Server, free_port, listens
from tests.workers import Stream

HONEST, DRIFTING, INCIDENTS, BLIND = 60, 9, 3, 6
LATE = {*range(HONEST - 7, HONEST), HONEST + DRIFTING - 1}
"""These begin late: at the end some are live, and one waits for a person."""
PLAYED_SECONDS = 74.0
DEADLINE_SECONDS = 12.0
LASTING = 14.0
"""Seconds that a run lasts, on average."""
DECISIONS = ("approve", "deny", "", "deny", "approve", "deny")
"""What people say of a paused run, in turn; empty: nobody does, until its deadline."""
WORDS = ("accept", "accept", "correct", "accept", "clarify", "accept", "complete", "reopen", "accept", "honest")


class Watched:
    """The scene after `play`: its Prometheus (port), its database (dsn), and when it began and ended (s)."""

    def __init__(self, folder: Path, postgres: Postgres, prometheus: str) -> None:
        self.folder, self.dsn, self._program = folder, postgres.database(), prometheus
        self.prometheus = free_port()
        self.begin = self.end = self._last = 0.0
        self._held: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._random = random.Random(1)
        self._stop = threading.Event()

    @contextlib.contextmanager
    def play(self) -> Iterator[Watched]:
        """Plays the fleet to its end; the servers answer for as long as the context lasts."""
        with contextlib.ExitStack() as stack:
            bootstrap = stack.enter_context(embedded_broker())
            webhook = stack.enter_context(recording())
            ports = {"enforcer": free_port(), "store": free_port(), "notifier": free_port()}
            stream = Stream(
                bootstrap,
                self.folder,
                DETECTOR_FINISHED_SECONDS="2",
                DETECTOR_IDLE_SECONDS="6",
                DETECTOR_PAUSE_DEADLINE_SECONDS=str(DEADLINE_SECONDS),
                DETECTOR_STORE_DSN=self.dsn,
                DETECTOR_STORE_METRICS_PORT=str(ports["store"]),
                DETECTOR_WEBHOOK_URL=webhook,
                DETECTOR_WEBHOOK_KEY="recorded",
                DETECTOR_ENFORCER_METRICS_PORT=str(ports["enforcer"]),
                DETECTOR_NOTIFY_WEBHOOK_URL=webhook,
                DETECTOR_NOTIFY_WEBHOOK_KEY="recorded",
                DETECTOR_NOTIFY_METRICS_PORT=str(ports["notifier"]),
                DETECTOR_RUN_DIR=str(self.folder / "runs"),
            )
            worker = stack.enter_context(stream.worker("watched"))
            command = [sys.executable, "-m", "detector"]
            Server("watched-init", [*command, "store", "--init"], stream.env).start(lambda: True).process.wait(60)
            for name, arguments in (("enforcer", ["enforce"]), ("store", ["store"]), ("notifier", ["notify"])):
                server = stack.enter_context(Server(f"watched-{name}", [*command, *arguments], stream.env))
                server.until(lambda port=ports[name]: ready(port))  # type: ignore[misc]
            config = self._configured({"detector": worker.port, **ports, "prometheus": self.prometheus})
            stack.enter_context(Server("watched-prometheus", [self._program, *config])).until(
                lambda: listens(self.prometheus)
            )
            self.begin = time.time()
            self._send(bootstrap)
            self.end = time.time()
            yield self

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the store has."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def run(self) -> str:
        """The run of which there is most to tell among those that a person decided on."""
        query = """
            select run from detector.gates join detector.run_timeline using (run)
            where decision in ('granted', 'denied') group by run order by count(*) desc, run limit 1
        """
        ((run,),) = self.rows(query)
        return str(run)

    def _configured(self, ports: dict[str, int]) -> list[str]:
        config = yaml.safe_load((STACK / "prometheus.yaml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        jobs = [job["job_name"] for job in config["scrape_configs"] if job["job_name"] in ports]
        config["scrape_configs"] = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{ports[job]}"]}]} for job in jobs
        ]
        file = self.folder / "prometheus.yaml"
        file.write_text(yaml.safe_dump(config))
        listen = f"--web.listen-address=127.0.0.1:{self.prometheus}"
        store = f"--storage.tsdb.path={self.folder}/prometheus"
        return [f"--config.file={file}", store, listen, "--enable-feature=exemplar-storage"]

    # --- the fleet ----------------------------------------------------------------------

    def _send(self, bootstrap: str) -> None:
        producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
        people = threading.Thread(target=self._decide, args=(Producer({"bootstrap.servers": bootstrap}),))
        people.start()
        due = sorted(self._batches())
        due += [(due[0][0] + 4.0 * n, -n, "", b"\xff\xfe no request") for n in range(1, 10)]
        heapq.heapify(due)
        leaks = next(run for _, _, run, _ in due if run.startswith("drift"))
        while due and due[0][0] < self._last:
            at, number, run, value = heapq.heappop(due)
            time.sleep(max(0.0, at - time.time()))
            state = self._held.get(run, "running")
            if state == "running" or run == leaks:
                producer.produce("otlp_spans", value)
                producer.poll(0)
            elif state == "paused":
                heapq.heappush(due, (time.time() + 1.0, number, run, value))
        producer.flush(30)
        time.sleep(max(0.0, self._last - time.time()))
        self._stop.set()
        people.join()

    def _batches(self) -> Iterator[tuple[float, int, str, bytes]]:
        number, now = 0, time.time()
        self._last = now + PLAYED_SECONDS
        told = [("honest", story) for story, _ in stories(7, HONEST)]
        told += [("drift", drifting(seed)) for seed in range(DRIFTING)]
        told += [("incident", incident(seed, estate(seed), PaperWorld(estate(seed)))) for seed in range(INCIDENTS)]
        for n, (kind, story) in enumerate(told):
            turns = list(story.turns)
            natural = sum(turn.seconds + sum(call.seconds for call in turn.calls) for turn in turns)
            start = now + self._random.uniform(0.0, 40.0 if kind == "honest" else 25.0)
            if n in LATE:
                start = self._last - self._random.uniform(8.0, 11.0)
            pace = self._random.uniform(0.7, 1.3) * LASTING / natural
            played = requests_of(replace(story, turns=turns), int(start * 1e9), pace, 0.5)
            name = f"{kind}/{story.run}"
            self._names |= {story.run: name, trace_of(played[0]): name}
            for k, request in enumerate(played):
                number += 1
                value = without_arguments(request) if kind == "honest" and n < BLIND else request
                yield start + 0.5 * (k + 1), number, name, value

    def _decide(self, producer: Producer) -> None:
        """People: they look at the store, as they would at a dashboard."""
        waiting: dict[str, tuple[float, str]] = {}
        decided: dict[str, str] = {}
        said = set()
        while not self._stop.wait(0.5):
            for run, desired, outcome in self.rows("select run, desired, outcome from detector.run_list"):
                self._held[self._names.get(run.rpartition("/")[2], run)] = desired
                if desired == "paused" and run not in waiting:
                    # Who has let it go on once does so again.
                    late = time.time() > self._last - DEADLINE_SECONDS
                    kind = decided.setdefault(run, "" if late else DECISIONS[len(decided) % len(DECISIONS)])
                    waiting[run] = time.time() + self._random.uniform(1.5, 6.0), kind
                if desired == "running":
                    waiting.pop(run, None)
                if outcome != "live" and run not in said:
                    said.add(run)
                    if run not in decided:
                        self._say(producer, run, WORDS[len(said) % len(WORDS)])
            for run, (at, kind) in waiting.items():
                if kind and at <= time.time():
                    waiting[run] = at, ""
                    self._say(producer, run, kind)
                    self._say(producer, run, "destructive" if kind == "deny" else "honest")

    def _say(self, producer: Producer, run: str, kind: str) -> None:
        label = Label(run, kind, self._random.choice(("ada", "grace", "edsger")), time.time_ns(), "looked at it")
        producer.produce("agent-labels", msgspec.json.encode(label), run.encode())
        producer.flush(10)


def ready(port: int) -> bool:
    """Whether the process that serves there says that it does its work."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def trace_of(request: bytes) -> str:
    """The id of its first span's trace, which is what a run goes by that has no conversation."""
    span = ExportTraceServiceRequest.FromString(request).resource_spans[0].scope_spans[0].spans[0]
    return span.trace_id.hex()


def without_arguments(request: bytes) -> bytes:
    """The same spans from an agent that does not send contents."""
    parsed = ExportTraceServiceRequest.FromString(request)
    for resource in parsed.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                kept = [a for a in span.attributes if not a.key.endswith(("arguments", "result", "messages", ".value"))]
                del span.attributes[:]
                span.attributes.extend(kept)
    return parsed.SerializeToString()


@contextlib.contextmanager
def recording() -> Iterator[str]:
    """The address of a webhook that takes every command, and keeps it in memory."""
    taken: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/commands"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
