"""The state of one run: fixed in size, and all that `step` knows.

Budget of the encoded state, at most 8 KB: 1.3 KB ring of seen ids, 2.5 KB evidence, 1 KB
signals and their peak, 2 KB memories of behaviours, the rest names and counters. What a run
knows of other runs (`detector.runs.kin`) takes what is left.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import pack
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import Layout
from detector.records import Action, Blind, Desired, Labelled, Level, RunEvents, Turn
from detector.runs.kin import Kin

SEEN_IDS = 224
ID_BYTES = 6
"""48 bits: among 224 ids of a run two are equal by chance once in 10**10 runs."""
MANY = 32
"""A record of more events is remembered as a whole, too, and so many of its events: those of one would take the
room of all. Requests that come again, after a crash or from a Collector, come as they were.
"""
LOOKS = 10
ARGUMENTS = int(Blind.ARGUMENTS)
NO_ID = 1
"""Stands for a call's id, where a call that has none has been asked for."""
PENDING = 8
"""Calls for which an intent may still be waiting for its tool's span."""
STEPS = 8
STEP_SIGNS, STEP_FIRED = 4, 10
TRACES = 4
WHERE = 8
NAME_BYTES = 64
MOST_TOKENS = 2**53
"""That a run counts: what JSON's readers still tell apart from the next number."""


class Step(msgspec.Struct, array_like=True, gc=False):
    """An action kept as evidence: classes and ids, no words of the call."""

    position: int
    at: int
    span: bytes
    trace: bytes
    tool: str
    signs: tuple[str, ...]
    fired: tuple[int, ...]
    """Indices of the signals that it moved."""
    gravity: int
    env: int


class Look(msgspec.Struct, array_like=True, gc=False, eq=False):
    """What was seen of one call: asked for (no span), from the inside (span of the tool), or done."""

    call: int
    span: int
    shape: int
    shown: int
    position: int
    inner: bool


class Spent(msgspec.Struct, array_like=True, gc=False):
    """What the run took of others: tokens of models, answers of people. Told in its summary, judged by nothing."""

    tokens_in: int = 0
    tokens_out: int = 0
    asked: int = 0
    """Questions to a person that its calls put."""
    refused: int = 0
    """Calls that a person, a hook or a gate of its own said no to."""


class Run(msgspec.Struct, array_like=True):
    """One run. `step` owns the run that it is given and returns it changed."""

    run: str
    layout: str
    """Version of the behaviours that `signals` and `memories` belong to."""
    signals: bytearray
    memories: list[Any]
    workflow: str = ""
    workflow_rank: int = 9
    service: str = ""
    where: dict[str, str] = {}
    traces: list[bytes] = []
    started: int = 0
    last: int = 0
    arrived: int = 0
    """When its newest record was written to the run log: what expiry goes by, since the clocks of spans may lie."""
    offset: int = -1
    """Highest offset of its run-log partition that it has applied."""
    calls: int = 0
    turns: int = 0
    ended: bool = False
    """The agent's own span has ended, and nothing came after it."""
    seen: bytearray = bytearray()
    looks: list[Look] = []
    """The last looks at calls, by which a further look at the same call is told from a further call."""
    steps: list[Step] = []
    blind: dict[str, int] = {}
    labels: dict[str, int] = {}
    score: float = 0.0
    """After the newest action; and the highest that there ever was, where, and the signals then."""
    peak: float = 0.0
    peak_position: int = 0
    peak_signals: bytes = b""
    level: int = Level.ALLOW
    highest: int = Level.ALLOW
    held: int = Level.ALLOW
    held_cause: str = ""
    """What spans of services proposed before the run showed a turn or a call of an agent."""
    approved: float = 0.0
    """The score that a person has approved: only a higher one pauses again."""
    verdicts: int = 0
    desired: str = Desired.RUNNING
    sequence: int = 0
    deadline: int = 0
    acked: int = 0
    """Highest sequence of a command that an enforcer has carried out, and when."""
    acked_at: int = 0
    leaked: int = 0
    """Sequence of the command after which a leak was reported."""
    kin: Kin | None = None
    """What it knows of other runs; None, as mostly: nothing."""
    spent: Spent | None = None
    """None: nothing so far. `state` leaves the last two fields away where they are None."""

    def vector(self) -> NDArray[np.float64]:
        """`signals` as a writable view of 2n floats: short sums, long sums."""
        return np.frombuffer(self.signals, dtype=np.float64)


def new(run: str, layout: Layout, written: int, *, traced: bool = False) -> Run:
    """A run that nothing is known of, first seen in a record of the run log `written` then (ns).

    Its sequences begin at that second: a run that comes back under its id after it was forgotten
    must outrank what enforcers and auditors remember of it.
    """
    second = written // 1_000_000_000
    return Run(
        run,
        layout.version,
        bytearray(16 * len(layout.signals)),
        layout.initial_memories(),
        arrived=written,
        verdicts=second,
        sequence=second,
        leaked=second,
        kin=Kin(traced=True) if traced else None,
    )


def spent(run: Run) -> Spent:
    """What the run took of others, made where it's the first."""
    if run.spent is None:
        run.spent = Spent()
    return run.spent


def kin(run: Run) -> Kin:
    """What the run knows of others, made where it's the first."""
    if run.kin is None:
        run.kin = Kin()
    return run.kin


def is_new(run: Run, event: Action | Turn | Labelled) -> bool:
    """Remembers `event`; False where the run has had it already.

    The id covers what the span says, not only its ids: an agent that used one span id for
    two different calls would otherwise hide the second.
    """
    if isinstance(event, Labelled):
        ids = f"{event.kind} {event.who} {event.at} {event.sequence}".encode()
    else:
        ids = event.span + event.trace
    if isinstance(event, Action):
        ids += pack("<BBQQI", event.phase, event.outcome, event.call, event.shape, event.does)
    ident = blake2b(ids, digest_size=ID_BYTES).digest()
    seen = run.seen
    # find() may hit across two ids: look on until a hit is aligned.
    at = seen.find(ident)
    while at >= 0:
        if at % ID_BYTES == 0:
            return False
        at = seen.find(ident, at + 1)
    seen += ident
    if len(seen) > SEEN_IDS * ID_BYTES:
        del seen[:ID_BYTES]
    return True


def had_whole(run: Run, record: RunEvents) -> bool:
    """Whether the run has had all of this record of many events."""
    ident, seen = _whole(record), run.seen
    return any(seen[at : at + ID_BYTES] == ident for at in range(0, len(seen), ID_BYTES))


def keep_whole(run: Run, record: RunEvents, before: bytes) -> None:
    """Remembers a record of many events as one, and its newest events; `before`: what was remembered before it."""
    run.seen = bytearray(before) + run.seen[-MANY * ID_BYTES :] + _whole(record)
    del run.seen[: -SEEN_IDS * ID_BYTES]


def _whole(record: RunEvents) -> bytes:
    return blake2b(msgspec.msgpack.encode(record.events), digest_size=ID_BYTES).digest()


def place(run: Run, record: RunEvents) -> None:
    """Takes over what a run-log record says of the run as a whole.

    Service and process are those that were named first: a later span that claims the same run
    must not point its commands at another process.
    """
    run.arrived = max(run.arrived, record.written)
    run.service = run.service or cut(record.service, NAME_BYTES)
    if record.workflow and record.workflow_rank < run.workflow_rank:
        run.workflow, run.workflow_rank = cut(record.workflow, NAME_BYTES), record.workflow_rank
    for key, value in record.where.items():
        if key not in run.where and len(run.where) < WHERE:
            run.where[key] = cut(value, NAME_BYTES)


def looked_before(run: Run, action: Action) -> tuple[int, int, bool, list[Look]]:
    """(shown, position, first, same): what earlier looks at the call showed, where it stands, whether this
    is the first look, and those looks.

    A call may be seen three times, in any order: asked for (by call id), from the inside (an HTTP
    span whose parent is the tool's span) and as the tool's own span. Each look counts for what the
    others had not shown. A call id alone binds nothing: frameworks use `call_0` again and again,
    and an agent may, so tool and arguments must be the same too, where both looks have them.
    """
    shown, position, first = 0, run.calls, not action.inner
    own = span_key(action.parent if action.inner else action.span)
    same: list[Look] = []
    for look in run.looks:
        if look.span:
            # Done, or seen from the inside; an intent that comes late finds it by its call id, or by what it asks for.
            by_id = action.call and look.call == action.call and _alike(look, action)
            if not (look.span == own or by_id or _asked_late(look, action, run.calls)):
                continue
        elif not _asked_for(look, action, run.calls):
            continue
        same.append(look)
        shown |= look.shown
        position = min(position, look.position)
        first = first and look.inner
    return shown, position, first, same


def _asked_late(look: Look, action: Action, calls: int) -> bool:
    """Whether `action` asks for a call that was seen from the inside, and by no intent yet, and does that indeed."""
    if action.phase or action.inner or not look.inner or look.call:
        return False
    return calls - look.position <= PENDING and bool(look.shown & action.does)


def _alike(look: Look, action: Action) -> bool:
    return look.shape == action.shape or bool(action.blind & ARGUMENTS)


def _asked_for(look: Look, action: Action, calls: int) -> bool:
    """Whether the intent `look` is the call that `action` is a look at."""
    if action.inner:
        # The tool's span, which would link an inner span to its intent, comes after both.
        return calls - look.position <= PENDING
    if action.call:
        return look.call == action.call and _alike(look, action)
    return bool(action.phase) and look.shape == action.shape


def look(run: Run, action: Action, shown: int, position: int, same: list[Look]) -> None:
    """Remembers what the looks at a call have shown so far; the tool's own span stands for all before it."""
    own = 0
    if action.phase:
        own = span_key(action.parent if action.inner else action.span)
        if same and not action.inner:
            run.looks = [known for known in run.looks if known not in same]
    else:
        for known in same:
            # One look from the inside is of one call: the next intent is another one's.
            if known.inner:
                known.call = action.call or NO_ID
    run.looks.append(Look(action.call, own, action.shape, shown, position, action.inner))
    if len(run.looks) > LOOKS:
        del run.looks[0]


def span_key(span: bytes) -> int:
    """A span id as a number; 0 where there is none."""
    return int.from_bytes(span, "big")


def move(run: Run, trace: bytes, at: int) -> None:
    """The run did something in this trace that ended at `at`."""
    if trace not in run.traces:
        run.traces.append(trace)
        # The last few are what an enforcer may look for.
        del run.traces[:-TRACES]
    if not 0 < run.started <= at:
        run.started = at
    run.last = max(run.last, at)
    run.ended = False


def keep(run: Run, step: Step, *, inner: bool) -> None:
    """Keeps a step as evidence, one for all looks at a call. Where there are too many the lightest, oldest goes."""
    for n, known in enumerate(run.steps):
        if known.position == step.position:
            run.steps[n] = _joined(known, step, inner=inner)
            return
    run.steps.append(step)
    if len(run.steps) > STEPS:
        del run.steps[min(range(len(run.steps)), key=lambda i: (run.steps[i].gravity, i))]


def name(run: Run, action: Action, position: int) -> None:
    """The newest evidence, where it is of this call, goes by the name and ids of the tool's own span."""
    if not action.inner and run.steps and run.steps[-1].position == position:
        step = run.steps[-1]
        step.tool, step.span, step.at = action.tool, action.span, action.at


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` bytes: what others name may be in any script."""
    return text if len(text) * 4 <= limit else text.encode()[:limit].decode(errors="ignore")


def _joined(first: Step, second: Step, *, inner: bool) -> Step:
    """Two looks at one call: what either showed, under the ids of the later and the name of the tool's own."""
    signs = tuple(dict.fromkeys(first.signs + second.signs))[:STEP_SIGNS]
    fired = tuple(dict.fromkeys(first.fired + second.fired))[:STEP_FIRED]
    gravity = max(first.gravity, second.gravity)
    tool = first.tool if inner else second.tool
    return Step(
        first.position, second.at, second.span, second.trace, tool, signs, fired, gravity, first.env | second.env
    )
