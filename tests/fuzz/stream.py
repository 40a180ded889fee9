"""The run log and the table as a worker has them, in memory and bounded: what ingest writes is judged to the end."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from detector.config import Settings
from detector.ingest import Ingested
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.records import RunEvents, Tick, encode_log
from detector.runs.aliases import PREFIX, Outbox
from detector.runs.judge import Judge
from detector.scoring.model import load
from detector.watch import Send, Watch

STATE_BYTES = 8_192
LIVE_RUNS = 1_000
"""States that are kept; the one that was idle longest goes."""
HOPS = 64
"""Records of the run log that one record may lead to, for each run in it."""
APPLIED_TWICE = 61
"""Every so many records come a second time, as after a crash."""
SECOND = 10**9


class Failure(AssertionError):  # noqa: N818 - a finding, no error of the program
    """An input that broke a promise; the text names which, the same for the same fault."""


class Stream:
    """One worker's watch with its table. A model takes a second to load, so one for a process."""

    def __init__(self, settings: Settings, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._clock = clock
        self._judge = Judge(load(settings.models), Policy.from_settings(settings))
        self._judge.model.warm()
        self.metrics = Metrics(CollectorRegistry())
        self.forget()

    def forget(self) -> None:
        """As if nothing had come before. Counters go on."""
        self._states: OrderedDict[bytes, bytes] = OrderedDict()
        self._offset = 0
        stored: Callable[[bytes], bytes | None] = self._states.get
        self._watch = Watch(self._judge, self._settings, self.metrics, self._clock, stored)
        self._outbox = Outbox(lambda _: 0, self._clock)
        self._run_log = self._settings.topic("agent-run-log")

    def take(self, done: Ingested) -> list[Send]:
        """Applies what ingest made of a record, and what comes of that; returns what goes onto other topics.

        Raises Failure.
        """
        waiting = deque(done.log)
        if done.aliases:
            self._outbox.add(done.aliases)
            waiting += [(key, value) for _, key, value in self._outbox.take()[0]]
        sent: list[Send] = []
        left = HOPS * (len(waiting) + len(done.aliases) + 1)
        while waiting:
            left -= 1
            if left < 0:
                raise Failure("records lead to records without end")
            for send in self._apply(*waiting.popleft()):
                if send.topic == self._run_log and send.value is not None:
                    waiting.append((send.key, send.value))
                else:
                    sent.append(send)
        return sent

    def _apply(self, key: bytes, value: bytes) -> list[Send]:
        self._offset += 1
        applied = self._watch.apply(self._states.get(key), value, self._offset)
        self._put(key, applied.state)
        if applied.state is not None and self._offset % APPLIED_TWICE == 0:
            again = self._watch.apply(applied.state, value, self._offset)
            if again.sends or again.state != applied.state:
                raise Failure("a record that comes twice is applied twice")
        return applied.sends + (self._evicted() if len(self._states) > LIVE_RUNS else [])

    def _put(self, key: bytes, state: bytes | None) -> None:
        self._states.pop(key, None)
        if state is None:
            return
        if len(state) > STATE_BYTES and not key.startswith(PREFIX):
            raise Failure(f"a state over {STATE_BYTES} bytes")
        self._states[key] = state

    def _evicted(self) -> list[Send]:
        """Ends what was idle longest, in a far future: runs and aliases alike."""
        key, state = next(iter(self._states.items()))
        self._offset += 1
        now = self._clock() + 10**6 * SECOND
        tick = encode_log(RunEvents(key.decode(), [Tick(now, evict=True)], written=now))
        applied = self._watch.apply(state, tick, self._offset)
        # A run that is paused or killed is not evicted in a worker; here its place is needed.
        del self._states[key]
        return applied.sends

    @property
    def largest(self) -> int:
        """Bytes of the largest state of a run that is held."""
        return max((len(state) for key, state in self._states.items() if not key.startswith(PREFIX)), default=0)
