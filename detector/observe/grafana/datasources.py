"""The two data sources that dashboards and rules ask: Prometheus, and the PostgreSQL of `detector store`.

They have uids of their own beside whatever data sources a Grafana has, and neither becomes its default.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from detector.config import Settings
from detector.observe.grafana.content import POSTGRES, PROMETHEUS, Json


def datasources(settings: Settings) -> list[Json]:
    """AddDataSourceCommand each, from `grafana_prometheus_url` and `grafana_store_dsn`."""
    return [_prometheus(settings), _postgres(settings.grafana_store_dsn.get_secret_value())]


def assumed(settings: Settings) -> frozenset[str]:
    """The uids of those whose setting isn't set."""
    named = {"grafana_prometheus_url": PROMETHEUS, "grafana_store_dsn": POSTGRES}
    return frozenset(uid for setting, uid in named.items() if setting not in settings.model_fields_set)


def _prometheus(settings: Settings) -> Json:
    traces = settings.trace_url.replace("{trace}", "${__value.raw}")
    link = [{"name": "trace_id", "url": traces, "urlDisplayLabel": "The trace"}] if traces else []
    return {
        "uid": PROMETHEUS,
        "name": "Agent runs: metrics",
        "type": "prometheus",
        "access": "proxy",
        "url": settings.grafana_prometheus_url,
        "isDefault": False,
        "jsonData": {
            "timeInterval": "5s",
            "httpMethod": "POST",
            **({"exemplarTraceIdDestinations": link} if link else {}),
        },
    }


def _postgres(dsn: str) -> Json:
    parts = urlsplit(dsn)
    made: Json = {
        "uid": POSTGRES,
        "name": "Agent runs: store",
        "type": "grafana-postgresql-datasource",
        "access": "proxy",
        "url": f"{parts.hostname}:{parts.port or 5432}",
        "user": unquote(parts.username or ""),
        "isDefault": False,
        "jsonData": {
            "database": unquote(parts.path.lstrip("/")),
            "sslmode": parse_qs(parts.query).get("sslmode", ["require"])[0],
            "postgresVersion": 1500,
        },
    }
    return {**made, "secureJsonData": {"password": unquote(parts.password)}} if parts.password else made
