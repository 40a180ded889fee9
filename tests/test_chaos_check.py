"""What `make chaos` counts with: it finds what was lost, repeated or out of order, and nothing where all is well."""

from __future__ import annotations

import asyncio
from struct import pack
from typing import NamedTuple

import pytest
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from detector import ingest
from detector.config import Settings, load
from detector.kafka import topics
from detector.kafka.wanted import changelog
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.runs.judge import Judge
from detector.scoring.model import load as load_model
from detector.stream.changelog import BY
from detector.testing import Spans
from detector.watch import Watch
from tests.chaos.check import Report, _effects, check
from tests.chaos.stage import Delivery
from tests.chaos.topics import Reader, Record

FATAL = ("graphql", {"query": 'mutation { volumeDelete(volumeId: "v1") }', "environment": "production"})


class Written(NamedTuple):
    """A record as a worker wrote it; `term` only of states."""

    topic: str
    key: bytes
    value: bytes | None
    term: int = 0


class Worker:
    """Does what a worker does with two requests, and leaves to the test what comes of it."""

    def __init__(self, bootstrap: str) -> None:
        self.settings: Settings = load(bootstrap=bootstrap, partitions=1, hash_key="k")
        asyncio.run(topics.apply(self.settings))
        self._producer = Producer({"bootstrap.servers": bootstrap})
        spans = Spans("coder", "r1", trace=1)
        self.requests = [spans.tool("read_file", {"path": "a"}, "text").request(), spans.tool(*FATAL, "{}").request()]
        self.written = self._work()

    def _work(self) -> list[Written]:
        settings, own = self.settings, self.settings.topic
        judge = Judge(load_model(settings.models), Policy.from_settings(settings))
        take, watch = ingest.spans(settings), Watch(judge, settings, Metrics(CollectorRegistry()))
        log = [each for request in self.requests for each in take(request, 1_780_000_100_000_000_000).log]
        written, state = [], None
        for offset, (key, value) in enumerate(log):
            applied = watch.apply(state, value, offset)
            state = applied.state
            written += [Written(own("agent-run-log"), key, value), *(Written(*send) for send in applied.sends)]
            written.append(Written(changelog(settings), key, state, term=5))
        return written

    def of(self, topic: str) -> list[Written]:
        """What it wrote to a topic."""
        return [each for each in self.written if each.topic == topic]

    def checked(self, *deliveries: Delivery) -> Report:
        """The check of what is written now."""
        for request in self.requests:
            self._producer.produce(self.settings.spans_topic, request)
        for each in self.written:
            headers = [(BY, pack(">Qq", each.term, 0))] if each.term else None
            self._producer.produce(each.topic, each.value, each.key, headers=headers)  # type: ignore[arg-type]
        assert self._producer.flush(10) == 0
        by_run = {"coder/r1": list(deliveries)} if deliveries else None
        return check(self.settings, Reader(self.settings.bootstrap), by_run)


@pytest.fixture
def worker(bootstrap: str) -> Worker:
    """A worker that did all as it should."""
    return Worker(bootstrap)


def test_nothing_is_found_where_all_is_well(worker: Worker) -> None:
    """All events, all effects, one stopped run."""
    report = worker.checked()
    assert report.good, report.faults
    assert (report.events, report.runs_stopped) == (2, 1)
    assert report.effects >= 2


def test_the_same_record_twice_is_no_repetition(worker: Worker) -> None:
    """It is counted apart, for readers pass over it."""
    worker.written += worker.of("agent-commands")
    report = worker.checked()
    assert report.good, report.faults
    assert report.sent_again == 1


def test_a_lost_event_is_found(worker: Worker) -> None:
    """One that arrived and does not stand in the run log."""
    worker.written.remove(worker.of("agent-run-log")[0])
    report = worker.checked()
    assert report.events_lost == 1
    assert not report.good


@pytest.mark.parametrize("topic", ["agent-commands", "agent-verdicts"])
def test_a_lost_effect_is_found(worker: Worker, topic: str) -> None:
    """One that the run log asks for."""
    worker.written.remove(worker.of(topic)[0])
    report = worker.checked()
    assert (report.effects_lost, report.good) == (1, False)


def test_a_repeated_effect_is_found(worker: Worker) -> None:
    """A command that the run log does not ask for, under another number."""
    command = worker.of("agent-commands")[0]
    assert command.value is not None
    worker.written.append(command._replace(value=command.value.replace(b'"cause"', b'"cause" ')))
    report = worker.checked()
    assert (report.effects_repeated, report.good) == (1, False)


def test_an_old_state_behind_a_newer_one_is_found(worker: Worker) -> None:
    """Compaction would keep it, whoever wrote it; a successor would take it where its writer had a newer term."""
    old = worker.of(changelog(worker.settings))[0]
    worker.written.append(old._replace(term=4))
    report = worker.checked()
    assert (report.states_wrong, report.good) == (1, False)
    assert "last in the changelog" in report.faults[0]


def test_a_delivery_of_the_newest_command_is_asked_for(worker: Worker) -> None:
    """Where the receiver's last delivery is of another command the newest one was lost to it."""
    report = worker.checked(Delivery(1.0, 7, "running", b"{}"))
    assert (report.effects_lost, report.good) == (1, False)


@pytest.mark.parametrize(
    ("due", "came", "faults"),
    [
        ([b"1", b"1", b"2"], [b"1", b"1", b"2", b"2"], 0),
        ([b"1", b"2"], [b"1", b"2", b"1", b"2"], 0),
        ([b"1", b"2"], [b"2", b"1"], 1),
    ],
)
def test_the_order_of_effects_goes_by_what_they_are(due: list[bytes], came: list[bytes], faults: int) -> None:
    """A summary that was renewed and is the same again stands twice; what was sent again changes no order."""
    report = Report()
    records = [Record(0, n, 0.0, b"run", value, {}) for n, value in enumerate(came)]
    _effects("agent-summaries", records, {("agent-summaries", b"run"): due}, report)
    assert (report.effects_lost, report.effects_repeated) == (0, faults)
