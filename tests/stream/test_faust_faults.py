"""Faust 0.15.3's own faults: each can't happen here by construction, or a guard is seen at work.

docs/faust.md is the table of them; a test below holds it to the tests that it names.
"""

from __future__ import annotations

import ast
import asyncio
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import psutil
import pytest
from faust.types.enums import ProcessingGuarantee
from prometheus_client import CollectorRegistry

from detector.app import Worker
from detector.config import load
from detector.kafka import topics
from detector.kafka.wanted import changelog
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.records import Does, Environment, encode_log
from detector.runs.judge import Judge
from detector.stream.progress import Progress
from detector.testing import Spans, act, record
from detector.training.matrix import blank
from detector.watch import Watch
from tests.integration.server import ROOT
from tests.workers import PARTITIONS, Stream
from tests.workers import Worker as Process

POINTS = ("watch.changelog-confirmed", "watch.acked")
FATAL = ("graphql", {"query": 'mutation { volumeDelete(volumeId: "v1") }', "environment": "production"})


def fatal(run: str, trace: int) -> bytes:
    """A run that deletes a production volume."""
    return Spans("coder", run, trace=trace).tool(*FATAL, "{}", call="c1").request()


# --- by construction --------------------------------------------------------------------


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Worker:
    """A worker as it is wired, without Kafka; its folder does not exist yet, nor does the one above."""
    folder = tmp_path_factory.mktemp("state") / "not" / "there"
    return Worker(load(datadir=folder, partitions=3), Judge(blank(), Policy()))


SETTINGS = {
    "topic_allow_declare": False,
    "processing_guarantee": ProcessingGuarantee.AT_LEAST_ONCE,
    "stream_wait_empty": False,
    "web_enabled": False,
    "broker_session_timeout": load().session_seconds,
    "broker_commit_interval": 1.0,
    "topic_partitions": 3,
    "topic_disable_leader": True,
    "producer_acks": -1,
    "consumer_auto_offset_reset": "earliest",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_is_left_to_a_default_that_harms(worker: Worker, name: str) -> None:
    """Sessions of 60 s, a web server on all interfaces, a stop that waits, transactions: each is set otherwise."""
    assert getattr(worker.app.conf, name) == SETTINGS[name]


def test_a_session_is_short_enough_for_a_take_over(worker: Worker) -> None:
    """By default a worker that died is noticed after six seconds, in which it has three times to be heard of."""
    assert load().session_seconds <= 6
    assert worker.app.conf.broker_heartbeat_interval <= worker.app.conf.broker_session_timeout / 3


def test_each_agent_takes_one_record_at_a_time(worker: Worker) -> None:
    """With a concurrency above 1 Faust commits what was not done (#606)."""
    assert len(worker.app.agents) == 4
    assert {agent.concurrency for agent in worker.app.agents.values()} == {1}


def test_faust_serialises_nothing(worker: Worker) -> None:
    """Keys and values are bytes, raw, everywhere: no `value_type` fails to decode, no numpy scalar ends an agent."""
    channels = [agent.channel for agent in worker.app.agents.values()]
    assert {(each.key_serializer, each.value_serializer) for each in channels} == {("raw", "raw")}
    tables = [worker.table]
    assert {(each.key_type, each.value_type) for each in [*channels, *tables]} == {(bytes, bytes)}


def test_there_is_one_table_and_it_is_local(worker: Worker) -> None:
    """A GlobalTable goes wrong with several instances (#283)."""
    assert list(worker.app.tables) == ["runs"]
    assert not worker.table.is_global


def test_source_and_changelog_have_the_same_partitions(worker: Worker) -> None:
    """The table, its source, and the topics that are made agree; its changelog is the one that is checked."""
    assert worker.table.partitions == worker.settings.partitions
    assert worker.table.changelog_topic_name == changelog(worker.settings)
    counted = {topic.name for topic in topics.wanted(worker.settings) if topic.counted}
    assert counted == {worker.run_log, worker.table.changelog_topic_name}


def test_the_folder_of_states_is_made_with_those_above(worker: Worker) -> None:
    """RocksDB wants the parent of its folder to exist."""
    assert worker.settings.datadir.is_dir()


def test_faust_is_at_least_the_release_with_the_fix() -> None:
    """Rebalances failed without the package opentracing before 0.15.3 (#788)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (faust,) = [each for each in project["dependencies"] if each.startswith("faust-streaming")]
    assert faust == "faust-streaming>=0.15.3"
    assert not any(each.startswith("opentracing") for each in project["dependencies"])


class Used(NamedTuple):
    """An attribute that the code near Faust uses: its name, and in what way."""

    name: str
    context: type[ast.expr_context]
    where: str


def near_faust() -> list[tuple[Path, ast.Module]]:
    """The files that import faust, and those that app.py hands Faust's objects to."""
    home = ROOT / "detector"
    return [(path, ast.parse(path.read_text())) for path in [home / "app.py", *sorted((home / "stream").glob("*.py"))]]


FORBIDDEN = {
    "take": "in take() one bad value loses others, and a table write goes to the last event's partition",
    "group_by": "repartitions by a topic that nobody checks",
    "send_soon": "goes through ProducerBuffer, which gives up after 100 ms while offsets commit all the same",
    "cast": "goes through ProducerBuffer",
    "GlobalTable": "goes wrong with several instances (#283)",
    "SetTable": "is a table of its own with writes of its own",
}


def test_nothing_dangerous_of_fausts_is_called() -> None:
    """None of the ways in which Faust loses records is taken anywhere near it."""
    used = {
        (path.name, ast.unparse(node))
        for path, tree in near_faust()
        for node in ast.walk(tree)
        # Outbox, which is ours, is taken from as well.
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN and "aliases" not in ast.unparse(node)
    }
    assert used == set()


def test_the_table_is_written_in_one_place() -> None:
    """Only `_store` and `_store_brake` write the table, called by the agent of its source: outside of a stream Faust's
    tables raise, and Faust's own write drops the future that says when the changelog has it.
    """
    writers = set()
    for _, tree in near_faust():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                writers |= {function.name for node in ast.walk(function) if _writes_table(node)}
    assert writers == {"_store", "_store_brake"}
    for writer in writers:
        assert list(_functions_calling(writer)) == ["_watch"]


def _writes_table(node: ast.AST) -> bool:
    stored = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del)
    popped = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pop"
    if not stored and not popped:
        return False
    target = node.value if isinstance(node, ast.Subscript) else node.func.value  # type: ignore[attr-defined]
    return ast.unparse(target) in {"self.table", "self.table.data"}


def _functions_calling(name: str) -> Iterator[str]:
    for _, tree in near_faust():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
                if any(isinstance(called, ast.Attribute) and called.attr == name for called in calls):
                    yield function.name


# --- guards, one by one -----------------------------------------------------------------


class Partition(NamedTuple):
    """A topic's partition, as Faust names it."""

    topic: str
    partition: int


class Event:
    """A Faust event without Faust: where it comes from, and whether it was acknowledged."""

    def __init__(self, offset: int) -> None:
        tp = Partition("log", 0)
        self.message = SimpleNamespace(
            tp=tp, topic=tp.topic, partition=0, offset=offset, timestamp=1.0, generation_id=1
        )
        self.acked = False

    def ack(self) -> None:
        """Its offset may commit."""
        self.acked = True


class Consumer:
    """A Faust consumer that is at offset 5 of its one partition."""

    def __init__(self) -> None:
        self._committed_offset = {Partition("log", 0): 5}
        self.sought: list[dict[Partition, int]] = []

    async def seek_wait(self, to: dict[Partition, int]) -> None:
        """Notes it."""
        self.sought.append(to)


class Stopped:
    """What a worker was stopped for."""

    def __init__(self) -> None:
        self.faults: list[BaseException | None] = []

    async def __call__(self, fault: BaseException | None) -> None:
        """Notes it."""
        self.faults.append(fault)


@pytest.fixture
def consumer() -> Consumer:
    """At offset 5."""
    return Consumer()


@pytest.fixture
def stopped() -> Stopped:
    """Not stopped."""
    return Stopped()


@pytest.fixture
def progress(consumer: Consumer, stopped: Stopped) -> Progress:
    """Of one partition."""
    app = SimpleNamespace(consumer=consumer, consumer_generation_id=1)
    return Progress(app, {"log"}, Metrics(CollectorRegistry()), stopped)


async def test_a_record_that_recovery_skipped_is_sought(progress: Progress, consumer: Consumer) -> None:
    """Faust hands out the record after it as if nothing were missing; it's not taken, the missing one is fetched."""
    assert not await progress.takes(Event(6))
    assert consumer.sought == [{Partition("log", 0): 5}]
    assert [await progress.takes(Event(offset)) for offset in (5, 6)] == [True, True]
    assert not await progress.takes(Event(6)), "Faust may hand it out twice"


async def test_an_offset_waits_for_what_its_record_caused(progress: Progress, stopped: Stopped) -> None:
    """Faust's producer gives up on its buffer and commits all the same; here an event is acknowledged only when all of
    its writes are confirmed, and all events before it are.
    """
    events, writes = [Event(5), Event(6)], [asyncio.Future[None]() for _ in range(3)]
    for event in events:
        await progress.takes(event)
    progress.ack_after(events[0], writes[:2], POINTS)
    progress.ack_after(events[1], writes[2:], POINTS)
    seen = []
    for write in (writes[2], writes[0], writes[1]):
        write.set_result(None)
        await asyncio.sleep(0)
        seen.append([event.acked for event in events])
    assert seen == [[False, False], [False, False], [True, True]]
    assert stopped.faults == []


async def test_a_write_that_fails_stops_the_worker(progress: Progress, stopped: Stopped) -> None:
    """Its event is never acknowledged: a successor begins there."""
    event, write = Event(5), asyncio.Future[None]()
    await progress.takes(event)
    progress.ack_after(event, [write], POINTS)
    write.set_exception(OSError("refused"))
    await asyncio.sleep(0.01)
    assert not event.acked
    assert [str(fault) for fault in stopped.faults] == ["refused"]


def test_a_record_that_comes_again_changes_nothing() -> None:
    """Faust's tables are not idempotent, and a rebalance hands records out again (#502): the state says what it has."""
    watch = Watch(Judge(blank(), Policy()), load(), Metrics(CollectorRegistry()))
    value = encode_log(record(act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)))
    first = watch.apply(None, value, 7)
    assert [send.topic for send in first.sends] == ["agent-verdicts", "agent-commands"]
    again = watch.apply(first.state, value, 7)
    assert (again.state, again.sends, again.repeated) == (first.state, [], True)


# --- guards, in a worker ----------------------------------------------------------------


@pytest.fixture(scope="module")
def stream(module_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """A broker without workers, for all tests below."""
    return Stream(module_bootstrap, tmp_path_factory.mktemp("stream"))


@pytest.fixture(scope="module")
def running(stream: Stream) -> Iterator[Process]:
    """A worker that judges, for all tests below."""
    with stream.worker("running") as worker:
        yield worker


def test_a_record_that_raises_is_set_aside_and_passed(stream: Stream, running: Process) -> None:
    """Faust skips what raises, and commits it in silence: here it leaves a letter, what follows it is judged, and its
    offset commits.
    """
    for partition in range(PARTITIONS):
        stream.send(b"\x01\xc1", topic="agent-run-log", key=b"coder/poisoned", partition=partition)
    stream.send(fatal("poisoned", 1))
    stream.json("agent-commands", 1, run="coder/poisoned")
    letters = stream.json("otlp_spans-rejected", PARTITIONS)
    assert {(each["topic"], *each["reasons"]) for each in letters} == {("agent-run-log", "ValueError")}
    assert {each["partition"] for each in letters} == set(range(PARTITIONS))
    assert running.metrics()['detector_rejects_total{reason="ValueError",stage="watch"}'] == PARTITIONS
    assert all(stream.committed("agent-run-log", each["partition"], each["offset"] + 1) for each in letters)


def test_a_worker_listens_on_one_port_of_loopback(running: Process) -> None:
    """Faust's web server would be on 0.0.0.0:6066; there is nothing but the metrics' port."""
    process = psutil.Process(running.server.process.pid)
    listening = [each.laddr for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    assert [(address.ip, address.port) for address in listening] == [("127.0.0.1", running.port)]


def test_faust_makes_no_topic_and_leaves_the_changelog_as_it_was_made(stream: Stream, running: Process) -> None:
    """The topics after a worker's start are the wanted ones, in the wanted shape: no leader topic, none of Faust's."""
    assert running.ready()
    settings = load(bootstrap=stream.bootstrap, partitions=PARTITIONS)
    assert topics.faults(settings, asyncio.run(topics.find(settings))) == []
    assert set(stream.topics()) == {topic.name for topic in topics.wanted(settings)}


def test_a_changelog_of_another_width_is_refused(stream: Stream, running: Process) -> None:
    """Where source and changelog have other partitions than the setting, a worker does not start."""
    assert running.ready()
    other = stream.worker("other", DETECTOR_PARTITIONS=str(PARTITIONS + 1))
    with other.server as server:
        assert server.process.wait(60) == 1
    said = server.log.read_text()
    assert f"topic agent-run-detector-runs-changelog: expected {PARTITIONS + 1} partitions" in said
    assert "Traceback" not in said


WITHOUT_OPENTRACING = """
import sys
sys.modules.update(dict.fromkeys(("opentracing", "opentracing.ext", "opentracing.ext.tags")))
sys.argv = ["detector", "worker"]
from detector.cli import main
main()
"""


def test_rebalances_need_no_opentracing(stream: Stream, running: Process) -> None:
    """With the package missing a worker joins another, judges its share, and takes over all of it (#788)."""
    alone = stream.worker("without-opentracing")
    alone.server = alone.server.instead([sys.executable, "-c", WITHOUT_OPENTRACING])
    with alone:
        stream.send(*[fatal(f"shared-{n}", 100 + n) for n in range(16)])
        for worker in (running, alone):
            worker.wait('detector_commands_total{desired="paused",workflow="coder"}')
        assert running.server.stop() == 0
        stream.send(*[fatal(f"alone-{n}", 200 + n) for n in range(2 * PARTITIONS)])
        for n in range(2 * PARTITIONS):
            stream.json("agent-commands", 1, run=f"coder/alone-{n}")


# --- the table in docs ------------------------------------------------------------------


def test_every_test_that_the_docs_name_exists() -> None:
    """docs/faust.md names tests by file and function; each is there."""
    text = (ROOT / "docs" / "faust.md").read_text()
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)) | {
        ("tests/stream/test_faust_faults.py", name) for name in re.findall(r"`(test_\w+)`", text)
    }
    assert len(named) > 15
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert missing == []


def test_every_fault_is_tested_where_faust_is_installed() -> None:
    """The table is about the Faust that runs here: another version has to be looked at anew."""
    version = subprocess.run(
        [sys.executable, "-c", "import importlib.metadata as m; print(m.version('faust-streaming'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert f"faust-streaming {version}" in (ROOT / "docs" / "faust.md").read_text()
