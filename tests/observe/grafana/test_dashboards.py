"""Dashboards and rules as people meet them: questions as titles, units, descriptions, links, runbooks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from detector.config import load
from detector.observe.grafana import content
from detector.observe.grafana.content import POSTGRES, PROMETHEUS
from detector.observe.grafana.rules import RULES, prometheus_file
from detector.observe.metrics import Metrics

DOCS = Path(__file__).parents[3] / "docs"
WHOLE = content(load(trace_url="https://tempo.example/trace/{trace}"))
PANELS = [
    pytest.param(panel, id=f"{dashboard['title']}: {panel['title']}")
    for dashboard in WHOLE.dashboards
    for panel in dashboard["panels"]
]
QUERIES = [target["expr"] for d in WHOLE.dashboards for p in d["panels"] for target in p["targets"] if "expr" in target]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_and_explains(panel: dict[str, Any]) -> None:
    """Its title is a question, its description whole sentences; it has a unit, a data source and different letters."""
    assert re.fullmatch(r"[A-Z].*\?", panel["title"])
    assert panel["description"][-1] in ".?"
    assert panel["fieldConfig"]["defaults"]["unit"]
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == sorted(set(letters))
    assert {t["datasource"]["uid"] for t in panel["targets"]} == {panel["datasource"]["uid"]}
    assert panel["datasource"]["uid"] in {PROMETHEUS, POSTGRES}


def test_panels_do_not_overlap() -> None:
    """Each stands in the grid of 24 columns, on ground of its own."""
    for dashboard in WHOLE.dashboards:
        taken: set[tuple[int, int]] = set()
        for place in (panel["gridPos"] for panel in dashboard["panels"]):
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken
            assert place["x"] + place["w"] <= 24
            taken |= cells


def test_the_list_of_workflows_is_short_and_cheap() -> None:
    """Agents name workflows: a list has those with the most runs, and reads no view over all that was ever said."""
    lists = [each for board in WHOLE.dashboards for each in board.get("templating", {}).get("list", [])]
    queries = {each["query"] for each in lists if each["name"] == "workflow"}
    assert queries
    for query in queries:
        assert re.findall(r"detector\.\w+", query) == ["detector.runs"]
        assert "limit 200" in query


@pytest.mark.parametrize("panel", PANELS)
def test_runs_and_traces_are_links(panel: dict[str, Any]) -> None:
    """Where rows name a run it leads to its dashboard, and its trace to where traces are shown."""
    if panel["type"] != "table":
        assert "trace_id" not in panel["targets"][0].get("rawSql", "")
        return
    links = {
        override["matcher"]["options"]: value["value"][0]["url"]
        for override in panel["fieldConfig"]["overrides"]
        for value in override["properties"]
        if value["id"] == "links"
    }
    assert links["run"].startswith("/d/agent-detector-run?var-run=${__data.fields.run:percentencode}")
    if "trace_id" in panel["targets"][0]["rawSql"]:
        assert links["trace_id"] == "https://tempo.example/trace/${__value.raw:percentencode}"


def test_every_metric_that_is_asked_for_is_declared() -> None:
    """A query of a panel or a rule names no metric that no process has."""
    registry = Metrics(CollectorRegistry()).registry
    declared = {metric.name for metric in registry.collect()}
    others = {"detector_enforcer_ready", "detector_store_ready", "detector_news_ready", "detector_news"}
    others |= {"detector_false_pause_budget_used_ratio"}
    asked = {name for text in [*QUERIES, *(rule.query for rule in RULES)] for name in re.findall(r"detector_\w+", text)}
    known = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in asked}
    assert known - others <= declared


def test_what_the_worker_counts_is_shown() -> None:
    """Each declared metric but those listed stands in a panel or a rule: what nobody reads is not worth its series."""
    unshown = {"events", "state_bytes"}
    text = " ".join([*QUERIES, *(rule.query for rule in RULES)])
    registry = Metrics(CollectorRegistry()).registry
    missing = {m.name.removeprefix("detector_") for m in registry.collect() if m.name not in text}
    assert missing == unshown


def test_each_rule_has_its_runbook() -> None:
    """A section under the rule's name, and no section without a rule."""
    text = (DOCS / "runbooks.md").read_text(encoding="utf-8")
    assert re.findall(r"^## ([a-z-]+)$", text, re.MULTILINE) == [rule.name for rule in RULES]
    (group,) = WHOLE.rule_groups
    assert [rule["annotations"]["runbook_url"] for rule in group["rules"]] == [
        f"docs/runbooks.md#{r.name}" for r in RULES
    ]


def test_rules_decide_what_silence_means() -> None:
    """Only a dead detector alarms when Prometheus can't be asked; no rule falls back on Grafana's defaults."""
    (group,) = WHOLE.rule_groups
    assert [rule["uid"] for rule in group["rules"] if rule["execErrState"] == "Alerting"] == ["agent-detector-dead"]
    assert {rule["noDataState"] for rule in group["rules"]} == {"OK"}
    assert all(len(rule["uid"]) <= 40 and rule["labels"]["severity"] for rule in group["rules"])


def test_prometheus_rules_are_the_same() -> None:
    """One declaration, two forms: query, limit, `for`."""
    (theirs,) = prometheus_file()["groups"]
    (ours,) = WHOLE.rule_groups
    for rule, other in zip(ours["rules"], theirs["rules"], strict=True):
        query, limit = (
            rule["data"][0]["model"]["expr"],
            rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"][0],
        )
        assert other["expr"] == f"({query}) > {limit:g}"
        assert other["for"] == rule["for"]
