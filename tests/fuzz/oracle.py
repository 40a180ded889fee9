"""What must hold for any input: it goes through ingest and watch as in a worker, and all that comes out is seen."""

from __future__ import annotations

import re
import signal
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec
from prometheus_client import generate_latest

import detector
from detector import ingest
from detector.config import Settings, load
from detector.ingest import Ingested
from detector.records import Action, RunEvents, decode_log
from detector.rejections import PEOPLE, SPANS
from detector.testing import EPOCH_NS
from detector.watch import Send
from tests.fuzz import hostile, reference
from tests.fuzz.inputs import Input
from tests.fuzz.stream import Failure, Stream

RECORD_BYTES = 900_000
"""Of the run log; Kafka takes a megabyte."""
ARRIVED = EPOCH_NS + 3_600 * 10**9
REPEATED = 32
"""Every so many inputs are read a second time, by a reader that has seen nothing before."""
SLOW_US, SLOW_US_PER_BYTE = 100_000.0, 12.0
"""An input may take this long, and this much longer for each of its bytes."""
HANGS_SECONDS = 30.0
HANGS = "does not end"

SPAN_REASONS = frozenset({"no_spans", "no_trace_id", "bad_trace_id", "bad_span_id", "bad_span", "too_many_spans"})
LARGE = {"too_deep": 0, "too_large": 0, "too_many_spans": 2**20, "bad_json": 2**22}
"""A request of more bytes may be set aside for this reason, though others can read it."""


class Seen(NamedTuple):
    """What became of an input."""

    spans: int
    rejects: dict[str, int]
    notes: dict[str, int]
    sent: Counter[str]
    micros: float


class Subject:
    """A worker's pure parts."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or load(hash_key="fuzz")
        self._taken = 0
        self.stream = Stream(self.settings, self._clock)
        self.forget()

    def forget(self) -> None:
        """As if nothing had come before."""
        self._ingest = {
            "spans": ingest.spans(self.settings, self._clock),
            "labels": ingest.labels(self.settings, self._clock),
            "acks": ingest.acks(self.settings, self._clock),
        }
        self._taken = 0
        self.stream.forget()

    def _clock(self) -> int:
        return ARRIVED + 10**9 + self._taken * 10**6

    def run(self, made: Input, *, again: bool = False) -> Seen:
        """Takes one input to the end. Raises Failure; `again`: also where a fresh reader reads something else."""
        # Processor time: what hangs is stopped, what waits for a busy machine is not.
        before = signal.signal(signal.SIGPROF, _hangs)
        signal.setitimer(signal.ITIMER_PROF, HANGS_SECONDS)
        try:
            return self._run(made, again=again)
        except Failure:
            raise
        except Exception as fault:
            raise Failure(_raised(fault)) from fault
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _run(self, made: Input, *, again: bool) -> Seen:
        self._taken += 1
        begun = time.process_time_ns()
        done = self._ingest[made.stream](made.value, ARRIVED)
        sent = self.stream.take(done)
        micros = (time.process_time_ns() - begun) / 1000
        _account(made, done)
        _check_written(made, done, sent)
        for key, value in done.log:
            _check_log(key, value)
        if again:
            self._same(made, done)
        if micros > SLOW_US + SLOW_US_PER_BYTE * len(made.value):
            raise Failure("takes too long")
        return Seen(done.spans, done.rejects, done.notes, Counter(send.topic for send in sent), micros)

    def _same(self, made: Input, done: Ingested) -> None:
        fresh = getattr(ingest, made.stream)(self.settings, self._clock)(made.value, ARRIVED)
        if [(key, _unwritten(value)) for key, value in fresh.log] != [(k, _unwritten(v)) for k, v in done.log]:
            raise Failure("a fresh reader reads something else")

    def check_metrics(self) -> None:
        """Looks at the metrics as a scrape gives them. Raises Failure."""
        _look_for_secrets(generate_latest(self.stream.metrics.registry), b"")


def _hangs(*_: object) -> None:
    raise Failure(HANGS)


def _unwritten(value: bytes) -> RunEvents:
    record = decode_log(value)
    record.written = 0
    return record


def _account(made: Input, done: Ingested) -> None:
    """Every reason has a name that is documented, and every span is read or has a reason."""
    known = SPANS if made.stream == "spans" else PEOPLE
    for reason, times in done.rejects.items():
        if reason not in known or times <= 0:
            raise Failure(f"reason {reason[:40]!r} is not documented")
    if made.stream == "spans":
        _account_spans(made.value, done)
    elif bool(done.rejects) == bool(done.log):
        raise Failure("a record of people neither taken nor rejected")


def _account_spans(value: bytes, done: Ingested) -> None:
    if not done.spans and not done.rejects:
        raise Failure("neither spans nor a reason")
    if not done.spans and any(len(value) > LARGE[reason] for reason in LARGE.keys() & done.rejects.keys()):
        return
    expected = reference.count(value)
    if not done.spans and not SPAN_REASONS.issuperset(done.rejects):
        if expected and expected.whole and expected.spans:
            raise Failure(f"a whole request was set aside: {sorted(done.rejects)}")
        return
    if expected is None:
        raise Failure("read where nobody else can")
    came = done.spans + sum(times for reason, times in done.rejects.items() if reason != "no_spans")
    if came != expected.spans:
        raise Failure("spans and reasons do not add up")


def _check_written(made: Input, done: Ingested, sent: list[Send]) -> None:
    """No secret is in anything that leaves ingest or watch."""
    letter = ingest.rejection("otlp_spans", 0, 0, made.value, done.rejects, done.detail)
    names = "\n".join(name for alias in done.aliases for name in alias).encode()
    out = [part for record in (*done.log, *((send.key, send.value or b"") for send in sent)) for part in record]
    _look_for_secrets(b"\n".join((letter, names, *out)), made.value)


def _look_for_secrets(written: bytes, came: bytes) -> None:
    """Raises where one of the planted secrets is written. One that a mutation put out of its place is none."""
    small = written.lower()
    if any(mark in small for mark in hostile.MARKS):
        bodies = [body for body, places in hostile.KNOWN_BY_PLACE.items() if any(p + body in came for p in places)]
        for body in (*hostile.KNOWN_BY_FORM, *bodies):
            if re.search(rb"(?<![A-Za-z0-9_-])" + re.escape(body), written):
                raise Failure(f"a secret came out: {body[:12].decode()}")


def _check_log(key: bytes, value: bytes) -> None:
    record = decode_log(value)
    names = (record.run, record.service, record.workflow, *record.where.values())
    if key != record.run.encode() or not 0 < len(record.run) <= ingest.MAX_RUN:
        raise Failure("run log: a key that is not the run")
    if not all(len(name) <= ingest.MAX_RUN and name.isprintable() for name in names):
        raise Failure("run log: a name that is not fit to print")
    if len(value) > RECORD_BYTES:
        raise Failure("run log: a record that Kafka refuses")
    ends = [event.at for event in record.events]
    if ends != sorted(ends) or not record.events:
        raise Failure("run log: events out of order")
    for event in record.events:
        if isinstance(event, Action):
            _check_action(event)


def _check_action(action: Action) -> None:
    lists = (action.targets, action.secrets_seen, action.secrets_used, action.signs)
    if any(len(held) > 8 for held in lists) or len(action.tool) > 64 or not action.tool.isascii():
        raise Failure("run log: an action larger than it may be")
    if len(action.span) != 8 or len(action.trace) != 16 or len(action.parent) not in (0, 8):
        raise Failure("run log: an id of the wrong length")
    if len(msgspec.msgpack.encode(action)) > 1024:
        raise Failure("run log: an event over 1 KB")


def _raised(fault: BaseException) -> str:
    """The exception and where in the detector it arose."""
    home = str(Path(detector.__file__).parent)
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename.startswith(home)]
    where = f"{Path(frames[-1].filename).relative_to(home)}:{frames[-1].name}" if frames else "the fuzz itself"
    return f"{type(fault).__name__} in {where}"
