"""What `detector store` shows of itself: metrics, read off the keeper when asked, and probes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from detector.observe.health import STALLED_SECONDS

if TYPE_CHECKING:
    from detector.observe.store.service import Keeper

RECORDS = ("stored", "repeated", "unreadable", "refused", "out_of_range", "not_storable")
FAULTS = ("kafka_faults", "postgres_faults")


class Status(Collector):
    """Metrics and probes of one keeper."""

    def __init__(self, keeper: Keeper) -> None:
        self._of = keeper
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Every metric as it is now."""
        of, name = self._of, "detector_store_"
        yield GaugeMetricFamily(name + "ready", "1 while records are read and written", float(not self.ready()))
        records = CounterMetricFamily(
            name + "records", "Records read, by what became of them: stored, repeated, or set aside", labels=["outcome"]
        )
        faults = CounterMetricFamily(name + "faults", "Times that Kafka or PostgreSQL failed it", labels=["reason"])
        for family, labels in ((records, RECORDS), (faults, FAULTS)):
            for label in labels:
                family.add_metric([label], of.counts[label])
            yield family
        budgets = GaugeMetricFamily(
            "detector_false_pause_budget_used_ratio",
            "Evidence that more honest runs are paused than was promised, over that at which it is certain",
            labels=["workflow"],
        )
        for workflow, used in of.budgets.items():
            budgets.add_metric([workflow], used)
        yield budgets
        yield CounterMetricFamily(name + "runs_forgotten", "Runs deleted for their age", of.counts["forgotten"])
        yield GaugeMetricFamily(name + "lag_records", "Records written and not yet read", of.behind)

    def alive(self) -> str:
        """Why the process has to be restarted; empty where it lives."""
        still = time.monotonic() - self._of.polled
        if not self.ready() and still > STALLED_SECONDS:
            return f"Kafka and PostgreSQL answer, and no record was asked for in {still:.0f} s"
        return ""

    def ready(self) -> str:
        """Why records are not stored at this moment; empty where they are."""
        if self._of.postgres:
            return "PostgreSQL does not take them"
        if self._of.kafka:
            return "Kafka does not answer"
        return "" if self._of.following.is_set() else "the topics are not followed yet"
