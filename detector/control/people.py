"""What people do and see over the topics: labels out, the state and the history of runs in.

A person never writes a command: a label `pause`, `resume` or `kill` is an event of the run,
and watch turns it into one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import Callable

import msgspec
from aiokafka.errors import KafkaError

from detector.config import Settings
from detector.control import topics
from detector.control.signatures import sign, verify
from detector.errors import ConfigError
from detector.lexicon.secrets import redact
from detector.records import LABELS, Ack, Command, Label, RunEvents, Summary, Verdict, decode_log

ROWS = 10_000
"""Runs in the table, and records in one run's history; the oldest are left out beyond it."""

_READ_SECONDS = 120.0
"""Without a further record, after which reading has failed."""
_TELL_RECORDS = 100
_LONGEST_WORDS = 1_000

Record = Verdict | Command | Ack | Label | Summary

_KINDS: dict[str, type[Record]] = {
    "agent-verdicts": Verdict,
    "agent-commands": Command,
    "agent-acks": Ack,
    "agent-labels": Label,
    "agent-summaries": Summary,
}


class RunRow(msgspec.Struct):
    """One run as it stands: its last verdict and command, and its end."""

    run: str
    workflow: str = ""
    service: str = ""
    level: str = ""
    """The verdict's level; empty where it has none yet."""
    score: float = 0.0
    threshold: float = 0.0
    cause: str = ""
    desired: str = ""
    """The state that the last command asks for; empty where there's none."""
    proven: str = ""
    """The last state that an enforcer says it brought the run to."""
    sequence: int = 0
    """Of the last command."""
    at: int = 0
    """Of the latest record, nanoseconds since 1970."""
    outcome: str = ""
    """How the run ended; empty while it lives."""


class Entry(msgspec.Struct):
    """One record of a run's history."""

    at: int
    topic: str
    record: Record
    genuine: bool = True
    """False where a signing key is set and the record isn't signed with it."""


async def send_label(settings: Settings, run: str, kind: str, who: str, why: str = "", sequence: int = 0) -> Label:
    """Writes what a person says of a run to agent-labels, signed where a key is set, and returns it.

    `sequence` is the command or verdict that it answers, 0 the run as it stands. Raises
    ConfigError where a field can't be used, TransportError where Kafka can't be written to.
    """
    faults = []
    if kind not in LABELS:
        faults.append(f"label: expected one of {', '.join(sorted(LABELS))}, came {kind!r}")
    if not run or not who:
        faults.append("label: expected a run and who says so")
    if len(why) > _LONGEST_WORDS or len(who) > _LONGEST_WORDS:
        faults.append(f"label: expected at most {_LONGEST_WORDS} characters of who and why")
    if faults:
        raise ConfigError(faults)
    label = Label(run=run, kind=kind, who=redact(who), at=time.time_ns(), why=redact(why), sequence=sequence)
    label = sign(label, settings.signing_key.get_secret_value())
    async with topics.writing(settings) as producer:
        try:
            await producer.send_and_wait(settings.topic("agent-labels"), msgspec.json.encode(label), key=run.encode())
        except (KafkaError, OSError) as fault:
            raise topics.unreachable(settings, fault, settings.topic("agent-labels")) from fault
    return label


async def runs(settings: Settings) -> list[RunRow]:
    """The runs that the topics speak of, the latest first. Raises TransportError."""
    rows: OrderedDict[str, RunRow] = OrderedDict()

    def take(entry: Entry) -> None:
        # What somebody else wrote is no state of the run.
        if not entry.genuine:
            return
        run = entry.record.run
        _fold(rows.setdefault(run, RunRow(run)), entry)
        rows.move_to_end(run)
        if isinstance(entry.record, Command):
            for alias in entry.record.aliases:
                rows.setdefault(alias, RunRow(alias)).outcome = f"part of {run}"
        while len(rows) > ROWS:
            rows.popitem(last=False)

    await _read(settings, take)
    return sorted(rows.values(), key=lambda row: row.at, reverse=True)


async def history(settings: Settings, run: str) -> list[Entry]:
    """Every verdict, command, ack, label and the summary of one run, in the order of time. Raises TransportError."""
    found: deque[Entry] = deque(maxlen=ROWS)

    def take(entry: Entry) -> None:
        if entry.record.run == run:
            found.append(entry)

    await _read(settings, take)
    return sorted(found, key=lambda entry: entry.at)


async def run_log(settings: Settings, run: str) -> list[RunEvents]:
    """The records of one run in the run log, the oldest first, as far back as it is kept. Raises TransportError."""
    topic, key = settings.topic("agent-run-log"), run.encode()
    found: list[RunEvents] = []
    try:
        async with asyncio.timeout(_READ_SECONDS):
            if await topics.present(settings, topic):
                async with topics.reading(settings, topic) as consumer:
                    async for raw in topics.to_the_end(consumer):
                        if raw.key == key and raw.value:
                            with contextlib.suppress(ValueError):
                                found.append(decode_log(raw.value))
    except (KafkaError, OSError) as fault:
        raise topics.unreachable(settings, fault, topic) from fault
    return found


async def every(
    settings: Settings, take: Callable[[Entry], None], progress: Callable[[int], None] | None = None
) -> None:
    """Gives every readable record of the topics to `take`, in the order of each partition.

    `progress` is told now and then how many were read. Raises TransportError.
    """
    await _read(settings, take, progress)


async def _read(
    settings: Settings, take: Callable[[Entry], None], progress: Callable[[int], None] | None = None
) -> None:
    names = {settings.topic(name): name for name in _KINDS}
    key = settings.signing_key.get_secret_value()
    clock, count = asyncio.get_running_loop().time, 0
    try:
        async with asyncio.timeout(_READ_SECONDS) as limit:
            existing = await topics.present(settings, *names)
            if not existing:
                return
            async with topics.reading(settings, *existing) as consumer:
                async for raw in topics.to_the_end(consumer):
                    name, count = names[raw.topic], count + 1
                    if count % _TELL_RECORDS == 0:
                        # As long as records come, Kafka is there: a large fleet takes its time.
                        limit.reschedule(clock() + _READ_SECONDS)
                        if progress is not None:
                            progress(count)
                    try:
                        record = msgspec.json.decode(raw.value or b"", type=_KINDS[name])
                    except (msgspec.MsgspecError, UnicodeDecodeError):
                        continue
                    genuine = isinstance(record, Verdict | Summary) or verify(record, key)
                    take(Entry(_time(record), name, record, genuine))
    except TimeoutError:
        late = TimeoutError(f"{count:,} records read, and no more in {_READ_SECONDS:g} s")
        raise topics.unreachable(settings, late, ", ".join(names)) from None
    except (KafkaError, OSError) as fault:
        raise topics.unreachable(settings, fault, ", ".join(names)) from fault


def _time(record: Record) -> int:
    return record.ended if isinstance(record, Summary) else record.at


def _fold(row: RunRow, entry: Entry) -> None:
    record = entry.record
    row.at = max(row.at, entry.at)
    if isinstance(record, Verdict):
        row.level, row.score, row.threshold, row.cause = record.level, record.score, record.threshold, record.cause
        row.workflow, row.service = record.workflow, record.service
    elif isinstance(record, Command):
        if record.sequence >= row.sequence:
            row.desired, row.sequence = record.desired.value, record.sequence
        row.workflow, row.service = record.workflow or row.workflow, record.service or row.service
    elif isinstance(record, Ack):
        row.proven = record.desired if record.outcome == "done" else row.proven
    elif isinstance(record, Summary):
        row.outcome, row.level = record.outcome, row.level or record.level
        row.workflow, row.service = record.workflow, record.service
