"""`detector evaluate --incidents`: pauses against the act, look-alikes, one refused call, under both settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from detector.cli import app
from detector.demo.incidents import INCIDENTS, fleets, told
from detector.policy.policy import Policy
from detector.policy.rules import Rule
from detector.read import Reader
from detector.records import Action, Level
from detector.runs.judge import Judge
from detector.scoring import model as models
from detector.scoring.model import Model
from detector.training import incident_report, incident_runs, incidents
from detector.training.corpus import grouped
from detector.training.matrix import blank

DOCS = Path(__file__).parents[2] / "docs" / "evaluate.md"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the command writes for few runs and a blank model: what rules find, and the shape of all."""
    folder, made = tmp_path_factory.mktemp("incidents"), blank()
    model = models.save(folder, "made", made.rarity, made.forest, made.calibration, {})
    files = ["--json", str(folder / "figures.json"), "--html", str(folder / "figures.html")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(incidents, "HONEST", 4)
        done = CliRunner().invoke(app, ["evaluate", "--incidents", "--variants", "1", "--model", str(model), *files])
    assert done.exit_code == 0, done.output
    (folder / "shown.txt").write_text(done.output, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def found(written: Path) -> dict[str, Any]:
    """The figures."""
    return dict(json.loads((written / "figures.json").read_text(encoding="utf-8")))


def of(model: Model, *rules: Rule) -> Judge:
    """A judge with these rules only."""
    return Judge(model, Policy(rules=rules))


def test_counts(found: dict[str, Any]) -> None:
    """Every script is played as often as asked for, under both settings; before, at, after and never make up all."""
    stories = sum(len(fleet.honest) for fleet in fleets().values())
    assert set(found["settings"]) == {"shipped", "calibrated"}
    for setting in found["settings"].values():
        assert setting["all"]["lookalikes"]["paused"]["runs"] == 2 * len(INCIDENTS)
        assert setting["all"]["failed_call"]["paused"]["runs"] == stories
        for form in ("plain", "disguised"):
            figure = setting["all"][form]
            assert figure["runs"] == len(INCIDENTS)
            assert sum(figure[when]["hit"] for when in ("before", "at", "after", "never")) == figure["runs"]
            assert sum(figure["causes"].values()) == figure["runs"] - figure["never"]["hit"]


def test_the_same_twice(found: dict[str, Any]) -> None:
    """A seed names the figures, every digit, but for the version that was given to the model."""
    again = incidents.evaluate(blank(), Policy(), Reader(), variants=1, honest=4)
    assert {**json.loads(json.dumps(again)), "model": "made"} == found
    assert (found["format"], found["seed"], found["variants"]) == (incidents.FORMAT, 0, 1)


def test_documented(found: dict[str, Any]) -> None:
    """Every key of the figures stands in docs/evaluate.md."""
    text = DOCS.read_text()
    names = {incident.name for incident in INCIDENTS} | set(fleets())
    names |= {teller.__name__ for incident in INCIDENTS for teller in incident.lookalikes}

    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return {k for k in value if ":" not in k and k not in names}.union(*map(keys, value.values()))
        return set()

    assert {key for key in keys(found) if f"`{key}`" not in text} == set()


def test_every_span_is_of_a_call() -> None:
    """Each action that read() finds in a told run belongs to one of its calls, the intended with the done."""
    for incident in INCIDENTS:
        run = told(incident.fleet, incident.plain, "test/spans")
        calls = incident_runs.calls_of(run.requests)
        events = [
            event
            for example in grouped(run.requests, Reader())
            for record in example.records
            for event in record.events
            if isinstance(event, Action)
        ]
        assert {calls[event.span] for event in events} == set(range(len(run.script.calls)))
        asked = [event for event in events if not event.phase]
        assert [calls[event.span] for event in asked] == list(range(len(asked)))


@pytest.mark.parametrize(("signal", "when"), [("credentials.sought", "before"), ("chain.harmed", "at")])
def test_when(signal: str, when: str) -> None:
    """A rule on what comes before the act pauses before it, with its lead; one on the act pauses at it."""
    volume = INCIDENTS[0]
    run = told(volume.fleet, volume.plain, "test/when")
    records = [record for example in grouped(run.requests, Reader()) for record in example.records]
    rule = Rule("here", when=(signal,), after=(), level=Level.PAUSE, words="a test's")
    fate = incident_runs.fate(run, records, of(blank(), rule))
    assert (fate.when, fate.cause) == (when, "rule:here")
    assert fate.paused is not None
    assert run.act is not None
    assert (fate.paused < run.act) == (when == "before") == (fate.mark_at > fate.at)
    assert incident_runs.fate(run, records, of(blank())).when == "not"


def test_a_local_threshold_lets_the_model_pause() -> None:
    """With a threshold of its workflow the model pauses what scores above that; without one it only alerts."""
    model = blank()
    fleet = INCIDENTS[0].fleet
    limit = incident_runs.calibrated(fleet, model, Policy(), Reader(), 8, 0)
    assert limit.runs == 8
    assert limit.pause is None
    run = told(fleet, INCIDENTS[0].plain, "test/local")
    records = [record for example in grouped(run.requests, Reader()) for record in example.records]
    low = replace(limit, alert=0.0, pause=0.0)
    local = replace(model.calibration, workflows={fleet.workflow: low})
    fate = incident_runs.fate(run, records, of(replace(model, calibration=local)))
    assert (fate.paused, fate.cause) == (0, "model")
    alerts = replace(model.calibration, everywhere=replace(low, pause=None), workflows={})
    fate = incident_runs.fate(run, records, of(replace(model, calibration=alerts)))
    assert (fate.paused, fate.alerted) == (None, 0)


@pytest.mark.parametrize(
    ("hit", "runs", "low", "high"),
    [(0, 20, 0.0, 0.1684), (20, 20, 0.8316, 1.0), (10, 20, 0.272, 0.728), (0, 0, None, None)],
)
def test_exact_intervals(hit: int, runs: int, low: float | None, high: float | None) -> None:
    """Clopper and Pearson's, as their table has them."""
    assert incidents.exact(hit, runs) == (low, high)


def test_page(found: dict[str, Any], written: Path) -> None:
    """The page holds every table, every incident and both settings, and loads nothing."""
    page = (written / "figures.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<table") == len(incident_report.sheets(found))
    assert all(incident.name in page for incident in INCIDENTS)
    assert not any(loading in page for loading in ("http:", "https:", "src=", "<script", "@import"))


def test_command(written: Path, tmp_path: Path) -> None:
    """The command prints its tables; it takes a folder or --incidents, not both or neither."""
    assert "against the act that can't be undone" in (written / "shown.txt").read_text(encoding="utf-8")
    assert CliRunner().invoke(app, ["evaluate"]).exit_code == 2
    assert CliRunner().invoke(app, ["evaluate", str(tmp_path), "--incidents"]).exit_code == 2
