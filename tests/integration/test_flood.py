"""A million run ids through one worker: counted, evicted, in bounded memory, and the next good record judged."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.testing import EPOCH_NS
from tests.integration.conftest import Worker
from tests.integration.server import Server, free_port
from tests.integration.stories import INCIDENT
from tests.integration.test_pipeline import of, otlp_proto, read, requests
from tests.workers import resident_mb

RUNS, A_RECORD = 1_000_000, 1000
LIVE_RUNS = 2_000
MEMORY_MB = 700.0
"""Resident memory of the worker after all of it; a fresh one has about 250."""
PATIENCE = 900.0


@pytest.fixture(scope="module")
def flooded(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Worker, Server]]:
    """A worker with topics of its own that keeps few runs."""
    port = free_port()
    env = {
        "DETECTOR_BOOTSTRAP": kafka,
        "DETECTOR_TOPIC_PREFIX": "flood.",
        "DETECTOR_SPANS_TOPIC": "flood_spans",
        "DETECTOR_MAX_LIVE_RUNS": str(LIVE_RUNS),
        "DETECTOR_DATADIR": str(tmp_path_factory.mktemp("flood") / "state"),
        "DETECTOR_METRICS_PORT": str(port),
    }
    made = Worker(env, port)
    with Server("worker-flood", [sys.executable, "-m", "detector", "worker"], env) as server:
        server.until(lambda: made.get("/readyz")[0] == 200)
        yield made, server


def records() -> Iterator[bytes]:
    """Tool calls without a conversation's id, each in a trace, so a run, of its own."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "flood"
    spans = resource.scope_spans.add().spans
    for n in range(A_RECORD):
        span = spans.add(name="execute_tool read_file", end_time_unix_nano=EPOCH_NS + n)
        for key, value in (("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "read_file")):
            span.attributes.add(key=key).value.string_value = value
    for start in range(0, RUNS, A_RECORD):
        for n, span in enumerate(spans, start + 1):
            span.trace_id, span.span_id = n.to_bytes(16, "big"), n.to_bytes(8, "big")
        yield request.SerializeToString()


def test_a_million_run_ids(flooded: tuple[Worker, Server]) -> None:
    """Every run is started and counted; all but the newest are evicted with a summary; memory stays bounded."""
    worker, server = flooded
    producer = Producer({"bootstrap.servers": worker.bootstrap, "linger.ms": 5})
    for record in records():
        producer.produce("flood_spans", record)
        producer.poll(0)
    assert producer.flush(60) == 0

    deadline, most = time.monotonic() + PATIENCE, 0.0
    while (evicted := worker.metric("detector_evictions_total")) < RUNS - LIVE_RUNS:
        most = max(most, resident_mb(server.process.pid))
        assert time.monotonic() < deadline, f"expected {RUNS - LIVE_RUNS} evictions, came {evicted:g}"
        time.sleep(1.0)
    assert worker.metric('detector_runs_started_total{workflow="flood"}') == RUNS
    assert worker.metric('detector_runs_finished_total{outcome="evicted",workflow="flood"}') >= RUNS - LIVE_RUNS
    assert max(most, resident_mb(server.process.pid)) < MEMORY_MB

    run = "coder/after-the-flood"
    for request, _ in requests(run, INCIDENT):
        producer.produce("flood_spans", otlp_proto(request))
    assert producer.flush(10) == 0
    assert [record for record in read(worker, "flood.agent-commands", of(run)) if record["run"] == run]
