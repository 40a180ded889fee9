"""A broker, and clients that are closed whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient

from detector.embedded import Broker, Limits

Opened = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """A broker on a free port, whose topics get two partitions."""
    async with Broker(Limits(default_partitions=2)) as running:
        yield running


@pytest.fixture
async def clients() -> AsyncIterator[AsyncExitStack]:
    """What is stopped at the end of the test."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def producer(broker: Broker, clients: AsyncExitStack) -> Opened:
    """Start an aiokafka producer."""

    async def start(**settings: object) -> AIOKafkaProducer:
        client = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, **settings)
        await client.start()
        clients.push_async_callback(client.stop)
        return client

    return start


@pytest.fixture
def consumer(broker: Broker, clients: AsyncExitStack) -> Opened:
    """Start an aiokafka consumer that begins with the oldest record."""

    async def start(*topics: str, **settings: Any) -> AIOKafkaConsumer:
        settings = {"auto_offset_reset": "earliest", "metadata_max_age_ms": 500, **settings}
        client = AIOKafkaConsumer(*topics, bootstrap_servers=broker.bootstrap, **settings)
        await client.start()
        clients.push_async_callback(client.stop)
        return client

    return start


@pytest.fixture
async def wire(broker: Broker, clients: AsyncExitStack) -> AIOKafkaClient:
    """A client that sends single requests."""
    client = AIOKafkaClient(bootstrap_servers=broker.bootstrap)
    await client.bootstrap()
    clients.push_async_callback(client.close)
    return client
