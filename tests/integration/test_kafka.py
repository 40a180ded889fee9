"""Apache Kafka itself, with the plain clients."""

from __future__ import annotations

import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from detector.config import load
from detector.kafka import topics


async def test_a_record_comes_back_as_it_was_sent(kafka: str) -> None:
    """A record that aiokafka produced is consumed with its key and value."""
    settings = load(bootstrap=kafka, topic_prefix=f"{uuid.uuid4()}-", partitions=1)
    await topics.apply(settings)
    topic = settings.topic("agent-verdicts")
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(topic, b"value", key=b"key")
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")
