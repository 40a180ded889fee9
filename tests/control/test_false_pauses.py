"""Which runs count as honest ones that the model paused, and which as honest ones that it left alone."""

from __future__ import annotations

import asyncio

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from detector.config import load
from detector.control import false_pauses, people, topics
from detector.control.false_pauses import DAY_NS, SECOND_NS
from detector.control.people import Entry
from detector.records import Command, Desired, Label, Summary, Verdict
from detector.scoring.calibration import PAUSE_RATE
from detector.scoring.monitor import ALPHA, Monitor

MINUTE_NS = 60 * SECOND_NS
NOW = 8 * DAY_NS
TRACE = "ab" * 16


def verdict(
    run: str, cause: str = "model", level: str = "PAUSE", model: str = "v1", *, start: int = 0, at: int = 0
) -> Verdict:
    """A verdict in the workflow `desk` at `at`, a second after the run's `start` where that is not given."""
    at = at or start + SECOND_NS
    first = start // SECOND_NS + 1
    return Verdict(run, "desk", first, level, "ALLOW", cause, at, "", 0.5, 0.4, [], [], model, "p", "enforce")


def summary(
    run: str,
    level: str = "ALLOW",
    calls: int = 3,
    model: str = "v1",
    workflow: str = "desk",
    *,
    start: int = 0,
    minutes: float = 1.0,
) -> Summary:
    """A run of three calls that has ended."""
    end = start + int(minutes * MINUTE_NS)
    return Summary(run, workflow, "", start, end, calls, 1, "finished", level, 0.3, 0, [], [], model, "p")


def label(run: str, kind: str, at: int = 5 * SECOND_NS) -> Label:
    """What a person said."""
    return Label(run=run, kind=kind, who="ann", at=at)


CLOCK = summary("clock", model="v0", workflow="watch", start=NOW)
"""Tells how late it is, and nothing else."""


def told(*records: people.Record, genuine: bool = True, now: int = NOW, kept: int = 90 * DAY_NS) -> list[Monitor]:
    """What is known after these records, in any order."""
    found = []
    for order in ((*records, CLOCK), (CLOCK, *records[::-1])):
        tally = false_pauses.Tally("v1", kept=kept)
        for record in order:
            tally.take(Entry(1, "", record, genuine))
        found.append(tally.monitors(now))
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
    assert told(verdict("a", at=1), label("a", "resume", 9), label("a", "destructive", 5)) == []
    assert told(verdict("a", at=1), label("a", "destructive", 5), label("a", "honest", 6)) == [
        Monitor("desk", "v1", 1, 1)
    ]


def test_what_was_said_before_the_pause_says_nothing_of_it() -> None:
    """A person who approved a prompt of the agent's own had not seen what it was paused for."""
    earlier = label("a", "approve", at=1)
    assert told(verdict("a", at=5), earlier) == [Monitor("desk", "v1", 0, 0, pending=1)]
    assert told(verdict("a", at=5), earlier, label("a", "deny", at=6)) == []
    assert told(verdict("a", at=5), earlier, label("a", "resume", at=6)) == [Monitor("desk", "v1", 1, 1)]


def test_a_part_that_was_adopted_is_the_run_that_it_is_of() -> None:
    """It was paused under the name of its trace: one pause, whichever name it is labelled under."""
    part, own = verdict(f"crm/{TRACE}"), msgspec.structs.replace(verdict("a", "adopted:model"), traces=[TRACE])
    assert told(part, own, summary("a", "PAUSE")) == [Monitor("desk", "v1", 0, 0, pending=1)]
    for name in ("a", f"crm/{TRACE}"):
        assert told(part, own, summary("a", "PAUSE"), label(name, "honest")) == [Monitor("desk", "v1", 1, 1)]
    named = Command("a", Desired.PAUSED, 2, "adopted:model", 9, aliases=["crm/1"])
    assert told(verdict("crm/1"), named, label("a", "honest")) == [Monitor("desk", "v1", 1, 1)]
    spared = msgspec.structs.replace(own, cause="adopted:shadow", level="ALERT")
    assert told(spared, label("a", "honest")) == [Monitor("desk", "v1", 1, 1)]


def test_a_level_that_only_a_newer_worker_knows() -> None:
    """A run of such a level is not known to have been left alone."""
    assert told(summary("a", "QUARANTINE"), summary("b")) == [Monitor("desk", "v1", 1, 0)]


def test_runs_are_counted_once_those_that_started_with_them_have_ended() -> None:
    """A pause that is known at once waits for the quiet runs of its time; where none has ended yet, for a day."""
    late = NOW - 30 * MINUTE_NS
    paused: list[people.Record] = [verdict("a", start=late), label("a", "honest", at=late + 2 * SECOND_NS)]
    quiet = summary("b", minutes=60)
    assert told(*paused, quiet) == [Monitor("desk", "v1", 1, 0, young=1)]
    assert told(*paused, summary("b", minutes=20)) == [Monitor("desk", "v1", 2, 1)]
    assert told(*paused) == [Monitor("desk", "v1", 0, 0, young=1)]
    # The detector is behind: what it has not read yet counts as not ended.
    assert told(*paused, quiet, now=NOW + DAY_NS) == [Monitor("desk", "v1", 1, 0, young=1)]


def test_counting_begins_on_a_fixed_day() -> None:
    """Not with the oldest verdict that is kept: each look would be at another bet. A whole period later it restarts."""
    runs = [summary(f"r{day}", start=day * DAY_NS) for day in range(7)]
    assert [told(*runs, kept=kept * DAY_NS)[0].runs for kept in (9, 6, 5, 3)] == [7, 1, 2, 1]


def alarmed(seed: int, rate: float, minutes: NDArray[np.float64], *, every: int) -> bool:
    """Whether a fleet ever raises the alarm that starts a run each tenth of a minute under a new version.

    A run lasts `minutes`; a pause comes and is called honest within 5 of them. A look each `every` minutes.
    """
    paused = np.random.default_rng(seed).random(len(minutes)) < rate
    told: list[tuple[float, people.Record]] = []
    for n, (length, stopped) in enumerate(zip(minutes.tolist(), paused.tolist(), strict=True)):
        start, run = NOW + n * 6 * SECOND_NS, f"r{n}"
        if stopped:
            told += [
                (n / 10 + 1, verdict(run, start=start)),
                (n / 10 + 5, label(run, "honest", at=start + 5 * MINUTE_NS)),
            ]
        ended = summary(run, "PAUSE" if stopped else "ALLOW", start=start, minutes=length)
        told.append((n / 10 + length + 5, ended))
    told.sort(key=lambda each: each[0])
    tally, read = false_pauses.Tally("v1", idle=5 * MINUTE_NS, kept=90 * DAY_NS), 0
    for look in range(every, len(minutes) // 10, every):
        while read < len(told) and told[read][0] <= look:
            tally.take(Entry(0, "", told[read][1]))
            read += 1
        if any(found.alarm for found in tally.monitors(NOW + look * MINUTE_NS)):
            return True
    return False


def test_that_pauses_are_known_first_raises_no_alarm() -> None:
    """At the very budget, with pauses known after 5 minutes and their absence after an hour, 5 % of fleets at most
    raise one, with a look every 10 minutes; far over it nearly all do.
    """
    fleets = 60
    always = np.full(1800, 60.0)
    any_ = np.random.default_rng(9).exponential(30.0, 1800)
    for minutes in (always, any_):
        false = sum(alarmed(seed, PAUSE_RATE, minutes, every=10) for seed in range(fleets))
        assert false <= binom.ppf(0.99, fleets, ALPHA)
    assert all(alarmed(seed, 10 * PAUSE_RATE, always, every=30) for seed in range(10))


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
    """What stands in Kafka is counted, as far back as verdicts are kept for sure; reading tells how far it is."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", bootstrap)
    settings = load(audit_retention_days=6)
    now = 10 * DAY_NS
    monkeypatch.setattr("time.time_ns", lambda: now)
    monkeypatch.setattr(people, "_TELL_RECORDS", 2)
    read: list[int] = []

    async def write() -> None:
        async with topics.writing(settings) as producer:
            for topic, record in (
                ("agent-verdicts", verdict("a", start=8 * DAY_NS)),
                ("agent-verdicts", verdict("old", start=DAY_NS)),
                ("agent-labels", label("a", "honest", at=9 * DAY_NS)),
                ("agent-summaries", summary("b", start=9 * DAY_NS)),
                ("agent-summaries", summary("c", start=now)),
            ):
                value = msgspec.json.encode(record)
                await producer.send_and_wait(settings.topic(topic), value, key=record.run.encode())

    async def both() -> list[Monitor]:
        await write()
        return await false_pauses.monitors(settings, "v1", read.append)

    assert asyncio.run(both()) == [Monitor("desk", "v1", 2, 1, young=1)]
    assert read == [2, 4]
