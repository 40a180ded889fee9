"""Whose run a span is, within one request.

Which run an event belongs to, first match wins:

1. the resource's `agent.run.id`, taken as it is;
2. a run or session id on the span (`base.RUN_KEYS`, `base.RUN_PATTERNS`), within the service's identity;
3. the same on an ancestor in the same request;
4. the id that the span's trace shows in this request, where it shows only one;
5. the trace id, within the service's identity.

A conformant tool span and every HTTP, database or process span carry no run id, so where they come
in another request than the spans that do, 5 holds and their events go to the trace's run. So
wherever a request shows by 1 to 4 that a trace belongs to a run, it also gives an alias: the trace's
run is a part of that one (`detector.runs.adoption` says what comes of it).

A run is a sub-agent's where the resource's `agent.run.parent` says so (`detector run` below `detector
run`), or where its spans lie below those of another one, in the same request and trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from detector.reading import services
from detector.reading.names import clean
from detector.reading.shapes import Shape
from detector.records import Below, Blind, RunEvents, Span

MAX_ANCESTORS = 64
MAX_PATTERN_CHARS = 512
"""Longer values hold no run's id."""


class Runs:
    """The runs of one request's spans."""

    def __init__(
        self, spans: list[Span], attributes: Sequence[Mapping[str, Any]], shapes: list[Shape], notes: dict[str, int]
    ) -> None:
        self._spans = spans
        self._attributes = attributes
        self._shapes = shapes
        self.by_id: dict[bytes, int] = {}
        """Place of a span in the request, by its id."""
        self._batches: dict[str, RunEvents] = {}
        self._traced: set[str] = set()
        """Runs that go by their trace."""
        self._above: dict[str, str] = {}
        """Of runs that are sub-agents': the topmost run above them that is known here."""
        self._own = self._own_runs(notes)
        self._keys = self._own if all(self._own) else self._inherited(self._own)
        self.aliases = self._find_aliases(notes)
        """Runs that go by a trace, and the runs that the trace belongs to."""

    def _own_runs(self, notes: dict[str, int]) -> list[str]:
        """Runs by what each span and its resource say; empty where they say nothing. Notes ids that are wrong."""
        by_id, runs = self.by_id, list[str]()
        resource, service, last, last_run = None, None, None, ""
        for index, span in enumerate(self._spans):
            own = span.span_id
            by_id[own] = index
            if span.parent_id == own:
                span.parent_id = b""
                span.blind |= Blind.IDS
                notes["own_parent"] = notes.get("own_parent", 0) + 1
            elif span.blind:
                notes["ids_missing"] = notes.get("ids_missing", 0) + 1
            if service is None or span.resource is not resource:
                resource, last = span.resource, None
                service = services.of(resource)
                if service.above:
                    self._above[service.run] = service.above
            run = service.run
            if not run:
                for key in self._shapes[index].run_keys:
                    value = self._attributes[index][key]
                    if value != "":
                        text = value if isinstance(value, str) else str(value)
                        # Most spans of a record are of one run.
                        if text != last:
                            last, last_run = text, clean(service.prefix + text)
                        run = last_run
                        break
                else:
                    run = self._within_a_name(index, service.prefix)
            runs.append(run)
        return runs

    def _within_a_name(self, index: int, prefix: str) -> str:
        """The run whose id stands within a value of the span; empty where none does."""
        for key, pattern in self._shapes[index].run_patterns:
            value = self._attributes[index][key]
            if isinstance(value, str) and len(value) <= MAX_PATTERN_CHARS and (found := pattern.search(value)):
                return clean(prefix + found[1])
        return ""

    def _inherited(self, own: list[str]) -> list[str]:
        """Runs by ancestor, by what the trace shows, by trace."""
        shown = self._shown(own)
        keys = list(own)
        for index, run in enumerate(own):
            if not run:
                span = self._spans[index]
                if span.parent_id in self.by_id:
                    run = next((own[above] for above in self.ancestors(span) if own[above]), "")  # noqa: PLW2901
                key = run or shown.get(span.trace_id)
                if not key:
                    key = services.of(span.resource).prefix + span.trace_id.hex()
                    self._traced.add(key)
                keys[index] = key
        return keys

    def _find_aliases(self, notes: dict[str, int]) -> dict[str, str]:
        found: dict[str, str] = {}
        rivals: dict[str, set[str]] = {}
        trace, run, resource = b"", "", None
        for span, key in zip(self._spans, self._keys, strict=True):
            if key == run and span.trace_id == trace and span.resource is resource:
                continue
            trace, run, resource = span.trace_id, key, span.resource
            own = services.of(resource).prefix + trace.hex()
            if key != own and found.setdefault(own, key) != key:
                rivals.setdefault(own, {found[own]}).add(key)
        if rivals:
            self._find_above()
            for own, several in rivals.items():
                # A trace of several runs is the topmost one's; where there is none such, nobody's.
                top = [run for run in several if run not in self._above and run != own]
                if len(top) == 1:
                    found[own] = top[0]
                else:
                    del found[own]
                    notes["alias_ambiguous"] = notes.get("alias_ambiguous", 0) + 1
        return found

    def _find_above(self) -> None:
        for span, run in zip(self._spans, self._own, strict=True):
            if run and run not in self._above and span.parent_id in self.by_id:
                others = [self._own[at] for at in self.ancestors(span) if self._own[at] not in {"", run}]
                if others:
                    self._above[run] = others[-1]

    def _shown(self, own: list[str]) -> dict[bytes, str]:
        """The one run that a trace shows in this request; empty where it shows several."""
        shown: dict[bytes, str] = {}
        for span, run in zip(self._spans, own, strict=True):
            if run and shown.setdefault(span.trace_id, run) != run:
                shown[span.trace_id] = ""
        return shown

    def ancestors(self, span: Span) -> Iterator[int]:
        """Places of the span's ancestors in this request, nearest first. Ends in a circle, too."""
        for _ in range(MAX_ANCESTORS):
            above = self.by_id.get(span.parent_id) if span.parent_id else None
            if above is None or self._spans[above] is span or self._spans[above].trace_id != span.trace_id:
                return
            yield above
            span = self._spans[above]

    def environment_of(self, index: int) -> int:
        """The environment that the span's resource names."""
        return services.of(self._spans[index].resource).environment

    def batch_of(self, index: int, *, of_agent: bool) -> RunEvents:
        """The record of the run log that the span's events go to.

        Only a span of an agent's own says whose run it is and where its process lives: those of the
        services that it calls share its trace, and a command must not find them.
        """
        key = self._keys[index]
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = RunEvents(key, [], traced=key in self._traced)
        if not of_agent:
            return batch
        if not batch.service:
            service = services.of(self._spans[index].resource)
            batch.service, batch.where = service.name, service.where
            batch.workflow_rank, batch.workflow = service.workflow
        named = self._shapes[index].workflow_keys
        if named and batch.workflow_rank > 1:
            self._name_workflow(batch, named, self._attributes[index])
        return batch

    def _name_workflow(
        self, batch: RunEvents, named: tuple[tuple[str, int], ...], attributes: Mapping[str, Any]
    ) -> None:
        """Takes the span's name of its workflow where it ranks above what the run has."""
        for key, rank in named:
            if rank >= batch.workflow_rank:
                return
            value = attributes[key]
            if isinstance(value, str) and value:
                batch.workflow, batch.workflow_rank = clean(value, 120), rank
                return

    def batches(self, arrived: int) -> list[RunEvents]:
        """The runs that have events, each with its events in the order of their end."""
        for run in self._above:
            self._batches.setdefault(run, RunEvents(run, []))
        found = []
        for batch in self._batches.values():
            above = self._above.get(batch.run) if self._above else None
            if not (batch.events or above):
                continue
            batch.arrived = arrived
            batch.events.sort(key=_end)
            if above:
                batch.events.insert(0, Below(batch.events[0].at if batch.events else arrived, above))
            found.append(batch)
        return found


_end = attrgetter("at")
