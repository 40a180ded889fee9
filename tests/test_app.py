"""The worker as a process on the embedded broker: stream and replay agree, deaths lose and repeat nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from detector.app import written_at
from detector.policy.policy import Policy
from detector.records import Label, Verdict, decode_log
from detector.replay import verdicts
from detector.runs.judge import Judge
from detector.scoring.model import load as load_model
from detector.testing import EPOCH_NS, Spans
from tests.integration.server import Server, free_port
from tests.workers import PARTITIONS, PATIENCE, Stream

FATAL = ("graphql", {"query": 'mutation { volumeDelete(volumeId: "v1") }', "environment": "production"})


@pytest.fixture
def stream(bootstrap: str, tmp_path: Path) -> Stream:
    """A broker without workers."""
    return Stream(bootstrap, tmp_path)


def honest(run: str, trace: int, calls: int = 3) -> bytes:
    """A run that reads files."""
    spans = Spans("coder", run, trace=trace)
    for n in range(calls):
        spans.tool("read_file", {"path": f"src/part_{n}.py"}, "text")
    return spans.request()


def fatal(run: str, trace: int) -> bytes:
    """A run that deletes a production volume."""
    return Spans("coder", run, trace=trace).tool(*FATAL, "{}", call="c1").request()


def test_a_model_that_is_gone_fails_no_scrape(tmp_path: Path) -> None:
    """When its file was written is 0 where nobody can say, whatever the reason."""
    written = tmp_path / "manifest.json"
    written.write_text("{}")
    assert written_at(written) == written.stat().st_mtime
    assert written_at(written / "below") == 0.0
    assert written_at(tmp_path / ("x" * 300)) == 0.0


def test_stream_and_replay_agree(stream: Stream) -> None:
    """Judging the run log again, offline, gives the verdicts of the stream, to the last field."""
    with stream.worker() as worker:
        for n in range(8):
            stream.send(honest(f"honest-{n}", 100 + n), (fatal if n % 2 else honest)(f"run-{n}", 200 + n))
        streamed = stream.json("agent-verdicts", 4)
        worker.wait('detector_events_total{kind="action"}', 8 * 3 + 4 * 3 + 4)
    log = [decode_log(value) for value in stream.read("agent-run-log")]
    judge = Judge(load_model(stream.settings.models), Policy.from_settings(stream.settings))
    again = [msgspec.to_builtins(verdict) for verdict in verdicts(iter(log), judge)]

    by_run = sorted(streamed, key=lambda verdict: str(verdict["run"]))
    assert sorted(again, key=lambda verdict: str(verdict["run"])) == by_run
    assert {verdict["cause"] for verdict in streamed} == {"rule:irreversible-in-production"}


def test_killed_worker_is_replaced(stream: Stream) -> None:
    """A worker dies by SIGKILL between records; its successor, on an empty disk, loses no run's state and
    repeats no effect: a paused run is still paused, and a person's decision still finds it.
    """
    with stream.worker("first") as first:
        stream.send(fatal("paused", 1), honest("half", 2))
        stream.json("agent-commands", 1)
        first.wait('detector_events_total{kind="action"}', 4)
        first.kill()
    with stream.worker("second") as second:
        stream.send(fatal("paused", 1), fatal("half", 3))
        stream.json("agent-commands", 2)
        approve = Label("coder/paused", "resume", "ann", EPOCH_NS)
        stream.send(msgspec.json.encode(approve), topic="agent-labels")
        commands = stream.json("agent-commands", 3)
        second.wait("detector_live_runs", 2)

    paused, resumed = (c for c in commands if c["run"] == "coder/paused")
    assert (paused["desired"], resumed["desired"]) == ("paused", "running")
    assert resumed["sequence"] == paused["sequence"] + 1
    assert len([c for c in commands if c["run"] == "coder/half"]) == 1
    half = next(v for v in stream.json("agent-verdicts", run="coder/half"))
    assert half["calls"] == 4


def test_death_under_load_loses_no_event(stream: Stream) -> None:
    """A worker dies in the middle of a backlog and others take it up: every run is judged on all its
    calls, and no run is commanded twice.
    """
    runs = 150
    with stream.worker("first") as first:
        for n in range(runs):
            stream.send(honest(f"load-{n}", 1000 + n, 2))
        first.wait("detector_live_runs", 1)
        for n in range(runs):
            stream.send(fatal(f"load-{n}", 2000 + n))
            if n == runs // 3:
                first.kill()
    with stream.worker("second"), stream.worker("third"):
        stream.json("agent-commands", runs)
    verdicts = stream.json("agent-verdicts")
    assert {(v["run"], v["calls"]) for v in verdicts} == {(f"coder/load-{n}", 3) for n in range(runs)}
    assert len({(c["run"], c["sequence"]) for c in stream.json("agent-commands")}) == runs


def test_records_written_while_nobody_listens(stream: Stream) -> None:
    """What came before the first worker is judged when there is one."""
    with stream.worker("maker"):
        pass
    stream.send(fatal("early", 1))
    with stream.worker("later"):
        assert stream.json("agent-commands", 1)[0]["run"] == "coder/early"


def test_two_workers_share_and_one_takes_over(stream: Stream) -> None:
    """Partitions are divided among the group; when one worker dies the other judges all runs."""
    with stream.worker("one") as one, stream.worker("two") as two:
        stream.send(*[fatal(f"shared-{n}", 10 + n) for n in range(24)])
        stream.json("agent-commands", 24)
        judged = [w.wait('detector_commands_total{desired="paused",workflow="coder"}') for w in (one, two)]
        assert sum(judged) == 24
        two.kill()
        stream.send(*[fatal(f"after-{n}", 50 + n) for n in range(4 * PARTITIONS)])
        commands = stream.json("agent-commands", 24 + 4 * PARTITIONS)
    assert len({c["run"] for c in commands}) == len(commands) == 24 + 4 * PARTITIONS


def test_idle_runs_are_summarised_and_room_is_made(bootstrap: str, tmp_path: Path) -> None:
    """Idle runs end in a summary and leave no state; beyond the cap the quiet run idle longest goes first."""
    stream = Stream(bootstrap, tmp_path, DETECTOR_IDLE_SECONDS="3600", DETECTOR_MAX_LIVE_RUNS="5")
    with stream.worker() as worker:
        for n in range(9):
            stream.send(honest(f"quiet-{n}", n + 1))
        worker.wait('detector_runs_finished_total{outcome="evicted",workflow="coder"}', 4)
        summaries = stream.json("agent-summaries", 4)
        assert len({s["run"] for s in summaries}) == 4
        assert {s["outcome"] for s in summaries} == {"evicted"}
    stream = Stream(bootstrap, tmp_path, DETECTOR_IDLE_SECONDS="0.5")
    with stream.worker("impatient") as worker:
        worker.wait('detector_runs_finished_total{outcome="expired",workflow="coder"}', 5)
        assert len(stream.json("agent-summaries", 9)) == 9
        worker.wait("detector_live_runs", 0)


def test_a_state_that_cannot_be_stored_stops_the_worker(stream: Stream) -> None:
    """Where the disk takes no more a worker ends and says why, and another one judges every run on all its calls."""
    runs = 300
    # As good as a full disk, and needs no rights: no file may grow beyond 64 KB.
    limited = ["bash", "-c", 'ulimit -f 64; exec "$0" "$@"', sys.executable, "-m", "detector", "worker"]
    env = stream.env | {"DETECTOR_DATADIR": str(stream.folder / "full"), "DETECTOR_METRICS_PORT": str(free_port())}
    with Server("test-full-disk", limited, env) as full:
        full.until(lambda: "recovered" in full.log.read_text())
        for n in range(runs):
            stream.send(fatal(f"load-{n}", 2000 + n))
        assert full.process.wait(PATIENCE) != 0
    assert "a record could not be dealt with" in full.log.read_text()
    with stream.worker("roomy"):
        commands = stream.json("agent-commands", runs)
    assert len({(c["run"], c["sequence"]) for c in commands}) == runs
    assert {(v["run"], v["calls"]) for v in stream.json("agent-verdicts")} == {
        (f"coder/load-{n}", 1) for n in range(runs)
    }


def test_memory_store(stream: Stream) -> None:
    """The demo's store works like the other: state comes back from the changelog."""
    with stream.worker("memory-1", DETECTOR_STORE="memory") as first:
        stream.send(honest("half", 2))
        first.wait('detector_events_total{kind="action"}', 3)
        first.kill()
    with stream.worker("memory-2", DETECTOR_STORE="memory"):
        stream.send(fatal("half", 3))
        assert stream.json("agent-verdicts", 1)[0]["calls"] == 4


@pytest.fixture
def signed(bootstrap: str, tmp_path: Path) -> Iterator[Stream]:
    """A stream whose commands and labels are signed."""
    stream = Stream(bootstrap, tmp_path, DETECTOR_SIGNING_KEY="k1")
    with stream.worker("signed"):
        yield stream


def test_signatures(signed: Stream) -> None:
    """With a key, commands are signed by it, and a label without a signature is set aside and moves nothing."""
    from detector.control.signatures import sign, verify
    from detector.records import Command

    signed.send(fatal("one", 1))
    (command,) = [msgspec.json.decode(v, type=Command) for v in signed.read("agent-commands", 1)]
    assert verify(command, "k1")
    assert not verify(command, "k2")

    label = Label("coder/one", "kill", "mallory", EPOCH_NS)
    signed.send(msgspec.json.encode(label), topic="agent-labels")
    (letter,) = signed.json("otlp_spans-rejected", 1)
    assert letter["reasons"] == {"bad_signature": 1}
    signed.send(msgspec.json.encode(sign(label, "k1")), topic="agent-labels")
    assert [c["desired"] for c in signed.json("agent-commands", 2)] == ["paused", "killed"]


def test_verdicts_are_as_published(signed: Stream) -> None:
    """A verdict on the topic has the published shape, evidence in words, and no argument text."""
    signed.send(fatal("one", 1))
    (raw,) = signed.read("agent-verdicts", 1)
    verdict = msgspec.json.decode(raw, type=Verdict, strict=True)
    assert verdict.level == "PAUSE"
    assert "production" in verdict.evidence[-1].text
    assert b"volumeId" not in raw
    assert b"v1" not in raw.replace(b"v1/", b"")
