"""Evidence in words: what a run did, step by step, in words of ours alone."""

from __future__ import annotations

from collections.abc import Iterable

from detector.behaviours.base import Layout
from detector.lexicon import words
from detector.records import Environment, Evidence
from detector.runs.run import Step


def in_words(steps: Iterable[Step], layout: Layout) -> list[Evidence]:
    """The steps as evidence, in the order in which they happened."""
    return [
        Evidence(_text(step, layout), step.span.hex(), step.trace.hex(), step.at, step.tool, step.position + 1)
        for step in sorted(steps, key=lambda s: (s.position, s.at))
    ]


def _text(step: Step, layout: Layout) -> str:
    """`call 12, run_shell, in production: deletes a volume; deleted for good`."""
    where = environment(step.env)
    head = f"call {step.position + 1}, {step.tool or 'a call'}" + (f", in {where}" if where else "")
    did = "; ".join(dict.fromkeys(words(sign) for sign in step.signs))
    meant = sorted((layout.signals[i] for i in step.fired), key=lambda s: -s.gravity)
    means = "; ".join(signal.words for signal in meant[:3])
    return f"{head}: {did} ({means})" if did else f"{head}: {means}"


def environment(flags: int) -> str:
    """The highest environment among `flags`, in a word; empty where none is known."""
    known = [e for e in Environment if flags & e]
    return str(known[-1].name).lower() if known else ""
