"""The worker's metrics, each declared once: name, help with its unit, labels, buckets.

A metric is an attribute of `Metrics`: `metrics.rejects.labels(stage="decode", reason="truncated").inc()`.
Cardinality is low by construction: a metric with labels holds at most `limit` combinations;
what comes after them is counted under "other". Names follow the Prometheus conventions
(base units, `_total` on counters).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar, overload

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

NAMESPACE = "detector"
OTHER = "other"

Kind = TypeVar("Kind", bound=MetricWrapperBase)
Made = TypeVar("Made")


class Family(Generic[Kind]):
    """A metric with labels. Children are kept, so that `labels` is one look-up in the hot path."""

    def __init__(self, metric: Kind, names: Sequence[str], limit: int) -> None:
        self.metric = metric
        self.names = tuple(names)
        self.limit = limit
        self._children: dict[tuple[object, ...], Kind] = {}

    def labels(self, *values: object, **named: object) -> Kind:
        """The child for these label values, in order or by name; the one of "other" beyond the limit.

        Raises KeyError or ValueError where names or number of the labels differ from the declaration.
        """
        key = values or tuple([named[name] for name in self.names])
        child = self._children.get(key)
        return self._add(key) if child is None else child

    def _add(self, key: tuple[object, ...]) -> Kind:
        if len(self._children) >= self.limit:
            key = (OTHER,) * len(self.names)
        child = self._children[key] = self.metric.labels(*key)
        return child

    def remove(self, *values: object) -> None:
        """Forgets the child of these values, e.g. of a partition that went to another worker."""
        if self._children.pop(values, None) is not None:
            self.metric.remove(*values)


class Declared(Generic[Made]):
    """A declaration in the body of `Metrics`; each `Metrics` makes its own metric of it."""

    def __init__(self, kind: type[Any], name: str, text: str, labels: tuple[str, ...] = (), **options: Any) -> None:
        self.kind, self.name, self.text, self.labels = kind, name, text, labels
        self.limit = options.pop("limit", 200)
        self.options = options

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Made: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        # An instance keeps what was made of the declaration under the same name, and Python looks there first.
        return self

    def make(self, registry: CollectorRegistry) -> Any:
        """The metric itself, registered. Raises ValueError where its name is taken."""
        metric = self.kind(self.name, self.text, self.labels, namespace=NAMESPACE, registry=registry, **self.options)
        return Family(metric, self.labels, self.limit) if self.labels else metric


def _ms(*values: float) -> tuple[float, ...]:
    return tuple(value / 1000 for value in values)


_LATENCY = _ms(1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)


class Metrics:
    """All metrics of one worker, on the registry that is passed in.

    Raises ValueError where the registry holds one of the names already.
    """

    up = Declared[Gauge](Gauge, "up", "1 while the worker process runs")
    ready = Declared[Gauge](Gauge, "ready", "1 when partitions are assigned and their state is recovered")
    model_info = Declared[Family[Gauge]](Gauge, "model_info", "1 for the model in use", ("version",), limit=20)

    records = Declared[Family[Counter]](Counter, "records", "Kafka records read", ("topic",))
    spans = Declared[Family[Counter]](Counter, "spans", "Spans decoded, by the dialect that read them", ("dialect",))
    events = Declared[Family[Counter]](Counter, "events", "Events applied to runs", ("kind",))
    duplicates = Declared[Counter](Counter, "duplicates", "Events that had been applied already and changed nothing")
    rejects = Declared[Family[Counter]](Counter, "rejects", "Input set aside, by stage", ("stage", "reason"))
    notes = Declared[Family[Counter]](Counter, "notes", "Input used in spite of a fault, by fault", ("reason",))
    lag = Declared[Family[Gauge]](
        Gauge, "lag_records", "Records written to a partition and not yet read", ("topic", "partition"), limit=20_000
    )
    lag_seconds = Declared[Family[Gauge]](
        Gauge,
        "lag_seconds",
        "Age of the newest record read of a partition that has more; 0 where all is read",
        ("topic", "partition"),
        limit=20_000,
    )

    live_runs = Declared[Gauge](Gauge, "live_runs", "Runs that this worker holds")
    runs_started = Declared[Family[Counter]](
        Counter, "runs_started", "Runs seen for the first time", ("workflow",), limit=100
    )
    runs_finished = Declared[Family[Counter]](Counter, "runs_finished", "Runs summarised and let go", ("outcome",))
    evictions = Declared[Counter](Counter, "evictions", "Quiet runs finished early because the worker held too many")
    state_bytes = Declared[Histogram](
        Histogram,
        "state_bytes",
        "Size of one run's stored state in bytes",
        buckets=(256, 512, 1024, 2048, 3072, 4096, 6144, 8192, 16_384),
    )

    scores = Declared[Histogram](
        Histogram,
        "score",
        "Anomaly score after an event, 0 to 1, higher is more abnormal",
        buckets=(0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9),
    )
    verdicts = Declared[Family[Counter]](Counter, "verdicts", "Changes of verdict", ("level", "cause_kind"))
    commands = Declared[Family[Counter]](Counter, "commands", "Commands sent, by the state they ask for", ("desired",))
    acks = Declared[Family[Counter]](Counter, "acks", "Answers of enforcers", ("outcome",))
    unacknowledged = Declared[Gauge](
        Gauge, "unacknowledged_commands", "Runs that must not be running, and no enforcer says that they aren't"
    )
    unacknowledged_age = Declared[Gauge](
        Gauge, "unacknowledged_seconds", "For how long that is known of the one that waits longest"
    )
    span_end_to_verdict = Declared[Histogram](
        Histogram, "span_end_to_verdict_seconds", "From the end of the deciding span to its verdict", buckets=_LATENCY
    )
    arrival_to_command = Declared[Histogram](
        Histogram, "arrival_to_command_seconds", "From a request's arrival in Kafka to the command", buckets=_LATENCY
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        for name, declared in declarations().items():
            setattr(self, name, declared.make(registry))
        self.up.set(1)


def declarations() -> dict[str, Declared[Any]]:
    """Every declaration by its attribute's name, in order."""
    return {name: value for name, value in vars(Metrics).items() if isinstance(value, Declared)}
