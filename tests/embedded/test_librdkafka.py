"""The broker as a librdkafka client sees it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

if TYPE_CHECKING:
    from detector.embedded import Broker

PATIENCE_S = 20


def produced(bootstrap: str, settings: dict[str, str | bool]) -> None:
    """Send 50 records, and see all of them acknowledged."""
    errors: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for number in range(50):
        producer.produce(
            "t", b"v%d" % number * 20, key=b"k%d" % number, on_delivery=lambda error, _: errors.append(error)
        )
    assert producer.flush(PATIENCE_S) == 0
    assert errors == [None] * 50


def consumed(bootstrap: str, group: str, count: int) -> list[bytes]:
    """Read `count` records in a group, commit, and leave."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe(["t"])
    values: list[bytes] = []
    end = time.monotonic() + PATIENCE_S
    while len(values) < count and time.monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None:
            assert message.error() is None, message.error()
            value = message.value()
            assert value is not None
            values.append(value)
    consumer.commit(asynchronous=False)
    consumer.close()
    return values


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"compression.type": "gzip"},
        {"compression.type": "snappy"},
        {"compression.type": "lz4"},
        {"compression.type": "zstd"},
        {"enable.idempotence": True},
    ],
    ids=str,
)
async def test_a_group_reads_what_was_produced(broker: Broker, settings: dict[str, str | bool]) -> None:
    """Producers with any codec, and idempotent ones, work with defaults; a group reads all of it once."""
    await asyncio.to_thread(produced, broker.bootstrap, settings)
    values = await asyncio.to_thread(consumed, broker.bootstrap, "g", 50)
    assert sorted(values) == sorted(b"v%d" % n * 20 for n in range(50))


async def test_committed_offsets_hold_for_the_next_consumer(broker: Broker) -> None:
    """A consumer that comes after another of its group reads only what is new."""
    await asyncio.to_thread(produced, broker.bootstrap, {})
    assert len(await asyncio.to_thread(consumed, broker.bootstrap, "g", 50)) == 50
    await asyncio.to_thread(produced, broker.bootstrap, {})
    assert len(await asyncio.to_thread(consumed, broker.bootstrap, "g", 50)) == 50


async def test_an_admin_client_manages_topics(broker: Broker) -> None:
    """Topics are created, listed, configured one setting at a time, and deleted."""

    def work() -> None:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        for done in admin.create_topics([NewTopic("made", 3, 1)]).values():
            done.result(PATIENCE_S)
        assert len(admin.list_topics(timeout=PATIENCE_S).topics["made"].partitions) == 3
        for described in admin.describe_configs([ConfigResource(ResourceType.TOPIC, "made")]).values():
            assert described.result(PATIENCE_S)["cleanup.policy"].value == "delete"
        for deleted in admin.delete_topics(["made"]).values():
            deleted.result(PATIENCE_S)
        assert "made" not in admin.list_topics(timeout=PATIENCE_S).topics

    await asyncio.to_thread(work)
