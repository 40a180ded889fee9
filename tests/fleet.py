"""Workers, a run log and a table in one process, step by step: to see what orders, restarts and moves do.

The run log has partitions, each owned by a worker, which ingests, applies and keeps its own caches, as
app.py has them; table and log outlive the workers, as Kafka does.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client import CollectorRegistry

from detector import ingest
from detector.config import Settings, load
from detector.observe.metrics import Metrics
from detector.policy import brake
from detector.policy.policy import Policy
from detector.records import RunEvents, Tick, encode_log
from detector.runs.aliases import Outbox, partition_of
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.runs.state import Stored, decode
from detector.testing import Clock
from detector.training.matrix import blank
from detector.watch import Send, Watch

SAMPLES = Path(__file__).parent / "samples"
JUDGE = Judge(blank(), Policy())
SETTINGS = load(hash_key="fleet")


class Worker:
    """What one worker process keeps: lost when it ends."""

    def __init__(self, fleet: Fleet, settings: Settings) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.spans = ingest.spans(settings, fleet.clock)
        self.labels = ingest.labels(settings, fleet.clock)
        self.acks = ingest.acks(settings, fleet.clock)
        self.outbox = Outbox(fleet.partition, fleet.clock)
        self.watch = Watch(fleet.judge, settings, self.metrics, fleet.clock, stored=fleet.table.get)


class Fleet:
    """A few workers on a few partitions."""

    def __init__(self, workers: int = 2, partitions: int = 3, seed: int = 0, judge: Judge = JUDGE) -> None:
        self.judge = judge
        self.clock = Clock()
        self.random = random.Random(seed)
        self.log: list[list[tuple[bytes, bytes]]] = [[] for _ in range(partitions)]
        self.next = [0] * partitions
        self.table: dict[bytes, bytes] = {}
        self.sent: list[Send] = []
        self.workers = [Worker(self, SETTINGS) for _ in range(workers)]
        self.owners = [n % workers for n in range(partitions)]
        self.notes: dict[str, float] = {}

    def partition(self, key: bytes) -> int:
        """The partition of a key in the run log."""
        return crc32(key) % len(self.log)

    # --- what comes in ------------------------------------------------------------------

    def take(self, value: bytes, what: str = "spans") -> None:
        """Any worker takes a record in."""
        worker = self.random.choice(self.workers)
        done = getattr(worker, what)(value, self.clock())
        for key, record in done.log:
            self.log[self.partition(key)].append((key, record))
        if done.aliases:
            worker.outbox.add(done.aliases)

    def tick(self, seconds: float, *, evict: bool = False) -> None:
        """Time passes, and every run that is known gets a tick."""
        now = self.clock.move(seconds)
        for key in list(self.table):
            if key.startswith(brake.PREFIX):
                continue
            place = partition_of(key)
            tick = RunEvents(key.decode(), [Tick(now, evict=evict)], written=now)
            self.log[self.partition(key) if place is None else place].append((key, encode_log(tick)))
        self.settle()

    def tell(self) -> None:
        """All workers write the aliases that they found."""
        for worker in self.workers:
            records, written = worker.outbox.take()
            for partition, key, value in records:
                self.log[partition].append((key, value))
            if written is not None:
                written.set_result(None)

    # --- what becomes of it -------------------------------------------------------------

    def settle(self) -> None:
        """All that was written is applied, and all that comes of it."""
        self.tell()
        while any(at < len(log) for at, log in zip(self.next, self.log, strict=True)):
            for partition in self.random.sample(range(len(self.log)), len(self.log)):
                self.step(partition)

    def step(self, partition: int, *, dies: bool = False) -> None:
        """The owner of the partition applies its next record; where it `dies`, it ends before it stores the state, but
        for a brake's.
        """
        if self.next[partition] >= len(self.log[partition]):
            return
        key, value = self.log[partition][self.next[partition]]
        owner = self.workers[self.owners[partition]]
        applied = owner.watch.apply(self.table.get(key), value, self.next[partition], partition)
        for send in applied.sends:
            if send.topic == "agent-run-log":
                assert send.value is not None
                self.log[self.partition(send.key)].append((send.key, send.value))
            else:
                self.sent.append(send)
        if applied.brake is not None:
            self.table[applied.brake[0]] = applied.brake[1]
        if dies:
            self.restart(self.owners[partition])
            return
        if applied.state is None:
            self.table.pop(key, None)
        else:
            self.table[key] = applied.state
        self.next[partition] += 1

    def restart(self, number: int) -> None:
        """A worker ends and a successor takes its place; what it had not written yet comes again (here: is written)."""
        self.tell()
        self._note(self.workers[number])
        self.workers[number] = Worker(self, SETTINGS)
        self._rebuild()

    def rebalance(self) -> None:
        """Partitions go to other workers."""
        self.owners = [self.random.randrange(len(self.workers)) for _ in self.owners]
        for worker in self.workers:
            worker.watch.forget(set(range(len(self.log))))
        self._rebuild()

    def _rebuild(self) -> None:
        for key, state in self.table.items():
            place = partition_of(key)
            owner = self.owners[self.partition(key) if place is None else place]
            self.workers[owner].watch.standing(state)

    def _note(self, worker: Worker) -> None:
        for metric in worker.metrics.registry.collect():
            for sample in metric.samples:
                if sample.name == "detector_notes_total":
                    reason = sample.labels["reason"]
                    self.notes[reason] = self.notes.get(reason, 0) + sample.value

    # --- what is known ------------------------------------------------------------------

    def known(self) -> list[Stored]:
        """Everything that is stored."""
        return [decode(state, self.judge.model.layout) for state in self.table.values()]

    def runs(self) -> dict[str, Run]:
        """The runs that count calls or turns."""
        return {s.run: s for s in self.known() if isinstance(s, Run) and (s.calls or s.turns)}

    def noted(self, reason: str) -> float:
        """How often something was counted, by all workers that there were."""
        values = [w.metrics.registry.get_sample_value("detector_notes_total", {"reason": reason}) for w in self.workers]
        return self.notes.get(reason, 0) + sum(value or 0 for value in values)

    def replayed(self) -> list[Send]:
        """What a replay of the run log sends, a partition after the other."""
        return self.replay()[0]

    def replay(self) -> tuple[list[Send], dict[bytes, bytes]]:
        """The same, and the table that it leaves."""
        sent: list[Send] = []
        left: dict[bytes, bytes] = {}
        for partition, log in enumerate(self.log):
            table: dict[bytes, bytes] = {}
            watch = Watch(self.judge, SETTINGS, Metrics(CollectorRegistry()), self.clock, stored=table.get)
            for offset, (key, value) in enumerate(log):
                applied = watch.apply(table.get(key), value, offset, partition)
                sent += [send for send in applied.sends if send.topic != "agent-run-log"]
                if applied.brake is not None:
                    table[applied.brake[0]] = applied.brake[1]
                if applied.state is None:
                    table.pop(key, None)
                else:
                    table[key] = applied.state
            left |= table
        return sent, left


def singles(requests: Iterable[bytes]) -> list[bytes]:
    """The same spans, one a request."""
    found = []
    for request in requests:
        for resource in _parsed(request).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    single = ExportTraceServiceRequest()
                    into = single.resource_spans.add(resource=resource.resource)
                    into.scope_spans.add(scope=scope.scope).spans.add().CopyFrom(span)
                    found.append(single.SerializeToString())
    return found


def _parsed(request: bytes) -> Any:
    return ExportTraceServiceRequest.FromString(request)
