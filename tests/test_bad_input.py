"""Bad input of ten kinds through the stream: each is counted by name, and the next good record is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from detector.testing import EPOCH_NS, Spans
from tests.workers import Stream, Worker

MEMORY_MB = 700.0
"""Resident memory of the worker after all of it; a fresh one has about 250."""
FLOOD_RUNS = 20_000
LIVE_RUNS = 2_000
BIG = 10 * 1024 * 1024


def good(run: str) -> bytes:
    """A run that is paused at its only call."""
    deed = {"query": 'mutation { volumeDelete(volumeId: "v1") }', "environment": "production"}
    return Spans("coder", run).tool("graphql", deed).request()


def changed(**fields: Any) -> bytes:
    """A request whose one span has other fields than it should."""
    request = json.loads(Spans("coder", "bad").tool("read_file", {"path": "a"}).request())
    span = request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    for name, value in fields.items():
        span.pop(name) if value is None else span.__setitem__(name, value)
    return json.dumps(request).encode()


def protobuf(request: bytes) -> bytes:
    """The request in the other encoding."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = ExportTraceServiceRequest()
    for resource in json.loads(request)["resourceSpans"]:
        into = message.resource_spans.add().scope_spans.add()
        for span in resource["scopeSpans"][0]["spans"]:
            made = into.spans.add(name=span["name"], end_time_unix_nano=int(span["endTimeUnixNano"]))
            made.trace_id, made.span_id = bytes.fromhex(span["traceId"]), bytes.fromhex(span["spanId"])
            for attribute in span["attributes"]:
                made.attributes.add(key=attribute["key"]).value.string_value = attribute["value"]["stringValue"]
    return message.SerializeToString()


def nested(depth: int) -> bytes:
    """Arrays in arrays as an attribute's value."""
    value = b'{"arrayValue":{"values":[' * depth + b'{"stringValue":"x"}' + b"]}}" * depth
    return changed(attributes=[]).replace(b'"attributes": []', b'"attributes":[{"key":"k","value":' + value + b"}]")


def two_alike() -> bytes:
    """The same span twice in one request."""
    request = json.loads(Spans("coder", "twins").tool("read_file", {"path": "a"}).request())
    spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans.append(spans[0])
    return json.dumps(request).encode()


def flood() -> Iterator[bytes]:
    """Runs that nobody will hear of again, a thousand in a record."""
    for start in range(0, FLOOD_RUNS, 1000):
        request = json.loads(Spans("flood", "x").tool("read_file", {"path": "a"}).request())
        scope = request["resourceSpans"][0]["scopeSpans"][0]
        (span,) = scope["spans"]
        span["attributes"] = [a for a in span["attributes"] if a["key"] != "gen_ai.conversation.id"]
        scope["spans"] = [span | {"traceId": f"{n + 1:032x}"} for n in range(start, start + 1000)]
        yield json.dumps(request).encode()


CASES: dict[str, tuple[list[bytes], str]] = {
    "truncated protobuf": ([protobuf(good("t"))[:-7]], 'rejects_total{reason="truncated_protobuf",stage="ingest"}'),
    "JSON with wrong ids": ([changed(traceId="not hex at all")], 'rejects_total{reason="bad_trace_id",stage="ingest"}'),
    "10 MB attributes": (
        [Spans("coder", "big").tool("bash", {"command": "echo " + "a" * BIG}).request()],
        'notes_total{reason="unreadable"}',
    ),
    "clock from 1970": ([changed(endTimeUnixNano="1")], 'notes_total{reason="clock_skewed"}'),
    "clock from 2100": ([changed(endTimeUnixNano="4200000000000000000")], 'notes_total{reason="clock_skewed"}'),
    "NUL bytes": ([b"\0" * 64], 'rejects_total{reason="not_otlp",stage="ingest"}'),
    "deep nesting": ([nested(5000)], 'rejects_total{reason="too_deep",stage="ingest"}'),
    "duplicate span ids": ([two_alike()], "duplicates_total"),
    "missing span ids": ([changed(spanId=None)], 'notes_total{reason="ids_missing"}'),
    "its own parent": (
        [changed(spanId="00000000000000ff", parentSpanId="00000000000000ff")],
        'notes_total{reason="own_parent"}',
    ),
    "an empty request": ([b'{"resourceSpans": []}'], 'rejects_total{reason="no_spans",stage="ingest"}'),
    "no bytes": ([b""], 'rejects_total{reason="empty",stage="ingest"}'),
    "too many runs": (list(flood()), "evictions_total"),
}


@pytest.fixture(scope="module")
def judging(module_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stream, Worker]]:
    """One worker for all of it."""
    folder = tmp_path_factory.mktemp("bad")
    stream = Stream(module_bootstrap, folder, DETECTOR_MAX_LIVE_RUNS=str(LIVE_RUNS))
    with stream.worker("bad-input") as worker:
        yield stream, worker


@pytest.mark.parametrize("kind", CASES)
def test_counted_and_passed(judging: tuple[Stream, Worker], kind: str) -> None:
    """The counter of its kind rises; the good record after it ends in a command; memory stays bounded."""
    stream, worker = judging
    bad, counter = CASES[kind]
    before = worker.metrics().get(f"detector_{counter}", 0.0)
    run = kind.replace(" ", "-")
    stream.send(*bad, good(run))

    worker.wait(f"detector_{counter}", before + 1)
    commands = stream.json("agent-commands", 1, run=f"coder/{run}")
    assert [command["desired"] for command in commands] == ["paused"]
    assert worker.resident_mb() < MEMORY_MB


def test_dead_letters_say_where_and_why(judging: tuple[Stream, Worker]) -> None:
    """What was set aside stands in the dead-letter topic with place, checksum and reason, without its bytes."""
    stream, _ = judging
    stream.send(b"secret=hunter2 " + EPOCH_NS.to_bytes(8, "big"))
    letters = stream.json("otlp_spans-rejected", 1)
    assert {"topic", "partition", "offset", "sha256", "reasons"} <= set(letters[-1])
    assert "hunter2" not in json.dumps(letters)
