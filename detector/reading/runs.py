"""Whose run a span is, within one request.

Which run an event belongs to, first match wins:

1. the resource's `agent.run.id`, taken as it is;
2. a run or session id on the span (`base.RUN_KEYS`), within the service's identity;
3. the same on an ancestor in the same request;
4. the id that the span's trace shows in this request, where it shows only one;
5. the trace id, within the service's identity.

A conformant tool span and every HTTP, database or process span carry no run id, so where they come
in another request than the spans that do, 5 holds and their events go to the trace's run. Handing
those over to the run that the trace belongs to (adoption) is left to the run log, which has room
for it; `agent.run.id` in the resource needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from detector.reading import services
from detector.reading.names import clean
from detector.reading.shapes import Shape
from detector.records import Blind, RunEvents, Span

MAX_ANCESTORS = 64


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
        own_runs = self._own_runs(notes)
        self._keys = own_runs if all(own_runs) else self._inherited(own_runs)

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
            runs.append(run)
        return runs

    def _inherited(self, own: list[str]) -> list[str]:
        """Runs by ancestor, by what the trace shows, by trace."""
        shown = self._shown(own)
        keys = list(own)
        for index, run in enumerate(own):
            if not run:
                span = self._spans[index]
                if span.parent_id in self.by_id:
                    run = next((own[above] for above in self.ancestors(span) if own[above]), "")  # noqa: PLW2901
                keys[index] = run or shown.get(span.trace_id) or services.of(span.resource).prefix + span.trace_id.hex()
        return keys

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
            batch = self._batches[key] = RunEvents(key, [])
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
        found = [batch for batch in self._batches.values() if batch.events]
        for batch in found:
            batch.arrived = arrived
            batch.events.sort(key=_end)
        return found


_end = attrgetter("at")
