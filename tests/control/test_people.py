"""What people write and see over the topics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from detector.config import Settings, load
from detector.control import people, topics
from detector.control.signatures import sign, verify
from detector.embedded.broker import Broker
from detector.errors import ConfigError, TransportError
from detector.records import Ack, Desired, Label, Summary, Verdict
from tests.control.support import command, produce

VERDICT = Verdict("r1", "w", 1, "PAUSE", "ALLOW", "rule:x", 10, "s", 0.7, 0.6, [], [], "m1", "p1", "enforce", "svc")


async def test_a_label_is_signed_and_in_the_history(kafka: Settings) -> None:
    """What a person says is written once, under the run, signed where a key is set."""
    settings = load(bootstrap=kafka.bootstrap, signing_key="key")
    label = await people.send_label(settings, "r1", "kill", "ann", "leaked token", 3)
    assert verify(label, "key")
    assert (label.run, label.kind, label.who, label.why, label.sequence) == ("r1", "kill", "ann", "leaked token", 3)
    assert await people.history(settings, "r1") == [people.Entry(label.at, "agent-labels", label)]
    assert await people.history(settings, "r2") == []


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"kind": "destroy"}, "label: expected one of accept, approve,"),
        ({"who": ""}, "expected a run and who says so"),
        ({"why": "x" * 1001}, "at most 1000 characters"),
    ],
)
async def test_a_label_that_means_nothing_is_refused(field: dict[str, str], said: str) -> None:
    """Before anything is written, with what was expected."""
    given = {"kind": "pause", "who": "ann", "why": "", **field}
    with pytest.raises(ConfigError, match=said):
        await people.send_label(load(), "r1", given["kind"], given["who"], given["why"])


async def test_a_history_is_in_the_order_of_time(kafka: Settings) -> None:
    """Verdict, command, ack, label and summary of one run, whatever topics and partitions they came on."""
    await produce(
        kafka, "agent-summaries", Summary("r1", "w", "s", 1, 50, 1, 1, "killed", "PAUSE", 0.7, 1, [], [], "m", "p")
    )
    await produce(kafka, "agent-labels", Label("r1", "approve", "ann", 40), Label("r2", "approve", "ann", 41), b"{")
    await produce(kafka, "agent-acks", Ack("r1", 1, "process", "done", 30, "paused"))
    await produce(kafka, "agent-commands", command(Desired.PAUSED, 1, at=20))
    await produce(kafka, "agent-verdicts", VERDICT)
    entries = await people.history(kafka, "r1")
    names = ["agent-verdicts", "agent-commands", "agent-acks", "agent-labels", "agent-summaries"]
    assert [(entry.at, entry.topic) for entry in entries] == list(zip([10, 20, 30, 40, 50], names, strict=True))


async def test_the_table_folds_what_is_known_of_each_run(kafka: Settings) -> None:
    """A row holds the last verdict and command, what is proven of it, and the end; the latest comes first."""
    await produce(kafka, "agent-verdicts", VERDICT, msgspec.structs.replace(VERDICT, at=15, sequence=2, level="KILL"))
    await produce(kafka, "agent-commands", command(Desired.KILLED, 2, at=20), command(Desired.PAUSED, 1, "r2", at=90))
    await produce(kafka, "agent-acks", Ack("r1", 2, "process", "done", 30, "killed"), Ack("r2", 1, "p", "failed", 91))
    await produce(
        kafka, "agent-summaries", Summary("r1", "w", "s", 1, 50, 1, 1, "killed", "KILL", 0.7, 1, [], [], "m", "p")
    )
    second, first = await people.runs(kafka)
    assert (first.run, first.level, first.desired, first.proven, first.outcome, first.at) == (
        "r1", "KILL", "killed", "killed", "killed", 50
    )  # fmt: skip
    assert (first.workflow, first.score, first.threshold, first.cause) == ("w", 0.7, 0.6, "rule:x")
    assert (second.run, second.level, second.desired, second.proven, second.outcome) == ("r2", "", "paused", "", "")


async def test_what_is_not_signed_is_shown_as_such_and_not_believed(kafka: Settings) -> None:
    """The table passes over forged commands; the history marks them."""
    settings = load(bootstrap=kafka.bootstrap, signing_key="key")
    await produce(settings, "agent-commands", sign(command(Desired.PAUSED, 1), "key"), command(Desired.RUNNING, 2))
    [row] = await people.runs(settings)
    assert row.desired == "paused"
    assert [entry.genuine for entry in await people.history(settings, "r1")] == [True, False]


async def test_memory_is_bounded(kafka: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest rows and entries are left out."""
    monkeypatch.setattr(people, "ROWS", 3)
    await produce(kafka, "agent-labels", *(Label("r1", "accept", "ann", at) for at in range(6)))
    await produce(kafka, "agent-acks", *(Ack(f"a{at}", 1, "p", "done", at) for at in range(6)))
    assert [entry.at for entry in await people.history(kafka, "r1")] == [3, 4, 5]
    assert len(await people.runs(kafka)) == 3


async def test_nothing_yet_is_an_empty_table() -> None:
    """Before the worker made its topics there are no runs, and that's no error."""
    async with Broker() as broker:
        assert await people.runs(load(bootstrap=broker.bootstrap)) == []


async def test_a_large_fleet_is_read_for_as_long_as_records_come(
    kafka: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it may take longer than one may wait for the next record; where none comes, that is what is said."""
    monkeypatch.setattr(people, "_READ_SECONDS", 1.0)
    monkeypatch.setattr(people, "_TELL_RECORDS", 1)
    await produce(kafka, "agent-labels", *(Label(f"r{n}", "accept", "ann", n) for n in range(4)))
    whole, stuck = topics.to_the_end, asyncio.Event()

    async def slowly(consumer: Any) -> AsyncIterator[Any]:
        async for record in whole(consumer):
            await asyncio.sleep(0.4)
            yield record
        if stuck.is_set():
            await asyncio.Event().wait()

    monkeypatch.setattr(topics, "to_the_end", slowly)
    read: list[int] = []
    await people.every(kafka, lambda _: None, read.append)
    assert read == [1, 2, 3, 4]
    stuck.set()
    with pytest.raises(TransportError, match="4 records read, and no more in 1 s"):
        await people.every(kafka, lambda _: None)


async def test_kafka_out_of_reach_is_said() -> None:
    """With the address that was tried."""
    async with Broker() as broker:
        address = broker.bootstrap
    with pytest.raises(TransportError, match=f"Kafka at {address}: "):
        await people.runs(load(bootstrap=address))
    with pytest.raises(TransportError, match=f"Kafka at {address}: "):
        await people.send_label(load(bootstrap=address), "r1", "pause", "ann")
