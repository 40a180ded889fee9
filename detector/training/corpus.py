"""Honest runs to learn from, as run-log records: recorded runs, OTLP files, and the simulated fleet."""

from __future__ import annotations

import csv
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from detector.errors import DetectorError, Drop
from detector.lexicon.plans import tool
from detector.read import Reader
from detector.records import Action, Blind, Event, Outcome, RunEvents, Turn
from detector.training import recorded

UNPLAYED = 1_000_000
"""Seeds from here on are for training, those below for the demo: what it shows was not learnt."""
RECORDED, SIMULATED = "recorded", "simulated"
"""Where runs come from, as manifests say it."""
BLIND, DISORDERED = "~blind", "~disordered"


@dataclass(frozen=True)
class Example:
    """One honest run: its records in order, and the task that it shares with others of its kind."""

    run: str
    workflow: str
    task: str
    """No forest is asked about runs of a task that it has seen."""
    records: list[RunEvents]
    drawn: str = ""
    """What it was drawn with, where that is not its task: runs of one draw are not independent of each other."""
    source: str = RECORDED

    @property
    def draw(self) -> str:
        """Runs with the same count as one where a rate is proven."""
        return self.drawn or self.task

    @property
    def original(self) -> str:
        """The run that it is a twin of, or itself."""
        return self.run.removesuffix(BLIND).removesuffix(DISORDERED)


def examples(source: Path, reader: Reader) -> Iterator[Example]:
    """The honest runs of `source`: a folder of recorded runs (`runs/*.jsonl.gz`, `labels.csv`), or an OTLP file
    (`.jsonl[.gz]`, a request a line) of runs that are all known to be honest.

    Raises DetectorError where it is neither.
    """
    if (source / "labels.csv").is_file():
        yield from _recorded(source, reader)
    elif source.is_file():
        requests = (line for line in recorded.lines(source) if line.strip())
        yield from grouped(requests, reader)
    else:
        raise DetectorError(
            f"train: expected a folder with labels.csv and runs/, or an OTLP .jsonl file, came {source}"
        )


def simulated(seed: int, count: int, reader: Reader) -> Iterator[Example]:
    """Honest runs of the simulated fleet; no `seed` gives a run that the demo plays."""
    from detector.demo.simulate import honest_runs

    for workflow, task, requests in honest_runs(UNPLAYED + seed, count):
        for example in grouped(requests, reader):
            # Each run draws its task, names, order and tempo anew: as independent as runs of a fleet can be.
            yield Example(example.run, workflow, f"{workflow}/{task}", example.records, example.run, SIMULATED)


def with_twins(every: Iterable[Example], each: int = 4) -> Iterator[Example]:
    """The examples, and of two in `each` a twin that is as honest. A forest that
    never saw such runs would find each odd.

    A blind one is as its spans are where no content is recorded: the default of half of all instrumentation. A
    disordered one came out of order, as from several partitions when a worker has to catch up.
    """
    for n, example in enumerate(every):
        yield example
        if n % each == 0:
            records = [
                msgspec.structs.replace(record, events=[_blind(event) for event in record.events])
                for record in example.records
            ]
            yield replace(example, run=example.run + BLIND, records=records, drawn=example.draw)
        elif n % each == each // 2:
            yield replace(
                example, run=example.run + DISORDERED, records=_disordered(example.records), drawn=example.draw
            )


def _disordered(records: list[RunEvents]) -> list[RunEvents]:
    """The later half of the run's events, and then the first."""
    events = [(event, record) for record in records for event in record.events]
    half = len(events) // 2
    return [
        msgspec.structs.replace(record, events=[event])
        for part in (events[half:], events[:half])
        for event, record in part
    ]


def _blind(event: Event) -> Event:
    if isinstance(event, Turn):
        return msgspec.structs.replace(event, asked=0, named=b"", supplied=b"", blind=event.blind | Blind.WORDS)
    if not isinstance(event, Action) or event.inner:
        return event
    return Action(
        span=event.span,
        trace=event.trace,
        at=event.at,
        phase=event.phase,
        call=event.call,
        parent=event.parent,
        tool=event.tool,
        does=tool(event.tool).does,
        outcome=Outcome.ERROR if event.outcome >= Outcome.ERROR else Outcome.UNKNOWN,
        blind=event.blind | (Blind.ARGUMENTS | Blind.RESULT if event.phase else Blind.ARGUMENTS),
        shape=zlib.crc32(event.tool.encode()),
        signs=tool(event.tool).signs,
    )


def grouped(requests: Iterable[bytes], reader: Reader) -> Iterator[Example]:
    """The runs in OTLP `requests`; each is a task of its own."""
    records: dict[str, list[RunEvents]] = defaultdict(list)
    for request in requests:
        try:
            reading = reader.read(request)
        except Drop:
            continue
        for batch in reading.batches:
            records[batch.run].append(batch)
    for run, batches in records.items():
        named = min(batches, key=lambda b: b.workflow_rank)
        yield Example(run, named.workflow, run, batches)


def _recorded(folder: Path, reader: Reader) -> Iterator[Example]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        tasks = {row["run_id"]: row["task"] for row in csv.DictReader(file) if row["label"] == "benign"}
    for path in sorted((folder / "runs").glob("*.jsonl*")):
        for line in recorded.lines(path):
            run = json.loads(line)
            if run["run_id"] in tasks:
                for example in grouped(recorded.requests(run), reader):
                    yield Example(example.run, run["workflow"], tasks[run["run_id"]], example.records)
