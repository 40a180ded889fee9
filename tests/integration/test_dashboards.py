"""Every query of every panel, variable and rule, asked of a real Prometheus and a real store after a fleet has run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from detector.config import load
from detector.observe.grafana import content
from detector.observe.grafana.rules import RULES
from tests.integration.asking import Asking
from tests.integration.postgres import postgres
from tests.integration.watched import Watched

DASHBOARDS = content(load()).dashboards
PANELS = [
    pytest.param(target, id=f"{dashboard['title']}: {panel['title']} {target['refId']}")
    for dashboard in DASHBOARDS
    for panel in dashboard["panels"]
    for target in panel["targets"]
]


@pytest.fixture(scope="module")
def watched(prometheus_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The fleet, played once."""
    with postgres() as server, Watched(tmp_path_factory.mktemp("watched"), server, prometheus_program).play() as played:
        yield played


@pytest.fixture(scope="module")
def asking(watched: Watched) -> Asking:
    """Asks for the time in which it ran, of all workflows and of the run with most to tell."""
    return Asking.of(watched)


@pytest.mark.parametrize("target", PANELS)
def test_a_panels_query_returns_data(asking: Asking, target: dict[str, Any]) -> None:
    """There is something to show."""
    frames = asking.target(target)
    assert any(frame.holds_data() for frame in frames), frames


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rules_query_returns_data(asking: Asking, rule: Any) -> None:
    """A number to compare, whether it fires or not."""
    assert any(frame.holds_data() for frame in asking.at_end(rule.query))


def test_variables_offer_what_there_is(asking: Asking, watched: Watched) -> None:
    """Workflows that ran, and the run that the test looks at."""
    offered = {v["name"]: asking.sql(v["query"]).rows for d in DASHBOARDS for v in d["templating"].get("list", [])}
    assert {("coding",), ("office",), ("other",)} <= set(offered["workflow"])
    assert (watched.run(),) in offered["run"]


def test_the_scene_is_what_it_says(watched: Watched) -> None:
    """Runs were paused and killed, people decided, one run leaked, and the honest ones ended by themselves."""
    decisions = {kind for (kind,) in watched.rows("select distinct decision from detector.gates")}
    assert {"granted", "denied", "expired"} <= decisions
    ((leaks,),) = watched.rows("select count(*) from detector.verdicts where cause = 'leak'")
    assert leaks
    ((finished,),) = watched.rows("select count(*) from detector.run_list where outcome = 'finished'")
    assert finished >= 40


def test_exemplars_lead_to_traces(asking: Asking) -> None:
    """Prometheus keeps, beside the time to verdict, the trace of a run that had one."""
    traces = asking.exemplars("detector_span_end_to_verdict_seconds_bucket")
    assert traces
    found = asking.sql("select array_agg(distinct trace_id) from detector.verdicts").rows[0][0]
    assert traces <= set(found)
