"""A worker that finds more than it can read at once: its memory stays flat, and it judges while it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from detector.testing import Spans
from tests.workers import PARTITIONS, Stream, forget_peak, resident_mb

FATAL = ("graphql", {"query": 'mutation { volumeDelete(volumeId: "v1") }', "environment": "production"})
BIG, BIG_BYTES = 160, 1_000_000
GROWTH_MB = 80.0
"""Of 160 MB that wait. It is 25; with all of a fetch and a queue of records of any size it was 145."""
MANY = 12_000


@pytest.fixture
def stream(bootstrap: str, tmp_path: Path) -> Stream:
    """A broker without workers."""
    return Stream(bootstrap, tmp_path)


def test_memory_is_flat_where_more_waits_than_there_is_room_for(stream: Stream) -> None:
    """A backlog of large requests is read as it is dealt with; what is not yet dealt with stays in Kafka."""
    with stream.worker("maker"):
        pass
    text = "x" * BIG_BYTES
    big = [Spans("coder", f"big-{n}", trace=n + 1).tool("read_file", {"path": text}).request() for n in range(4)]
    stream.send(*(big[n % len(big)] for n in range(BIG)))
    with stream.worker("reader") as worker:
        pid = worker.server.process.pid
        forget_peak(pid)
        begun = resident_mb(pid)
        worker.wait('detector_records_total{topic="otlp_spans"}', BIG)
        assert resident_mb(pid, "VmHWM") - begun < GROWTH_MB


def written(stream: Stream, topic: str) -> list[int]:
    """When each record of the topic was written, ms."""
    consumer = Consumer({"bootstrap.servers": stream.bootstrap, "group.id": "times", "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        times, ended = [], 0
        while ended < PARTITIONS:
            message = consumer.poll(10)
            assert message is not None, f"{topic}: the broker did not answer"
            if message.error():
                ended += 1
            else:
                times.append(message.timestamp()[1])
        return times
    finally:
        consumer.close()


def test_a_backlog_is_judged_while_it_is_read(stream: Stream) -> None:
    """The first run of a backlog is paused while there is still much of it to read."""
    with stream.worker("maker"):
        pass
    stream.send(Spans("coder", "first", trace=1).tool(*FATAL).request())
    stream.send(
        *(Spans("coder", f"run-{n}", trace=n).tool("read_file", {"path": "a"}).request() for n in range(2, MANY))
    )
    with stream.worker("reader") as worker:
        worker.wait('detector_records_total{topic="otlp_spans"}', MANY - 1)
        stream.read("agent-commands", 1)
        stream.read("agent-run-log", MANY - 1)
    read, (paused,) = written(stream, "agent-run-log"), written(stream, "agent-commands")
    assert len([time for time in read if time < paused]) < MANY - 1000
