"""One record while it is read: what its spans know of each other, and what is to be noted."""

from __future__ import annotations

from detector._identity import Runs
from detector.dialects.base import Kind, Seen
from detector.records import Blind, Span

DAY = 86_400 * 10**9
EARLIEST = 946_684_800 * 10**9
"""2000-01-01: an older end of a span is a clock that was never set. Younger ones may be backfilled."""
LATEST = 4_102_444_800 * 10**9
"""2100-01-01: the bound where the arrival is unknown."""


class Record:
    """What the spans of one record know of each other."""

    __slots__ = ("_arrived", "_latest", "_notes", "_seen", "places", "runs")

    def __init__(self, runs: Runs, seen: list[Seen | None], notes: dict[str, int], arrived: int) -> None:
        self.runs = runs
        self.places: dict[bytes, int] = {}
        """Environments that requests and statements named, by their parent's span id."""
        self._seen = seen
        self._notes = notes
        self._arrived = arrived
        self._latest = arrived + DAY if arrived else LATEST

    def note(self, reason: str) -> None:
        """Counts something that was kept."""
        self._notes[reason] = self._notes.get(reason, 0) + 1

    def end_of(self, span: Span) -> int:
        """The span's end, or its arrival where its clock is implausible."""
        if EARLIEST <= span.end <= self._latest:
            return span.end
        self.note("clock_skewed")
        span.blind |= Blind.CLOCK
        if self._arrived:
            return self._arrived
        return span.start if EARLIEST <= span.start <= LATEST else EARLIEST

    def _above(self, index: int) -> Seen | None:
        """The nearest ancestor in the record that stands for something."""
        for parent in self.runs.ancestors(index):
            seen = self._seen[parent]
            if seen is not None and seen.kind is not Kind.OTHER:
                return seen
        return None

    def repeats_parent(self, index: int) -> bool:
        """Whether a tool's span lies in one of the same tool: a framework's and a protocol's span of one call."""
        above, own = self._above(index), self._seen[index]
        if above is None or own is None or above.kind is not Kind.TOOL or above.intended:
            return False
        return above.tool == own.tool or (own.call != "" and above.call == own.call)

    def within_call(self, index: int) -> bool:
        """Whether an agent's span lies in another agent's or a tool's: a part of the run."""
        above = self._above(index)
        return above is not None and above.kind in (Kind.TOOL, Kind.AGENT)

    def of_model(self, index: int) -> bool:
        """Whether an infrastructure span is a model turn's own request."""
        above = self._above(index)
        return above is not None and above.kind is Kind.MODEL
