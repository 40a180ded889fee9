"""The worker's metrics, each declared once: name, help with its unit, labels, buckets.

A metric is an attribute of `Metrics`: `metrics.rejects.labels(stage="decode", reason="truncated").inc()`.
Cardinality is low by construction. Of what others name (CAPPED) the first values get a series of
their own, the same ones in every metric, and all later ones share "other"; a metric holds at most
`limit` combinations besides. No label holds a run: the ids of a trace ride on exemplars, which
Prometheus fetches as OpenMetrics. Names follow the Prometheus conventions (base units, `_total`
on counters).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar, overload

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

NAMESPACE = "detector"
OTHER = "other"
CAPPED = {"workflow": 100, "service": 100}
"""Labels whose values agents choose, and how many of them are told apart."""

Kind = TypeVar("Kind", bound=MetricWrapperBase)
Made = TypeVar("Made")


class Family(Generic[Kind]):
    """A metric with labels. Children are kept, so that `labels` is one look-up in the hot path."""

    def __init__(self, metric: Kind, names: Sequence[str], limit: int, known: dict[str, set[object]]) -> None:
        self.metric = metric
        self.names = tuple(names)
        self.limit = limit
        self._known = known
        self._children: dict[tuple[object, ...], Kind] = {}

    def labels(self, *values: object, **named: object) -> Kind:
        """The child for these label values, in order or by name; the one of "other" beyond the limit.

        Raises KeyError or ValueError where names or number of the labels differ from the declaration.
        """
        key = values or tuple([named[name] for name in self.names])
        child = self._children.get(key)
        return self._add(key) if child is None else child

    def _add(self, key: tuple[object, ...]) -> Kind:
        key = tuple([self._own(name, value) for name, value in zip(self.names, key, strict=True)])
        if len(self._children) >= self.limit:
            key = (OTHER,) * len(self.names)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self.metric.labels(*key)
        return child

    def _own(self, name: str, value: object) -> object:
        """The label's value, or OTHER where it came too late to be told apart."""
        if name not in CAPPED or value == OTHER:
            return value
        known = self._known.setdefault(name, set())
        if value not in known and len(known) >= CAPPED[name]:
            return OTHER
        known.add(value)
        return value

    def zero(self) -> None:
        """Every child of a gauge starts again from 0."""
        for child in self._children.values():
            child.set(0)  # type: ignore[attr-defined]

    def remove(self, *values: object) -> None:
        """Forgets the child of these values, e.g. of a partition that went to another worker."""
        if self._children.pop(values, None) is not None:
            self.metric.remove(*values)


class Declared(Generic[Made]):
    """A declaration in the body of `Metrics`; each `Metrics` makes its own metric of it."""

    def __init__(self, kind: type[Any], name: str, text: str, labels: tuple[str, ...] = (), **options: Any) -> None:
        self.kind, self.name, self.text, self.labels = kind, name, text, labels
        # Capped labels limit themselves; beside them stand a few values of our own.
        self.limit = options.pop("limit", 20_000 if CAPPED.keys() & set(labels) else 200)
        self.options = options

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Made: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        # An instance keeps what was made of the declaration under the same name, and Python looks there first.
        return self

    def make(self, registry: CollectorRegistry, known: dict[str, set[object]]) -> Any:
        """The metric, registered; `known`: values of CAPPED labels. Raises ValueError where its name is taken."""
        metric = self.kind(self.name, self.text, self.labels, namespace=NAMESPACE, registry=registry, **self.options)
        return Family(metric, self.labels, self.limit, known) if self.labels else metric


def _ms(*values: float) -> tuple[float, ...]:
    return tuple(value / 1000 for value in values)


_LATENCY = _ms(1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
_CONTAINED = _ms(10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 120_000, 600_000)


def exemplar(trace: str) -> dict[str, str] | None:
    """The labels of an exemplar that leads to a trace; None where there is none."""
    return {"trace_id": trace} if trace else None


class Metrics:
    """All metrics of one worker, on the registry that is passed in.

    Raises ValueError where the registry holds one of the names already.
    """

    up = Declared[Gauge](Gauge, "up", "1 while the worker process runs")
    ready = Declared[Gauge](Gauge, "ready", "1 when partitions are assigned and their state is recovered")
    model_info = Declared[Family[Gauge]](Gauge, "model_info", "1 for the model in use", ("version",), limit=20)
    model_written = Declared[Gauge](
        Gauge, "model_written_timestamp_seconds", "When the file of the model in use was written, seconds since 1970"
    )
    alert_threshold = Declared[Family[Gauge]](
        Gauge, "alert_threshold", "Score above which the model alerts; other: where it knows no workflow", ("workflow",)
    )
    expected_unusual = Declared[Gauge](
        Gauge, "expected_unusual_ratio", "Share of honest runs that the model's calibration lets above that threshold"
    )

    records = Declared[Family[Counter]](Counter, "records", "Kafka records read", ("topic",))
    spans = Declared[Family[Counter]](Counter, "spans", "Spans decoded, by the dialect that read them", ("dialect",))
    newest_spans = Declared[Gauge](
        Gauge,
        "newest_spans_timestamp_seconds",
        "When the newest spans that were read came to Kafka, or the worker began: seconds since 1970",
    )
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

    calls = Declared[Family[Counter]](Counter, "calls", "Looks at calls of agents that were judged", ("service",))
    blind = Declared[Family[Counter]](
        Counter, "blind", "Calls and turns of which something could not be seen, by what", ("service", "kind")
    )

    live_runs = Declared[Gauge](
        Gauge, "live_runs", "Runs that this worker holds, with the aliases that it keeps of them"
    )
    runs = Declared[Family[Gauge]](
        Gauge,
        "runs",
        "Runs that this worker holds: running, paused or killed; ended: summarised and remembered; unjudged: only "
        "services' spans so far",
        ("workflow", "state"),
    )
    runs_started = Declared[Family[Counter]](Counter, "runs_started", "Runs seen for the first time", ("workflow",))
    runs_finished = Declared[Family[Counter]](
        Counter, "runs_finished", "Summaries written of runs, by how they ended", ("workflow", "outcome")
    )
    runs_unusual = Declared[Family[Counter]](
        Counter, "runs_unusual", "Of these runs, those whose peak was above the alert threshold", ("workflow",)
    )
    evictions = Declared[Counter](Counter, "evictions", "Quiet runs finished early because the worker held too many")
    state_bytes = Declared[Histogram](
        Histogram,
        "state_bytes",
        "Size of one run's stored state in bytes",
        buckets=(256, 512, 1024, 2048, 3072, 4096, 6144, 8192, 16_384),
    )

    scores = Declared[Family[Histogram]](
        Histogram,
        "score",
        "Anomaly score of a run after a record, 0 to 1, higher is more abnormal",
        ("workflow",),
        buckets=(0.26, 0.28, 0.29, 0.3, 0.31, 0.32, 0.33, 0.34, 0.36, 0.38, 0.42, 0.5, 0.6),
    )
    behaviours = Declared[Family[Counter]](
        Counter, "behaviours", "Signals of behaviour that calls moved, by their family", ("family",)
    )
    verdicts = Declared[Family[Counter]](Counter, "verdicts", "Changes of verdict", ("workflow", "level", "cause_kind"))
    commands = Declared[Family[Counter]](
        Counter, "commands", "Commands sent, by the state they ask for", ("workflow", "desired")
    )
    acks = Declared[Family[Counter]](Counter, "acks", "Answers of enforcers", ("outcome",))
    leaks = Declared[Family[Counter]](
        Counter, "leaks", "Runs that acted after an enforcer had said that they were stopped", ("workflow",)
    )
    contain = Declared[Histogram](
        Histogram,
        "contain_seconds",
        "From the command that stops a run to an enforcer's word that it is done",
        buckets=_CONTAINED,
    )
    unacknowledged = Declared[Gauge](
        Gauge, "unacknowledged_commands", "Runs that must not be running, and no enforcer says that they aren't"
    )
    unacknowledged_age = Declared[Gauge](
        Gauge, "unacknowledged_seconds", "For how long that is known of the one that waits longest"
    )
    brake_pulled = Declared[Gauge](
        Gauge,
        "brake_pulled",
        "1 while the model has stopped as many runs of a partition as the brake lets it, and only alerts on more",
    )
    braked = Declared[Family[Counter]](
        Counter, "braked", "Pauses of the model that the brake made alerts of", ("workflow",)
    )
    span_end_to_verdict = Declared[Histogram](
        Histogram, "span_end_to_verdict_seconds", "From the end of the deciding span to its verdict", buckets=_LATENCY
    )
    arrival_to_command = Declared[Histogram](
        Histogram, "arrival_to_command_seconds", "From a request's arrival in Kafka to the command", buckets=_LATENCY
    )

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        known: dict[str, set[object]] = {}
        for name, declared in declarations().items():
            setattr(self, name, declared.make(registry, known))
        self.up.set(1)
        self.newest_spans.set_to_current_time()


def declarations() -> dict[str, Declared[Any]]:
    """Every declaration by its attribute's name, in order."""
    return {name: value for name, value in vars(Metrics).items() if isinstance(value, Declared)}
