"""`make chaos`, the part that fuzzes: OTLP that nobody should send, through ingest and watch.

python -m tests.fuzz [--inputs N] [--seed S] [--minutes M] [--processes P] [--json FILE] [--keep FOLDER]

Ends with 1 where an input raised something, was lost without a reason, took too long, let a secret
out or made memory grow; each such input is in the folder, as small as it goes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.fuzz.campaign import Report, run


def main() -> int:
    """Runs the campaign and prints what it came to."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many inputs (default: a million)")
    parser.add_argument("--seed", type=int, default=1, help="input n of a seed is always the same")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after this long; 0: at the last input")
    parser.add_argument("--processes", type=int, default=1, help="share the inputs among so many processes")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"), help="folder for inputs that failed")
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.inputs)
    shares = [numbers[n :: options.processes] for n in range(options.processes)]
    if len(shares) == 1:
        reports = [run(options.seed, numbers, minutes=options.minutes)]
    else:
        with ProcessPoolExecutor(len(shares), multiprocessing.get_context("spawn")) as pool:
            started = [pool.submit(run, options.seed, share, minutes=options.minutes) for share in shares]
            reports = [done.result() for done in started]
    for report in reports:
        show(report)
        _write(report, options.keep)
    if options.json:
        options.json.write_text(json.dumps([report.as_json() for report in reports], indent=1) + "\n", encoding="utf-8")
    return int(any(report.faults for report in reports))


def show(report: Report) -> None:
    """The report in words."""
    print(
        f"seed {report.seed}: {report.inputs:,} inputs, {report.bytes / 1e6:,.0f} MB, in {report.seconds:,.0f} s"
        f" ({report.inputs / max(report.cpu_seconds, 1e-9):,.0f} a second of processor time)"
    )
    print(f"  read:       {report.spans:,} spans")
    print("  set aside:  " + _counts(report.rejects))
    print("  noted:      " + _counts(report.notes))
    print("  sent:       " + _counts(report.sent))
    for title, slow in (("slowest:    ", report.slowest[:1]), ("by size:    ", report.slowest_by_size[:1])):
        for it in slow:
            print(
                f"  {title}{it.micros / 1000:.1f} ms for {it.size:,} bytes, {it.us_per_byte:.2f} µs a byte"
                f" (input {it.number}: {', '.join(it.changes)})"
            )
    print(
        f"  memory:     {report.start_mb:.0f} MB at the start, {report.warm_mb:.0f} warm, then at most"
        f" {max(report.later_mb, default=0):.0f}, {report.end_mb:.0f} at the end"
    )
    print(f"  states:     {report.largest_state:,} bytes at most")
    for fault in report.faults or ["none"]:
        print(f"  failed:     {fault}")


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{name} {times:,}" for name, times in sorted(counter.items(), key=lambda it: -it[1])) or "none"


def _write(report: Report, folder: Path) -> None:
    for reason, found in report.found.items():
        folder.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in reason)[:80] + f"-{report.seed}-{found.number}"
        (folder / f"{name}.bin").write_bytes(found.value)
        alone = "alone" if found.alone else "only after those before it"
        made = ", ".join(found.changes)
        print(f"  kept:       {folder / name}.bin, {len(found.value):,} bytes, fails {alone} ({made})")


if __name__ == "__main__":
    sys.exit(main())
