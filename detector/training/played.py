"""Labelled runs played through read() and step(): what evaluation keeps of each, nothing that a run said.

Labels, files and models of the agents are for the evaluation alone: step() sees the spans and the workflow.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import HARMFUL, Action, Level, Phase, RunEvents
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.runs.state import State
from detector.step import apply
from detector.training import recorded
from detector.training.corpus import grouped
from detector.training.matrix import blank

LABELS = ("benign", "unsafe", "attack_failed", "direct_request")
COLUMNS = frozenset({"run_id", "file", "workflow", "task", "label"})
NEVER = -1


@dataclass(frozen=True)
class Label:
    """A line of labels.csv. Steps count from 0 within the run; None where it has none."""

    run: str
    file: str
    workflow: str
    task: str
    label: str
    unsafe_step: int | None = None
    first_attempt_step: int | None = None
    attempted_step: int | None = None
    harm: str = ""
    in_scope: bool = False


@dataclass(frozen=True)
class Played:
    """One run, a row for each look at a call in the order in which step() saw them."""

    label: Label
    sums: NDArray[np.float32]
    """(rows, n): the long sum of each signal."""
    steps: NDArray[np.int32]
    """The step of the recording that each row is of; NEVER where that isn't known."""
    done: NDArray[np.bool_]
    """Whether the call of the row had ended; else it was asked for."""
    at: NDArray[np.int64]
    """Nanoseconds since 1970."""
    clocked: bool
    """Whether the recording has times of its own: else seconds mean nothing."""
    rules: int
    """The row at which rules or manifests first asked for a pause; NEVER."""
    harmful: int
    """Calls that the lexicon reads as deleting, granting, or turning a safeguard or a trail off."""
    fired: frozenset[str] = frozenset()
    """Every rule that fired, by name, also behind the first."""

    @property
    def calls(self) -> int:
        """How many calls were asked for or made."""
        return len(np.unique(self.steps))


def labels(folder: Path) -> dict[str, Label]:
    """The labels in `folder`/labels.csv, by run. Raises DetectorError where a column or a value is not as expected."""
    path = folder / "labels.csv"
    if not path.is_file() or not (folder / "runs").is_dir():
        raise DetectorError(f"evaluate: expected a folder with labels.csv and runs/, came {folder}")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if missing := COLUMNS - set(reader.fieldnames or ()):
            raise DetectorError(f"{path}: expected the columns {sorted(COLUMNS)}, {sorted(missing)} missing")
        return {row["run_id"]: _label(row, f"{path}, line {reader.line_num}") for row in reader}


def _label(row: dict[str, str], where: str) -> Label:
    if row["label"] not in LABELS:
        raise DetectorError(f"{where}: label: expected one of {', '.join(LABELS)}, came {row['label'][:40]!r}")
    try:
        unsafe, first, attempted = (
            int(row[name]) if row.get(name) else None
            for name in ("unsafe_step", "first_attempt_step", "attempted_step")
        )
    except ValueError as fault:
        raise DetectorError(f"{where}: a step: expected a whole number or nothing: {fault}") from None
    return Label(
        row["run_id"], row["file"], row["workflow"], row["task"], row["label"], unsafe, first, attempted,
        row.get("harm") or "", row.get("in_scope") == "1",
    )  # fmt: skip


def play(folder: Path, reader: Reader, policy: Policy) -> Iterator[tuple[Label, Played | None]]:
    """Every labelled run of `folder`/runs, None in place of one without a call. Nothing is stopped."""
    known = labels(folder)
    judge = Judge(blank(), replace(policy, mode="shadow", modes={}))
    for path in sorted((folder / "runs").glob("*.jsonl*")):
        for line in recorded.lines(path):
            run = json.loads(line)
            if run["run_id"] in known:
                label = known[run["run_id"]]
                yield label, played(label, run, reader, judge)


def played(label: Label, run: dict[str, Any], reader: Reader, judge: Judge) -> Played | None:
    """One recorded run through read() and step(); None where it calls nothing."""
    records = [record for example in grouped(recorded.requests(run), reader) for record in example.records]
    steps_of = {span: iter(steps) for span, steps in recorded.steps_of(run).items()}
    n = len(judge.model.layout.signals)
    state: State | None = None
    sums: list[NDArray[np.float32]] = []
    rows: list[tuple[int, bool, int]] = []
    rules, harmful = NEVER, set()
    fired: set[str] = set()
    for record in records:
        for event in record.events:
            alone = RunEvents(record.run, [event], workflow=record.workflow, workflow_rank=record.workflow_rank)
            judge.moves[:] = [0] * n
            state, _ = apply(state, alone, judge)
            if not isinstance(event, Action) or not isinstance(state, Run):
                continue
            fired |= _fired(state, judge)
            step = next(steps_of.get(event.span, iter(())), NEVER)
            if rules == NEVER and state.highest >= Level.PAUSE:
                rules = len(rows)
            if event.does & HARMFUL:
                harmful.add(step)
            rows.append((step, event.phase == Phase.DONE, event.at))
            sums.append(state.vector()[n:].astype(np.float32))
    if not rows:
        return None
    steps, done, at = zip(*rows, strict=True)
    clocked = any(step.get("ts") for step in run["steps"])
    return Played(
        label,
        np.array(sums),
        np.array(steps, dtype=np.int32),
        np.array(done),
        np.array(at),
        clocked,
        rules,
        len(harmful),
        frozenset(fired),
    )


def _fired(run: Run, judge: Judge) -> set[str]:
    """The rules that fire on what the event before has moved."""
    moved = [i for i, times in enumerate(judge.moves) if times]
    bound = [each for i in moved for each in judge.rules.get(i, ())]
    return {each.rule.name for each in bound if each.fires(moved, run.vector())}
