"""Runs that must not be running, of which no enforcer has said that they aren't: what a dead enforcer looks like."""

from __future__ import annotations

from collections.abc import Callable

from detector.records import Desired
from detector.runs.run import Run


class Unacknowledged:
    """The runs of this worker whose newest command nobody has carried out, and since when it knows of each.

    `clock` gives nanoseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._since: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._since)

    def note(self, run: str, state: object) -> float | None:
        """The run is in this state now; None, or another kind of state: it has no commands.

        Returns for how many seconds it had waited, where an enforcer has just said that it is stopped.
        """
        stopped = isinstance(state, Run) and state.desired != Desired.RUNNING
        if stopped and state.acked < state.sequence:  # type: ignore[attr-defined]
            self._since.setdefault(run, self._clock())
            return None
        since = self._since.pop(run, None)
        return max(0, self._clock() - since) / 1e9 if stopped and since is not None else None

    def keep(self, ours: Callable[[bytes], bool]) -> None:
        """Forgets the runs that are not `ours` any more."""
        self._since = {run: since for run, since in self._since.items() if ours(run.encode())}

    def oldest(self) -> float:
        """For how long the one that waits longest is known, seconds; 0 where none waits."""
        # A command comes last, so the first is the oldest.
        return max(0, self._clock() - next(iter(self._since.values()))) / 1e9 if self._since else 0.0
