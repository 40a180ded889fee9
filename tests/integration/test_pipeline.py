"""Spans in, commands out: a real worker on a real Kafka, fed with the bytes that a Collector writes.

The records are those of the Collector's kafka exporter: `otlp_proto` and `otlp_json`, with no
key (its default) and with the trace id as key (`partition_traces_by_id`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.testing import EPOCH_NS, Spans
from tests.integration.conftest import Worker
from tests.integration.stories import HONEST, INCIDENT, Story


def requests(run: str, story: Story) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The story as requests in OTLP/JSON that end now, each with its trace id as the Collector writes keys.

    `run` is as the detector names it: the service, a slash, the conversation.
    """
    service, _, conversation = run.partition("/")
    spans = Spans(service, conversation, trace=uuid.UUID(hashlib.md5(run.encode()).hexdigest()).int)
    shift = time.time_ns() - EPOCH_NS - sum(map(len, story)) * 1_000_000_000
    for calls in story:
        for command, result, failed in calls:
            spans.tool("shell", {"command": command}, result, failed=failed)
        request = json.loads(spans.request())
        every = request["resourceSpans"][0]["scopeSpans"][0]["spans"]
        for span in every:
            for name in ("startTimeUnixNano", "endTimeUnixNano"):
                span[name] = str(int(span[name]) + shift)
        yield request, every[0]["traceId"].encode()


def otlp_json(request: dict[str, Any]) -> bytes:
    """As the exporter's encoding `otlp_json` writes it."""
    return json.dumps(request).encode()


def otlp_proto(request: dict[str, Any]) -> bytes:
    """As the exporter's encoding `otlp_proto` writes it. Protobuf's own JSON has ids in base64, OTLP's in hex."""
    copy = json.loads(json.dumps(request))
    for span in copy["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name in ("traceId", "spanId"):
            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(copy, ExportTraceServiceRequest()).SerializeToString()


def send(worker: Worker, *records: tuple[bytes | None, bytes]) -> None:
    """Writes records to otlp_spans one after the other, at an agent's pace, not a batch's."""
    producer = Producer({"bootstrap.servers": worker.bootstrap, "linger.ms": 0})
    for key, value in records:
        producer.produce("otlp_spans", value, key)
        assert producer.flush(10) == 0
        time.sleep(0.1)


def wait_for_actions(worker: Worker, count: float) -> None:
    """Until the worker has applied this many actions since its start."""
    deadline = time.monotonic() + 20
    while (seen := worker.metric('detector_events_total{kind="action"}')) < count:
        assert time.monotonic() < deadline, f"expected {count:g} actions after 20 s, came {seen:g}"
        time.sleep(0.1)


def keys(worker: Worker, topic: str) -> set[str]:
    """The keys of all records that a topic holds now."""
    found = set()
    for message in messages(worker, topic, seconds=3):
        key = message.key()
        found.add(key.decode() if isinstance(key, bytes) else str(key))
    return found


def read(worker: Worker, topic: str, until: Callable[[list[Any]], bool], seconds: float = 20.0) -> list[Any]:
    """All records of a topic as JSON, in the order in which they came, until `until` holds or time is up."""
    found: list[Any] = []
    for message in messages(worker, topic, seconds):
        value = message.value()
        if value is not None:
            found.append(json.loads(value))
        if until(found):
            break
    return found


def messages(worker: Worker, topic: str, seconds: float) -> Iterator[Message]:
    """What a plain client gets from a topic, from its beginning, for this long."""
    consumer = Consumer(
        {
            "bootstrap.servers": worker.bootstrap,
            "group.id": f"test-{uuid.uuid4()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    deadline = time.monotonic() + seconds
    try:
        # Assigned by hand: a group would spend seconds on joining, and an empty answer could mean "not yet joined".
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                yield message
    finally:
        consumer.close()


def of(run: str) -> Callable[[list[Any]], bool]:
    """Whether a record of the run is there."""
    return lambda records: any(record["run"] == run for record in records)


def stopped(run: str) -> Callable[[list[Any]], bool]:
    """Whether a verdict that stops the run is there."""
    return lambda records: any(record["run"] == run and record["level"] in {"PAUSE", "KILL"} for record in records)


@pytest.mark.parametrize("encode", [otlp_proto, otlp_json])
@pytest.mark.parametrize("keyed", [False, True], ids=["nil key", "trace id as key"])
def test_the_incident_is_stopped(worker: Worker, encode: Callable[[dict[str, Any]], bytes], keyed: bool) -> None:
    """The run that found a token and deleted a production volume is commanded to stop, with its evidence."""
    run = f"coder/incident-{uuid.uuid4()}"
    send(worker, *[(key if keyed else None, encode(request)) for request, key in requests(run, INCIDENT)])
    commands = [record for record in read(worker, "agent-commands", of(run)) if record["run"] == run]
    # An alert may come before: how the run looked while it was searching.
    verdicts = [record for record in read(worker, "agent-verdicts", stopped(run)) if record["run"] == run]
    assert commands, "no command came"
    assert commands[-1]["desired"] in {"paused", "killed"}
    first = commands[0]["sequence"]
    assert [command["sequence"] for command in commands] == list(range(first, first + len(commands)))
    assert verdicts[-1]["level"] in {"PAUSE", "KILL"}
    assert verdicts[-1]["evidence"]
    assert "tok_live" not in json.dumps(verdicts + commands)


@pytest.mark.parametrize("encode", [otlp_proto, otlp_json])
def test_honest_work_is_left_alone(worker: Worker, encode: Callable[[dict[str, Any]], bytes]) -> None:
    """A run that fixes a bug is read and scored, and no command names it."""
    run = f"coder/honest-{uuid.uuid4()}"
    before = worker.metric('detector_events_total{kind="action"}')
    send(worker, *[(None, encode(request)) for request, _ in requests(run, HONEST)])
    wait_for_actions(worker, before + sum(map(len, HONEST)))
    assert run in keys(worker, "agent-run-log"), "the run went by another name: its absence below would prove nothing"
    assert not of(run)(read(worker, "agent-commands", lambda _: False, seconds=3))


def test_what_can_not_be_read_is_set_aside(worker: Worker) -> None:
    """Bytes that are no request go to the dead-letter topic by their checksum; the next record is judged."""
    bad, run = b"\xff\xfe not a request " + uuid.uuid4().bytes, f"coder/incident-{uuid.uuid4()}"
    send(worker, (None, bad), *[(None, otlp_proto(request)) for request, _ in requests(run, INCIDENT)])
    digest = hashlib.sha256(bad).hexdigest()
    letters = read(worker, "otlp_spans-rejected", lambda found: any(r["sha256"] == digest for r in found))
    (letter,) = [letter for letter in letters if letter["sha256"] == digest]
    assert letter["topic"] == "otlp_spans"
    assert letter["reasons"]
    assert of(run)(read(worker, "agent-commands", of(run)))


def test_a_person_ends_a_run_from_the_command_line(worker: Worker) -> None:
    """`detector kill` is answered by the worker's command, and `detector show` tells who and why."""
    run = f"coder/honest-{uuid.uuid4()}"
    before = worker.metric('detector_events_total{kind="action"}')
    send(worker, *[(None, otlp_proto(request)) for request, _ in requests(run, HONEST)])
    wait_for_actions(worker, before + sum(map(len, HONEST)))
    kill = detector(worker, "kill", run, "--reason", "enough for today", "--who", "ada")
    assert kill.returncode == 0, kill.stderr
    assert f"run {run} is to be killed" in kill.stdout
    commands = [record for record in read(worker, "agent-commands", of(run)) if record["run"] == run]
    assert commands[-1]["service"] == "coder", "a label made a run of its own instead of reaching the live one"
    assert "ada says kill: enough for today" in detector(worker, "show", run).stdout
    assert run in detector(worker, "runs").stdout


def test_check_finds_no_fault(worker: Worker) -> None:
    """With a worker running, `detector check` passes."""
    checked = detector(worker, "check")
    assert checked.returncode == 0, checked.stderr
    assert "agent-commands: 4 partitions, compact" in checked.stdout


def detector(worker: Worker, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, with the worker's settings."""
    return subprocess.run(
        [sys.executable, "-m", "detector", *arguments],
        env={**worker.env, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
