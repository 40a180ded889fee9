"""The broker as an aiokafka client sees it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidReplicationFactorError, MessageSizeTooLargeError, TopicAlreadyExistsError

from detector.embedded import Broker, Limits

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

PATIENCE_S = 20


async def take(consumer: Any, count: int) -> list[Any]:
    """Return the next `count` records."""
    async with asyncio.timeout(PATIENCE_S):
        return [await consumer.getone() for _ in range(count)]


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("idempotent", [False, True])
async def test_records_come_out_as_they_went_in(
    producer: Any, consumer: Any, compression: str | None, *, idempotent: bool
) -> None:
    """Key, value, headers and time survive, plain and compressed, from plain and idempotent producers."""
    sender = await producer(compression_type=compression, enable_idempotence=idempotent)
    for number in range(20):
        await sender.send_and_wait(
            "t", b"v%d" % number * 50, key=b"k", headers=[("h", b"\x00\xff")], timestamp_ms=1_000 + number
        )
    records = await take(await consumer("t"), 20)
    assert [r.value for r in records] == [b"v%d" % n * 50 for n in range(20)]
    assert [r.timestamp for r in records] == list(range(1_000, 1_020))
    assert {r.key for r in records} == {b"k"}
    assert {tuple(r.headers) for r in records} == {(("h", b"\x00\xff"),)}
    assert [r.offset for r in records] == list(range(20))


async def test_a_waiting_fetch_is_woken_by_a_produce(producer: Any, consumer: Any) -> None:
    """A consumer that asked to wait for ten minutes gets a record as soon as it is written."""
    receiver = await consumer("t", fetch_max_wait_ms=600_000, metadata_max_age_ms=600_000, request_timeout_ms=700_000)
    sender = await producer()
    waiting = asyncio.ensure_future(receiver.getone())
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await sender.send_and_wait("t", b"now", partition=0)
    async with asyncio.timeout(PATIENCE_S):
        assert (await waiting).value == b"now"


async def test_offsets_are_found_by_time(producer: Any, consumer: Any) -> None:
    """The first record not before a time is found inside a batch; start and end are known."""
    sender = await producer(linger_ms=50)
    sent = [await sender.send("t", b"x", partition=0, timestamp_ms=1_000 + 10 * n) for n in range(10)]
    await asyncio.gather(*sent)
    receiver, part = await consumer("t"), TopicPartition("t", 0)
    assert (await receiver.offsets_for_times({part: 1_025}))[part].offset == 3
    assert (await receiver.offsets_for_times({part: 9_999}))[part] is None
    assert await receiver.beginning_offsets([part]) == {part: 0}
    assert await receiver.end_offsets([part]) == {part: 10}


async def test_topics_are_created_listed_grown_configured_and_deleted(broker: Broker, clients: AsyncExitStack) -> None:
    """An admin client manages topics, and is told why not where it can't."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    clients.push_async_callback(admin.close)
    new = NewTopic("made", 3, 1, topic_configs={"cleanup.policy": "compact"})
    await admin.create_topics([new])
    assert await admin.list_topics() == ["made"]
    assert [len(t["partitions"]) for t in await admin.describe_topics(["made"])] == [3]
    with pytest.raises(TopicAlreadyExistsError):
        raise_first(await admin.create_topics([new]))
    with pytest.raises(InvalidReplicationFactorError):
        raise_first(await admin.create_topics([NewTopic("other", 1, 3)]))
    await admin.create_partitions({"made": NewPartitions(5)})
    assert [len(t["partitions"]) for t in await admin.describe_topics(["made"])] == [5]
    resource = ConfigResource(ConfigResourceType.TOPIC, "made", {"cleanup.policy": "delete"})
    assert (await settings_of(admin))["cleanup.policy"] == "compact"
    await admin.alter_configs([resource])
    assert (await settings_of(admin))["cleanup.policy"] == "delete"
    await admin.delete_topics(["made"])
    assert await admin.list_topics() == []


def raise_first(response: Any) -> None:
    """Raise the error that aiokafka's admin leaves in the answer."""
    from aiokafka.errors import for_code

    raise for_code(response.topic_errors[0][1])


async def settings_of(admin: Any) -> dict[str, str]:
    """Return the settings of topic `made`."""
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "made")])
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def test_a_restarted_broker_goes_on_where_it_stopped(broker: Broker, producer: Any, consumer: Any) -> None:
    """Clients live through a stop and a start on the same port, and through cut connections."""
    sender, receiver = await producer(), await consumer("t", group_id="g")
    await sender.send_and_wait("t", b"before")
    assert [r.value for r in await take(receiver, 1)] == [b"before"]
    port = broker.port
    await broker.stop()
    await broker.start(port=port)
    async with asyncio.timeout(PATIENCE_S):
        await sender.send_and_wait("t", b"after")
    assert [r.value for r in await take(receiver, 1)] == [b"after"]
    broker.drop_connections()
    async with asyncio.timeout(PATIENCE_S):
        await sender.send_and_wait("t", b"cut")
    assert [r.value for r in await take(receiver, 1)] == [b"cut"]


async def test_a_record_over_the_limit_is_refused(clients: AsyncExitStack) -> None:
    """A batch larger than the broker's limit gets MESSAGE_TOO_LARGE, as from Apache Kafka."""
    from aiokafka import AIOKafkaProducer

    small = await clients.enter_async_context(Broker(Limits(message_bytes=10_000)))
    sender = AIOKafkaProducer(bootstrap_servers=small.bootstrap)
    await sender.start()
    clients.push_async_callback(sender.stop)
    with pytest.raises(MessageSizeTooLargeError):
        await sender.send_and_wait("t", bytes(20_000))
    await sender.send_and_wait("t", bytes(5_000))
