"""Topics as a plain client reads them: every record with its place, time and headers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, TopicPartition


class Record(NamedTuple):
    """A record of a topic; `at` in seconds since 1970, by its writer's clock."""

    partition: int
    offset: int
    at: float
    key: bytes
    value: bytes | None
    headers: dict[str, bytes]


class Reader:
    """Reads whole topics of one broker, and how far a group has come."""

    def __init__(self, bootstrap: str, group: str = "") -> None:
        self._bootstrap = bootstrap
        self._group = group or str(uuid.uuid4())

    def records(self, topic: str) -> list[Record]:
        """All that the topic holds now, by partition and offset."""
        consumer = self._consumer()
        try:
            partitions = [TopicPartition(topic, p, 0) for p in self._partitions(consumer, topic)]
            consumer.assign(partitions)
            found, ended = list[Record](), 0
            while ended < len(partitions):
                message = consumer.poll(30)
                assert message is not None, f"{topic}: the broker did not answer in 30 s"
                fault = message.error()
                if fault is not None:
                    assert fault.code() == KafkaError._PARTITION_EOF, fault
                    ended += 1
                    continue
                place, offset = message.partition(), message.offset()
                assert place is not None
                assert offset is not None
                headers = {str(name): bytes(value or b"") for name, value in _pairs(message.headers())}
                at = message.timestamp()[1] / 1000
                found.append(Record(place, offset, at, message.key() or b"", message.value(), headers))
        finally:
            consumer.close()
        return sorted(found)

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """The next offset of every partition."""
        consumer = self._consumer()
        try:
            return {
                (topic, p): consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1]
                for topic in topics
                for p in self._partitions(consumer, topic)
            }
        finally:
            consumer.close()

    def committed(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """The offset at which the group would go on in every partition; 0 where it never committed."""
        consumer = self._consumer()
        try:
            asked = [TopicPartition(topic, p) for topic in topics for p in self._partitions(consumer, topic)]
            return {(tp.topic, tp.partition): max(0, tp.offset) for tp in consumer.committed(asked, timeout=30)}
        finally:
            consumer.close()

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": self._group,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )

    @staticmethod
    def _partitions(consumer: Consumer, topic: str) -> list[int]:
        return sorted(consumer.list_topics(topic, timeout=30).topics[topic].partitions)


def _pairs(headers: Any) -> Iterable[tuple[str, bytes | None]]:
    return headers or ()
