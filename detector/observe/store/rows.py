"""What a record of a public topic is in the tables: rows, each with the statement that writes it. Pure.

Every statement may run again with the same values and then changes nothing. Those on one run's row take what came
last on its topic, and do not depend on the order in which topics are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from detector.control.signatures import verify
from detector.errors import Drop
from detector.observe.store.statements import ACK, COMMAND, DESIRED, EVIDENCE, LABEL, PART, RUN, SHARE, SUMMARY, VERDICT
from detector.records import Ack, Command, Label, Summary, Verdict

LONGEST_ID = 256
"""Characters of a name that rows are found by: PostgreSQL's indices hold 2,700 bytes of a row. Runs' ids have 200."""
LONGEST_WORDS = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 2**63 - 1


class Row(NamedTuple):
    """A row: one of `statements.ORDER`, and its values. The first one is the run."""

    statement: str
    values: tuple[Any, ...]


def rows(topic: str, key: bytes, value: bytes | None, written: int, signing_key: str = "") -> list[Row]:
    """The rows of a record of `topic` (its name without a prefix), written at `written`, ms since 1970.

    Raises Drop: `unreadable`, `refused` where the signature is not `signing_key`'s, `out_of_range`.
    """
    kind, make = _KINDS[topic]
    try:
        at = time(written * 1_000_000)
        if value is None:
            # The end of a compacted key: of a summary, that it is void; a command's is never written.
            return [Row(SUMMARY, _void(_id(key.decode())))] if kind is Summary else []
        record = msgspec.json.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise Drop("unreadable", f"{topic}: expected {kind.__name__} as JSON: {fault}") from fault
    if isinstance(record, Command | Ack | Label) and not verify(record, signing_key):
        raise Drop("refused", f"{topic}: expected the signature of the key that is set, came another or none")
    return list(make(record, at))


def time(ns: int) -> datetime:
    """A time of the records, ns since 1970, to the microsecond. Raises Drop."""
    try:
        return _EPOCH + timedelta(microseconds=ns // 1000)
    except OverflowError:
        raise Drop("out_of_range", f"expected a time in ns since 1970, came {ns}") from None


def _verdict(record: Verdict, at: datetime) -> Iterator[Row]:
    run, sequence = _id(record.run), _whole(record.sequence)
    yield _run(record, run, at, traces=record.traces)
    # The newest trace is the deciding span's, where there is one.
    trace = record.traces[-1] if record.traces and record.span_id else ""
    yield Row(
        VERDICT,
        (
            *(run, sequence, time(record.at), _id(record.level), _id(record.previous), _words(record.cause)),
            *(record.score, record.threshold, _whole(record.calls), _id(record.span_id), _id(trace)),
            *(_words(record.workflow), _words(record.service)),
            *(_words(record.mode), _words(record.model), _words(record.policy)),
        ),
    )
    for n, step in enumerate(record.evidence, 1):
        what = (time(step.at), _whole(step.call), _words(step.tool), _words(step.text))
        yield Row(EVIDENCE, (run, sequence, n, *what, _id(step.span_id), _id(step.trace_id)))
    for share in record.behaviours:
        yield Row(SHARE, (run, sequence, _id(share.behaviour), share.share, share.value, _words(share.words)))


def _command(record: Command, at: datetime) -> Iterator[Row]:
    run, sequence = _id(record.run), _whole(record.sequence)
    yield _run(record, run, at, traces=record.traces)
    yield Row(DESIRED, (run, record.desired.value, sequence, _id(record.root)))
    until = time(record.deadline) if record.deadline else None
    what = (time(record.at), record.desired.value, _words(record.cause), until)
    yield Row(COMMAND, (run, sequence, *what, _words(record.workflow), _words(record.service)))
    for alias in record.aliases:
        yield Row(PART, (_id(alias), at, at, run))


def _ack(record: Ack, at: datetime) -> Iterator[Row]:
    run = _id(record.run)
    yield Row(RUN, (run, "", "", at, at, False, []))
    what = (_whole(record.sequence), _id(record.enforcer), time(record.at), _id(record.outcome))
    yield Row(ACK, (run, *what, _id(record.desired), _words(record.detail)))


def _label(record: Label, at: datetime) -> Iterator[Row]:
    run = _id(record.run)
    yield Row(RUN, (run, "", "", at, at, False, []))
    what = (time(record.at), _id(record.kind), _id(record.who), _words(record.why))
    yield Row(LABEL, (run, *what, _whole(record.sequence)))


def _summary(record: Summary, at: datetime) -> Iterator[Row]:
    run = _id(record.run)
    yield _run(record, run, at, traces=record.traces)
    counts = (record.tokens_in, record.tokens_out, record.asked, record.refused)
    yield Row(
        SUMMARY,
        (
            *(run, False, time(record.started) if record.started else None, time(record.ended)),
            *(_id(record.outcome), _id(record.level), _whole(record.calls), _whole(record.turns)),
            *(record.peak, _whole(record.peak_position) + 1, *map(_whole, counts)),
            msgspec.json.encode({_words(kind): times for kind, times in record.blind.items()}).decode(),
            *(_words(record.model), _words(record.policy)),
        ),
    )


def _void(run: str) -> tuple[Any, ...]:
    return (run, True, *[None] * 15)


def _run(record: Verdict | Command | Summary, run: str, at: datetime, *, traces: list[str]) -> Row:
    found = [_id(trace) for trace in traces]
    return Row(RUN, (run, _words(record.workflow), _words(record.service), at, at, True, found))


def _id(text: str) -> str:
    if len(text) > LONGEST_ID:
        raise Drop("out_of_range", f"expected a name of at most {LONGEST_ID} characters, came {len(text)}")
    return _words(text)


def _words(text: str) -> str:
    """The text as PostgreSQL takes it, which knows no character 0."""
    return text[:LONGEST_WORDS].replace("\0", "")


def _whole(number: int) -> int:
    if not -_MOST <= number <= _MOST:
        raise Drop("out_of_range", f"expected a whole number of 64 bits, came one of {number.bit_length()}")
    return number


_KINDS: dict[str, tuple[type[Any], Callable[[Any, datetime], Iterator[Row]]]] = {
    "agent-verdicts": (Verdict, _verdict),
    "agent-commands": (Command, _command),
    "agent-acks": (Ack, _ack),
    "agent-labels": (Label, _label),
    "agent-summaries": (Summary, _summary),
}
TOPICS = tuple(_KINDS)
"""The topics that are read, without a prefix."""
