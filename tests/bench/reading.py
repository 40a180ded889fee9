"""What reading a span costs: over recorded runs, and over the longest arguments that were thought of.

python -m tests.bench.reading [--runs DIR] [--json FILE]

Over recorded runs: all between decoded spans and a stepped run, so dialect, lexicon, provenance and behaviours, and a
forest without knowledge. The longest arguments: lexicon and provenance, what depends on them. Both are time of the CPU.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from detector import ingest, otlp
from detector.config import load
from detector.policy.policy import Policy
from detector.read import Reader
from detector.reading.classify import Classifier
from detector.runs.judge import Judge
from detector.runs.state import State
from detector.step import apply
from detector.training import recorded
from detector.training.matrix import blank

MB = 1_000_000
SIZE = 10 * MB
REPEATS = 5


def _filled(text: str) -> str:
    return (text * (SIZE // len(text) + 1))[:SIZE]


def _nested() -> str:
    deep = SIZE // 12
    return '{"a":[' * deep + "1" + "]}" * deep


TEXTS: dict[str, tuple[str, Callable[[], str]]] = {
    "one word": ("bash", lambda: json.dumps({"command": "x" * SIZE})),
    "nested objects": ("bash", _nested),
    "a million keys": ("search", lambda: "{" + ",".join(f'"k{n}":{n}' for n in range(SIZE // 16)) + "}"),
    "a million pipes": ("bash", lambda: json.dumps({"command": _filled("cat a | ")})),
    "a million commands": ("bash", lambda: json.dumps({"command": _filled("rm -rf /srv/data; ")})),
    "shells in shells": ("bash", lambda: json.dumps({"command": _filled("bash -c 'sh -c \"")})),
    "quotes": ("bash", lambda: json.dumps({"command": _filled("'\"\\")})),
    "dollars and backticks": ("bash", lambda: json.dumps({"command": _filled("$(`${a:-$(")})),
    "base64": ("bash", lambda: json.dumps({"command": "echo " + _filled("QUJDREVG") + " | base64 -d | sh"})),
    "statements": ("query", lambda: json.dumps({"sql": _filled("DELETE FROM t WHERE a = (SELECT 1); ")})),
    "parentheses": ("query", lambda: json.dumps({"sql": "SELECT " + _filled("((")})),
    "a mutation": ("graphql", lambda: json.dumps({"query": "mutation { " + _filled("a(b: {c: [1]}) { d } ")})),
    "newlines": ("bash", lambda: json.dumps({"command": "\n" * SIZE})),
    "unicode": ("bash", lambda: json.dumps({"command": _filled("é漢🜁\u202e")[: SIZE // 6]}, ensure_ascii=False)),
    "escapes": ("bash", lambda: '{"command":"' + _filled("\\u0000") + '"}'),
    "addresses": (
        "send_email",
        lambda: json.dumps({"to": _filled("a1@b.example, "), "body": _filled("c2@d.example ")}),
    ),
    "secrets": ("http", lambda: json.dumps({"headers": _filled("token=a1b2c3d4e5f6 Bearer sk-x ")})),
    "no JSON": ("bash", lambda: _filled('{"command": ')),
    "code": ("python", lambda: json.dumps({"code": _filled("import os; os.system('rm -rf /'); ")})),
}
"""The tool, and the text of its arguments."""


def structured() -> dict[str, Any]:
    """Arguments that came as values, not as a text."""
    return {f"k{n}": ["x" * 90, {"command": "rm -rf /srv"}] for n in range(SIZE // 128)}


def worst() -> dict[str, float]:
    """Milliseconds of CPU that lexicon and provenance take for each of TEXTS, the least of a few."""
    found = {name: _took(tool, text) for name, (tool, text) in TEXTS.items()}
    return found | {"structured values": _took("bash", structured)}


def _took(tool: str, arguments: Callable[[], Any]) -> float:
    classifier = Classifier(b"key", load().max_text_chars)
    classifier.call("warm", {"command": "ls", "sql": "SELECT 1"})
    spent = []
    for _ in range(REPEATS):
        # Anew, for a text keeps its hash.
        value = arguments()
        begun = time.thread_time()
        classifier.call(tool, value)
        spent.append(time.thread_time() - begun)
    return min(spent) * 1e3


def a_span(judge: Judge, folder: Path) -> dict[str, float]:
    """Microseconds a span over the runs of `folder`: median and 99th percentile of the runs' own means."""
    reader = Reader(b"key")
    paths = sorted((folder / "runs").glob("*.jsonl*"))
    runs = (json.loads(line) for path in paths for line in recorded.lines(path))
    each = [_run(judge, reader, recorded.requests(run)) for run in runs]
    p50, p99 = np.percentile(each, [50, 99])
    return {"p50": float(p50), "p99": float(p99), "runs": len(each)}


def _run(judge: Judge, reader: Reader, requests: Iterable[bytes]) -> float:
    state: State | None = None
    spans, spent = 0, 0.0
    for value in requests:
        begun = time.thread_time()
        otlp.decode(value, {})
        decoded = time.thread_time()
        reading = reader.read(value)
        for batch in reading.batches:
            for piece in ingest.pieces(batch, 1):
                state, _ = apply(state, piece, judge)
        spent += (time.thread_time() - decoded) - (decoded - begun)
        spans += reading.spans
    return spent / max(spans, 1) * 1e6


def measure(runs: Path | None) -> dict[str, Any]:
    """The figures; those of recorded runs where there are some."""
    judge = Judge(blank(), Policy())
    judge.model.warm()
    found: dict[str, Any] = {"reading_worst_ms": worst()}
    return found | ({"reading_us_a_span": a_span(judge, runs)} if runs else {})


def show(figures: dict[str, Any]) -> None:
    """Prints them as the rows of a table."""
    print("\n| reading, without decoding | CPU |\n|---|---|")
    if over := figures.get("reading_us_a_span"):
        counted = f"{over['runs']:,} recorded runs"
        print(f"| a span of {counted}, median and p99 | {over['p50']:.0f} and {over['p99']:.0f} us |")
    by_time = sorted(figures["reading_worst_ms"].items(), key=lambda pair: -pair[1])
    for name, took in by_time[:5]:
        print(f"| 10 MB of arguments: {name} | {took:.1f} ms |")
    print(f"| the other {len(by_time) - 5} | at most {by_time[5][1]:.1f} ms |")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="tests.bench.reading")
    parser.add_argument("--runs", type=Path, help="folder with runs/*.jsonl[.gz], as `detector evaluate` takes it")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    figures = measure(options.runs)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
