"""`make bench`: every figure of the README in one run, as ratios where two things are compared.

python -m tests.bench [--json FILE] [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from detector import otlp
from detector.config import load
from detector.read import Reader
from detector.testing import Spans
from tests.bench import mix
from tests.bench.chain import Latency, chain, state_sizes, throughput

SPANS = {1: 20_000, 10: 100_000, 100: 200_000}
SKLEARN_SPANS = 2_000
RATES = (500, 2_000)
LATENCY_SECONDS = 20.0


def main() -> None:
    """Measures, prints, and writes the file that --json names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, to see that it runs")
    options = parser.parse_args()
    share = 0.1 if options.quick else 1.0
    figures = asyncio.run(measure(share))
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


async def measure(share: float) -> dict[str, Any]:
    """All figures, by the keys that stay."""
    runs = mix.read()
    figures: dict[str, Any] = {"chain_spans_per_s": {}}
    for per_record, spans in SPANS.items():
        requests, count = _requests(runs, int(spans * share), per_record)
        async with chain() as here:
            figures["chain_spans_per_s"][str(per_record)] = await throughput(here, requests, count, "compiled")
            if per_record == 10:
                sizes = await state_sizes(here)
                figures["state_bytes"] = {"p50": float(np.median(sizes)), "max": max(sizes)}
    requests, count = _requests(runs, int(SKLEARN_SPANS * max(share, 0.5)), 10)
    async with chain() as here:
        figures["sklearn_chain_spans_per_s"] = {"10": await throughput(here, requests, count, "sklearn")}
    figures |= _alone(runs, int(SPANS[10] * share))
    figures["arrival_to_command_ms"] = {}
    for rate in RATES:
        requests, _ = _requests(runs, int(rate * LATENCY_SECONDS * share) + 1000, 10)
        async with chain() as here, here.worker():
            took = await Latency(here).measure(requests, rate, 10, LATENCY_SECONDS * share)
        p50, p99 = np.percentile(took, [50, 99])
        figures["arrival_to_command_ms"][str(rate)] = {"p50": float(p50), "p99": float(p99), "commands": len(took)}
    return figures


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


def show(figures: dict[str, Any]) -> None:
    """The figures in words, each comparison as a ratio within this run."""
    each, sklearn = figures["chain_spans_per_s"], figures["sklearn_chain_spans_per_s"]["10"]
    print("whole chain on one core (ingest, run-log hop, step, table write), spans/s:")
    for per_record, rate in each.items():
        print(f"  {per_record:>3} spans a record  {rate:>9,.0f}   {rate / each['1']:.1f} x one span a record")
    print(f"   10, scikit-learn  {sklearn:>9,.0f}   compiled forest: {each['10'] / sklearn:.0f} x")
    decode, read = figures["decode_spans_per_s"]["10"], figures["read_spans_per_s"]["10"]
    print(f"decoding alone       {decode:>9,.0f}   {decode / each['10']:.1f} x the chain")
    print(f"decode and classify  {read:>9,.0f}   {read / each['10']:.1f} x the chain")
    for rate, took in figures["arrival_to_command_ms"].items():
        print(
            f"arrival to command at {rate} spans/s: p50 {took['p50']:.1f} ms, p99 {took['p99']:.1f} ms "
            f"({took['commands']} commands)"
        )
    state = figures["state_bytes"]
    print(f"stored state of a run: median {state['p50']:.0f} bytes, largest {state['max']}")


if __name__ == "__main__":
    main()
