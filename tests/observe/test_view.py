"""How a person's decision goes to a worker and back."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from detector import topics
from detector.config import Settings, load
from detector.embedded import Broker
from detector.observe.view import ASKS, decide
from detector.records import Command


async def answer(settings: Settings) -> None:
    """A worker that does as every label says: one command, at the label's time."""
    labels, commands = settings.topic("agent-labels"), settings.topic("agent-commands")
    async with (
        AIOKafkaConsumer(labels, bootstrap_servers=settings.bootstrap, auto_offset_reset="earliest") as consumer,
        AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer,
    ):
        async for record in consumer:
            label = json.loads(record.value)
            command = Command(label["run"], ASKS[label["kind"]], 1, f"person:{label['who']}", label["at"])
            await producer.send_and_wait(commands, msgspec.json.encode(command), key=record.key)


@pytest.mark.parametrize("kind", sorted(ASKS))
async def test_a_decision_is_told_with_its_command(kind: str) -> None:
    """The state that the worker commands comes back in words, and an unknown run is pointed out."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap, partitions=1)
        await topics.apply(settings)
        worker = asyncio.create_task(answer(settings))
        told = await decide(settings, "run-1", kind, "ada", "because")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    assert told.startswith(f"run run-1 is to be {ASKS[kind].value} (command 1)")
    assert "where the id is mistyped" in told


async def test_a_second_decision_of_the_same_kind_changes_nothing() -> None:
    """What a run is asked to be already is said to be so."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap, partitions=1)
        await topics.apply(settings)
        worker = asyncio.create_task(answer(settings))
        await decide(settings, "run-1", "kill", "ada", "because")
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        told = await decide(settings, "run-1", "resume", "ada", "on second thoughts")
    assert told == "run run-1 was to be killed already; the decision is recorded"
