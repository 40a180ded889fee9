"""Manifests against runs of the past: what honest ones needed, and what a manifest would have stopped.

Both go through `step` itself, so that what is proposed is what the stream will ask.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from detector.lexicon.secrets import redact
from detector.policy.approved import UNKNOWN, Approved, Left, Needs
from detector.policy.manifest import FLAGS, Manifest
from detector.policy.policy import Policy, approve
from detector.reading.principals import KINDS
from detector.records import Action, Does, Level, Verdict
from detector.runs.judge import Judge
from detector.runs.run import NAME_BYTES, Run, cut
from detector.step import apply
from detector.training.matrix import blank

if TYPE_CHECKING:
    from detector.runs.state import State
    from detector.training.corpus import Example

UNPLACED = 1 << 6
"""Stands for the environment of what was deleted for good and nothing places."""
SUGGESTED = 20
"""Assets that are suggested at most."""
_WORDS = {**FLAGS, "unknown": UNKNOWN}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]{0,100}")
_YAML_WORDS = frozenset("true false yes no on off null y n ~".split())
_NO_ASSET = re.compile(r"[/\\\s@*?\[\]]")
_GONE = int(Does.DELETE | Does.IRREVERSIBLE)


@dataclass(frozen=True)
class Witness(Approved):
    """Approves nothing less than the manifest does, and remembers what each run needed beyond it."""

    needed: set[tuple[str, object]] = field(default_factory=set, compare=False)
    """Of the run at hand: (kind, tool, flag, hash or name)."""
    unplaced: set[int] = field(default_factory=set, compare=False)
    """Of the run at hand: hashes of what it deleted for good, and no word of the call places."""
    seen: dict[int, int] = field(default_factory=dict, compare=False)
    """Environments in which a target was seen, by its hash."""
    proposing: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.proposing:
            object.__setattr__(self, "unknown", UNPLACED)

    def place(self, action: Action) -> tuple[int, bool]:
        """As it is; remembers the targets."""
        if self.proposing:
            for target in action.targets:
                self.seen[target] = self.seen.get(target, 0) | action.env
            if not action.env and action.does & _GONE == _GONE:
                self.unplaced.update(action.targets)
        return super().place(action)

    def lacks(self, needed: Needs) -> int:
        """As it is; remembers what is needed and not approved."""
        left = super().lacks(needed)
        if self.proposing or left & Left.TOOL:
            self.needed.add(("tools", needed.tool))
        if self.proposing or left & Left.ENVIRONMENT:
            self.needed.update(("environments", flag) for flag in _bits(needed.environments & ~self._environments))
            if self.proposing:
                self.needed.update(("environments", flag) for flag in _bits(needed.environments))
        if self.proposing or left & Left.WRITE:
            self.needed.update(("writes", flag) for flag in _bits(needed.writes & ~self._writes))
        if self.proposing or left & Left.PRINCIPAL:
            self.needed.update(("principals", who) for who in needed.principals if not self.names(who))
        if needed.mode and (self.proposing or left & Left.MODE):
            self.needed.add(("modes", needed.mode))
        return left


@dataclass
class History:
    """What the runs of one workflow needed: by kind, in how many runs each was."""

    workflow: str
    runs: int = 0
    needed: dict[str, Counter[object]] = field(default_factory=dict)
    unplaced: Counter[int] = field(default_factory=Counter)
    unplaced_runs: int = 0
    seen: dict[int, int] = field(default_factory=dict)

    def add(self, witness: Witness) -> None:
        """Takes what one run needed."""
        self.runs += 1
        for kind, what in witness.needed:
            self.needed.setdefault(kind, Counter())[what] += 1
        self.unplaced.update(witness.unplaced)
        self.unplaced_runs += ("environments", UNPLACED) in witness.needed
        for target, flags in witness.seen.items():
            self.seen[target] = self.seen.get(target, 0) | flags


@dataclass
class Checked:
    """What the runs of one workflow would have left of its manifest."""

    history: History
    signals: Counter[str] = field(default_factory=Counter)
    """In how many runs each signal of leaving it moved."""
    levels: Counter[str] = field(default_factory=Counter)
    """In how many runs the manifest's own answer was the highest: ALERT, PAUSE."""


def observe(examples: Iterable[Example]) -> dict[str, History]:
    """What honest runs needed, by workflow."""
    found: dict[str, History] = {}
    for example in examples:
        witness = Witness(Manifest(workflow=example.workflow), proposing=True)
        _play(example, {cut(example.workflow, NAME_BYTES): witness})
        found.setdefault(example.workflow, History(example.workflow)).add(witness)
    return found


def check(examples: Iterable[Example], manifests: Mapping[str, Manifest], key: bytes) -> dict[str, Checked]:
    """What runs would have left of the manifests, by workflow; runs of other workflows are passed over."""
    found: dict[str, Checked] = {}
    for example in examples:
        if (manifest := manifests.get(example.workflow)) is None:
            continue
        witness = Witness(manifest, key)
        run, verdicts = _play(example, {**approve({}, key), cut(example.workflow, NAME_BYTES): witness})
        checked = found.setdefault(example.workflow, Checked(History(example.workflow)))
        checked.history.add(witness)
        checked.signals.update(_moved(run))
        levels = [Level[verdict.level] for verdict in verdicts if verdict.cause.startswith("manifest:")]
        if levels:
            checked.levels[max(levels).name] += 1
    return found


def _play(example: Example, manifests: Mapping[str, Approved]) -> tuple[Run | None, list[Verdict]]:
    """The run as its last record left it, and the verdicts on it."""
    judge = Judge(blank(), Policy(rules=(), mode="shadow", manifests=manifests))
    state: State | None = None
    verdicts: list[Verdict] = []
    for record in example.records:
        named = msgspec.structs.replace(record, workflow=example.workflow, workflow_rank=0)
        state, effects = apply(state, named, judge)
        verdicts += [effect for effect in effects if isinstance(effect, Verdict)]
    return state if isinstance(state, Run) else None, verdicts


def _moved(run: Run | None) -> list[str]:
    if run is None:
        return []
    layout, sums = blank().layout, run.vector()
    half = len(layout.names)
    return [
        name.partition(".")[2]
        for n, name in enumerate(layout.names)
        if name.startswith("posture.") and sums[half + n] > 0.0
    ]


def text(history: History, names: Mapping[int, str]) -> str:
    """A manifest that the runs of `history` do not leave, as YAML with counts. `names`: what hashes stand for."""
    runs = history.runs
    lines = [
        f"# Proposed from {runs} honest run{'s' if runs != 1 else ''}. Behind a line: how many of them needed it.",
        "# Strike out what should not be, list assets, and say under on_leave what is to happen: alert or pause.",
        f"workflow: {_quoted(history.workflow)}",
    ]
    lines += _list("tools", [(str(tool), n) for tool, n in _counted(history, "tools") if tool])
    places = dict(_counted(history, "environments"))
    writes = dict(_counted(history, "writes"))
    unknown = "local" if history.unplaced_runs else "production"
    for counts in (places, writes):
        # What nothing places is deleted in the environment that `unknown` names.
        if unplaced := counts.pop(UNPLACED, 0):
            counts[FLAGS[unknown]] = counts.get(FLAGS[unknown], 0) + unplaced
    lines += _list("environments", _words(places))
    lines += _list("writes", _words(writes))
    lines += _principals(history, names)
    lines += (
        _list("modes", [(str(mode), n) for mode, n in _counted(history, "modes")])
        if history.needed.get("modes")
        else []
    )
    lines += _assets(history, names)
    if history.unplaced_runs:
        lines.append(
            f"# {history.unplaced_runs} of them deleted for good what nothing places: as production they would have"
        )
        lines.append("# left the manifest. Better than `local` is a list of assets.")
    lines += [f"unknown: {unknown}", "on_leave: {}", ""]
    return "\n".join(lines)


def _principals(history: History, names: Mapping[int, str]) -> list[str]:
    rows: list[tuple[str, int]] = []
    hidden = 0
    for who, n in _counted(history, "principals"):
        name = names.get(who, "") if isinstance(who, int) else ""
        if name and redact(name) == name and name.isprintable():
            rows.append((name, n))
        else:
            hidden += 1
    lines = _list("principals", sorted(rows, key=lambda row: (-row[1], row[0])))
    if hidden:
        lines.append(f"  # {hidden} more that may not be written")
    return lines


def _assets(history: History, names: Mapping[int, str]) -> list[str]:
    rows: list[str] = []
    for target, n in history.unplaced.most_common():
        name = names.get(target, "")
        if not name or _NO_ASSET.search(name) or redact(name) != name or not name.isprintable():
            continue
        seen = [word for word, flag in FLAGS.items() if history.seen.get(target, 0) & flag]
        where = seen[-1] if seen else "production"
        hint = f"elsewhere named with {' and '.join(seen)}" if seen else "nothing says where it is"
        rows.append(f"#   - {{name: {_quoted(name)}, environment: {where}}}  # deleted in {n}; {hint}")
    return ["# assets:", *rows[:SUGGESTED]] if rows else []


def _counted(history: History, kind: str) -> list[tuple[object, int]]:
    counts = history.needed.get(kind, Counter())
    return sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))


def _words(counts: Mapping[object, int]) -> list[tuple[str, int]]:
    return [(word, counts[flag]) for word, flag in _WORDS.items() if counts.get(flag)]


def _list(key: str, rows: list[tuple[str, int]]) -> list[str]:
    if not rows:
        return [f"{key}: []"]
    return [f"{key}:", *[f"  - {_quoted(name)}  # {n}" for name, n in rows]]


def _quoted(name: str) -> str:
    """The name as YAML reads it as text."""
    return name if _PLAIN.fullmatch(name) and name.lower() not in _YAML_WORDS else json.dumps(name)


def _bits(flags: int) -> Iterable[int]:
    return [1 << n for n in range(flags.bit_length()) if flags >> n & 1]


def report(checked: Checked, names: Mapping[int, str]) -> list[str]:
    """What runs would have left, a line each: the signal, in how many runs, and what it was."""
    runs = checked.history.runs
    lines = [f"{checked.history.workflow}: {runs} run{'s' if runs != 1 else ''}"]
    of = {
        "tool_left": "tools",
        "environment_left": "environments",
        "write_left": "writes",
        "principal_left": "principals",
        "mode_left": "modes",
    }
    for signal, n in checked.signals.most_common():
        what = [
            f"{_word(kind, value, names)} ({times})"
            for kind in [of.get(signal, "")]
            for value, times in _counted(checked.history, kind)
        ]
        lines.append(f"  {signal}: {n} of {runs} runs" + (f": {', '.join(what[:8])}" if what else ""))
    if not checked.signals:
        lines.append("  nothing left it")
    for level, n in sorted(checked.levels.items()):
        lines.append(f"  on_leave would have said {level} in {n} of {runs} runs")
    return lines


def _word(kind: str, value: object, names: Mapping[int, str]) -> str:
    if kind in {"environments", "writes"}:
        return next((word for word, flag in _WORDS.items() if flag == value), "unknown")
    if kind == "principals" and isinstance(value, int):
        return redact(names.get(value, f"{value & ~KINDS:016x}"))
    return str(value)
