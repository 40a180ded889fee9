"""What the worker counts of one run's way: where it stands, what it showed, how it was stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from detector.config import load
from detector.observe.metrics import CAPPED, Metrics
from detector.policy.policy import Policy
from detector.records import Acked, Blind, Does, Environment, Event, Labelled, RunEvents, Tick, Turn, encode_log
from detector.runs.judge import Judge
from detector.scoring.calibration import Calibration, Threshold
from detector.scoring.model import Model
from detector.testing import EPOCH_NS, Clock, act, record
from detector.training.matrix import blank
from detector.watch import Applied, Watch

FATAL = act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)
LATER = EPOCH_NS + 10**12


class Story:
    """One run, record by record, and the metrics of its worker."""

    def __init__(self, model: Model | None = None) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.clock = Clock(LATER)
        self.watch = Watch(Judge(model or blank(), Policy()), load(), self.metrics, self.clock)
        self.state: bytes | None = None
        self.offset = 0
        self.due = 0

    def tell(self, *events: Event, service: str = "coder") -> Applied:
        """The next record of the run."""
        self.offset += 1
        applied = self.watch.apply(self.state, encode_log(record(*events, service=service)), self.offset)
        self.state, self.due = applied.state, applied.due
        return applied

    def read(self, name: str, **labels: str) -> float | None:
        """A sample as Prometheus scrapes it."""
        return self.metrics.registry.get_sample_value(f"detector_{name}", labels)

    def states(self) -> dict[str, float]:
        """How many runs are counted in which state."""
        samples = [s for m in self.metrics.registry.collect() if m.name == "detector_runs" for s in m.samples]
        return {sample.labels["state"]: sample.value for sample in samples if sample.value}


@pytest.fixture
def story() -> Story:
    """A run that is not known yet."""
    return Story()


def test_a_run_is_counted_where_it_stands(story: Story) -> None:
    """Services' spans alone, then running, paused, running again, ended, and gone: always in one place."""
    seen = []
    steps: list[tuple[Event, ...]] = [
        (act(inner=True),),
        (act(),),
        (FATAL,),
        (Labelled(LATER, "resume", "ann"),),
    ]
    for events in steps:
        story.tell(*events)
        seen.append(story.states())
    story.tell(Tick(story.due))
    seen.append(story.states())
    story.tell(Tick(story.due))
    seen.append(story.states())
    assert seen == [{"unjudged": 1}, {"running": 1}, {"paused": 1}, {"running": 1}, {"ended": 1}, {}]
    assert story.read("runs_finished_total", workflow="testing", outcome="expired") == 1


def test_a_worker_that_takes_over_counts_what_is_stored(story: Story) -> None:
    """After a rebalance the runs are counted anew, each once."""
    stored = story.tell(FATAL).state
    assert stored is not None
    other = Story()
    other.watch.standing(stored)
    other.metrics.runs.zero()
    other.watch.standing(stored)
    assert other.states() == {"paused": 1}


def test_the_time_to_contain_is_measured(story: Story) -> None:
    """From the command to the enforcer's word, once; a second enforcer's word is no second stop."""
    story.tell(FATAL)
    story.clock.move(2.0)
    sequence = int(story.read("commands_total", workflow="testing", desired="paused") or 0)
    for name in ("process", "webhook"):
        story.tell(Acked(story.clock(), EPOCH_NS, name, "done"))
    assert sequence == 1
    assert story.read("contain_seconds_count") == 1
    assert story.read("contain_seconds_sum") == pytest.approx(2.0, abs=0.1)


def test_a_leak_is_counted_by_workflow(story: Story) -> None:
    """An action that ended after the ack; the next one is no further leak."""
    story.tell(FATAL)
    story.tell(Acked(LATER, EPOCH_NS, "process", "done"))
    story.tell(act(at=LATER + 10**9))
    story.tell(act(at=LATER + 2 * 10**9))
    assert story.read("leaks_total", workflow="testing") == 1


def test_blindness_is_counted_by_service(story: Story) -> None:
    """Calls and, among them, what they lacked; turns without words are no calls."""
    turn = Turn(bytes(8), bytes(16), EPOCH_NS, blind=int(Blind.WORDS))
    story.tell(act(), act(blind=int(Blind.ARGUMENTS | Blind.RESULT)), turn)
    assert story.read("calls_total", service="coder") == 2
    kinds = {kind: story.read("blind_total", service="coder", kind=kind) for kind in ("arguments", "result", "words")}
    assert kinds == {"arguments": 1, "result": 1, "words": 1}
    assert story.read("blind_total", service="coder", kind="clock") is None


def test_behaviours_are_tallied_by_family(story: Story) -> None:
    """The judge counts, and the metric takes it over once."""
    story.tell(FATAL)
    story.watch.counts.tally()
    once = story.read("behaviours_total", family="destruction")
    story.watch.counts.tally()
    assert once
    assert story.read("behaviours_total", family="destruction") == once


def test_exemplars_carry_the_trace(story: Story) -> None:
    """OpenMetrics says of a verdict and of its times whose trace it was; no label says whose run."""
    story.tell(FATAL)
    text = generate_latest(story.metrics.registry).decode()  # type: ignore[no-untyped-call]
    trace = FATAL.trace.hex()
    (line,) = [line for line in text.splitlines() if line.startswith("detector_verdicts_total{")]
    assert f'# {{trace_id="{trace}"}}' in line
    assert any("span_end_to_verdict_seconds_bucket" in line and trace in line for line in text.splitlines())
    assert "run-1" not in text


def test_workflows_beyond_the_first_hundred_share_a_label(story: Story) -> None:
    """The same hundred in every metric; the other labels of a metric stay what they are."""
    watch = story.watch
    for n in range(CAPPED["workflow"] + 5):
        fatal = RunEvents(f"run-{n}", [FATAL], workflow=f"w{n}", workflow_rank=0)
        watch.apply(None, encode_log(fatal), n)
    assert story.read("commands_total", workflow="other", desired="paused") == 5
    assert story.read("runs", workflow="other", state="paused") == 5
    assert story.read("verdicts_total", workflow="w7", level="PAUSE", cause_kind="rule") == 1


def test_thresholds_are_told_of_workflows_that_run_here() -> None:
    """However many the model was calibrated on, they take no label from others, and never the place of `other`."""
    limits = {f"w{n}": Threshold(0.5 + n / 1000, None, 100, 100, 0.03) for n in range(3 * CAPPED["workflow"])}
    everywhere = Threshold(0.4, None, 100, 100, 0.03)
    story = Story(replace(blank(), calibration=Calibration(everywhere, limits)))
    assert story.read("alert_threshold", workflow="other") == 0.4
    assert story.read("alert_threshold", workflow="w7") is None
    for n in range(CAPPED["workflow"] + 5):
        story.watch.apply(None, encode_log(RunEvents(f"run-{n}", [act()], workflow=f"w{n}", workflow_rank=0)), n)
    assert story.read("alert_threshold", workflow="w7") == pytest.approx(0.507)
    assert story.read("alert_threshold", workflow="other") == 0.4
    assert story.read("runs_started_total", workflow="w99") == 1
    assert story.read("runs_started_total", workflow="other") == 5
