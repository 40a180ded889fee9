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
from detector.policy.brake import Stop, Stops, key_of
from detector.policy.policy import Policy
from detector.records import Aliases, Command, Desired, RunEvents, Summary, Tick, Verdict, decode_log, encode_log
from detector.runs.aliases import Bundle, Index, partition_of
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
    brake: tuple[bytes, bytes] | None = None
    """Key and state of the partition's brake. The changelog has to have it before the run's state is stored anywhere:
    that says that the record was applied."""


def stopped(state: Stored) -> bool:
    """Whether it must not be evicted: a run that is paused or killed, aliases, a brake."""
    return state.desired != Desired.RUNNING if isinstance(state, Run) else isinstance(state, Bundle | Stops)


def when_due(state: Stored, policy: Policy) -> int:
    """When the state needs a tick, in ns of arrival; 0: never."""
    if isinstance(state, Stops):
        return 0
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
        self._stored = stored
        self._stops: dict[int, list[Stop]] = {}
        """By partition, for the gauge alone: what a record is judged by stands in the table."""
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

    def apply(self, stored: bytes | None, value: bytes, offset: int, partition: int = 0) -> Applied:
        """Applies the record `value` at `offset` of a `partition` of the run log to the `stored` state.

        Raises ValueError where the record is not one of the run log, VersionError where it or the state
        is of a newer version.
        """
        record = decode_log(value)
        known = None if stored is None else decode(stored, self.judge.model.layout)
        if known is not None and offset <= known.offset:
            # The state is sent again all the same: the crash may have come before its changelog had it.
            return self._applied(known, [], stored, repeated=True)
        if isinstance(known, Stops):
            raise ValueError(f"run log: expected a run, came the key of a brake: {known.run!r}")  # noqa: TRY004 - the record's fault
        if isinstance(known, Bundle) or (record.events and isinstance(record.events[0], Aliases)):
            return self._bundle(known, record, offset)
        if known is None and (to := self.aliases.of(record.run)):
            known = Forwarder.at(record.run, to, record.written)
        return self._apply(known, record, offset, partition)

    def _apply(self, known: State | None, record: RunEvents, offset: int, partition: int) -> Applied:
        forwards, new, before = isinstance(known, Forwarder), known is None, standing(known)
        workflow = before[0] if before else ""
        self.judge.brake.begin(lambda: self._read_stops(partition), offset, record.written)
        try:
            state, effects = apply(known, record, self.judge)
        except Exception:
            # A behaviour that failed must not leave its half of an action to the next run.
            self.judge.amounts.fill(0.0)
            raise
        finally:
            made = self.judge.brake.end()
        sends = [send for effect in effects if (send := self._send(effect, record, workflow)) is not None]
        if not forwards:
            self.counts.record(record, state, new=new)
        self.counts.moved(before, standing(state))
        waited = self.unacknowledged.note(record.run, state)
        if waited is not None:
            self.counts.contained(state, waited)
        brake = None if made is None else self._brake(partition, made)
        if state is None:
            return Applied(None, sends, 0, brake=brake)
        state.offset = offset
        encoded = encode_state(state)
        if isinstance(state, Run):
            self.metrics.state_bytes.observe(len(encoded))
        return self._applied(state, sends, encoded, brake=brake)

    def _applied(
        self,
        state: Stored,
        sends: list[Send],
        encoded: bytes | None,
        *,
        repeated: bool = False,
        brake: tuple[bytes, bytes] | None = None,
    ) -> Applied:
        return Applied(encoded, sends, when_due(state, self.judge.policy), stopped(state), repeated, brake)

    # --- the brake ----------------------------------------------------------------------

    def _read_stops(self, partition: int) -> list[Stop]:
        stored = self._stored(key_of(partition))
        state = None if stored is None else decode(stored, self.judge.model.layout)
        return state.made if isinstance(state, Stops) else []

    def _brake(self, partition: int, made: list[Stop]) -> tuple[bytes, bytes]:
        """Key and state of the partition's brake after these stops."""
        self._stops[partition] = made
        key = key_of(partition)
        return key, encode_state(Stops(key.decode(), made, made[-1][0]))

    def braked(self) -> bool:
        """Whether the brake of a partition of ours is pulled now."""
        now = self._clock()
        return any(self.judge.brake.pulled(made, now) for made in self._stops.values())

    def forget(self, partitions: set[int]) -> None:
        """These partitions went to another worker."""
        self.aliases.forget(partitions)
        self._stops = {partition: made for partition, made in self._stops.items() if partition not in partitions}

    # --- the rest -----------------------------------------------------------------------

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
        elif isinstance(state, Stops) and (partition := partition_of(state.run.encode())) is not None:
            self._stops[partition] = state.made
            return 0, True
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
