"""`make chaos`: breaks everything, many times, and prints what was lost and repeated.

    python -m tests.chaos [--kills 1000] [--seed 1] [--minutes 90] [--json FILE] [--only FAULT ...]

Every fault is a phase with its own topics. Phases that a file given by --json holds already, of the
same seed and number of kills, are not run again; what the time did not allow is printed as such.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from detector.kafka import topics
from tests.chaos.check import Report, check, took_over, went_on
from tests.chaos.faults import FAULTS, Fault, Scene, mount, unmount
from tests.chaos.fleet import Fleet
from tests.chaos.stage import RealAgent, Stage, wait
from tests.integration.brokers import Node, kafka_jars, kafka_node

RATE = 25.0
WARM_SECONDS = 3.0
WORKER_DISK_MB, BROKER_DISK_MB = 48, 256
NODE = {
    # Kafka's least is 6 s: the bulk of the kills goes with a shorter session, to have more of them in an hour.
    "group.min.session.timeout.ms": "500",
}


@dataclass
class Row:
    """What came of one fault."""

    fault: str
    words: str
    seed: int
    kills: int
    times: int = 0
    wanted: int = 0
    seconds: float = 0.0
    restarts: int = 0
    took: list[float] = field(default_factory=list)
    """Seconds of each take-over that was measured."""
    report: Report = field(default_factory=Report)
    broke: str = ""
    """Why the phase did not come to its end."""

    @property
    def good(self) -> bool:
        """Whether it came to its end and every promise was kept."""
        return self.report.good and not self.broke


def main(arguments: list[str]) -> int:
    """Runs the phases; returns 1 where anything was lost, repeated or broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000, help="kills of workers; other faults in proportion")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=100.0, help="nothing is injected any more after this long")
    parser.add_argument("--json", type=Path, help="where rows are kept, and read from to go on")
    parser.add_argument("--only", nargs="*", default=[], metavar="FAULT", help="names of faults, as in the table")
    options = parser.parse_args(arguments)
    deadline = time.monotonic() + options.minutes * 60
    rows = _kept(options.json, options.seed, options.kills)
    for fault in FAULTS:
        if fault.name in rows or (options.only and fault.name not in options.only) or time.monotonic() > deadline:
            continue
        print(f"{fault.name} ...", file=sys.stderr, flush=True)
        rows[fault.name] = row = _phase(fault, options.seed, options.kills, deadline)
        print(_line(row), file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps([asdict(row) for row in rows.values()], indent=1) + "\n")
    print(_table([rows[fault.name] for fault in FAULTS if fault.name in rows]))
    return 0 if all(row.good for row in rows.values()) else 1


def _kept(file: Path | None, seed: int, kills: int) -> dict[str, Row]:
    if file is None or not file.is_file():
        return {}
    rows = [Row(**{**row, "report": Report(**row["report"])}) for row in json.loads(file.read_text())]
    return {row.fault: row for row in rows if (row.seed, row.kills) == (seed, kills) and row.good}


def _phase(fault: Fault, seed: int, kills: int, deadline: float) -> Row:
    row = Row(fault.name, fault.words, seed, kills, wanted=max(1, round(fault.share * kills)))
    began = time.monotonic()
    try:
        with _scene(fault, seed) as scene:
            _inject(fault, scene, row, deadline)
    except (AssertionError, OSError) as broken:
        row.broke = f"{type(broken).__name__}: {broken}"[:2000]
    row.seconds = round(time.monotonic() - began, 1)
    return row


@contextmanager
def _scene(fault: Fault, seed: int) -> Iterator[Scene]:
    name = "".join(letter if letter.isalnum() else "-" for letter in fault.name)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"chaos-{name}-")))
        (folder / f"kafka-{name}").mkdir()
        if fault.disk == "broker":
            stack.callback(unmount, folder / f"kafka-{name}")
            assert mount(folder / f"kafka-{name}", BROKER_DISK_MB), "mounting a small disk is not permitted here"
        node: Node = stack.enter_context(kafka_node(kafka_jars(), folder / f"kafka-{name}", settings=NODE))
        session = {"DETECTOR_SESSION_SECONDS": str(fault.session)}
        stage = stack.enter_context(Stage(node.bootstrap, folder / "stage", name, **session))
        asyncio.run(topics.apply(stage.settings))
        for number in range(fault.workers):
            if fault.disk == "worker" and not number:
                stack.callback(unmount, stage.folder / "small")
                assert mount(stage.folder / "small", WORKER_DISK_MB), "mounting a small disk is not permitted here"
                stage.start_worker(ready=False, datadir="small/states")
            else:
                stage.start_worker(ready=False)
        stage.start_enforcer()
        fleet = Fleet(stage.settings, seed, RATE, fault.disorder)
        yield Scene(stage, node, fleet, random.Random(f"{seed} {fault.name}"), fault.session)


def _inject(fault: Fault, scene: Scene, row: Row, deadline: float) -> None:
    stage = scene.stage
    with RealAgent(stage, "drifting") as drifting, RealAgent(stage, "honest") as honest:
        with scene.fleet:
            scene.recovered()
            scene.fleet.send(drifting.fatal())
            wait(lambda: not drifting.moves(), 60, "a real agent is paused")
            time.sleep(WARM_SECONDS)
            while scene.times < row.wanted and time.monotonic() < deadline:
                fault.inject(scene)
                # Kept at once: a phase that breaks says after how many.
                row.times, row.restarts = scene.times, scene.restarts
                assert not drifting.moves(), "a paused agent moved"
            scene.recovered()
            time.sleep(WARM_SECONDS)
        row.restarts = scene.restarts
        stage.settle()
        assert not drifting.moves(), "a paused agent moved"
        assert honest.moves(), "an agent that nothing is held against stood still"
    row.report = check(stage.settings, stage.reader, stage.receiver.deliveries)
    row.took = _took(fault, scene)


def _took(fault: Fault, scene: Scene) -> list[float]:
    stage = scene.stage
    if fault.measure == "delivery":
        at = sorted(delivery.at for each in stage.receiver.deliveries.values() for delivery in each)
        found = [next((came - since for came in at if came > since), None) for since in scene.since]
    elif fault.measure:
        changelog = stage.reader.records(stage.settings.topic(f"{stage.settings.group}-runs-changelog"))
        how = took_over if fault.measure == "term" else went_on
        found = [how(changelog, since) for since in scene.since]
    else:
        found = []
    return [round(each, 2) for each in found if each is not None]


# --- the table --------------------------------------------------------------------------

HEAD = "| fault | times | events | events lost | effects | effects lost or repeated | take-over, s: median, max |"


def _table(rows: list[Row]) -> str:
    lines = [HEAD, "|---|---|---|---|---|---|---|", *map(_line, rows)]
    for row in rows:
        if not row.good:
            lines += ["", f"{row.fault}: {row.broke or '; '.join(row.report.faults)}"]
    return "\n".join(lines)


def _line(row: Row) -> str:
    report = row.report
    times = f"{row.times}" if row.times >= row.wanted else f"{row.times} of {row.wanted}"
    took = f"{statistics.median(row.took):.1f}, {max(row.took):.1f} ({len(row.took)})" if row.took else ""
    wrong = f"{report.effects_lost} / {report.effects_repeated}"
    cells = [f"{row.fault}: {row.words}", times, f"{report.events:,}", report.events_lost, f"{report.effects:,}", wrong]
    return "| " + " | ".join(map(str, [*cells, took])) + " |" + ("" if row.good else " **no**")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
