"""The figures as the rows of the tables in docs/performance.md."""

from __future__ import annotations

from typing import Any


def show(figures: dict[str, Any]) -> None:
    """Prints every table that there are figures for."""
    if "chain_spans_per_s" in figures:
        _throughput(figures)
        _latency(figures)
    if "live_runs" in figures:
        _size(figures)


def _throughput(figures: dict[str, Any]) -> None:
    each, kafka = figures["chain_spans_per_s"], figures.get("kafka", {}).get("chain_spans_per_s", {})
    _head("whole chain, one worker on one core, spans/s", "embedded broker", "", "Apache Kafka", "Kafka / embedded")
    for per_record, rate in each.items():
        there = kafka.get(per_record)
        _row(f"{per_record} a record", _n(rate), f"{rate / each['1']:.1f} x one", _n(there), _ratio(there, rate))
    sklearn = figures["sklearn_chain_spans_per_s"]["10"]
    decode, read = figures["decode_spans_per_s"]["10"], figures["read_spans_per_s"]["10"]
    of_chain = f"{each['10'] / sklearn:.0f} x slower than the compiled forest"
    _row("10 a record, scored by scikit-learn", _n(sklearn), of_chain, "", "")
    _row("decoding alone, 10 a record", _n(decode), f"{decode / each['10']:.1f} x the chain", "", "")
    _row("decoding and classifying", _n(read), f"{read / each['10']:.1f} x the chain", "", "")
    state = figures["state_bytes"]
    print(f"\nstored state of a run: median {_n(state['p50'])} bytes, largest {_n(state['max'])}")


def _latency(figures: dict[str, Any]) -> None:
    kafka = figures.get("kafka", {}).get("arrival_to_command_ms", {})
    _head("arrival to command, ms", "embedded p50", "p99", "Kafka p50", "p99", "p50, Kafka / embedded")
    for rate, took in figures["arrival_to_command_ms"].items():
        there = kafka.get(rate, {})
        shown = [f"{took[p]:.1f}" if took else "" for took in (took, there) for p in ("p50", "p99")]
        _row(f"at {int(rate):,} spans/s", *shown, _ratio(there.get("p50"), took["p50"]))


def _size(figures: dict[str, Any]) -> None:
    live, workers, recovery = figures["live_runs"], figures["workers"], figures["recovery_s"]
    few = next(iter(live.values()))
    _head("live runs in one worker", "spans/s", "of the first", "memory, MB", "disk, MB")
    for runs, of in live.items():
        speed = of["spans_per_s"]
        _row(f"{int(runs):,}", _n(speed), _ratio(speed, few["spans_per_s"]), _n(of["rss_mb"]), _n(of["disk_mb"]))
    _head("start of a worker until it judges", "s")
    _row("no runs", f"{recovery['empty']:.1f}")
    _row(f"{int(list(live)[-1]):,} live runs, its own disk", f"{recovery['warm']:.1f}")
    _row("the same, an empty disk: all from Kafka", f"{recovery['cold']:.1f}")
    if "taken_over" in recovery:
        _row("the same, a worker that stood by for one that was killed (session 6 s)", f"{recovery['taken_over']:.1f}")
    if waiting := figures.get("backlog_mb"):
        grown = waiting["peak"] - waiting["before"]
        print(f"\n{_n(waiting['waiting'])} MB that wait when a worker starts take {_n(grown)} MB of its memory at most")
    _head("workers, two cores, the broker on one of them", "spans/s", "of one worker")
    for count, rate in workers.items():
        _row(count, _n(rate), _ratio(rate, workers["1"]))


def _head(*columns: str) -> None:
    print()
    _row(*columns)
    print("|" + "---|" * len(columns))


def _row(*cells: str) -> None:
    print("| " + " | ".join(cells) + " |")


def _n(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if number < 1000 else f"{round(number, -2):,.0f}"


def _ratio(number: float | None, of: float) -> str:
    return "" if number is None else f"{number / of:.2f}"
