"""Asks the queries of panels and rules as Grafana would: variables and macros put in, over one stretch of time."""

from __future__ import annotations

import json
import math
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

import psycopg

from tests.integration.watched import Watched

Json = dict[str, Any]


class Frame(NamedTuple):
    """What a query returned: columns, and rows of them. Of Prometheus: `time`, `value` and its labels' `name`."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    labels: Mapping[str, str] = {}

    def holds_data(self) -> bool:
        """Whether there is anything that a panel could show."""
        return any(
            _shown(value)
            for row in self.rows
            for column, value in zip(self.columns, row, strict=True)
            if column != "time"
        )


def _shown(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


class Asking(NamedTuple):
    """Where and for what time is asked. `begin` and `end` in seconds since 1970, `step` in seconds."""

    prometheus: int
    dsn: str
    begin: float
    end: float
    variables: Mapping[str, Sequence[str]]
    step: int = 2
    rate: int = 10

    @classmethod
    def of(cls, watched: Watched) -> Self:
        """The time in which the fleet ran, all workflows, and the run with most to tell."""
        workflows = [name for (name,) in watched.rows("select distinct workflow from detector.run_list")]
        variables = {"workflow": [*workflows, "other"], "run": [watched.run()]}
        return cls(watched.prometheus, watched.dsn, watched.begin, watched.end, variables)

    def exemplars(self, query: str) -> set[str]:
        """The traces of a metric's exemplars."""
        found = self._ask("query_exemplars", query=query, start=self.begin, end=self.end)
        return {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}

    def target(self, target: Json) -> list[Frame]:
        """What a panel's target returns."""
        if "rawSql" in target:
            return [self.sql(target["rawSql"])]
        query = self._promql(target["expr"])
        return self.at_end(query) if target.get("instant") else self.over_time(query)

    def over_time(self, query: str) -> list[Frame]:
        """A range query: a frame a series."""
        found = self._ask("query_range", query=query, start=self.begin, end=self.end, step=self.step)
        return [
            Frame(["time", "value"], [(float(t), float(v)) for t, v in one["values"]], one["metric"]) for one in found
        ]

    def at_end(self, query: str) -> list[Frame]:
        """An instant query: a frame a series."""
        found = self._ask("query", query=query, time=self.end)
        return [
            Frame(["time", "value"], [(float(one["value"][0]), float(one["value"][1]))], one["metric"]) for one in found
        ]

    def sql(self, query: str) -> Frame:
        """A query of the store, as its reader would put it."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute("set role detector_reader")
            cursor = connection.execute(self._macros(query).encode())
            return Frame([column.name for column in cursor.description or ()], cursor.fetchall())

    def _ask(self, what: str, **parameters: object) -> list[Json]:
        address = f"http://127.0.0.1:{self.prometheus}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=30) as answer:
            data = json.load(answer)["data"]
        found: list[Json] = data if isinstance(data, list) else data["result"]
        return found

    def _promql(self, query: str) -> str:
        for name, values in self.variables.items():
            query = query.replace(f"${name}", "|".join(re.escape(value) for value in values))
        return query.replace("$__rate_interval", f"{self.rate}s").replace("$__range", f"{int(self.end - self.begin)}s")

    def _macros(self, query: str) -> str:
        """Grafana's macros of PostgreSQL, as its source has them (pkg/tsdb/grafana-postgresql-datasource/macros.go)."""
        begin, end = (f"'{datetime.fromtimestamp(t, UTC).isoformat()}'" for t in (self.begin, self.end))
        query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN {begin} AND {end}", query)
        query = query.replace("$__timeFrom()", begin).replace("$__timeTo()", end)
        grouped = rf'floor(extract(epoch from \1)/{self.step})*{self.step} AS "time"'
        query = re.sub(r"\$__timeGroupAlias\((\w+), *\$__interval\)", grouped, query)
        for name, values in self.variables.items():
            quoted = ",".join("'" + value.replace("'", "''") + "'" for value in values)
            query = query.replace(f"${{{name}:sqlstring}}", quoted)
        assert "$" not in query, f"a macro or variable that nobody knows: {query}"
        return query
