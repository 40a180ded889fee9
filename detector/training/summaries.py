"""agent-summaries as training data: loaded from a file or from Kafka, sorted into honest and other, and as rows.

A summary keeps a run's features at its end and at the peak of its score, not after each call. What that costs, beside
fitting on the runs themselves (`detector train`):

- The baseline sees the highest of two rows of each signal, not of all rows.
- The forest is fitted on two rows a run, not on recipe.ROWS_A_RUN.
- A peak is the peak under the model that scored the run. Under the new forest the run may have been higher at another
  call: what is calibrated on is that or less, so honest runs pass a threshold rather more often than was asked for.
- Of a run that was paused, and of which nobody has said what it was, nothing is known: it counts as an honest one above
  every threshold. So a workflow with many of them gets no threshold to pause by.
- A summary names no task: runs count as independent of each other. Where they are not, bounds are too narrow.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from aiokafka.errors import KafkaError
from numpy.typing import NDArray

from detector.behaviours.base import Layout
from detector.config import Settings
from detector.config import load as load_settings
from detector.control import topics
from detector.errors import DetectorError
from detector.records import Level, Summary

if TYPE_CHECKING:
    import polars as pl

KAFKA = "kafka"
MARGIN = 1e-6
"""More than what rounding to a float32 and to six digits takes or adds."""
CLEARED = frozenset({"honest", "approve", "resume"})
"""A summary does not say when: what was killed afterwards only `honest` clears."""
KILLED_CLEARED = frozenset({"honest"})
BLAMED = frozenset({"destructive", "deny", "kill"})

_decoder = msgspec.json.Decoder(Summary)


class Sorted(NamedTuple):
    """Summaries by what they are good for in training."""

    honest: list[Summary]
    blamed: list[Summary]
    """Somebody called it destructive, denied or killed it."""
    unsaid: list[Summary]
    """Paused or killed, and nobody has said what it was: no model learns from what one has flagged."""


def load(source: str | Path) -> list[Summary]:
    """The summaries of `source`: a file of JSON lines, gzipped or not, or `kafka`: the topic that the settings name.

    The last summary of a run counts. Raises DetectorError where there is none to read.
    """
    if str(source) == KAFKA:
        # In a thread of its own: a notebook has an event loop that is running.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(from_kafka(load_settings()))).result()
    path = Path(source)
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise DetectorError(f"summaries: {path} can't be read: {fault.strerror or fault}") from None
    try:
        text = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as fault:
        raise DetectorError(f"summaries: {path} is no whole gzip file: {fault}") from None
    found: dict[str, Summary] = {}
    for number, line in enumerate(text.rstrip().split(b"\n") if text.strip() else [], 1):
        try:
            summary = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            raise DetectorError(f"summaries: {path}, line {number}: {fault}") from None
        found[summary.run] = summary
    return list(found.values())


async def from_kafka(settings: Settings) -> list[Summary]:
    """The summaries in the topic, by run; what can't be read as one is passed over. Raises TransportError."""
    topic = settings.topic("agent-summaries")
    found: dict[bytes, Summary] = {}
    try:
        async with topics.reading(settings, topic) as consumer:
            async for raw in topics.to_the_end(consumer):
                found.pop(raw.key, None)
                if raw.value:
                    try:
                        found[raw.key] = _decoder.decode(raw.value)
                    except (msgspec.MsgspecError, UnicodeDecodeError):
                        continue
    except (KafkaError, OSError) as fault:
        raise topics.unreachable(settings, fault, topic) from fault
    return list(found.values())


def usable(found: Iterable[Summary], layout: Layout, models: Path) -> list[Summary]:
    """Those with the features of `layout`: written under a model, in the folder `models`, of the same behaviours.

    Raises DetectorError where none is.
    """
    fits: dict[str, bool] = {}
    every = list(found)
    for version in {summary.model for summary in every}:
        try:
            manifest = json.loads((models / version / "manifest.json").read_bytes())
        except (OSError, ValueError):
            manifest = {}
        fits[version] = manifest.get("layout") == layout.version
    width = len(layout.feature_names)
    kept = [s for s in every if fits[s.model] and len(s.features) == len(s.peak_features) == width]
    if not kept:
        raise DetectorError(
            f"summaries: expected some under a model in {models} with the installed behaviours, came {len(every)} "
            f"under {', '.join(sorted(fits)) or 'none'}"
        )
    return kept


def sort(found: Iterable[Summary]) -> Sorted:
    """Honest is what nobody blamed and no rule, manifest or model would have paused, or what a person has cleared.

    Of a run that was cleared and blamed, the blame counts. Runs without a call are left out.
    """
    honest: list[Summary] = []
    blamed: list[Summary] = []
    unsaid: list[Summary] = []
    for summary in found:
        if not summary.calls:
            continue
        said = summary.labels.keys()
        if said & BLAMED:
            blamed.append(summary)
        elif _stopped(summary) and not said & (KILLED_CLEARED if summary.outcome == "killed" else CLEARED):
            unsaid.append(summary)
        else:
            honest.append(summary)
    return Sorted(honest, blamed, unsaid)


def _stopped(summary: Summary) -> bool:
    # What a newer worker calls otherwise is not known to have been left alone.
    return summary.outcome == "killed" or Level.__members__.get(summary.level, Level.KILL) >= Level.PAUSE


def rows(summary: Summary, margin: float = -MARGIN) -> NDArray[np.float64]:
    """The run as long sums (1 or 2, n): at its peak and, where it differs, at its end.

    Summaries are rounded, and a baseline tells levels apart by the last digit: sums are moved by `margin` of one more
    than themselves. Up for a fit, so that no honest run exceeds itself; down, as by default, to be scored.
    """
    n = len(summary.features) // 2
    both = np.array([summary.peak_features[n:], summary.features[n:]])
    both[both > 0.0] += margin * (1.0 + both[both > 0.0])
    return both[:1] if np.array_equal(both[0], both[1]) else both


def frame(found: Sequence[Summary], layout: Layout) -> pl.DataFrame:
    """A row a run: what the summary says, its length in seconds, and each behaviour family's highest long sum."""
    import polars as pl

    n = len(layout.signals)
    families = {
        behaviour.name: slice(offset, offset + len(behaviour.signals))
        for behaviour, offset in zip(layout.behaviours, layout.offsets, strict=True)
    }
    highest = [np.maximum(s.peak_features[n:], s.features[n:]) for s in found]
    return pl.DataFrame({
        "run": [s.run for s in found],
        "workflow": [s.workflow for s in found],
        "started": pl.Series([s.started for s in found], dtype=pl.Int64).cast(pl.Datetime("ns")),
        "seconds": [(s.ended - s.started) / 1e9 for s in found],
        "calls": [s.calls for s in found],
        "turns": [s.turns for s in found],
        "outcome": [s.outcome for s in found],
        "level": [s.level for s in found],
        "peak": [s.peak for s in found],
        "peak_position": [s.peak_position for s in found],
        "labels": [", ".join(sorted(s.labels)) for s in found],
        "model": [s.model for s in found],
        **{family: [float(row[where].max(initial=0.0)) for row in highest] for family, where in families.items()},
    })  # fmt: skip
