"""The labelled calls of tests/lexicon/calls: what each must be read as, and what not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from detector.lexicon import Lexicon
from detector.records import Does, Environment

FILES = sorted((Path(__file__).parent / "calls").glob("*.jsonl"))
LEXICON = Lexicon()
JUDGED = Environment.TEST | Environment.PREVIEW | Environment.STAGING | Environment.PRODUCTION
"""Environments that must be read exactly; LOCAL must only be there where it is listed."""
BOUND = r"[/:@=,?\"' ]"


def labelled(file: Path) -> list[dict[str, Any]]:
    """The lines of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def faults(label: dict[str, Any]) -> list[str]:
    """What is wrong with how a call is read."""
    call = LEXICON.read(label["tool"], label["arguments"])
    said = [f"not {name}" for name in label["does"] if not call.does & Does[name]]
    said += [f"wrongly {name}" for name in label["not"] if call.does & Does[name]]
    if "env" in label:
        expected = sum((Environment[name] for name in label["env"]), Environment(0))
        if expected & JUDGED != call.environment & JUDGED or expected & ~call.environment:
            said.append(f"in {Environment(call.environment)!r}")
    for target in label.get("targets", ()):
        if not any(holds(read, target) for read in call.targets):
            said.append(f"target {target} not in {call.targets}")
    if "unreadable" in label and label["unreadable"] is call.whole:
        said.append("whole" if call.whole else "not whole")
    return said


def holds(read: str, target: str) -> bool:
    """Whether a target read equals a word, or holds it bounded."""
    plain = re.escape(target.strip("\"' ").rstrip("/").lower())
    return bool(re.search(rf"(?:^|{BOUND}){plain}(?:$|{BOUND})", read))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_labelled_calls(file: Path) -> None:
    """Every line's flags are set or not set as labelled; environment, targets and the mark for unreadable agree."""
    wrong = {label["id"]: said for label in labelled(file) if (said := faults(label))}

    assert not wrong, "\n" + "\n".join(f"{name}: {'; '.join(said)}" for name, said in wrong.items())


def test_the_suite_is_broad() -> None:
    """Over 600 calls with ids of their own, half of them quiet, each with a source."""
    labels = [label for file in FILES for label in labelled(file)]

    assert len({label["id"] for label in labels}) == len(labels) > 600
    assert 0.4 < sum(label["quiet"] for label in labels) / len(labels) < 0.6
    assert all(label["source"] for label in labels)
