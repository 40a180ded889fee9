"""Ingest: what arrives from outside, as records for the run log. Pure but for the clock; app.py moves the bytes.

Nothing raises out of here. What can't be used comes back as a rejection that names its
reason and where it came from, for the dead-letter topic and the counters.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from detector.config import Settings
from detector.control.signatures import verify
from detector.errors import Drop
from detector.lexicon.secrets import redact
from detector.read import Reader
from detector.records import LABELS, Ack, Acked, Action, Event, Label, Labelled, RunEvents, encode_log
from detector.runs.aliases import Told

OUTCOMES = frozenset({"done", "already", "not mine", "failed"})
MAX_RUN = 256
MAX_EVENTS = 512
MAX_SAID = 4096
"""Characters of a person's words that are looked at."""
Public = TypeVar("Public", Ack, Label)


class Rejection(msgspec.Struct, frozen=True):
    """A record, or a part of one, that was set aside (the dead-letter topic)."""

    topic: str
    partition: int
    offset: int
    sha256: str
    reasons: dict[str, int]
    """Spans (or records) by reason."""
    detail: str = ""


class Ingested(msgspec.Struct):
    """What one record became: run-log records as (key, value), and what is to be counted."""

    log: list[tuple[bytes, bytes]] = []
    aliases: list[tuple[str, str]] = []
    """Trace-keyed runs and the runs that they are a part of: due on the run log, in bulk (detector.runs.aliases)."""
    spans: int = 0
    rejects: dict[str, int] = {}
    notes: dict[str, int] = {}
    detail: str = ""


Ingest = Callable[[bytes, int], Ingested]
Clock = Callable[[], int]


def spans(settings: Settings, clock: Clock = time.time_ns) -> Ingest:
    """Ingest for `otlp_spans`: (value, arrival in ns) -> Ingested."""
    reader = Reader.from_settings(settings)
    # Told again while the trace goes on, for what was told is forgotten when a run would be.
    told = Told(settings.idle_seconds / 2)

    def ingest(value: bytes, arrived: int) -> Ingested:
        try:
            reading = reader.read(value, arrived)
        except Drop as drop:
            return Ingested(rejects={drop.reason: 1}, detail=drop.detail)
        now = clock()
        log = [(batch.run.encode(), encode_log(piece)) for batch in reading.batches for piece in pieces(batch, now)]
        aliases = told.new(reading.aliases.items(), now)
        return Ingested(log, aliases, reading.spans, reading.rejects, reading.notes)

    return ingest


def pieces(batch: RunEvents, now: int) -> Iterator[RunEvents]:
    """The batch in records that Kafka takes: an event is 1 KB at most, a record 1 MB by default."""
    batch.written = now
    batch.events = _told_once(batch.events)
    if len(batch.events) <= MAX_EVENTS:
        yield batch
        return
    for start in range(0, len(batch.events), MAX_EVENTS):
        yield msgspec.structs.replace(batch, events=batch.events[start : start + MAX_EVENTS])


def _told_once(events: list[Event]) -> list[Event]:
    """The events without what was asked for and then, with no other call between, done just so: the run learns no more
    of it. In the records of a Collector, which hold some seconds each, that is a third of all.
    """
    kept: list[Event] = []
    following: Action | None = None
    for event in reversed(events):
        if isinstance(event, Action) and not event.inner:
            if following is not None and _done_just_so(event, following):
                # One that was done is one that was asked for.
                following = None
                continue
            following = event
        kept.append(event)
    if len(kept) == len(events):
        return events
    kept.reverse()
    return kept


def _done_just_so(asked: Action, done: Action) -> bool:
    same = (asked.call, asked.shape) == (done.call, done.shape)
    return same and asked.call != 0 and bool(done.phase) and not asked.phase


def labels(settings: Settings, clock: Clock = time.time_ns) -> Ingest:
    """Ingest for `agent-labels`."""

    def event(label: Label) -> Event:
        if label.kind not in LABELS:
            raise Drop("bad_label", f"expected one of {', '.join(sorted(LABELS))}, came {_said(label.kind, 40)!r}")
        return Labelled(label.at, label.kind, _said(label.who, 80), _said(label.why, 200), label.sequence)

    return _public(Label, event, settings, clock)


def acks(settings: Settings, clock: Clock = time.time_ns) -> Ingest:
    """Ingest for `agent-acks`."""

    def event(ack: Ack) -> Event:
        if ack.outcome not in OUTCOMES:
            raise Drop("bad_ack", f"expected one of {', '.join(sorted(OUTCOMES))}, came {_said(ack.outcome, 40)!r}")
        return Acked(ack.at, ack.sequence, _said(ack.enforcer, 80), ack.outcome)

    return _public(Ack, event, settings, clock)


def _said(text: str, most: int) -> str:
    """Words of a person as others may read them: cut, and without secrets."""
    return redact(text[:MAX_SAID])[:most]


def _public(kind: type[Public], to_event: Callable[[Public], Event], settings: Settings, clock: Clock) -> Ingest:
    key = settings.signing_key.get_secret_value()
    decode = msgspec.json.Decoder(kind).decode

    def check(record: Public) -> None:
        if not (0 < len(record.run) <= MAX_RUN and record.run.isprintable()):
            raise Drop("bad_run", f"expected a run id of 1 to {MAX_RUN} printable characters, came {len(record.run)}")
        if redact(record.run) != record.run:
            raise Drop("bad_run", "expected a run id as `detector runs` prints it, came one with a secret in it")
        if not verify(record, key):
            raise Drop("bad_signature", f"expected the signature of {kind.__name__} under the configured key")

    def ingest(value: bytes, arrived: int) -> Ingested:
        try:
            record = decode(value)
            check(record)
            event = to_event(record)
            value = encode_log(RunEvents(record.run, [event], arrived=arrived, written=clock()))
        except Drop as drop:
            return Ingested(rejects={drop.reason: 1}, detail=drop.detail)
        except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError) as fault:
            return Ingested(rejects={"bad_json": 1}, detail=f"expected a {kind.__name__} as JSON: {fault}"[:300])
        return Ingested([(record.run.encode(), value)])

    return ingest


def rejection(topic: str, partition: int, offset: int, value: bytes, reasons: dict[str, int], detail: str) -> bytes:
    """A dead letter as JSON: where the record stands and its checksum, never its bytes."""
    digest = hashlib.sha256(value).hexdigest()
    return msgspec.json.encode(Rejection(topic, partition, offset, digest, reasons, redact(detail)))
