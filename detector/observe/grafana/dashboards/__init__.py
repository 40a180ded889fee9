"""The dashboards, one file each."""

from __future__ import annotations

from detector.observe.grafana.content import Json
from detector.observe.grafana.dashboards.fleet import fleet
from detector.observe.grafana.dashboards.health import health
from detector.observe.grafana.dashboards.model import model
from detector.observe.grafana.dashboards.product import product
from detector.observe.grafana.dashboards.run import run


def all_of_them(trace_url: str = "") -> list[Json]:
    """Each dashboard's model, in the order in which people go through them.

    `trace_url`: where a trace is shown, with `{trace}` in place of its id; empty: trace ids lead nowhere.
    """
    return [fleet(trace_url), run(trace_url), product(), health(), model()]
