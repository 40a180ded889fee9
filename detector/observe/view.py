"""Runs and their history as people read them in a terminal, and how a decision went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import assert_never

from rich.markup import escape
from rich.table import Table

from detector.config import Settings
from detector.control import people
from detector.control.people import Entry, RunRow
from detector.errors import DecisionError, TransportError
from detector.lexicon.secrets import redact
from detector.records import Ack, Command, Desired, Label, Summary, Verdict

COLOURS = {"ALLOW": "green", "ALERT": "yellow", "PAUSE": "red", "KILL": "bold red"}
ASKS = {"pause": Desired.PAUSED, "resume": Desired.RUNNING, "kill": Desired.KILLED}
ANSWER_SECONDS = 10.0
"""A worker answers in milliseconds; this long, and none is there to answer."""


def table(rows: list[RunRow]) -> Table:
    """Runs, the latest first, one a row."""
    made = Table("run", "workflow", "verdict", "score", "cause", "asked", "proven", "since", box=None, pad_edge=False)
    for row in rows:
        made.add_row(
            _shown(row.run),
            _shown(row.workflow),
            _level(row.level),
            f"{row.score:.3f} / {row.threshold:.3f}" if row.threshold else "",
            _shown(row.cause),
            _shown(row.desired),
            _shown(row.outcome or row.proven),
            _when(row.at),
        )
    return made


def history(entries: list[Entry]) -> Iterator[str]:
    """What happened to a run, a line each in the order of time, with the evidence in words."""
    # A verdict and its command bear the time of the same event.
    for entry in sorted(entries, key=lambda entry: (entry.at, isinstance(entry.record, Command))):
        doubt = "" if entry.genuine else "  [red](not signed with the configured key)[/]"
        first, *more = _words(entry.record)
        yield f"{_when(entry.at)}  {first}{doubt}"
        yield from (f"    {line}" for line in more)


def _words(record: people.Record) -> list[str]:
    if isinstance(record, Verdict):
        return _verdict(record)
    if isinstance(record, Command):
        deadline = f", until {_when(record.deadline)}" if record.deadline else ""
        return [f"command {record.sequence}: to be {record.desired.value}, because of {_shown(record.cause)}{deadline}"]
    if isinstance(record, Ack):
        detail = f": {_shown(record.detail)}" if record.detail else ""
        return [f"enforcer {_shown(record.enforcer)}, command {record.sequence}: {_shown(record.outcome)}{detail}"]
    if isinstance(record, Label):
        why = f": {_shown(record.why)}" if record.why else ""
        return [f"{_shown(record.who)} says {_shown(record.kind)}{why}"]
    if isinstance(record, Summary):
        highest = f"highest verdict {_shown(record.level)}, peak {record.peak:.3f}"
        return [f"{_shown(record.outcome)} after {record.calls} calls; {highest}"]
    assert_never(record)


def _verdict(record: Verdict) -> list[str]:
    scored = f"score {record.score:.3f}, threshold {record.threshold:.3f}" if record.threshold else "no score"
    by = f"{scored}, model {_shown(record.model)}, policy {_shown(record.policy)}, mode {_shown(record.mode)}"
    return [
        f"{_level(record.level)} after {_shown(record.previous)}, because of {_shown(record.cause)} ({by})",
        *[f"- {_shown(evidence.text)}  [dim]span {_shown(evidence.span_id)}[/]" for evidence in record.evidence],
        *[f"  {share.share:4.0%} of the score: {_shown(share.words)}" for share in record.behaviours],
    ]


def _level(level: str) -> str:
    return f"[{COLOURS.get(level, 'white')}]{_shown(level)}[/]"


def _shown(text: str) -> str:
    """What others wrote, without secrets and without colours of theirs."""
    return escape(redact(text))


def _when(nanoseconds: int) -> str:
    moment = datetime.fromtimestamp(nanoseconds / 1e9, UTC).astimezone()
    return moment.isoformat(sep=" ", timespec="milliseconds")[:23]


async def decide(settings: Settings, run: str, kind: str, who: str, why: str) -> str:
    """Sends a person's decision and waits for the worker's command; returns what came of it, in words.

    `kind` is a key of ASKS. The decision covers the newest command that stands when this is called.
    Raises TransportError where Kafka can't be reached or no worker answers, DecisionError where the
    worker refuses it, for a newer command came meanwhile.
    """
    known = await people.history(settings, run)
    seen = max((command.sequence for command in _commands(known)), default=0)
    label = await people.send_label(settings, run, kind, who, why, seen)
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if told := _outcome(label, _commands(await people.history(settings, run)), new=not known):
            return told
        await asyncio.sleep(0.2)
    raise TransportError(
        f"run {run}: the decision is written, but no worker answered it in {ANSWER_SECONDS:g} s; is one running?"
    )


def _outcome(label: Label, commands: list[Command], *, new: bool) -> str:
    """What came of a decision, in words; empty where nothing is known yet. Raises DecisionError."""
    run, wanted = label.run, ASKS[label.kind]
    if answer := next((command for command in commands if command.at == label.at), None):
        doubt = "; no verdict named it before: where the id is mistyped, nothing is stopped" if new else ""
        return f"run {run} is to be {wanted.value} (command {answer.sequence}){doubt}"
    if not commands:
        never = wanted is Desired.RUNNING and not new
        return f"run {run} was never stopped; the decision is recorded" if never else ""
    newest = max(commands, key=lambda command: command.sequence)
    if newest.desired in {wanted, Desired.KILLED}:
        return f"run {run} was to be {newest.desired.value} already; the decision is recorded"
    # A worker lets a run go on only from the command that was seen; pausing and killing are always right.
    if wanted is Desired.RUNNING and newest.sequence > label.sequence > 0:
        raise DecisionError(
            f"run {run}: a newer command stands: {newest.desired.value}, because of {newest.cause} "
            f"(command {newest.sequence}; the decision covers {label.sequence}). "
            f"Look again with `detector show {run}`, then decide anew"
        )
    return ""


def _commands(entries: list[Entry]) -> list[Command]:
    """The commands that enforcers obey too."""
    return [entry.record for entry in entries if entry.genuine and isinstance(entry.record, Command)]
