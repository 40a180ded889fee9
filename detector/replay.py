"""Replays recorded OTLP: the verdicts that the stream gave for the same run log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.config import Settings
from detector.errors import DetectorError, Drop
from detector.judge import Judge
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import RunEvents, Verdict
from detector.run import Run
from detector.scoring.model import load
from detector.step import apply
from detector.training.recorded import lines


def replay(path: Path, settings: Settings) -> Iterator[Verdict]:
    """Verdicts on the runs in `path`: `.jsonl[.gz]`, a request a line, or one request in OTLP protobuf or JSON.

    Raises DetectorError where the file can't be read; a request that can't be used is passed over, as in the stream.
    """
    judge = Judge(load(settings.models), Policy.from_settings(settings))
    yield from verdicts(batches(path, Reader.from_settings(settings)), judge)


def verdicts(records: Iterator[RunEvents], judge: Judge) -> Iterator[Verdict]:
    """Verdicts on run-log `records` of any number of runs, in order."""
    live: dict[str, Run] = {}
    for record in records:
        run, effects = apply(live.pop(record.run, None), record, judge)
        if run is not None:
            live[record.run] = run
        yield from (effect for effect in effects if isinstance(effect, Verdict))


def batches(path: Path, reader: Reader) -> Iterator[RunEvents]:
    """The run-log records that ingest makes of the requests in `path`."""
    try:
        requests = (line for line in lines(path) if line.strip()) if ".jsonl" in path.suffixes else [path.read_bytes()]
        for request in requests:
            try:
                yield from reader.read(request).batches
            except Drop:
                continue
    except OSError as fault:
        raise DetectorError(f"replay: {path} can't be read: {fault.strerror or fault}") from None
