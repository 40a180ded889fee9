"""Whose run a span is, within one request, and what is known of the process and the workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from detector.dialects.base import RUN_KEYS
from detector.records import Blind, Environment, Event, Resource, RunEvents, Span

MAX_RUN_CHARS = 200
MAX_ANCESTORS = 64
MAX_SERVICES = 1024
"""Resources that are remembered as read."""

WHERE = (
    "host.name",
    "host.id",
    "process.pid",
    "container.id",
    "k8s.namespace.name",
    "k8s.pod.name",
    "k8s.pod.uid",
    "service.instance.id",
)
"""Resource attributes by which an enforcer finds the process."""

RESOURCE_WORKFLOW = "agent.workflow"
WORKFLOW_KEYS = (
    ("gen_ai.workflow.name", 1),
    ("traceloop.workflow.name", 2),
    ("gen_ai.agent.name", 3),
    ("agent.name", 3),
)
"""Span attributes that name a workflow, with their rank; the resource's own key has 0."""
SERVICE_RANK = 4

KEYS = frozenset(RUN_KEYS) | {key for key, _ in WORKFLOW_KEYS}
"""Span attributes that are read here."""

_ENVIRONMENTS = {
    **dict.fromkeys("prod production prd live".split(), Environment.PRODUCTION),
    **dict.fromkeys("staging stage stg".split(), Environment.STAGING),
    **dict.fromkeys("preview review".split(), Environment.PREVIEW),
    **dict.fromkeys("test testing ci sandbox qa uat".split(), Environment.TEST),
    **dict.fromkeys("dev development local localhost".split(), Environment.LOCAL),
}
_NOT_A_TOOL_NAME = re.compile(r"[^A-Za-z0-9_.:/-]+")


def clean(text: str, most: int = MAX_RUN_CHARS) -> str:
    """The text in at most `most` printable characters; what had to change ends in a hash of the whole."""
    if len(text) <= most and text.isprintable():
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    kept = "".join(c if c.isprintable() else "_" for c in text[: most - 17])
    return f"{kept}~{digest}"


@lru_cache(maxsize=8192)
def tool_name(name: str) -> str:
    """A tool's name as actions carry it: at most 64 characters of [A-Za-z0-9_.:/-]."""
    return _NOT_A_TOOL_NAME.sub("_", name[:256])[:64]


class _Service:
    """What one resource says."""

    __slots__ = ("environment", "name", "prefix", "run", "where", "workflow")

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        def text(key: str) -> str:
            value = attributes.get(key)
            return "" if value is None else str(value)

        name = text("service.name") or "unknown_service"
        namespace = text("service.namespace")
        self.name = clean(f"{namespace}/{name}" if namespace else name, 120)
        self.prefix = self.name + "/"
        self.run = clean(text("agent.run.id"))
        self.where = {key: clean(value, 256) for key in WHERE if (value := text(key))}
        workflow = text(RESOURCE_WORKFLOW)
        self.workflow = (0, clean(workflow, 120)) if workflow else (SERVICE_RANK, clean(name, 120))
        environment = text("deployment.environment.name") or text("deployment.environment")
        self.environment = int(_ENVIRONMENTS.get(environment.lower(), 0))


_services: dict[int, tuple[Resource, _Service]] = {}


def _service(resource: Resource) -> _Service:
    # By identity: the decoder gives equal resources as one object, and an entry keeps its object alive.
    known = _services.get(id(resource))
    if known is None:
        if len(_services) >= MAX_SERVICES:
            _services.clear()
        known = _services[id(resource)] = (resource, _Service(resource.attributes))
    return known[1]


class Runs:
    """The runs of one request's spans."""

    def __init__(self, spans: list[Span], attributes: Sequence[Mapping[str, Any]], notes: dict[str, int]) -> None:
        self._spans = spans
        self._attributes = attributes
        self._own: dict[tuple[int, Any], str] = {}
        self.by_id: dict[bytes, int] = {}
        """Place of a span in the request, by its id."""
        self._batches: dict[str, RunEvents] = {}
        by_id, own = self.by_id, []
        for index, span in enumerate(spans):
            if span.parent_id == span.span_id:
                span.parent_id = b""
                span.blind |= Blind.IDS
                notes["own_parent"] = notes.get("own_parent", 0) + 1
            elif span.blind:
                notes["ids_missing"] = notes.get("ids_missing", 0) + 1
            by_id[span.span_id] = index
            own.append(self._own_run(span, attributes[index]))
        self._keys = own if all(own) else self._inherited(own)

    def _own_run(self, span: Span, attributes: Mapping[str, Any]) -> str:
        service = _service(span.resource)
        if service.run:
            return service.run
        for key in RUN_KEYS:
            value = attributes.get(key)
            if value is not None and value != "":
                known = (id(service), value) if isinstance(value, str) else (id(service), str(value))
                run = self._own.get(known)
                if run is None:
                    run = self._own[known] = clean(f"{service.prefix}{value}")
                return run
        return ""

    def _inherited(self, own: list[str]) -> list[str]:
        """Runs by ancestor, by what the trace shows, by trace."""
        shown = self._shown(own)
        keys = list(own)
        for index, run in enumerate(own):
            if not run:
                span = self._spans[index]
                above = next((own[above] for above in self.ancestors(index) if own[above]), "")
                keys[index] = above or shown.get(span.trace_id) or _service(span.resource).prefix + span.trace_id.hex()
        return keys

    def _shown(self, own: list[str]) -> dict[bytes, str]:
        """The one run that a trace shows in this request; empty where it shows several."""
        shown: dict[bytes, str] = {}
        for span, run in zip(self._spans, own, strict=True):
            if run and shown.setdefault(span.trace_id, run) != run:
                shown[span.trace_id] = ""
        return shown

    def ancestors(self, index: int) -> Iterator[int]:
        """Places of the span's ancestors in this request, nearest first. Ends in a circle, too."""
        span = self._spans[index]
        for _ in range(MAX_ANCESTORS):
            above = self.by_id.get(span.parent_id) if span.parent_id else None
            if above is None or above == index:
                return
            parent = self._spans[above]
            if parent.trace_id != span.trace_id:
                return
            yield above
            span = parent

    def environment_of(self, index: int) -> int:
        """The environment that the span's resource names."""
        return _service(self._spans[index].resource).environment

    def batch_of(self, index: int) -> RunEvents:
        """The record of the run log that the span's events go to."""
        key = self._keys[index]
        batch = self._batches.get(key)
        if batch is None:
            service = _service(self._spans[index].resource)
            rank, workflow = service.workflow
            batch = self._batches[key] = RunEvents(key, [], 0, service.name, workflow, rank, service.where)
        if batch.workflow_rank > 1:
            self._name_workflow(batch, self._attributes[index])
        return batch

    def _name_workflow(self, batch: RunEvents, attributes: Mapping[str, Any]) -> None:
        """Takes the span's name of its workflow where it ranks above what the run has."""
        for key, rank in WORKFLOW_KEYS:
            if rank >= batch.workflow_rank:
                return
            value = attributes.get(key)
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


def _end(event: Event) -> int:
    return event.at
