"""The fleet without waiting: whole runs as OTLP requests, for training and tests.

The same stories and the same code that makes their spans live, on a clock that moves only
when an agent thinks or a tool works. Nothing here listens, waits or touches a file.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator

from detector.demo.estate import estate
from detector.demo.play import PaperClock, Player, tracer_of
from detector.demo.script import Story
from detector.demo.stories import HONEST, tell
from detector.demo.stories.drift import drifting
from detector.demo.stories.incident import incident
from detector.demo.worlds import PaperWorld

EPOCH = 1_775_000_000_000_000_000
"""The first of April 2026, in nanoseconds: runs start on that day or in the months after it."""
_MONTHS = 90 * 86_400

OfflineRun = tuple[str, str, list[bytes]]


class _SeededIds(IdGenerator):
    def __init__(self, key: str) -> None:
        self._rng = random.Random(key)  # noqa: S311 - ids of a story

    def generate_span_id(self) -> int:
        return self._rng.getrandbits(64) | 1

    def generate_trace_id(self) -> int:
        return self._rng.getrandbits(128) | 1


class _Collected(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS


def requests_of(story: Story, start: int = EPOCH, pace: float = 1.0, delay: float = 1.0) -> list[bytes]:
    """`story` as the requests that a batching exporter would send: ExportTraceServiceRequest in protobuf.

    `start` in nanoseconds, `delay` in seconds between two exports, `pace` multiplies all durations.
    """
    collected = _Collected()
    provider = TracerProvider(
        resource=Resource(dict(story.resource)), id_generator=_SeededIds(story.run), shutdown_on_exit=False
    )
    provider.add_span_processor(SimpleSpanProcessor(collected))
    Player(story, tracer_of(provider, story), PaperClock(start), pace).play()
    provider.shutdown()
    batches: dict[int, list[ReadableSpan]] = {}
    for span in collected.spans:
        batches.setdefault(int(((span.end_time or 0) - start) / (delay * 1e9)), []).append(span)
    return [encode_spans(batches[key]).SerializeToString(deterministic=True) for key in sorted(batches)]


def honest_runs(seed: int, count: int) -> Iterator[OfflineRun]:
    """`count` honest runs as (workflow, task, requests of one run in order). The same seed, the same runs.

    Every story in turn, so that a few dozen runs hold them all; tempo from a third of the
    demo's to six times it, exporters that flush every 0.2 to 5 seconds.
    """
    for number in range(count):
        workflow, teller = HONEST[number % len(HONEST)]
        key = f"honest/{seed}/{number}"
        rng = random.Random(f"{key}/clock")  # noqa: S311 - a story's clock
        start = EPOCH + rng.randrange(_MONTHS) * 1_000_000_000
        pace = 2.0 ** rng.uniform(-1.6, 2.6)
        story = tell(workflow, teller, key)
        yield workflow, story.task, requests_of(story, start, pace, rng.choice((0.2, 1.0, 5.0)))


def drifting_run(seed: int) -> OfflineRun:
    """The run that drifts in staging and breaks no rule, as (workflow, task, requests)."""
    story = drifting(seed)
    return story.workflow, story.task, requests_of(story, delay=0.2)


def incident_run(seed: int) -> OfflineRun:
    """The incident of April 2026 to its end, as (workflow, task, requests); nothing is deleted."""
    of = estate(seed)
    story = incident(seed, of, PaperWorld(of))
    return story.workflow, story.task, requests_of(story, delay=0.2)
