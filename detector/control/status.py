"""What `detector enforce` shows of itself: metrics, read off the enforcement when asked, and probes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from detector.control.enforcers.base import Result
from detector.observe.health import STALLED_SECONDS

if TYPE_CHECKING:
    from detector.control.enforce import Enforcement

ANSWERS = tuple(result.value for result in Result)
FAULTS = ("kafka_faults", "unreadable", "refused", "too_old", "acks_lost")


class Status(Collector):
    """Metrics and probes of one enforcement."""

    def __init__(self, enforcement: Enforcement) -> None:
        self._of = enforcement
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Every metric as it is now."""
        of, name = self._of, "detector_enforcer_"
        yield GaugeMetricFamily(name + "ready", "1 while commands are read and carried out", float(not self.ready()))
        answers = CounterMetricFamily(name + "answers", "Commands answered, by outcome", labels=["outcome"])
        faults = CounterMetricFamily(
            name + "faults", "Kafka away, commands that were not obeyed, acks that were lost", labels=["reason"]
        )
        for family, labels in ((answers, ANSWERS), (faults, FAULTS)):
            for label in labels:
                family.add_metric([label], of.counts[label])
            yield family
        yield GaugeMetricFamily(name + "acks_waiting", "Acks that Kafka has not confirmed", len(of.acks))
        yield GaugeMetricFamily(name + "under_way", "Commands that are being carried out", of.under_way)
        yield GaugeMetricFamily(name + "lag_records", "Commands written and not yet read", of.behind)

    def alive(self) -> str:
        """Why the process has to be restarted; empty where it lives."""
        still = time.monotonic() - self._of.polled
        if not self.ready() and still > STALLED_SECONDS:
            return f"Kafka answers, and no command was asked for in {still:.0f} s"
        return ""

    def ready(self) -> str:
        """Why commands are not carried out at this moment; empty where they are."""
        if self._of.outage:
            return "Kafka does not answer"
        return "" if self._of.ready.is_set() else "commands that stand in Kafka are not all read yet"
