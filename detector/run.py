"""The state of one run: fixed in size, and all that `step` knows.

Budget of the encoded state, at most 8 KB: 1.5 KB ring of seen ids, 2 KB evidence, 1 KB
signals and their peak, 2 KB memories of behaviours, the rest names and counters.
"""

from __future__ import annotations

from hashlib import blake2b
from struct import pack
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import Layout
from detector.errors import DetectorError
from detector.records import Action, Desired, Level, RunEvents, Turn

SEEN_IDS = 256
ID_BYTES = 6
"""48 bits: among 256 ids of a run two are equal by chance once in 10**10 runs."""
COUNTED = 24
PENDING = 8
"""Calls for which an intent may still be waiting for its tool's span."""
STEPS = 12
TRACES = 4
WHERE = 16
STATE_VERSION = 1


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
    counted: list[tuple[int, int, int, bool]] = []
    """(key, shown, position, by intent) of calls known by intent or from the inside, until they're done."""
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

    def vector(self) -> NDArray[np.float64]:
        """`signals` as a writable view of 2n floats: short sums, long sums."""
        return np.frombuffer(self.signals, dtype=np.float64)


def new(run: str, layout: Layout, written: int = 0) -> Run:
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
    )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Run)


def encode(run: Run) -> bytes:
    """The run as bytes: the version, then msgpack."""
    return bytes((STATE_VERSION,)) + _encoder.encode(run)


def decode(value: bytes, layout: Layout) -> Run:
    """The run in `value`. Where it was kept by other behaviours its signals begin anew; what
    was decided about it stands.
    """
    if value[0] != STATE_VERSION:
        raise DetectorError(f"run state: expected version {STATE_VERSION}, came {value[0]}")
    run = _decoder.decode(memoryview(value)[1:])
    if run.layout != layout.version:
        fresh = new(run.run, layout)
        run.layout, run.signals, run.memories = fresh.layout, fresh.signals, fresh.memories
        run.steps, run.peak_signals = [], b""
    return run


def is_new(run: Run, event: Action | Turn) -> bool:
    """Remembers `event`; False where the run has had it already.

    The id covers what the span says, not only its ids: an agent that used one span id for
    two different calls would otherwise hide the second.
    """
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


def place(run: Run, record: RunEvents, written: int) -> None:
    """Takes over what a run-log record, written at `written` (ns), says of the run as a whole."""
    run.arrived = max(run.arrived, written)
    if record.service:
        run.service = record.service
    if record.workflow and record.workflow_rank < run.workflow_rank:
        run.workflow, run.workflow_rank = record.workflow, record.workflow_rank
    for key, value in record.where.items():
        if key in run.where or len(run.where) < WHERE:
            run.where[key] = value


def counted_before(run: Run, action: Action) -> tuple[int, int, bool]:
    """(shown, position, first): what earlier looks at the call showed, where it stands, whether this is the first look.

    A call may be seen three times: asked for (its call id), from the inside (an HTTP span
    whose parent is the tool's span) and as the tool's own span. Each look counts for what
    the earlier ones had not shown.
    """
    shown, position, first = 0, run.calls, not action.inner
    if not run.counted:
        return shown, position, first
    keys = (action.call or -1, _key(action.parent if action.inner else action.span))
    for key, known, at, intent in run.counted:
        # The tool's span, which would link an inner span to its intent, comes after both.
        pending = action.inner and intent and run.calls - at <= PENDING
        if pending or key in keys:
            shown |= known
            position = min(position, at)
            first = first and not intent
    return shown, position, first


def count(run: Run, action: Action, shown: int, position: int) -> None:
    """Remembers what the looks at a call have shown so far, until the look at it that is the last."""
    if action.phase and not action.inner:
        if run.counted:
            keys = (action.call or -1, _key(action.span))
            run.counted = [entry for entry in run.counted if entry[0] not in keys]
        return
    key = _key(action.parent) if action.inner else action.call
    if key:
        run.counted.append((key, shown, position, not action.inner))
        del run.counted[:-COUNTED]


def _key(span: bytes) -> int:
    return int.from_bytes(span, "big") >> 1 if span else 0


def trace(run: Run, trace_id: bytes) -> None:
    """Remembers a trace of the run; the last few are what an enforcer may look for."""
    if trace_id not in run.traces:
        run.traces.append(trace_id)
        del run.traces[:-TRACES]


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


def _joined(first: Step, second: Step, *, inner: bool) -> Step:
    """Two looks at one call: what either showed, under the ids of the later and the name of the tool's own."""
    signs = tuple(dict.fromkeys(first.signs + second.signs))[:8]
    fired = tuple(dict.fromkeys(first.fired + second.fired))
    gravity = max(first.gravity, second.gravity)
    tool = first.tool if inner else second.tool
    return Step(
        first.position, second.at, second.span, second.trace, tool, signs, fired, gravity, first.env | second.env
    )
