"""A replay gives what the stream gave: of a file of requests, and of the run log itself."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from detector.config import load
from detector.errors import DetectorError
from detector.records import Verdict, decode_log
from detector.replay import replay, verdicts
from detector.testing import Spans
from tests.fleet import JUDGE, Fleet
from tests.runs.test_adoption import resumed


def wrong(trace: int) -> bytes:
    """A call that the rule on production stops, under the name of its trace."""
    body = {"query": 'mutation { volumeDelete(volumeId: "vol-1") }', "environment": "production"}
    return Spans("resumed", "", trace=trace).tool("graphql_request", body).request()


def told(verdict: Verdict) -> tuple[str, int, str, str]:
    """What of a verdict tells it from others."""
    return verdict.run, verdict.sequence, verdict.level, verdict.cause


@pytest.mark.parametrize("restarts", [False, True])
def test_the_run_log_is_replayed_with_its_aliases(restarts: bool) -> None:
    """A trace that began as a forwarder in the stream does so here, and no other run has a verdict."""
    fleet = Fleet()
    for request in [*resumed(), wrong(7), wrong(8)]:
        fleet.take(request)
        fleet.settle()
        if restarts:
            fleet.restart(0)
    fleet.tick(4000.0)
    records = [decode_log(value) for log in fleet.log for _, value in log]
    again = [told(verdict) for verdict in verdicts(iter(records), JUDGE)]
    came = [told(msgspec.json.decode(s.value or b"", type=Verdict)) for s in fleet.sent if s.topic == "agent-verdicts"]
    assert sorted(again) == sorted(came)
    assert {run for run, *_ in again} == {"resumed/conversation-7"}


def test_a_file_is_replayed_over_traces(tmp_path: Path) -> None:
    """One run over two traces has its verdict, whichever request said whose they are."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b"\n".join([wrong(8), *resumed(), b"{}"]))
    found = list(replay(path, load()))
    assert {v.run for v in found if v.level == "PAUSE"} == {f"resumed/{8:032x}", "resumed/conversation-7"}
    (whole,) = [v for v in found if v.run == "resumed/conversation-7"]
    assert whole.cause == "rule:irreversible-in-production"


def test_what_can_not_be_read(tmp_path: Path) -> None:
    """A file that isn't there is said by name."""
    with pytest.raises(DetectorError, match=r"nothing\.json can't be read"):
        list(replay(tmp_path / "nothing.json", load()))
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({}))
    assert list(replay(empty, load())) == []
