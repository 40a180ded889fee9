"""Watch: one run-log record against the stored state of its run. Pure but for the counters.

app.py reads the state, calls `Watch.apply`, sends what is due and waits until it is
confirmed, and only then writes the state that says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from detector.config import Settings
from detector.control.signatures import sign
from detector.observe.counts import Counts, standing
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.records import Aliases, Command, Desired, RunEvents, Summary, Tick, Verdict, decode_log, encode_log
from detector.runs.aliases import Bundle, Index
from detector.runs.effects import Effect, Handed, Noted, Withdrawn
from detector.runs.judge import Judge
from detector.runs.kin import Forwarder
from detector.runs.run import Run
from detector.runs.state import State, Stored, decode
from detector.runs.state import encode as encode_state
from detector.step import apply, due
from detector.stream.unacknowledged import Unacknowledged

encode = msgspec.json.encode


class Send(NamedTuple):
    """A record to be sent: topic, key (the run), and JSON, a record of the run log, or None: the key's is void."""

    topic: str
    key: bytes
    value: bytes | None


class Applied(NamedTuple):
    """What a record did: the state to store (None: forget the run), what to send, when a tick is due (ns; 0 never)."""

    state: bytes | None
    sends: list[Send]
    due: int
    stopped: bool = False
    repeated: bool = False
    """The record had been applied before; only its confirmation was missing."""


def stopped(state: Stored) -> bool:
    """Whether it must not be evicted: a run that is paused or killed, or aliases."""
    return state.desired != Desired.RUNNING if isinstance(state, Run) else isinstance(state, Bundle)


def when_due(state: Stored, policy: Policy) -> int:
    """When the state needs a tick, in ns of arrival; 0: never."""
    return due(state, policy) if isinstance(state, Run) else state.arrived + policy.idle_ns


class Watch:
    """Applies run-log records under one judge. `stored`: the state of a key in the table."""

    def __init__(
        self,
        judge: Judge,
        settings: Settings,
        metrics: Metrics,
        clock: Callable[[], int] = time.time_ns,
        stored: Callable[[bytes], bytes | None] = lambda _: None,
    ) -> None:
        self.judge = judge
        self.metrics = metrics
        self._clock = clock
        self._key = settings.signing_key.get_secret_value()
        own = settings.topic
        self.aliases = Index(stored, lambda state: decode(state, judge.model.layout))
        self.unacknowledged = Unacknowledged(clock)
        self.counts = Counts(metrics, judge, clock)
        self._run_log = own("agent-run-log")
        self._topics = {
            Verdict: own("agent-verdicts"),
            Command: own("agent-commands"),
            Summary: own("agent-summaries"),
        }

    @property
    def topics(self) -> list[str]:
        """Where `apply` sends to."""
        return list(self._topics.values())

    def apply(self, stored: bytes | None, value: bytes, offset: int) -> Applied:
        """Applies the record `value` at `offset` to the `stored` state.

        Raises ValueError where the record is not one of the run log, VersionError where it or the state
        is of a newer version.
        """
        record = decode_log(value)
        known = None if stored is None else decode(stored, self.judge.model.layout)
        if known is not None and offset <= known.offset:
            # The state is sent again all the same: the crash may have come before its changelog had it.
            return self._applied(known, [], stored, repeated=True)
        if isinstance(known, Bundle) or (record.events and isinstance(record.events[0], Aliases)):
            return self._bundle(known, record, offset)
        if known is None and (to := self.aliases.of(record.run)):
            known = Forwarder.at(record.run, to, record.written)
        return self._apply(known, record, offset)

    def _apply(self, known: State | None, record: RunEvents, offset: int) -> Applied:
        forwards, new, before = isinstance(known, Forwarder), known is None, standing(known)
        workflow = before[0] if before else ""
        try:
            state, effects = apply(known, record, self.judge)
        except Exception:
            # A behaviour that failed must not leave its half of an action to the next run.
            self.judge.amounts.fill(0.0)
            raise
        sends = [send for effect in effects if (send := self._send(effect, record, workflow)) is not None]
        if not forwards:
            self.counts.record(record, state, new=new)
        self.counts.moved(before, standing(state))
        waited = self.unacknowledged.note(record.run, state)
        if waited is not None:
            self.counts.contained(state, waited)
        if state is None:
            return Applied(None, sends, 0)
        state.offset = offset
        encoded = encode_state(state)
        if isinstance(state, Run):
            self.metrics.state_bytes.observe(len(encoded))
        return self._applied(state, sends, encoded)

    def _applied(self, state: Stored, sends: list[Send], encoded: bytes | None, *, repeated: bool = False) -> Applied:
        return Applied(encoded, sends, when_due(state, self.judge.policy), stopped(state), repeated)

    def _bundle(self, known: Stored | None, record: RunEvents, offset: int) -> Applied:
        """Aliases that came in bulk, or the end of what they told."""
        bundle = known if isinstance(known, Bundle) else None
        sends: list[Send] = []
        for event in record.events:
            if isinstance(event, Aliases) and known is None:
                bundle = Bundle(record.run, event.runs, record.written)
                sends += [Send(self._run_log, key, value) for key, value in self.aliases.add(bundle)]
            elif isinstance(event, Tick) and bundle and when_due(bundle, self.judge.policy) <= event.at:
                self.aliases.drop(bundle)
                bundle = None
        if bundle is None:
            return Applied(None, sends, 0)
        bundle.offset = offset
        return self._applied(bundle, sends, encode_state(bundle))

    def standing(self, stored: bytes) -> tuple[int, bool]:
        """When a stored state needs a tick (ns; 0: never), and whether it must not be evicted; takes up aliases."""
        state = decode(stored, self.judge.model.layout)
        if isinstance(state, Bundle):
            self.aliases.load(state)
        self.unacknowledged.note(state.run, state)
        self.counts.moved(None, standing(state))
        return when_due(state, self.judge.policy), stopped(state)

    def _send(self, effect: Effect, record: RunEvents, workflow: str) -> Send | None:
        if isinstance(effect, Noted):
            self.counts.noted(effect, workflow)
            return None
        if isinstance(effect, Handed):
            return Send(self._run_log, effect.record.run.encode(), encode_log(effect.record))
        if isinstance(effect, Withdrawn):
            return Send(self._topics[Summary], effect.run.encode(), None)
        self.counts.effect(effect, record)
        if isinstance(effect, Command):
            effect = sign(effect, self._key)
        return Send(self._topics[type(effect)], effect.run.encode(), encode(effect))
