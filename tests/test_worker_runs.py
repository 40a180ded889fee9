"""The worker as a process: runs over traces through deaths, and what a newer worker wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.records import encode_log
from detector.testing import Spans, act, record
from tests.workers import Stream

FATAL = ("graphql", {"query": 'mutation { volumeDelete(volumeId: "v1") }', "environment": "production"})


@pytest.fixture
def stream(bootstrap: str, tmp_path: Path) -> Stream:
    """A broker without workers."""
    return Stream(bootstrap, tmp_path)


def unnamed(trace: int) -> bytes:
    """A call that deletes a production volume, and names no run."""
    return Spans("coder", "", trace=trace).tool(*FATAL, "{}", call="c1").request()


def named(trace: int) -> bytes:
    """A turn that names its run."""
    return Spans("coder", "run", trace=trace).chat().request()


def test_a_run_over_two_traces_and_two_deaths(stream: Stream) -> None:
    """One trace was paused under its own name before it was known whose it is, one was told of before it came."""
    with stream.worker("first") as worker:
        stream.send(unnamed(7), named(8))
        stream.read("agent-commands", 1)
        worker.wait('detector_events_total{kind="turn"}', 1)
        worker.kill()
    with stream.worker("second") as worker:
        stream.send(unnamed(8))
        worker.wait('detector_notes_total{reason="forwarded"}')
        stream.read("agent-commands", 1, run="coder/run")
        worker.kill()
    with stream.worker("third") as worker:
        stream.send(named(7))
        worker.wait('detector_notes_total{reason="adopted"}')
        commands = stream.json("agent-commands", 2, run="coder/run")

    part = f"coder/{7:032x}"
    assert [command["desired"] for command in stream.json("agent-commands", run=part)] == ["paused"]
    assert {command["desired"] for command in commands} == {"paused"}
    assert "aliases" not in commands[0]
    assert commands[-1]["aliases"] == [part]
    assert stream.json("agent-commands", run=f"coder/{8:032x}") == []


def test_what_a_newer_worker_wrote_stops_this_one(stream: Stream) -> None:
    """It says so and ends, and so does a successor of its kind: the record is left for a newer worker."""
    old, newer = record(act(), run="svc/run"), b"\x63" + encode_log(record(act(), run="svc/run"))[1:]
    with stream.worker("first") as worker:
        stream.send(encode_log(old), topic="agent-run-log", key=b"svc/run", partition=2)
        assert stream.committed("agent-run-log", 2, 1)
        stream.send(newer, topic="agent-run-log", key=b"svc/run", partition=2)
        assert worker.server.process.wait(60) != 0
        assert "run log: expected version 2 at most, came 99: a newer worker wrote it" in worker.server.log.read_text()
    assert not stream.read("otlp_spans-rejected")
    # It may end before it was ever ready.
    with stream.worker("second").server as server:
        assert server.process.wait(60) != 0
