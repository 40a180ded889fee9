"""How a person's decision goes to a worker and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from detector.config import Settings, load
from detector.control import people
from detector.embedded import Broker
from detector.errors import DecisionError, TransportError
from detector.kafka import topics
from detector.observe.view import ASKS, decide
from detector.records import Command, Desired, Label


async def answer(settings: Settings, newer: Desired | None = None) -> None:
    """A worker that does as every label says: one command, at the label's time.

    Where `newer` is given, the run was brought there just before the label came, by the command that
    follows what the label covers; a resume is refused then, as step() does.
    """
    labels, commands = settings.topic("agent-labels"), settings.topic("agent-commands")
    async with (
        AIOKafkaConsumer(labels, bootstrap_servers=settings.bootstrap, auto_offset_reset="earliest") as consumer,
        AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer,
    ):
        async for record in consumer:
            label = json.loads(record.value)
            sequence = label.get("sequence", 0) + 1
            sent = [Command(label["run"], ASKS[label["kind"]], sequence, f"person:{label['who']}", label["at"])]
            if newer is not None:
                before = Command(label["run"], newer, sequence, "rule:test", 1)
                after = msgspec.structs.replace(sent[0], sequence=sequence + 1)
                sent = [before] if label["kind"] == "resume" else [before, after]
            for command in sent:
                await producer.send_and_wait(commands, msgspec.json.encode(command), key=record.key)


@asynccontextmanager
async def working(newer: Desired | None = None) -> AsyncIterator[Settings]:
    """A broker with the topics, on which such a worker runs."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap, partitions=1)
        await topics.apply(settings)
        worker = asyncio.create_task(answer(settings, newer))
        yield settings
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def send(settings: Settings, *commands: Command) -> None:
    """Writes commands as a worker does."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for command in commands:
            await producer.send_and_wait(settings.topic("agent-commands"), msgspec.json.encode(command), key=b"run-1")


async def labels(settings: Settings) -> list[Label]:
    """What people said of the run."""
    records = [entry.record for entry in await people.history(settings, "run-1")]
    return [record for record in records if isinstance(record, Label)]


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


@pytest.mark.parametrize("kind", ["pause", "resume"])
async def test_a_decision_covers_the_newest_command_that_was_there(kind: str) -> None:
    """The label names the highest sequence among the run's commands, whatever the clocks say; 0 without one."""
    async with working() as settings:
        state = Desired.RUNNING if kind == "pause" else Desired.PAUSED
        await decide(settings, "run-1", kind, "ada", "because")
        later = [Command("run-1", state, 3, "rule:test", 7), Command("run-1", Desired.PAUSED, 2, "rule:test", 8)]
        await send(settings, *later)
        told = await decide(settings, "run-1", kind, "ada", "because")
        sequences = [label.sequence for label in await labels(settings)]
    assert sequences == [0, 3]
    assert "(command 4)" in told


async def test_commands_that_are_not_signed_are_not_covered() -> None:
    """A forged sequence can't make a decision cover what no worker commanded."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap, partitions=1, signing_key="key")
        await topics.apply(settings)
        forged = Command("run-1", Desired.PAUSED, 1_000, "rule:test", 7)
        await send(settings, forged)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("detector.observe.view.ANSWER_SECONDS", 0.0)
            with pytest.raises(TransportError, match="no worker answered"):
                await decide(settings, "run-1", "resume", "ada", "because")
        [label] = await labels(settings)
    assert label.sequence == 0


async def test_a_resume_that_a_newer_pause_overtook_is_told() -> None:
    """The newer command is named, with its cause, and what to do."""
    async with working(Desired.PAUSED) as settings:
        await send(settings, Command("run-1", Desired.PAUSED, 1, "rule:first", 7))
        with pytest.raises(DecisionError) as refused:
            await decide(settings, "run-1", "resume", "ada", "because")
    assert str(refused.value) == (
        "run run-1: a newer command stands: paused, because of rule:test (command 2; the decision covers 1). "
        "Look again with `detector show run-1`, then decide anew"
    )


async def test_a_kill_is_right_whatever_came_meanwhile() -> None:
    """A newer pause doesn't overtake it: the worker's answer is waited for."""
    async with working(Desired.PAUSED) as settings:
        await send(settings, Command("run-1", Desired.PAUSED, 1, "rule:first", 7))
        told = await decide(settings, "run-1", "kill", "ada", "because")
    assert told == "run run-1 is to be killed (command 3)"
