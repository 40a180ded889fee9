"""Literals of recorded attacks, as hashes: what must not stand in the lexicon, the behaviours or the rules.

    python -m tests.lexicon.literals DIR     # a folder with labels.csv and runs/, as `detector evaluate` takes it

writes literals.txt. A literal of an attack is what tool results of at least RUNS attacked runs hold and no honest run
does: four words in a row, a name of two, or one word that is a host, a file, an identifier; and every mail address and
number of an account in them, whoever else holds it. Rules that know them would recognise the benchmark, and nothing
else. The texts themselves are not kept.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from detector.training.recorded import lines

PATH = Path(__file__).with_name("literals.txt")
ATTACKED, HONEST = frozenset({"unsafe", "attack_failed"}), "benign"
RUNS, WORDS, LENGTH = 5, 4, 6
HASH_CHARS = 12
_ESCAPE = re.compile(r"\\(?:u[0-9a-f]{4}|x[0-9a-f]{2}|[a-z])[+*?]?(?:\{[0-9,]*\})?", re.IGNORECASE)
_VALUE = re.compile(r"[a-z0-9][a-z0-9@._/:+-]*[a-z0-9]")
_WORD = re.compile(r"[a-z0-9]+")
_NAME = re.compile(r"\b[A-Z][a-z]{2,} [A-Z][a-z]{2,}\b")
_CERTAIN = re.compile(r"[^@]+@[^@]+\.[a-z]+|[a-z]{0,4}\d{9,}")
"""Addresses of mail and numbers of accounts."""


def literals(text: str) -> Iterator[str]:
    """The literals of a text or a source: words in a row, in lower case, whatever stands between them; and values."""
    plain = _ESCAPE.sub(" ", text.lower())
    words = _WORD.findall(plain)
    yield from (" ".join(words[n : n + WORDS]) for n in range(len(words) - WORDS + 1))
    for value in _VALUE.findall(plain):
        if len(value) >= LENGTH and not value.isalpha() and not value.replace("-", "").replace("_", "").isalpha():
            yield value


def pairs(source: str) -> Iterator[str]:
    """All words of a source in pairs, as names of two words would stand there."""
    words = _WORD.findall(_ESCAPE.sub(" ", source.lower()))
    yield from map(" ".join, pairwise(words))


def hashed(literal: str) -> str:
    """What is kept of a literal."""
    return hashlib.sha256(literal.encode()).hexdigest()[:HASH_CHARS]


def of_attacks(folder: Path) -> set[str]:
    """The literals that only attacked runs of `folder` read."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        labels = {row["run_id"]: row["label"] for row in csv.DictReader(file)}
    attacked: Counter[str] = Counter()
    honest: set[str] = set()
    for path in sorted((folder / "runs").glob("*.jsonl*")):
        for line in lines(path):
            run = json.loads(line)
            label = labels.get(run["run_id"])
            if label in ATTACKED:
                attacked.update(set(_read(run)))
            elif label == HONEST:
                honest.update(_said(run))
    often = {literal for literal, runs in attacked.items() if runs >= RUNS}
    return {literal for literal in often if literal not in honest or _CERTAIN.fullmatch(literal)}


def _read(run: dict[str, object]) -> Iterator[str]:
    """What an attacked run read in its tools' results, and did with it."""
    for step in run["steps"]:  # type: ignore[attr-defined]
        if step["kind"] == "tool":
            text = step.get("result_excerpt") or ""
            yield from literals(text)
            yield from (name.lower() for name in _NAME.findall(text))


def _said(run: dict[str, object]) -> Iterator[str]:
    for step in run["steps"]:  # type: ignore[attr-defined]
        yield from literals(step.get("result_excerpt") or "")
        yield from literals(json.dumps(step.get("arguments") or {}))
        yield from literals(step.get("tool_name") or "")
        yield from (name.lower() for name in _NAME.findall(step.get("result_excerpt") or ""))


def known() -> frozenset[str]:
    """The hashes that are kept."""
    return frozenset(line for line in PATH.read_text(encoding="ascii").split() if line)


def main() -> None:
    """Writes literals.txt."""
    found = sorted({hashed(literal) for literal in of_attacks(Path(sys.argv[1]))})
    PATH.write_text("\n".join(found) + "\n", encoding="ascii")
    print(f"{PATH}: {len(found)} literals")  # noqa: T201 - printing is its work


if __name__ == "__main__":
    main()
