"""The alert rules, each declared once: for Grafana, and as a rule file of Prometheus.

A rule's query gives a number; above `above` it fires, per series. The number itself has no comparison
in it, so that "no data" and "all is well" can be told apart: `no_data` says what no data means.
Each has a section of its own in docs/runbooks.md, under its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detector.observe.grafana.content import FOLDER, PREFIX, PROMETHEUS, Json

GROUP = "Agent runs"
EVERY_SECONDS = 10
"""How often rules are asked: a multiple of Grafana's own tick, and enough for what people have to answer."""

Severity = Literal["critical", "warning", "info"]
"""critical: somebody gets up; warning: within the day, or the run waits; info: to know."""


@dataclass(frozen=True)
class Rule:
    """One rule. `no_data`: what it means where the query returns nothing; `error`: where it can't be asked."""

    name: str
    title: str
    query: str
    above: float
    lasting: str
    severity: Severity
    summary: str
    no_data: Literal["OK", "Alerting", "NoData"]
    error: Literal["OK", "Alerting", "Error"]


def _new(counter: str, by: str = "workflow", window: str = "10m") -> str:
    """How often a counter rose in `window`. A series that is new in it counts in full, which increase() leaves out.

    One that was there within the day before is not new: scrapes may have failed for some minutes.
    """
    known = f"last_over_time({counter}[1d] offset {window})"
    return f"sum by ({by}) (({counter} unless {known}) or increase({counter}[{window}]))"


PAUSES = 'detector_commands_total{desired="paused"}'
DRIFT = (
    "sum by (workflow) (increase(detector_runs_unusual_total{}[1d]))"
    " / (sum by (workflow) (increase(detector_runs_finished_total{}[1d])) > 20)"
    " / on () group_left () max(detector_expected_unusual_ratio)"
)
"""Unusual runs over those expected. Of 20 runs or fewer, one in fifty is no number to go by."""

RULES = (
    # Paused runs wait for a person. No series: no worker has had a run yet; a dead worker has a rule of its own.
    Rule(
        "run-paused",
        "A run is paused and waits for a decision",
        'sum by (workflow) (detector_runs{state="paused"})',
        0,
        "0s",
        "warning",
        "{{ $labels.workflow }}: {{ $value }} paused, and nobody has decided. At the deadline a paused run is killed.",
        "OK",
        "Error",
    ),
    # A kill is done when it is told: the counter, over ten minutes, and not the killed runs that are remembered.
    Rule(
        "run-killed",
        "A run was killed",
        _new('detector_commands_total{desired="killed"}'),
        0,
        "0s",
        "warning",
        "{{ $labels.workflow }}: {{ $value }} killed within ten minutes, by a person or a deadline.",
        "OK",
        "Error",
    ),
    # A leak is a broken promise: at once, and without a `for` that a short one would slip through.
    Rule(
        "leak",
        "A run acted after it was stopped",
        _new("detector_leaks_total"),
        0,
        "0s",
        "critical",
        "{{ $labels.workflow }}: {{ $value }} runs acted although an enforcer had said that they were stopped.",
        "OK",
        "Error",
    ),
    # The number is a duration already, so no `for`. No data: no worker, for which there is `dead`.
    Rule(
        "unacknowledged",
        "A stop is not carried out",
        "max(detector_unacknowledged_seconds)",
        30,
        "0s",
        "critical",
        "A run that must not be running has not been stopped by anybody for {{ $value }} s.",
        "OK",
        "Error",
    ),
    # Many stops at once are a bad deploy or a bad model, more often than many bad runs.
    Rule(
        "stops-in-numbers",
        "Runs are stopped in numbers",
        f"sum({_new(PAUSES)}) / (sum({_new('detector_runs_started_total')}) > 10)",
        0.2,
        "1m",
        "critical",
        "{{ $value | humanizePercentage }} as many pauses as runs that began in ten minutes: a deploy, or the model?",
        "OK",
        "Error",
    ),
    # The gauge is 1 for as long as the window is full, the counter tells of a moment between two scrapes. Critical, for
    # runs that the model would stop go on.
    Rule(
        "brake-pulled",
        "A brake is pulled",
        f"max(detector_brake_pulled) + (sum({_new('detector_braked_total')}) or vector(0))",
        0,
        "0s",
        "critical",
        "The model has stopped so many runs in a short time that it only alerts on more: a deploy, or the model?",
        "OK",
        "Error",
    ),
    # Telemetry without arguments is judged by names and outcomes alone. A service that was never seen has no series.
    Rule(
        "blind",
        "The detector cannot see what a service's calls do",
        'sum by (service) (rate(detector_blind_total{kind=~"arguments|unreadable"}[10m]))'
        " / (sum by (service) (rate(detector_calls_total[10m])) > 0)",
        0.5,
        "10m",
        "warning",
        "{{ $labels.service }}: {{ $value | humanizePercentage }} of the calls come without readable arguments.",
        "OK",
        "Error",
    ),
    # Agents that stand still look the same as a pipeline that is broken: an hour of silence, and it is for you to say.
    Rule(
        "silent",
        "No spans arrive any more",
        "time() - max(detector_newest_spans_timestamp_seconds)",
        3600,
        "0s",
        "warning",
        "No span has come for {{ $value | humanizeDuration }}. Are all agents idle, or is the Collector cut off?",
        "OK",
        "Error",
    ),
    # Late pauses are no pauses. Two minutes let a rebalance and a burst pass.
    Rule(
        "lagging",
        "Judging is late",
        "max(detector_lag_seconds)",
        30,
        "2m",
        "critical",
        "The newest record that was judged is {{ $value }} s old: runs drift on meanwhile.",
        "OK",
        "Error",
    ),
    # Up but not judging: a recovery that does not end, or Kafka is away. A minute lets a restart pass.
    Rule(
        "not-judging",
        "A worker is up and does not judge",
        "sum(1 - detector_ready)",
        0,
        "1m",
        "critical",
        "{{ $value }} workers are up and not ready; /readyz of each says why.",
        "OK",
        "Error",
    ),
    # The one rule to which silence is the alarm: no data, or a Prometheus that can't be asked, must not look healthy.
    Rule(
        "dead",
        "No worker is up",
        "(sum(detector_up) or vector(0)) < bool 1",
        0,
        "1m",
        "critical",
        "Prometheus reaches no worker: nothing is judged. Nothing is lost for as long as Kafka keeps otlp_spans.",
        "OK",
        "Alerting",
    ),
    # What a channel gave up on is not told again. A channel that does not even read has the next rule.
    Rule(
        "not-told",
        "People were not told",
        _new('detector_news_total{outcome="failed"}', by="channel"),
        0,
        "0s",
        "warning",
        "{{ $labels.channel }}: {{ $value }} could not be delivered within ten minutes, and will not be tried again.",
        "OK",
        "Error",
    ),
    # Where one of them isn't used, it has no series. Two minutes let a restart, or a rebalance, pass.
    Rule(
        "part-not-ready",
        "A part beside the workers does not work",
        "sum by (channel) (1 - detector_news_ready"
        ' or label_replace(1 - detector_enforcer_ready, "channel", "enforce", "", "")'
        ' or label_replace(1 - detector_store_ready, "channel", "store", "", ""))',
        0,
        "2m",
        "warning",
        "{{ $labels.channel }}: {{ $value }} up and not ready; /readyz of each says why.",
        "OK",
        "Error",
    ),
    # Rare events over a day; an hour lets a batch of odd but honest runs pass.
    Rule(
        "drift",
        "More runs look unusual than the model expects",
        DRIFT.replace("{}", ""),
        5,
        "1h",
        "warning",
        "{{ $labels.workflow }}: {{ $value }} times as many unusual runs as honest work has, over a day.",
        "OK",
        "Error",
    ),
    # By a test that stays valid however often one looks, so no `for`. It needs `detector store`: without, no data.
    Rule(
        "false-pauses",
        "More honest runs are paused than was promised",
        "max by (workflow) (detector_false_pause_budget_used_ratio)",
        1,
        "0s",
        "warning",
        "{{ $labels.workflow }}: {{ $value | humanizePercentage }} of the budget of false pauses is used.",
        "OK",
        "Error",
    ),
)


def groups(runbooks: str = "docs/runbooks.md") -> list[Json]:
    """AlertRuleGroup each. `runbooks`: the address of docs/runbooks.md."""
    return [
        {"title": GROUP, "folderUid": FOLDER, "interval": EVERY_SECONDS, "rules": [_ruled(r, runbooks) for r in RULES]}
    ]


def prometheus_file(runbooks: str = "docs/runbooks.md") -> Json:
    """The same rules as a rule file of Prometheus: for who alerts by Alertmanager, and for promtool's tests."""
    rules = [
        {
            "alert": f"{PREFIX}-{rule.name}",
            "expr": f"({rule.query}) > {rule.above:g}",
            "for": rule.lasting,
            "labels": {"severity": rule.severity},
            "annotations": _annotations(rule, runbooks),
        }
        for rule in RULES
    ]
    return {"groups": [{"name": GROUP, "interval": f"{EVERY_SECONDS}s", "rules": rules}]}


def _annotations(rule: Rule, runbooks: str) -> dict[str, str]:
    return {"title": rule.title, "summary": rule.summary, "runbook_url": f"{runbooks}#{rule.name}"}


def _ruled(rule: Rule, runbooks: str) -> Json:
    annotations = _annotations(rule, runbooks)
    # In Prometheus $value is the number; in Grafana it describes all queries, and that of A is the number. The form
    # without `$` means the same, and a provisioning file may hold it: there Grafana reads `$NAME` as its environment.
    annotations["summary"] = rule.summary.replace("$value", ".Values.A.Value").replace("$labels", ".Labels")
    return {
        "uid": f"{PREFIX}-{rule.name}",
        "title": rule.title,
        "orgID": 1,
        "folderUID": FOLDER,
        "ruleGroup": GROUP,
        "condition": "C",
        "data": [_asked(rule), _compared(rule)],
        "for": rule.lasting,
        "noDataState": rule.no_data,
        "execErrState": rule.error,
        "labels": {"severity": rule.severity, "app": PREFIX},
        "annotations": annotations,
        "isPaused": False,
    }


def _asked(rule: Rule) -> Json:
    return {
        "refId": "A",
        "datasourceUid": PROMETHEUS,
        "queryType": "",
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": {
            "refId": "A",
            "expr": rule.query,
            "instant": True,
            "range": False,
            "intervalMs": 1000,
            "maxDataPoints": 43200,
        },
    }


def _compared(rule: Rule) -> Json:
    above = {"type": "gt", "params": [rule.above]}
    return {
        "refId": "C",
        "datasourceUid": "__expr__",
        "queryType": "",
        "relativeTimeRange": {"from": 0, "to": 0},
        "model": {"refId": "C", "type": "threshold", "expression": "A", "conditions": [{"evaluator": above}]},
    }
