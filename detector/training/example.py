"""Runs made up by the simulator's stories, as the notebooks start from: recorded runs with labels, and their summaries.

    python -m detector.training.example notebooks/examples/summaries.jsonl.gz

writes the summaries that the notebooks read where nobody names others. They hold features of the installed behaviours,
and are to be written anew whenever these change, as the model is.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from detector.config import load
from detector.demo.estate import estate
from detector.demo.script import Story
from detector.demo.stories import HONEST, tell
from detector.demo.stories.drift import drifting
from detector.demo.stories.incident import incident
from detector.demo.worlds import PaperWorld
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import Labelled, RunEvents, Summary, Tick
from detector.runs.effects import Effect
from detector.runs.judge import Judge
from detector.runs.state import State
from detector.scoring import model as models
from detector.step import apply
from detector.training import recorded
from detector.training.corpus import grouped

START = datetime(2026, 4, 1, tzinfo=UTC)
COLUMNS = "run_id file workflow task label unsafe_step first_attempt_step harm in_scope".split()
HARM = re.compile(r"volumeDelete|\b(DELETE FROM|TRUNCATE TABLE|DROP TABLE)\b")
"""What the drifting stories end with."""
SEED = 2_000_000
"""Away from the seeds of the demo and from those of training."""
AT_LAST = 1 << 62

Recorded = tuple[dict[str, Any], dict[str, str]]
"""A run as `recorded` reads it, and its line of labels.csv."""


def runs(honest: int, unsafe: int, seed: int = 0) -> Iterator[Recorded]:
    """So many honest runs, every story in turn, and so many that drift or re-enact the incident; by seed."""
    for n in range(honest):
        workflow, teller = HONEST[n % len(HONEST)]
        story = tell(workflow, teller, f"example/{seed}/{n}")
        yield _recorded(story, n), _label(story, "benign")
    for n in range(unsafe):
        of = estate(SEED + seed + n)
        story = incident(SEED + seed + n, of, PaperWorld(of)) if n % 2 else drifting(SEED + seed + n)
        run = _recorded(story, honest + n)
        calls = enumerate(run["steps"])
        step = next(i for i, s in calls if s["kind"] == "tool" and HARM.search(json.dumps(s["arguments"])))
        yield run, _label(story, "unsafe", unsafe_step=str(step), harm="destructive", in_scope="1")


def labelled(folder: Path, honest: int = 200, unsafe: int = 16, seed: int = 0) -> Path:
    """Writes `runs` as a folder that `detector evaluate` reads, and returns it."""
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    made = list(runs(honest, unsafe, seed))
    with gzip.open(folder / "runs" / "example.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(run) + "\n" for run, _ in made)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(label for _, label in made)
    return folder


def summaries(made: Iterable[Recorded], judge: Judge) -> Iterator[Summary]:
    """What the worker writes of these runs at their end. Where one was to be paused, a person has said what it was."""
    reader = Reader()
    for run, label in made:
        state: State | None = None
        effects: list[Effect] = []
        for example in grouped(recorded.requests(run), reader):
            for record in example.records:
                state, more = apply(state, record, judge)
                effects += more
        kind = "honest" if label["label"] == "benign" else "destructive"
        if any(getattr(effect, "level", "") == "PAUSE" for effect in effects):
            state, _ = apply(state, RunEvents(run["run_id"], [Labelled(AT_LAST, kind, "example")]), judge)
        _, effects = apply(state, RunEvents(run["run_id"], [Tick(AT_LAST)]), judge)
        yield from (effect for effect in effects if isinstance(effect, Summary))


def write(path: Path, found: Iterable[Summary]) -> None:
    """Writes summaries, one JSON object a line, gzipped; the same summaries, the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = b"".join(msgspec.json.encode(summary) + b"\n" for summary in found)
    path.write_bytes(gzip.compress(text, mtime=0))


def _recorded(story: Story, number: int) -> dict[str, Any]:
    clock = random.Random(story.run)  # noqa: S311 - a story's clock
    now = START + timedelta(hours=4 * number, seconds=clock.uniform(0, 3600))
    steps: list[dict[str, Any]] = []
    for turn in story.turns:
        steps += [{"kind": "user", "result_excerpt": text} for text in turn.heard]
        steps.append({"kind": "llm", "result_excerpt": turn.says, "ts": now.isoformat()})
        now += timedelta(seconds=2.0 + turn.seconds)
        for call in turn.calls:
            result, began = call.perform(), now
            now += timedelta(seconds=call.seconds)
            steps.append({
                "kind": "tool", "tool_name": call.tool, "arguments": dict(call.arguments),
                "error": bool(result.failed), "result_excerpt": result.text,
                "ts": began.isoformat(), "ts_end": now.isoformat(),
            })  # fmt: skip
    return {"run_id": story.run, "workflow": story.workflow, "steps": steps}


def _label(story: Story, label: str, **more: str) -> dict[str, str]:
    task = f"{story.workflow}/{story.task}"
    return {"run_id": story.run, "file": "example", "workflow": story.workflow, "task": task, "label": label, **more}


def main(arguments: list[str]) -> None:
    """Writes the notebooks' example."""
    if len(arguments) != 1:
        sys.exit(__doc__)
    # Nothing is stopped: every run is summarised at its own end.
    judge = Judge(models.load(load().models), Policy(mode="shadow"))
    write(Path(arguments[0]), summaries(runs(1100, 16), judge))


if __name__ == "__main__":
    main(sys.argv[1:])
