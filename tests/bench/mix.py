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
    """About `spans` spans as requests of up to `per_record` spans of one run, runs interleaved ten at a time."""
    made = 0
    for copy in itertools.count():
        for start in range(0, len(runs), 10):
            queues = [list(_batches(run, copy, per_record)) for run in runs[start : start + 10]]
            for batch in itertools.chain.from_iterable(itertools.zip_longest(*queues)):
                if batch is None:
                    continue
                yield batch[0]
                made += batch[1]
                if made >= spans:
                    return


def _batches(run: Run, copy: int, per_record: int) -> Iterator[tuple[bytes, int]]:
    for start in range(0, len(run), per_record):
        request = ExportTraceServiceRequest()
        for single in run[start : start + per_record]:
            source = single.resource_spans[0]
            if not request.resource_spans:
                request.resource_spans.add(resource=source.resource)
            into = request.resource_spans[0]
            scope = source.scope_spans[0]
            if not into.scope_spans or into.scope_spans[-1].scope.name != scope.scope.name:
                into.scope_spans.add(scope=scope.scope)
            span = into.scope_spans[-1].spans.add()
            span.CopyFrom(scope.spans[0])
            _renew(span, copy)
        yield request.SerializeToString(), len(run[start : start + per_record])


def _renew(span: object, copy: int) -> None:
    mark = copy.to_bytes(4, "big")
    span.trace_id = span.trace_id[:12] + mark  # type: ignore[attr-defined]
    for attribute in span.attributes:  # type: ignore[attr-defined]
        if attribute.key in ID_KEYS:
            attribute.value.string_value += f"-{copy}"


if __name__ == "__main__":
    write()
