"""Every alert rule, by promtool: what makes it fire, and what is like that and leaves it quiet.

The rules are those of detector/observe/stack/alerts.yaml, which Grafana's rules are made of as well.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from detector.observe.grafana.content import PREFIX
from detector.observe.grafana.rules import RULES
from tests.integration.server import STACK, needed


class Case(NamedTuple):
    """Series at ten-second steps (promtool's notation), when to look, and the label sets that fire then."""

    why: str
    series: dict[str, str]
    at: str
    firing: tuple[dict[str, str], ...] = ()


CODER = {"workflow": "coder"}
CASES: dict[str, list[Case]] = {
    "run-paused": [
        Case("one waits", {'detector_runs{workflow="coder",state="paused"}': "0 0 1x3"}, "30s", (CODER,)),
        Case("it was let go on", {'detector_runs{workflow="coder",state="paused"}': "0 1 1 0x3"}, "50s"),
        Case("others run", {'detector_runs{workflow="coder",state="running"}': "9x9"}, "60s"),
    ],
    "run-killed": [
        Case(
            "the first one", {'detector_commands_total{workflow="coder",desired="killed"}': "_x6 1x60"}, "90s", (CODER,)
        ),
        Case(
            "another one", {'detector_commands_total{workflow="coder",desired="killed"}': "3x120 4x60"}, "22m", (CODER,)
        ),
        Case("long ago", {'detector_commands_total{workflow="coder",desired="killed"}': "_x6 1x120"}, "15m"),
        Case("paused only", {'detector_commands_total{workflow="coder",desired="paused"}': "_x6 1x60"}, "90s"),
    ],
    "leak": [
        Case("the first one", {'detector_leaks_total{workflow="coder"}': "_x6 1x60"}, "90s", (CODER,)),
        Case("long ago", {'detector_leaks_total{workflow="coder"}': "_x6 1x120"}, "15m"),
        Case("long ago, and scrapes failed since", {'detector_leaks_total{workflow="coder"}': "3x60 _x42 3x90"}, "26m"),
    ],
    "unacknowledged": [
        Case(
            "one of two workers",
            {f'detector_unacknowledged_seconds{{instance="{i}"}}': f"0+{i}0x9" for i in (0, 1)},
            "60s",
            ({},),
        ),
        Case("answered in time", {"detector_unacknowledged_seconds": "0 10 20 0x9"}, "60s"),
    ],
    "stops-in-numbers": [
        Case(
            "every third run",
            {
                'detector_commands_total{workflow="coder",desired="paused"}': "0+1x60",
                'detector_runs_started_total{workflow="coder"}': "0+3x60",
            },
            "10m",
            ({},),
        ),
        Case(
            "one of many",
            {
                'detector_commands_total{workflow="coder",desired="paused"}': "0x30 1x30",
                'detector_runs_started_total{workflow="coder"}': "0+3x60",
            },
            "10m",
        ),
        Case(
            "two of three is no number to go by",
            {
                'detector_commands_total{workflow="coder",desired="paused"}': "0x30 2x30",
                'detector_runs_started_total{workflow="coder"}': "0x10 3x50",
            },
            "10m",
        ),
    ],
    "brake-pulled": [
        Case(
            "on one of two workers",
            {f'detector_brake_pulled{{instance="{i}"}}': f"{i}x9" for i in (0, 1)},
            "30s",
            ({},),
        ),
        Case(
            "between two scrapes",
            {"detector_brake_pulled": "0x60", 'detector_braked_total{workflow="coder"}': "_x6 1x60"},
            "90s",
            ({},),
        ),
        Case(
            "long ago",
            {"detector_brake_pulled": "0 1x30 0x120", 'detector_braked_total{workflow="coder"}': "_x6 1x150"},
            "20m",
        ),
        Case("never", {"detector_brake_pulled": "0x60"}, "5m"),
    ],
    "blind": [
        Case(
            "arguments are off",
            {
                'detector_blind_total{service="coder",kind="arguments"}': "0+9x150",
                'detector_calls_total{service="coder"}': "0+10x150",
            },
            "21m",
            ({"service": "coder"},),
        ),
        Case(
            "few calls lack them",
            {
                'detector_blind_total{service="coder",kind="arguments"}': "0+1x150",
                'detector_calls_total{service="coder"}': "0+10x150",
            },
            "21m",
        ),
        Case(
            "results alone",
            {
                'detector_blind_total{service="coder",kind="result"}': "0+9x150",
                'detector_calls_total{service="coder"}': "0+10x150",
            },
            "21m",
        ),
    ],
    "silent": [
        Case("on all workers", {"detector_newest_spans_timestamp_seconds": "0+10x30 300x500"}, "70m", ({},)),
        Case(
            "on one of two",
            {f'detector_newest_spans_timestamp_seconds{{instance="{i}"}}': f"0+{i}0x500" for i in (0, 1)},
            "70m",
        ),
    ],
    "lagging": [
        Case("for minutes", {'detector_lag_seconds{topic="t",partition="0"}': "0+10x60"}, "6m", ({},)),
        Case("a burst", {'detector_lag_seconds{topic="t",partition="0"}': "0x10 60x6 0x30"}, "3m"),
    ],
    "not-judging": [
        Case("one of two", {f'detector_ready{{instance="{i}"}}': f"{i}x30" for i in (0, 1)}, "3m", ({},)),
        Case("a restart", {'detector_ready{instance="0"}': "1x6 0x3 1x30"}, "2m"),
    ],
    "dead": [
        Case("its target is down", {"detector_up": "1x6 stale"}, "3m", ({},)),
        Case("it has no target", {'up{job="prometheus"}': "1x36"}, "3m", ({},)),
        Case("one of two is up", {f'detector_up{{instance="{i}"}}': ("stale", "1x36")[i] for i in (0, 1)}, "3m"),
        Case("its job has another name", {'detector_up{job="agents/detector"}': "1x36"}, "3m"),
    ],
    "not-told": [
        Case(
            "one of two channels",
            {
                'detector_news_total{channel="notify-mail",outcome="failed"}': "0x6 1x60",
                'detector_news_total{channel="notify-slack",outcome="failed"}': "0x66",
            },
            "90s",
            ({"channel": "notify-mail"},),
        ),
        Case("told", {'detector_news_total{channel="notify-mail",outcome="done"}': "0+1x60"}, "5m"),
    ],
    "part-not-ready": [
        Case(
            "each of them",
            {
                f'detector_{part}{{instance="{i}"}}': f"{i}x30"
                for part in ("store_ready", "enforcer_ready")
                for i in (0, 1)
            }
            | {f'detector_news_ready{{channel="{name}"}}': f"{i}x30" for i, name in enumerate(("annotate", "mail"))},
            "3m",
            tuple({"channel": name} for name in ("annotate", "enforce", "store")),
        ),
        Case("a restart", {"detector_enforcer_ready": "1x6 0x6 1x30"}, "150s"),
    ],
    "drift": [
        Case(
            "every fifth run",
            {
                'detector_runs_unusual_total{workflow="coder"}': "0+1x900",
                'detector_runs_finished_total{workflow="coder",outcome="finished"}': "0+5x900",
                "detector_expected_unusual_ratio": "0.02x900",
            },
            "2h",
            (CODER,),
        ),
        Case(
            "as many as expected",
            {
                'detector_runs_unusual_total{workflow="coder"}': "0+1x900",
                'detector_runs_finished_total{workflow="coder",outcome="finished"}': "0+50x900",
                "detector_expected_unusual_ratio": "0.02x900",
            },
            "2h",
        ),
        Case(
            "too few runs to tell",
            {
                'detector_runs_unusual_total{workflow="coder"}': "0x10 3x900",
                'detector_runs_finished_total{workflow="coder",outcome="finished"}': "0x10 9x900",
                "detector_expected_unusual_ratio": "0.02x900",
            },
            "2h",
        ),
    ],
    "false-pauses": [
        Case("over it", {'detector_false_pause_budget_used_ratio{workflow="coder"}': "0+0.1x30"}, "3m", (CODER,)),
        Case("within it", {'detector_false_pause_budget_used_ratio{workflow="coder"}': "0.9x30"}, "3m"),
    ],
}
EACH = [pytest.param(name, case, id=f"{name}: {case.why}") for name, cases in CASES.items() for case in cases]


@pytest.fixture(scope="module")
def promtool(prometheus_program: str) -> str:
    """The path of promtool, which comes with Prometheus."""
    return needed("promtool", f"it comes with {prometheus_program}")


def test_each_rule_has_a_firing_and_a_quiet_case() -> None:
    """No rule goes untested, on either side."""
    assert set(CASES) == {rule.name for rule in RULES}
    for cases in CASES.values():
        assert {bool(case.firing) for case in cases} == {True, False}


def test_prometheus_takes_the_file(promtool: str) -> None:
    """The generated rule file is valid."""
    checked = subprocess.run(
        [promtool, "check", "rules", STACK / "alerts.yaml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(RULES)} rules found" in checked.stdout


@pytest.mark.parametrize(("name", "case"), EACH)
def test_a_rule(promtool: str, tmp_path: Path, name: str, case: Case) -> None:
    """The rule fires for these label sets and no others."""
    (rule,) = [rule for rule in RULES if rule.name == name]
    alert = f"{PREFIX}-{name}"
    own = {"alertname": alert, "severity": rule.severity}
    firing = f'sum without (alertstate, __name__) (ALERTS{{alertname="{alert}",alertstate="firing"}})'
    told: dict[str, Any] = {
        "rule_files": [str(STACK / "alerts.yaml")],
        "evaluation_interval": "10s",
        "tests": [
            {
                "interval": "10s",
                "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
                "promql_expr_test": [
                    {
                        "expr": firing,
                        "eval_time": case.at,
                        "exp_samples": [{"labels": _labels(own | labels), "value": 1} for labels in case.firing],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(told))
    ran = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _labels(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{key}="{value}"' for key, value in labels.items() if value) + "}"
