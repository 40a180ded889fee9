"""When each live run needs a tick, and which quiet run has been idle longest."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

RETRY_NS = 60_000_000_000
"""A tick that changed nothing is made again after this long: one may have been lost with a worker. Not sooner:
where the run log is behind, ticks that wait in it must not be joined by more of the same.
"""
SLACK = 1_000


class Schedule:
    """Due times of the runs of this worker's partitions. Memory: about 300 bytes a run."""

    def __init__(self) -> None:
        self._runs: dict[bytes, tuple[int, int, int]] = {}
        """(partition, due, time of its one valid entry in the heap) of each run; 0: none."""
        self._heap: list[tuple[int, bytes]] = []
        self._stopped: set[bytes] = set()
        self._leaving: dict[bytes, int] = {}
        """Runs whose eviction waits in the run log, and since when; the longest first."""

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, run: bytes) -> bool:
        return run in self._runs

    def put(self, run: bytes, partition: int, due: int, *, stopped: bool = False) -> None:
        """The run, of run-log `partition`, needs a tick at `due` (ns; 0: never). The newest put goes last.

        A `stopped` run, paused or killed, is not evicted: its state is what keeps it stopped.
        """
        queued = self._runs.pop(run, (0, 0, 0))[2]
        if stopped:
            self._stopped.add(run)
            self._leaving.pop(run, None)
        else:
            self._stopped.discard(run)
        # A run moves its due time back with every record. Its early entry stays and is pushed
        # back when it comes up: one heap operation a period and not one a record.
        if due and not 0 < queued <= due:
            heapq.heappush(self._heap, (due, run))
            queued = due
        self._runs[run] = (partition, due, queued)

    def drop(self, run: bytes) -> None:
        """The run is finished."""
        self._runs.pop(run, None)
        self._stopped.discard(run)
        self._leaving.pop(run, None)
        # The entries of runs that are gone would lie in the heap until they had been due: half of it at most.
        if len(self._heap) > 2 * len(self._runs) + SLACK:
            self._sweep()

    def forget(self, partitions: set[int]) -> None:
        """These partitions went to another worker."""
        self._runs = {run: at for run, at in self._runs.items() if at[0] not in partitions}
        self._stopped &= self._runs.keys()
        self._leaving = {run: since for run, since in self._leaving.items() if run in self._runs}
        self._sweep()

    def _sweep(self) -> None:
        self._heap = [(time, run) for time, run in self._heap if self._runs.get(run, (0, 0, 0))[2] == time]
        heapq.heapify(self._heap)

    def ready(self, now: int) -> Iterator[tuple[bytes, int]]:
        """Runs that are due at `now` (ns), with their partitions; each comes again after RETRY_NS unless put anew."""
        while self._heap and self._heap[0][0] <= now:
            time, run = heapq.heappop(self._heap)
            partition, due, queued = self._runs.get(run, (0, 0, 0))
            if queued != time:
                continue
            late = 0 < due <= now
            again = now + RETRY_NS if late else due
            if again:
                heapq.heappush(self._heap, (again, run))
            self._runs[run] = (partition, due, again)
            if late:
                yield run, partition

    def oldest(self, limit: int, now: int) -> Iterator[tuple[bytes, int]]:
        """The runs beyond `limit` that were idle longest, with their partitions; each comes again after RETRY_NS.

        Stopped runs neither count nor go.
        """
        while self._leaving and next(iter(self._leaving.values())) + RETRY_NS <= now:
            del self._leaving[next(iter(self._leaving))]
        wanted = len(self._runs) - len(self._stopped) - len(self._leaving) - limit
        if wanted <= 0:
            return
        named = [run for run in self._runs if run not in self._stopped and run not in self._leaving]
        for run in named[:wanted]:
            self._leaving[run] = now
            yield run, self._runs[run][0]
