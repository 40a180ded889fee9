"""How often each signal fires in labelled runs, by workflow and by what became of the run.

    python -m detector.training.signs DIR [FAMILY]

`DIR` as for `detector evaluate`; FAMILY is a behaviour (`provenance` where none is named), or `lexicon` for the classes
that it reads in calls. Prints the tables of docs/provenance.md and docs/lexicon.md: shares of runs in percent.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import layout
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import Action, Blind, Does, Event
from detector.training import recorded
from detector.training.corpus import grouped
from detector.training.played import Label, Played, labels, play

GROUPS = ("honest", "resisted", "hijacked")
CLASSES = (*(str(flag.name).lower() for flag in Does), "unreadable")
"""What the lexicon reads in a call."""
Shares = dict[tuple[str, str], tuple[int, list[float]]]
"""By workflow and group: how many runs, and the share of them for each of some names."""


def group(label: Label) -> str:
    """Honest; resisted: attacked, and nothing was tried; hijacked: the harmful call was made, and it's in scope."""
    if label.label == "benign":
        return "honest"
    if label.label == "attack_failed" and label.attempted_step is None:
        return "resisted"
    return "hijacked" if label.label == "unsafe" and label.in_scope else ""


def shares(runs: Iterable[tuple[Label, Played | None]], family: str) -> Shares:
    """By workflow and group: how many runs, and in what share of them each signal of the family has fired."""
    names = layout().names
    chosen = [n for n, name in enumerate(names) if name.startswith(family + ".")]
    fired: dict[tuple[str, str], list[NDArray[np.bool_]]] = defaultdict(list)
    for label, played in runs:
        if played is not None and (which := group(label)):
            fired[label.workflow, which].append((played.sums[:, chosen] > 0.0).max(axis=0))
    return {key: (len(each), [float(share) for share in np.mean(each, axis=0)]) for key, each in fired.items()}


def classes(folder: Path, reader: Reader) -> Shares:
    """By workflow and group: how many runs, and in what share of them a call is read as each of CLASSES."""
    known = labels(folder)
    read: dict[tuple[str, str], list[list[bool]]] = defaultdict(list)
    for path in sorted((folder / "runs").glob("*.jsonl*")):
        for line in recorded.lines(path):
            run = json.loads(line)
            label = known.get(run["run_id"])
            if label is not None and (which := group(label)):
                calls = [event for event in _events(run, reader) if isinstance(event, Action)]
                if calls:
                    does, blind = (
                        reduce(or_, flags) for flags in zip(*((c.does, c.blind) for c in calls), strict=True)
                    )
                    fired = [*(bool(does & flag) for flag in Does), bool(blind & Blind.UNREADABLE)]
                    read[label.workflow, which].append(fired)
    return {key: (len(each), [float(share) for share in np.mean(each, axis=0)]) for key, each in read.items()}


def _events(run: dict[str, Any], reader: Reader) -> Iterator[Event]:
    for example in grouped(recorded.requests(run), reader):
        for record in example.records:
            yield from record.events


def table(found: Shares, names: Sequence[str]) -> str:
    """The shares as a table in Markdown, a column a workflow: honest / resisted / hijacked."""
    workflows = sorted({workflow for workflow, _ in found})
    lines = ["| " + " | ".join(["share of runs, %", *workflows]) + " |", "|---" * (len(workflows) + 1) + "|"]
    counts = [" / ".join(str(found.get((w, g), (0, []))[0]) for g in GROUPS) for w in workflows]
    lines.append("| " + " | ".join(["runs: " + " / ".join(GROUPS), *counts]) + " |")
    for n, name in enumerate(names):
        cells = [" / ".join(_percent(found.get((w, g)), n) for g in GROUPS) for w in workflows]
        lines.append("| " + " | ".join([f"`{name}`", *cells]) + " |")
    return "\n".join(lines)


def _percent(found: tuple[int, list[float]] | None, n: int) -> str:
    return f"{100 * found[1][n]:.1f}" if found else "-"


def main(arguments: list[str]) -> None:
    """Prints the table."""
    if not 1 <= len(arguments) <= 2:
        sys.exit(__doc__)
    folder, family = Path(arguments[0]), arguments[1] if len(arguments) > 1 else "provenance"
    if family == "lexicon":
        found, names = classes(folder, Reader()), CLASSES
    else:
        found = shares(play(folder, Reader(), Policy(rules=())), family)
        names = tuple(name.partition(".")[2] for name in layout().names if name.startswith(family + "."))
    print(table(found, names))  # noqa: T201 - printing is its work


if __name__ == "__main__":
    main(sys.argv[1:])
