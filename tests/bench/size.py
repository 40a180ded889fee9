"""Many live runs in one worker, on Apache Kafka with RocksDB: speed, memory, disk, recovery; and a second worker."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.testing import Spans
from tests.bench import mix
from tests.bench.chain import STALL_SECONDS, Brokers, Chain, done, rate
from tests.bench.running import POLL_SECONDS, Running

FEW, MANY = 1_000, 200_000
SPANS = 10
"""Spans of a record, all of one run."""
FIRST_SPANS = 5
"""What each live run has sent before anything is measured."""
RECORDS = 10_000
BACKLOG, BACKLOG_BYTES = 1_000, 900_000
STANDBY_RECORDS = 40
"""New records after a worker's death: some in every partition."""
SETTLED_SECONDS = 10.0
_RUN, _TRACE = b"bench-000000000", b"trace-0000000000"


class Fleet:
    """Requests of as many runs as are wanted, each in the words of one of the mix's, none of which ends."""

    def __init__(self, runs: list[mix.Run]) -> None:
        self._first = [_template(run[:FIRST_SPANS]) for run in runs]
        self._more = [_template(run[:SPANS]) for run in runs]
        self._records = 0

    def first(self, runs: int) -> Iterator[bytes]:
        """The first record of each of `runs` runs."""
        return (self._renewed(self._first, run) for run in range(runs))

    def more(self, runs: int, records: int) -> list[bytes]:
        """Further records of runs of these, taken at random."""
        chosen = random.Random(1)
        return [self._renewed(self._more, chosen.randrange(runs)) for _ in range(records)]

    def _renewed(self, templates: list[bytes], run: int) -> bytes:
        # Of the same length each: no length in the protobuf around it changes.
        self._records += 1
        named = templates[run % len(templates)].replace(_RUN, b"bench-%09d" % run)
        return named.replace(_TRACE, b"trace-%010d" % self._records)


def _template(spans: mix.Run) -> bytes:
    request = ExportTraceServiceRequest()
    into = request.resource_spans.add(resource=spans[0].resource_spans[0].resource)
    into.resource.attributes.add(key="agent.run.id").value.string_value = _RUN.decode()
    scope = into.scope_spans.add(scope=spans[0].resource_spans[0].scope_spans[0].scope)
    for single in spans:
        span = scope.spans.add()
        span.CopyFrom(single.resource_spans[0].scope_spans[0].spans[0])
        span.trace_id = _TRACE
        kept = [attribute for attribute in span.attributes if attribute.key not in mix.ID_KEYS]
        del span.attributes[:]
        span.attributes.extend(kept)
    return request.SerializeToString()


async def measure(on: Brokers, share: float) -> dict[str, Any]:
    """All figures of this file."""
    runs = mix.read()
    figures: dict[str, Any] = {"live_runs": {}, "recovery_s": {}, "workers": {}}
    for live in (FEW, max(FEW, int(MANY * share))):
        async with on.chain("kafka") as here:
            fleet = Fleet(runs)
            async with here.worker() as worker:
                figures["recovery_s"]["empty"] = worker.ready_s
                await _through(here, [worker], list(fleet.first(live)), FIRST_SPANS)
                idle = worker.resident_mb()
                speed = await _through(here, [worker], fleet.more(live, int(RECORDS * max(share, 0.2))), SPANS)
                figures["live_runs"][str(live)] = {
                    "spans_per_s": speed,
                    "rss_mb": max(idle, worker.resident_mb()),
                    "disk_mb": here.disk_mb(),
                }
            if live > FEW:
                figures["recovery_s"] |= await _recovery(here)
                figures["recovery_s"]["taken_over"] = await _taken_over(here, fleet, live)
    async with on.chain("kafka") as here:
        figures["backlog_mb"] = await _backlog(here, int(BACKLOG * share))
    for workers in (1, 2):
        async with on.chain("kafka") as here:
            figures["workers"][str(workers)] = await _side_by_side(here, Fleet(runs), workers, share)
    return figures


async def _through(here: Chain, workers: list[Running], requests: list[bytes], spans: int) -> float:
    """Spans/s of requests that are sent while the workers run."""
    async with aiohttp.ClientSession() as session:
        before = await done(workers, session)
    await here.send(requests)
    # A record is of one run, so it becomes one record of the run log.
    return await rate(workers, len(requests) * spans, len(requests), before)


async def _recovery(here: Chain) -> dict[str, float]:
    """Seconds from the start of a process to its first judgement: on its own disk, and on an empty one."""
    async with here.worker() as worker:
        warm = worker.ready_s
    here.wipe()
    async with here.worker() as worker:
        return {"warm": warm, "cold": worker.ready_s, "cold_rss_mb": worker.resident_mb()}


async def _taken_over(here: Chain, fleet: Fleet, live: int) -> float:
    """Seconds from the death of one of two workers until the other has judged new records of all partitions."""
    async with (
        here.worker() as survivor,
        aiohttp.ClientSession() as session,
        here.worker(name="standby", core=0) as other,
    ):
        await _kept_up(here, "standby")
        before = await done([survivor], session)
        other.kill()
        begun = time.monotonic()
        more = fleet.more(live, STANDBY_RECORDS)
        await here.send(more)
        while (await done([survivor], session))[1] - before[1] < len(more):
            if time.monotonic() - begun > STALL_SECONDS:
                raise RuntimeError(f"not taken over after {STALL_SECONDS} s")
            await asyncio.sleep(POLL_SECONDS)
        return time.monotonic() - begun


async def _kept_up(here: Chain, name: str) -> None:
    """Waits until the worker's disk holds what it will, of its own partitions and of those that it stands by for."""
    size, since = -1.0, time.monotonic()
    while time.monotonic() - since < SETTLED_SECONDS:
        now = here.disk_mb(name)
        if now != size:
            size, since = now, time.monotonic()
        await asyncio.sleep(POLL_SECONDS)


async def _backlog(here: Chain, records: int) -> dict[str, float]:
    """MB that wait in Kafka when a worker starts, and the most memory that it takes to deal with all of it."""
    text = "x" * BACKLOG_BYTES
    made = [Spans("bench", f"big-{n}", trace=n + 1).tool("read_file", {"path": text}).request() for n in range(100)]
    async with here.worker():
        # It makes its groups and topics: what is measured begins with an empty Kafka and a warm machine.
        pass
    await here.send(itertools.islice(itertools.cycle(made), records))
    async with here.worker() as worker:
        before = worker.resident_mb()
        await worker.read(records)
        return {"waiting": records * len(made[0]) / 1e6, "before": before, "peak": worker.peak_mb()}


async def _side_by_side(here: Chain, fleet: Fleet, workers: int, share: float) -> float:
    """Spans/s of so many workers of one group, the second on the broker's core."""
    async with AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(here.worker(name=f"worker-{n}", core=-1 if n == 0 else 0))
            for n in range(workers)
        ]
        await _through(here, running, list(fleet.first(FEW)), FIRST_SPANS)
        return await _through(here, running, fleet.more(FEW, int(RECORDS * max(share, 0.2))), SPANS)
