"""The whole way: an agent's OpenTelemetry SDK, a real Collector with the stack's file, Apache Kafka, a worker, an
enforcer, and a process that no longer runs.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.integration.agent import exporter, play
from tests.integration.brokers import Collector, Node
from tests.integration.conftest import Worker
from tests.integration.machine import Machine, until
from tests.integration.server import STACK, free_port
from tests.integration.stories import HONEST, INCIDENT
from tests.integration.test_pipeline import messages, of, read, wait_for_actions

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
"""The codec's number in a record batch (Kafka protocol, "Record Batch", attributes bits 0 to 2)."""


class Way(NamedTuple):
    """One way to configure the exporter."""

    encoding: str
    compression: str
    keyed: bool

    @property
    def name(self) -> str:
        """As a component of the Collector may be called."""
        return f"{self.encoding}-{self.compression}-{'keyed' if self.keyed else 'unkeyed'}"


WAYS = [
    Way(encoding, compression, keyed=(number % 2 == 0))
    for number, (encoding, compression) in enumerate(product(["otlp_proto", "otlp_json"], CODECS))
]
"""Every encoding with every compression; each encoding and each compression is keyed once and unkeyed once."""


@pytest.fixture(scope="module")
def ways() -> dict[Way, int]:
    """A port for each way."""
    return {way: free_port() for way in WAYS}


@pytest.fixture(scope="module")
def collector(
    worker: Worker, collector_program: Path, ways: dict[Way, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """A Collector with collector.yaml as it stands, and a pipeline of its own for every other way beside it."""
    base = yaml.safe_load((STACK / "collector.yaml").read_text())
    overlay = tmp_path_factory.mktemp("collector") / "ways.yaml"
    overlay.write_text(yaml.safe_dump(with_ways(base["exporters"]["kafka"], ways)))
    with Collector(collector_program, "collector", worker.bootstrap, overlay) as running:
        yield running


def with_ways(shipped: dict[str, Any], ways: dict[Way, int]) -> dict[str, Any]:
    """The configuration that adds a receiver, an exporter and a pipeline for each way."""
    exporters = {
        f"kafka/{way.name}": {
            **shipped,
            "partition_traces_by_id": way.keyed,
            "traces": {**shipped["traces"], "encoding": way.encoding},
            "producer": {**shipped["producer"], "compression": way.compression},
            "record_headers": [{"name": "way", "value": way.name}],
        }
        for way in ways
    }
    receivers = {
        f"otlp/{way.name}": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}} for way, port in ways.items()
    }
    pipelines = {
        f"traces/{way.name}": {
            "receivers": [f"otlp/{way.name}"],
            "processors": ["memory_limiter", "batch"],
            "exporters": [f"kafka/{way.name}"],
        }
        for way in ways
    }
    return {"receivers": receivers, "exporters": exporters, "service": {"pipelines": pipelines}}


@pytest.fixture(scope="module")
def machine(worker: Worker, collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with an enforcer, whose agents send to the Collector."""
    with Machine(tmp_path_factory.mktemp("machine"), "enforcer", worker.env, collector) as running:
        yield running


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_an_agents_process_is_frozen(machine: Machine, worker: Worker, protocol: str) -> None:
    """From the SDK's spans to a process that takes no further step, and an ack that says so."""
    run, _ = machine.launch("incident", protocol)
    machine.wait_until_frozen(run)
    acks = [ack for ack in read(worker, "agent-acks", of(run)) if ack["run"] == run]
    assert [(ack["outcome"], ack["desired"]) for ack in acks] == [("done", "paused")]


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_an_honest_agent_works_to_its_end(machine: Machine, worker: Worker, protocol: str) -> None:
    """The same way for a run that mends a bug: every call is judged, it ends as it would have ended."""
    before = worker.metric('detector_events_total{kind="action"}')
    run, launcher = machine.launch("honest", protocol)
    assert launcher.wait(30) == 0
    wait_for_actions(worker, before + sum(map(len, HONEST)))
    logged = (message.key() for message in messages(worker, "agent-run-log", seconds=5))
    assert run.encode() in logged, "the run went by another name: its absence below would prove nothing"
    assert not of(run)(read(worker, "agent-commands", lambda _: False, seconds=1))


@pytest.mark.usefixtures("collector")
def test_every_encoding_and_compression_is_read(ways: dict[Way, int], worker: Worker, kafka_node: Node) -> None:
    """Whatever the exporter is told to write, keyed or not, the incident in it is stopped."""
    runs = {way: str(uuid.uuid4()) for way in ways}

    def send(way: Way) -> None:
        play(INCIDENT, exporter(f"http://127.0.0.1:{ways[way]}", "http/protobuf"), "coder", runs[way])

    with ThreadPoolExecutor(len(ways)) as pool:
        list(pool.map(send, ways))
    wanted = {f"coder/{run}" for run in runs.values()}
    commands = read(worker, "agent-commands", lambda found: wanted <= {record["run"] for record in found})
    stopped = {record["run"] for record in commands if record["desired"] in {"paused", "killed"}}
    assert not {way.name for way, run in runs.items() if f"coder/{run}" not in stopped}
    assert written(worker) == {(way.name, way.encoding, way.keyed) for way in ways}
    assert codecs(kafka_node.data) >= set(CODECS.values())


def written(worker: Worker) -> set[tuple[str, str, bool]]:
    """Each way that a record on otlp_spans came, by its header, with the encoding and key that it was found to have."""
    found = set()
    for message in messages(worker, "otlp_spans", seconds=2):
        value, way = message.value(), dict(message.headers() or {}).get("way")
        if isinstance(value, bytes) and isinstance(way, bytes):
            encoding = "otlp_json" if value.startswith(b"{") else "otlp_proto"
            found.add((way.decode(), encoding, message.key() is not None))
    return found


def codecs(data: Path) -> set[int]:
    """The codecs of all record batches of otlp_spans as they are on the broker's disk."""
    found = set()
    for segment in data.glob("otlp_spans-*/*.log"):
        log, at = segment.read_bytes(), 0
        while at + 23 <= len(log) and (size := struct.unpack_from(">i", log, at + 8)[0]) > 0:
            found.add(struct.unpack_from(">h", log, at + 21)[0] & 0b111)
            at += 12 + size
    return found


def test_a_batch_larger_than_a_record_may_be_arrives_in_parts(collector: Collector, worker: Worker) -> None:
    """Spans with 20 MB of messages between them, of one trace: none is lost between agent and worker."""
    spans = 200
    before = worker.metric('detector_spans_total{dialect="otlp"}')
    long = [[(f"cat part-{number}", "x" * 100_000, False) for number in range(spans)]]
    play(long, exporter(f"http://127.0.0.1:{collector.grpc}", "grpc"), "coder", str(uuid.uuid4()))
    until(lambda: worker.metric('detector_spans_total{dialect="otlp"}') >= before + spans + 1, f"{spans} spans")
    assert worker.metric('detector_spans_total{dialect="otlp"}') == before + spans + 1
