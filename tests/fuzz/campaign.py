"""Many inputs through one subject, with what is counted and measured on the way."""

from __future__ import annotations

import ctypes
import gc
import logging
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.fuzz.inputs import Input, make
from tests.fuzz.minimise import minimised
from tests.fuzz.oracle import REPEATED, Seen, Subject
from tests.fuzz.stream import Failure

GROWTH_MB = 50.0
"""Resident memory may grow by this much after the warm-up."""
WARM_SHARE, WARM_MOST = 0.2, 200_000
"""Share of the inputs, and how many at most, in which caches fill."""
SAMPLED = 500
"""Memory is looked at after every so many inputs."""
KEPT_SLOWEST = 5
SMALL_BYTES = 2_000
"""A smaller input counts as one of this size where time is set against size."""


@dataclass(order=True)
class Slow:
    """An input that took long."""

    micros: float
    us_per_byte: float
    size: int
    number: int
    changes: tuple[str, ...]


@dataclass
class Found:
    """A broken promise: how often, and the input that showed it first, made as small as it goes."""

    times: int
    number: int
    changes: tuple[str, ...]
    value: bytes
    alone: bool
    """Whether the input alone shows it; else it needs those before it."""


@dataclass
class Report:
    """What a campaign came to."""

    seed: int
    inputs: int = 0
    bytes: int = 0
    spans: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of this process: what the campaign would take on a core of its own."""
    rejects: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    found: dict[str, Found] = field(default_factory=dict)
    slowest: list[Slow] = field(default_factory=list)
    slowest_by_size: list[Slow] = field(default_factory=list)
    start_mb: float = 0.0
    warming_mb: list[float] = field(default_factory=list)
    """Resident memory during the warm-up, and after it, every SAMPLED inputs."""
    later_mb: list[float] = field(default_factory=list)
    largest_state: int = 0

    @property
    def warm_mb(self) -> float:
        """Resident memory at the end of the warm-up: the median of its second half, for single inputs are large."""
        return median(self.warming_mb[len(self.warming_mb) // 2 :] or [self.start_mb])

    @property
    def end_mb(self) -> float:
        """The same of the last tenth of the campaign."""
        return median(self.later_mb[-(len(self.later_mb) // 10 or 1) :] or [self.warm_mb])

    @property
    def grown_mb(self) -> float:
        """By how much memory grew after the warm-up."""
        return self.end_mb - self.warm_mb

    @property
    def faults(self) -> list[str]:
        """Why the campaign failed; empty where it did not."""
        faults = [f"{reason} ({found.times} times)" for reason, found in self.found.items()]
        if self.grown_mb > GROWTH_MB:
            faults.append(f"memory grew by {self.grown_mb:.0f} MB after the warm-up, expected at most {GROWTH_MB:.0f}")
        return faults

    def count(self, number: int, made: Input, seen: Seen) -> None:
        """Adds an input that held."""
        self.spans += seen.spans
        self.rejects.update(seen.rejects)
        self.notes.update(seen.notes)
        self.sent.update(seen.sent)
        size = len(made.value)
        slow = Slow(seen.micros, seen.micros / max(size, SMALL_BYTES), size, number, made.changes)
        _keep(self.slowest, slow, lambda it: it.micros)
        _keep(self.slowest_by_size, slow, lambda it: it.us_per_byte)

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        plain = {name: value for name, value in vars(self).items() if name != "found"}
        plain["slowest"] = [vars(slow) for slow in self.slowest]
        plain["slowest_by_size"] = [vars(slow) for slow in self.slowest_by_size]
        plain["found"] = {reason: vars(found) | {"value": found.value.hex()} for reason, found in self.found.items()}
        plain |= {"warm_mb": self.warm_mb, "end_mb": self.end_mb, "grown_mb": self.grown_mb}
        return plain | {"most_mb": max(self.later_mb, default=self.warm_mb), "faults": self.faults}


def _keep(kept: list[Slow], slow: Slow, by: Any) -> None:
    if len(kept) < KEPT_SLOWEST or by(slow) > by(kept[-1]):
        kept.append(slow)
        kept.sort(key=by, reverse=True)
        del kept[KEPT_SLOWEST:]


def run(seed: int, numbers: range, *, minutes: float = 0.0, small: bool = True) -> Report:
    """Runs the inputs `numbers` of `seed`, for `minutes` at most (0: to the end). `small`: finds are minimised."""
    report = Report(seed)
    with _strict():
        subject = Subject()
        gc.collect()
        gc.freeze()
        begun, used = time.monotonic(), time.process_time()
        report.start_mb = resident_mb()
        warm = min(len(numbers) * WARM_SHARE, WARM_MOST)
        for done, number in enumerate(numbers):
            if minutes and time.monotonic() - begun > minutes * 60:
                break
            made = make(seed, number)
            report.inputs += 1
            report.bytes += len(made.value)
            report.changes.update(set(made.changes))
            _one(subject, report, number, made, small=small)
            if done % SAMPLED == 0:
                (report.warming_mb if done < warm else report.later_mb).append(round(resident_mb(), 1))
                report.largest_state = max(report.largest_state, subject.stream.largest)
        report.seconds, report.cpu_seconds = time.monotonic() - begun, time.process_time() - used
        _note(report, "metrics", Input(b"", "metrics", ()), -1, subject.check_metrics, small=False)
        gc.unfreeze()
    return report


def _one(subject: Subject, report: Report, number: int, made: Input, *, small: bool) -> None:
    def tried() -> None:
        report.count(number, made, subject.run(made, again=number % REPEATED == 0))

    _note(report, "input", made, number, tried, small=small)


def _note(report: Report, what: str, made: Input, number: int, tried: Any, *, small: bool) -> None:
    try:
        tried()
    except Failure as failure:
        reason = str(failure)
        known = report.found.get(reason)
        if known is not None:
            known.times += 1
            return
        value, alone = minimised(made, reason) if small else (made.value, what == "input")
        report.found[reason] = Found(1, number, made.changes, value, alone)


@contextmanager
def _strict() -> Iterator[None]:
    """What is warned of or logged may hold words of the input, so it counts as a failure."""
    root, handler = logging.getLogger(), _Raising(logging.WARNING)
    root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        root.removeHandler(handler)


class _Raising(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise Failure(f"logged by {record.name}")


def resident_mb() -> float:
    """Resident memory of this process, MB, without what the C library keeps for its next use."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1024**2
