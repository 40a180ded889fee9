"""Which traces belong to which runs, told in bulk.

An `Alias` under each trace's name would cost as much as a span's record, and most traces never need
it: their spans name their run, or come beside some that do. So ingest collects aliases for a moment
and writes those of one partition in one record, under a key of its own. Watch keeps that record as it
is, in the table, and where each trace of it stands in memory. Only a trace that has a run of its own
is told by an `Alias` in the run log, and one that gets events later begins as a forwarder.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future

import msgspec

from detector.policy import brake
from detector.records import Alias, Aliases, RunEvents, encode_log
from detector.runs.kin import Forwarder

PREFIX = b"\0aliases/"
"""Begins the key of every record of aliases: no run's id holds a zero byte (`reading.names.clean`)."""
REMEMBERED = 50_000
"""Aliases that ingest remembers as told."""
MOST = 2_000
"""Aliases in one record."""


class Bundle(msgspec.Struct, array_like=True):
    """Aliases of traces of one partition, as they are stored."""

    run: str
    """The key."""
    aliases: list[tuple[str, str]]
    arrived: int
    offset: int = -1


class Told:
    """What this process has told lately. An optimisation: telling twice changes nothing."""

    def __init__(self, seconds: float) -> None:
        self._again_ns = int(seconds * 1e9)
        self._known: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def new(self, aliases: Iterable[tuple[str, str]], now: int) -> list[tuple[str, str]]:
        """Those of the aliases that are to be told; they count as told from `now` (ns), for a while."""
        found = []
        for part, run in aliases:
            known = self._known.get(part)
            # The first alias wins, and another is told each time, for it to be counted where it is refused.
            if known is not None and known[0] == run and now - known[1] < self._again_ns:
                continue
            found.append((part, run))
            if known is None or known[0] == run:
                self._known[part] = run, now
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return found


class Outbox:
    """Aliases that wait to be written. `partition_of` a run's key in the run log."""

    def __init__(self, partition_of: Callable[[bytes], int], clock: Callable[[], int] = time.time_ns) -> None:
        self._partition_of = partition_of
        self._clock = clock
        self._waiting: dict[int, list[tuple[str, str]]] = {}
        self._written: Future[None] | None = None

    def add(self, aliases: list[tuple[str, str]]) -> Future[None]:
        """Takes aliases; what comes back is done when they are written, and fails with the write."""
        for part, run in aliases:
            self._waiting.setdefault(self._partition_of(part.encode()), []).append((part, run))
        if self._written is None:
            self._written = Future()
        return self._written

    def take(self) -> tuple[list[tuple[int, bytes, bytes]], Future[None] | None]:
        """(partition, key, value) of the records that are due, and what to settle when they are written."""
        now, waiting, written = self._clock(), self._waiting, self._written
        self._waiting, self._written = {}, None
        records = []
        for partition, aliases in waiting.items():
            for start in range(0, len(aliases), MOST):
                key = PREFIX + f"{partition}/{uuid.uuid4().hex}".encode()
                event = Aliases(now, aliases[start : start + MOST])
                records.append((partition, key, encode_log(RunEvents(key.decode(), [event], written=now))))
        return records, written


def partition_of(key: bytes) -> int | None:
    """The partition that a record of aliases, or a brake, stands in; None where the key is a run's."""
    return int(key.split(b"/", 2)[1]) if key.startswith((PREFIX, brake.PREFIX)) else None


class Index:
    """Where the aliases of each trace of this worker's partitions stand. `stored`: the table."""

    def __init__(self, stored: Callable[[bytes], bytes | None], read: Callable[[bytes], object]) -> None:
        self._stored = stored
        self._read = read
        self._keys: dict[int, tuple[bytes, ...]] = {}
        """Keys of the bundles, by the hash of the trace-keyed run: 190 bytes an alias."""

    def load(self, bundle: Bundle) -> None:
        """Takes up what is stored."""
        key = bundle.run.encode()
        for part, _ in bundle.aliases:
            known = self._keys.get(hash(part), ())
            if key not in known:
                self._keys[hash(part)] = (*known, key)

    def add(self, bundle: Bundle) -> list[tuple[bytes, bytes]]:
        """Takes up what has just come; returns run-log records (key, value) for traces that have a run already."""
        self.load(bundle)
        due = []
        for part, run in bundle.aliases:
            stored = self._stored(part.encode())
            if stored is None:
                continue
            state = self._read(stored)
            if not (isinstance(state, Forwarder) and state.to == run):
                told = RunEvents(part, [Alias(bundle.arrived, run)], written=bundle.arrived)
                due.append((part.encode(), encode_log(told)))
        return due

    def of(self, part: str) -> str:
        """The run that the trace-keyed run is a part of; empty where nothing says so.

        The first that was told of those that are stored, in whatever order they were taken up: a worker that has
        recovered must go the same way as one that was there all along.
        """
        stored = (self._stored(key) for key in self._keys.get(hash(part), ()))
        bundles = [bundle for state in stored if state is not None and isinstance(bundle := self._read(state), Bundle)]
        found = ((run for own, run in bundle.aliases if own == part) for bundle in sorted(bundles, key=_told))
        return next((run for runs in found for run in runs), "")

    def drop(self, bundle: Bundle) -> None:
        """Forgets what a bundle says."""
        key = bundle.run.encode()
        for part, _ in bundle.aliases:
            left = tuple(known for known in self._keys.pop(hash(part), ()) if known != key)
            if left:
                self._keys[hash(part)] = left

    def forget(self, partitions: set[int]) -> None:
        """These partitions went to another worker."""
        # All bundles of a trace stand in its partition.
        self._keys = {part: keys for part, keys in self._keys.items() if partition_of(keys[0]) not in partitions}


def _told(bundle: Bundle) -> int:
    return bundle.offset
