"""One record while it is read: what its spans know of each other, and what is to be noted."""

from __future__ import annotations

from detector.dialects.base import Kind, Seen
from detector.reading.runs import Runs
from detector.records import Blind, Span

DAY = 86_400 * 10**9
EARLIEST = 946_684_800 * 10**9
"""2000-01-01: an older end of a span is a clock that was never set. Younger ones may be backfilled."""
LATEST = 4_102_444_800 * 10**9
"""2100-01-01: the bound where the arrival is unknown."""

_OTHER, _TOOL, _MODEL, _AGENT = Kind.OTHER, Kind.TOOL, Kind.MODEL, Kind.AGENT


class Record:
    """What the spans of one record know of each other."""

    __slots__ = ("_arrived", "_has_results", "_notes", "_seen", "latest", "places", "runs")

    def __init__(self, runs: Runs, seen: list[Seen | None], notes: dict[str, int], arrived: int) -> None:
        self.runs = runs
        self.places: dict[bytes, int] = {}
        """Environments that requests and statements named, by their parent's span id."""
        self._seen = seen
        self._notes = notes
        self._arrived = arrived
        self._has_results: bool | None = None
        self.latest = arrived + DAY if arrived else LATEST
        """A later end of a span is a clock that is wrong."""

    def note(self, reason: str) -> None:
        """Counts something that was kept."""
        self._notes[reason] = self._notes.get(reason, 0) + 1

    def has_results(self) -> bool:
        """Whether a tool's span carries its result, so that a turn's history needn't be asked for any."""
        if self._has_results is None:
            self._has_results = any(
                seen is not None and seen.kind is _TOOL and seen.result is not None for seen in self._seen
            )
        return self._has_results

    def instead_of_end(self, span: Span) -> int:
        """When a span whose end is before `EARLIEST` or after `latest` ended: its arrival stands in."""
        self.note("clock_skewed")
        span.blind |= Blind.CLOCK
        if self._arrived:
            return self._arrived
        return span.start if EARLIEST <= span.start <= LATEST else EARLIEST

    def _above(self, span: Span) -> Seen | None:
        """What the nearest ancestor in the record is that stands for something."""
        # Most parents are in another record.
        if span.parent_id not in self.runs.by_id:
            return None
        for index in self.runs.ancestors(span):
            seen = self._seen[index]
            if seen is not None and seen.kind is not _OTHER:
                return seen
        return None

    def repeats_parent(self, span: Span, own: Seen) -> bool:
        """Whether a tool's span lies in one of the same tool: a framework's and a protocol's span of one call."""
        above = self._above(span)
        if above is None or above.kind is not _TOOL or above.intended:
            return False
        return above.tool == own.tool or (own.call != "" and above.call == own.call)

    def within_call(self, span: Span) -> bool:
        """Whether an agent's span lies in another agent's or a tool's: a part of the run."""
        above = self._above(span)
        return above is not None and (above.kind is _TOOL or above.kind is _AGENT)

    def of_model(self, span: Span) -> bool:
        """Whether an infrastructure span is a model turn's own request."""
        above = self._above(span)
        return above is not None and above.kind is _MODEL
