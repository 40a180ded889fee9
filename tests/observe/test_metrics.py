"""Metrics: declared once, low cardinality, cheap."""

from __future__ import annotations

import re

import pytest
from prometheus_client import CollectorRegistry

from detector.observe.metrics import Family, Metrics, declarations


@pytest.fixture
def metrics() -> Metrics:
    """Fresh metrics on a registry of their own."""
    return Metrics(CollectorRegistry())


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """The sample as Prometheus would scrape it."""
    return metrics.registry.get_sample_value(name, labels)


def test_labels_by_name_and_by_position_are_the_same_child(metrics: Metrics) -> None:
    """A child is found by its values in whatever form they are given."""
    metrics.rejects.labels(stage="decode", reason="truncated").inc()
    metrics.rejects.labels(reason="truncated", stage="decode").inc()
    metrics.rejects.labels("decode", "truncated").inc()
    assert value(metrics, "detector_rejects_total", stage="decode", reason="truncated") == 3


def test_values_beyond_the_limit_are_counted_as_other(metrics: Metrics) -> None:
    """The 101st workflow and all after it share the label value "other"; those before it stay."""
    for n in range(150):
        metrics.runs_started.labels(workflow=f"w{n}").inc()
    metrics.runs_started.labels(workflow="w7").inc()
    assert value(metrics, "detector_runs_started_total", workflow="w7") == 2
    assert value(metrics, "detector_runs_started_total", workflow="other") == 50
    assert value(metrics, "detector_runs_started_total", workflow="w100") is None


def test_a_removed_child_is_no_longer_exported(metrics: Metrics) -> None:
    """The lag of a partition that went to another worker disappears, and removing it again does nothing."""
    metrics.lag.labels("otlp_spans", 3).set(5)
    metrics.lag.remove("otlp_spans", 3)
    metrics.lag.remove("otlp_spans", 3)
    assert value(metrics, "detector_lag_records", topic="otlp_spans", partition="3") is None


def test_an_unknown_label_is_refused(metrics: Metrics) -> None:
    """A label that was not declared is a fault of the caller, not a new series."""
    with pytest.raises(KeyError, match="stage"):
        metrics.rejects.labels(step="decode", reason="truncated")


def test_two_sets_of_metrics_do_not_share_a_registry(metrics: Metrics) -> None:
    """The second set on one registry refuses to start, and a set of its own registry starts at zero."""
    metrics.duplicates.inc()
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Metrics(metrics.registry)
    assert value(Metrics(CollectorRegistry()), "detector_duplicates_total") == 0


@pytest.mark.parametrize("attribute", sorted(declarations()))
def test_every_declaration_is_complete_and_made(metrics: Metrics, attribute: str) -> None:
    """Each metric has a plain name, a sentence of help, and is an attribute under its own name."""
    declared = declarations()[attribute]
    assert re.fullmatch(r"[a-z][a-z0-9_]+", declared.name)
    assert len(declared.text) > 10
    made = getattr(metrics, attribute)
    assert isinstance(made, Family if declared.labels else declared.kind)


def test_histograms_of_time_begin_at_a_millisecond(metrics: Metrics) -> None:
    """Latency buckets resolve a millisecond, which is what a command takes."""
    metrics.arrival_to_command.observe(0.0009)
    assert value(metrics, "detector_arrival_to_command_seconds_bucket", le="0.001") == 1
