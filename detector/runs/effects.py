"""What a step causes: verdicts, commands, summaries, and what is only counted."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from detector.records import Command, Desired, Level, RunEvents, Share, Summary, Tick, Verdict
from detector.runs.evidence import in_words
from detector.runs.judge import Judge
from detector.runs.kin import Kin
from detector.runs.run import Run, Spent
from detector.runs.run import kin as kin_of

_ALONE = Kin()
_NOTHING = Spent()


class Noted(msgspec.Struct, frozen=True):
    """Something that is counted and goes nowhere else: duplicate, leak, stale_decision, idle_decision, and of
    other runs: adopted, forwarded, handed_again, ack_of_adopted, alias_of_itself, alias_conflict, alias_refused,
    alias_undone, tree_conflict, tree_circle, tree_full.
    """

    reason: str


class Handed(msgspec.Struct, frozen=True):
    """A record of the run log that is due to another run."""

    record: RunEvents


class Withdrawn(msgspec.Struct, frozen=True):
    """The run's summary is void: what it told of belongs to another run."""

    run: str


Effect = Verdict | Command | Summary | Handed | Withdrawn | Noted


class Ground(NamedTuple):
    """On what a verdict rests: its cause, the time and span of the deciding event, the score and its limit."""

    cause: str
    at: int
    span: bytes = b""
    score: float = 0.0
    threshold: float = 0.0


def verdict(run: Run, level: Level, ground: Ground, judge: Judge) -> Verdict:
    """Moves the run to `level` and says so."""
    run.verdicts += 1
    previous, run.level = run.level, level
    run.highest = max(run.highest, level)
    if run.kin is not None:
        run.kin.cause = ground.cause
    model, policy = judge.model, judge.policy
    shares: list[Share] = model.explain(run.vector()) if ground.score else []
    quiet = model.quiet(run.vector(), ground.threshold) if 0.0 < ground.threshold < ground.score else []
    return Verdict(
        run=run.run,
        workflow=run.workflow,
        sequence=run.verdicts,
        level=level.name,
        previous=Level(previous).name,
        cause=ground.cause,
        at=ground.at,
        span_id=ground.span.hex(),
        score=round(ground.score, 6),
        threshold=round(ground.threshold, 6),
        evidence=in_words(run.steps, model.layout),
        behaviours=shares,
        model=model.version,
        policy=policy.version,
        mode=policy.mode_of(run.workflow, run.workflow_rank),
        service=run.service,
        traces=[trace.hex() for trace in run.traces],
        calls=run.calls,
        quiet=[model.layout.signals[model.layout.index[name]].words for name in quiet],
    )


def command(run: Run, desired: Desired, ground: Ground, judge: Judge) -> Command:
    """Asks for the run to be in the state `desired`, under the next sequence number."""
    run.sequence += 1
    run.desired = desired.value
    waits = desired == Desired.PAUSED and judge.policy.deadline_ns > 0
    run.deadline = run.arrived + judge.policy.deadline_ns if waits else 0
    if run.kin is not None:
        run.kin.repeated = 0
    return _said(run, ground, judge)


def again(run: Run, ground: Ground, judge: Judge) -> Command:
    """The command that stands, to runs that it did not name before. It makes no decision that is due stale."""
    kin = kin_of(run)
    run.sequence += 1
    kin.repeated += 1
    return _said(run, ground, judge)


def _said(run: Run, ground: Ground, judge: Judge) -> Command:
    kin = run.kin or _ALONE
    return Command(
        run=run.run,
        desired=Desired(run.desired),
        sequence=run.sequence,
        cause=ground.cause,
        at=ground.at,
        workflow=run.workflow,
        service=run.service,
        tree=list(kin.tree),
        aliases=list(kin.aliases),
        root=kin.root,
        traces=[trace.hex() for trace in run.traces],
        where=dict(run.where),
        evidence=[evidence.text for evidence in in_words(run.steps, judge.model.layout)],
        deadline=run.deadline,
    )


def summary(run: Run, tick: Tick, judge: Judge) -> Summary:
    """The run as training reads it, at its end."""
    if run.desired == Desired.KILLED:
        outcome = "killed"
    elif tick.evict:
        outcome = "evicted"
    else:
        outcome = "finished" if run.ended else "expired"
    peak = np.frombuffer(run.peak_signals, dtype=np.float32) if run.peak_signals else run.vector()
    spent = run.spent or _NOTHING
    return Summary(
        run=run.run,
        workflow=run.workflow,
        service=run.service,
        started=run.started,
        ended=run.last,
        calls=run.calls,
        turns=run.turns,
        outcome=outcome,
        level=Level(run.highest).name,
        peak=round(run.peak, 6),
        peak_position=run.peak_position,
        features=[round(float(x), 6) for x in run.vector()],
        peak_features=[round(float(x), 6) for x in peak],
        model=judge.model.version,
        policy=judge.policy.version,
        labels=dict(run.labels),
        blind=dict(run.blind),
        traces=[trace.hex() for trace in run.traces],
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        asked=spent.asked,
        refused=spent.refused,
    )
