"""The fixed mix: spans of whole runs, kept in mix.binpb.gz, renewed for as many runs as are wanted.

The file holds length-prefixed ExportTraceServiceRequests, one span each, of 40 simulated honest
runs (detector.demo.simulate, seed 424242) in the order in which they ended; `python -m
tests.bench.mix` writes it. Renewing gives every copy trace, span and run ids of its own.
"""

from __future__ import annotations

import gzip
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATH = Path(__file__).with_name("mix.binpb.gz")
SEED, RUNS = 424_242, 40
LANES = 10
ID_KEYS = {"gen_ai.conversation.id", "session.id", "agent.run.id", "gen_ai.agent.call.id"}

Run = list[ExportTraceServiceRequest]


def write() -> None:
    """Writes the mix."""
    from detector.demo.simulate import honest_runs

    with gzip.GzipFile(PATH, "wb", mtime=0) as out:
        for _, _, requests in honest_runs(SEED, RUNS):
            for single in itertools.chain.from_iterable(_singles(r) for r in requests):
                data = single.SerializeToString()
                out.write(len(data).to_bytes(4, "big") + data)


def _singles(data: bytes) -> Iterator[ExportTraceServiceRequest]:
    for resource in ExportTraceServiceRequest.FromString(data).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                single = ExportTraceServiceRequest()
                into = single.resource_spans.add(resource=resource.resource)
                into.scope_spans.add(scope=scope.scope).spans.add().CopyFrom(span)
                yield single


def read() -> list[Run]:
    """The runs of the mix: requests of one span each."""
    runs: dict[bytes, Run] = defaultdict(list)
    with gzip.open(PATH) as file:
        while head := file.read(4):
            single = ExportTraceServiceRequest.FromString(file.read(int.from_bytes(head, "big")))
            runs[single.resource_spans[0].scope_spans[0].spans[0].trace_id].append(single)
    return list(runs.values())


def records(runs: list[Run], spans: int, per_record: int) -> Iterator[bytes]:
    """About `spans` spans as requests of `per_record` each.

    Runs go through ten lanes at once, one after the other in each, and a record is cut from one
    lane: of one run where it has enough spans left, of that and the next ones where not.
    """
    lanes = [_cut(_lane(runs[n::LANES]), per_record) for n in range(LANES)]
    for made, lane in zip(range(0, spans, per_record), itertools.cycle(lanes), strict=False):
        del made
        yield next(lane)


def _lane(runs: list[Run]) -> Iterator[ExportTraceServiceRequest]:
    for copy in itertools.count():
        for run in runs:
            for single in run:
                renewed = ExportTraceServiceRequest()
                renewed.CopyFrom(single)
                _renew(renewed.resource_spans[0].scope_spans[0].spans[0], copy)
                yield renewed


def _cut(singles: Iterator[ExportTraceServiceRequest], per_record: int) -> Iterator[bytes]:
    while True:
        request = ExportTraceServiceRequest()
        for single in itertools.islice(singles, per_record):
            source, groups = single.resource_spans[0], request.resource_spans
            if not groups or groups[-1].resource != source.resource:
                groups.add(resource=source.resource)
            scope, scopes = source.scope_spans[0], groups[-1].scope_spans
            if not scopes or scopes[-1].scope.name != scope.scope.name:
                scopes.add(scope=scope.scope)
            scopes[-1].spans.append(scope.spans[0])
        yield request.SerializeToString()


def _renew(span: object, copy: int) -> None:
    mark = copy.to_bytes(4, "big")
    span.trace_id = span.trace_id[:12] + mark  # type: ignore[attr-defined]
    for attribute in span.attributes:  # type: ignore[attr-defined]
        if attribute.key in ID_KEYS:
            attribute.value.string_value += f"-{copy}"


if __name__ == "__main__":
    write()
