"""Which runs count as honest ones that the model paused, and which as honest ones that it left alone."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from detector.config import load
from detector.control import false_pauses, people, topics
from detector.control.people import Entry
from detector.records import Label, Summary, Verdict
from detector.scoring.monitor import Monitor


def verdict(run: str, cause: str = "model", level: str = "PAUSE", model: str = "v1", at: int = 1) -> Verdict:
    """A verdict in the workflow `desk`."""
    return Verdict(run, "desk", 1, level, "ALLOW", cause, at, "", 0.5, 0.4, [], [], model, "p", "enforce")


def summary(run: str, level: str = "ALLOW", calls: int = 3, model: str = "v1", workflow: str = "desk") -> Summary:
    """A run of three calls that has ended."""
    return Summary(run, workflow, "", 1, 2, calls, 1, "finished", level, 0.3, 0, [], [], model, "p")


def label(run: str, kind: str, at: int = 5) -> Label:
    """What a person said."""
    return Label(run=run, kind=kind, who="ann", at=at)


def told(*records: people.Record, genuine: bool = True) -> list[Monitor]:
    """What is known after these records, in any order."""
    found = []
    for order in (records, records[::-1]):
        tally = false_pauses.Tally("v1")
        for record in order:
            tally.take(Entry(1, "", record, genuine))
        found.append(tally.monitors())
    assert found[0] == found[1]
    return found[0]


def test_a_pause_that_a_person_calls_honest_is_a_false_one() -> None:
    """So is one that was resumed or approved; one that was denied or called destructive is none and no honest run."""
    verdicts = [verdict(run) for run in ("a", "b", "c", "d", "e")]
    labels = [
        label(run, kind) for run, kind in zip("abcde", "honest resume approve deny destructive".split(), strict=True)
    ]
    assert told(*verdicts, *labels, summary("f")) == [Monitor("desk", "v1", 4, 3)]


@pytest.mark.parametrize("cause", ["shadow", "brake"])
def test_a_spared_run_counts_as_a_paused_one(cause: str) -> None:
    """An honest run that the shadow share or the brake spared is a false pause too, though nothing stopped it."""
    assert told(verdict("a", cause, "ALERT"), label("a", "honest"), summary("a", "ALERT")) == [
        Monitor("desk", "v1", 1, 1)
    ]


def test_what_nobody_has_judged_is_pending() -> None:
    """It is told apart and counts as neither."""
    assert told(verdict("a"), summary("a", "PAUSE"), summary("b")) == [Monitor("desk", "v1", 1, 0, pending=1)]


def test_what_it_was_outweighs_what_became_of_it() -> None:
    """A run that was let go on and later called destructive was destructive; the last word of a kind counts."""
    assert told(verdict("a"), label("a", "resume", 9), label("a", "destructive", 5)) == []
    assert told(verdict("a"), label("a", "destructive", 5), label("a", "honest", 6)) == [Monitor("desk", "v1", 1, 1)]


def test_what_says_nothing_of_the_model() -> None:
    """Runs that a rule paused, alerts, runs without a call, other models, and honest runs that were blamed."""
    records: list[people.Record] = [
        verdict("rule", "rule:credential-chain"), summary("rule", "PAUSE"), label("rule", "honest"),
        verdict("old", model="v0"), summary("old", model="v0"),
        summary("idle", calls=0),
        summary("bad"), label("bad", "destructive"),
        verdict("alert", level="ALERT"), summary("alert", "ALERT"),
    ]  # fmt: skip
    assert told(*records) == [Monitor("desk", "v1", 1, 0)]


def test_a_label_that_is_not_genuine_says_nothing() -> None:
    """Where records are signed, only signed ones count."""
    assert told(verdict("a"), label("a", "honest"), genuine=False) == []


def test_workflows_apart() -> None:
    """Each workflow has its own figures, by name."""
    found = told(summary("a", workflow="shop"), summary("b", workflow="desk"), summary("c", workflow="shop"))
    assert [(each.workflow, each.runs) for each in found] == [("desk", 1), ("shop", 2)]


def test_from_the_topics(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in Kafka is counted; verdicts older than they are kept are not."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", bootstrap)
    settings = load(audit_retention_days=6)
    monkeypatch.setattr("time.time_ns", lambda: 10 * false_pauses.DAY_NS)

    async def write() -> None:
        async with topics.writing(settings) as producer:
            for topic, record in (
                ("agent-verdicts", verdict("a", at=9 * false_pauses.DAY_NS)),
                ("agent-verdicts", verdict("old", at=3 * false_pauses.DAY_NS)),
                ("agent-labels", label("a", "honest")),
            ):
                value = msgspec.json.encode(record)
                await producer.send_and_wait(settings.topic(topic), value, key=record.run.encode())

    async def both() -> list[Monitor]:
        await write()
        return await false_pauses.monitors(settings, "v1")

    assert asyncio.run(both()) == [Monitor("desk", "v1", 1, 1)]
