"""`make bench`: every figure of README and docs in one run, as ratios where two things are compared.

python -m tests.bench [--json FILE] [--runs DIR] [--quick] [--chain] [--kafka] [--size]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from detector import otlp
from detector.config import load
from detector.read import Reader
from detector.testing import Spans
from tests.bench import heldout, mix, reading, size
from tests.bench.chain import Brokers, state_sizes, throughput
from tests.bench.latency import Latency
from tests.bench.tables import show

SPANS = {1: 20_000, 10: 100_000, 100: 200_000}
SKLEARN_SPANS = 2_000
RATES = (500, 2_000)
LATENCY_SECONDS = 20.0
NEEDED = ("java", "mvn")
"""Programs without which there is no Apache Kafka, and so no more than --chain."""


def main() -> None:
    """Measures, prints, and writes the file that --json names."""
    parser = argparse.ArgumentParser(prog="tests.bench", description="Without --chain, --kafka or --size: all three.")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--runs", type=Path, help="folder with runs/*.jsonl[.gz]: read what is recorded there too")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    parser.add_argument("--chain", action="store_true", help="throughput and latency on the embedded broker")
    parser.add_argument("--kafka", action="store_true", help="the same on Apache Kafka beside it")
    parser.add_argument("--size", action="store_true", help="200,000 live runs, recovery, two workers")
    options = parser.parse_args()
    chosen = {part for part in ("chain", "kafka", "size") if getattr(options, part)} or {"chain", "kafka", "size"}
    if missing := [program for program in NEEDED if not shutil.which(program)]:
        print(f"only --chain: Apache Kafka needs {' and '.join(missing)}, which this machine lacks")
        chosen &= {"chain"}
    with tempfile.TemporaryDirectory() as folder, Brokers(Path(folder)) as on:
        figures = asyncio.run(measure(on, chosen, 0.1 if options.quick else 1.0))
    show(figures)
    read = heldout.measure()
    heldout.show(read)
    figures["held_out_calls"] = read.figures()
    figures |= (spans := reading.measure(options.runs))
    reading.show(spans)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


async def measure(on: Brokers, chosen: set[str], share: float) -> dict[str, Any]:
    """The figures of the chosen parts, by the keys that stay."""
    runs = mix.read()
    figures: dict[str, Any] = {"machine": {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]}}
    if chosen & {"chain", "kafka"}:
        figures |= await _chain(on, runs, share, ["embedded", "kafka"] if "kafka" in chosen else ["embedded"])
    if "size" in chosen:
        figures |= await size.measure(on, share)
    return figures


async def _chain(on: Brokers, runs: list[mix.Run], share: float, brokers: list[str]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {b: {"chain_spans_per_s": {}, "arrival_to_command_ms": {}} for b in brokers}
    alone: dict[str, Any] = {}
    # What is compared is measured in turns: a machine is not the same all the time.
    for per_record, spans in SPANS.items():
        requests, count = _requests(runs, int(spans * share), per_record)
        for broker in brokers:
            async with on.chain(broker) as here:
                found[broker]["chain_spans_per_s"][str(per_record)] = await throughput(here, requests, count)
                if per_record == 10 and broker == "embedded":
                    sizes = await state_sizes(here)
                    alone["state_bytes"] = {"p50": float(np.median(sizes)), "max": max(sizes)}
    requests, count = _requests(runs, int(SKLEARN_SPANS * max(share, 0.5)), 10)
    async with on.chain() as here:
        alone["sklearn_chain_spans_per_s"] = {"10": await throughput(here, requests, count, "sklearn")}
    alone |= _alone(runs, int(SPANS[10] * share))
    for rate in RATES:
        for broker in brokers:
            found[broker]["arrival_to_command_ms"][str(rate)] = await _latency(on, broker, runs, rate, share)
    kafka = {"kafka": found["kafka"]} if "kafka" in found else {}
    return found["embedded"] | alone | kafka


async def _latency(on: Brokers, broker: str, runs: list[mix.Run], rate: int, share: float) -> dict[str, float]:
    requests, _ = _requests(runs, int(rate * LATENCY_SECONDS * share) + 1000, 10)
    async with on.chain(broker) as here, here.worker():
        took = await Latency(here).measure(requests, rate, 10, LATENCY_SECONDS * share)
    p50, p99 = np.percentile(took, [50, 99])
    return {"p50": float(p50), "p99": float(p99), "commands": len(took)}


def _requests(runs: list[mix.Run], spans: int, per_record: int) -> tuple[list[bytes], int]:
    requests = list(mix.records(runs, spans, per_record))
    return requests, len(requests) * per_record


def _alone(runs: list[mix.Run], spans: int) -> dict[str, Any]:
    requests, count = _requests(runs, spans, 10)
    reader = Reader.from_settings(load())
    return {
        "decode_spans_per_s": {"10": _per_second(otlp.decode, requests, count)},
        "read_spans_per_s": {"10": _per_second(reader.read, requests, count)},
    }


def _per_second(function: Callable[[bytes], object], requests: list[bytes], spans: int) -> float:
    function(Spans("warm").tool("a", {}).request())
    begun = time.perf_counter()
    for request in requests:
        function(request)
    return spans / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
