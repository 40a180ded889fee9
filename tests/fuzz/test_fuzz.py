"""A slice of the fuzz that is the same every time, and what shows that it would notice a fault."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from detector.ingest import Ingested
from detector.rejections import SPANS
from tests.fuzz import __main__ as command
from tests.fuzz import campaign, hostile, inputs, text, wire, wire_faults
from tests.fuzz.inputs import MUTATIONS, Input, make
from tests.fuzz.minimise import shrunk
from tests.fuzz.oracle import Subject
from tests.fuzz.stream import Failure
from tests.fuzz.tree import SAMPLES, corpus

SEED, INPUTS = 20_261_120, 3_000
RARE = {"too_large", "too_many_spans"}
"""Reasons that take megabytes."""


@pytest.fixture(scope="module")
def subject() -> Subject:
    """A worker's pure parts."""
    return Subject()


def test_a_slice_of_the_fuzz_holds() -> None:
    """Nothing raises, nothing is lost without a name, nothing grows, no secret comes out."""
    report = campaign.run(SEED, range(INPUTS))

    assert report.faults == []
    assert report.inputs == INPUTS
    assert set(SPANS) - RARE <= set(report.rejects)
    assert {mutation.__name__ for mutation in MUTATIONS} <= set(report.changes)
    assert report.sent["agent-verdicts"] > 0
    assert report.sent["agent-commands"] > 0


def test_an_input_is_the_same_whenever_it_is_made() -> None:
    """A number and a seed are enough to see a failure again."""
    assert [make(7, n) for n in range(50)] == [make(7, n) for n in range(50)]
    assert make(7, 1) != make(8, 1)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_every_mutation_can_be_written(mutation: inputs.Mutation) -> None:
    """Whatever became of a request, both encodings write it, with faults of their own and without."""
    for number in range(2 if mutation.__name__ in {"crowd", "large"} else 20):
        rng = Random(number)
        request = corpus().request(rng)
        mutation(rng, request)
        for rate in (0.0, 0.1):
            assert isinstance(wire.encode(request, wire_faults.Faults(rng, rate)), bytes)
            assert isinstance(text.encode(request, text.Faults(rng, rate)), bytes)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.binpb")), ids=lambda path: path.parent.name)
def test_samples_come_back_from_trees(path: Path) -> None:
    """What mutations start from is what the libraries sent."""
    tree = wire.decode(path.read_bytes())

    assert wire.decode(wire.encode(tree, wire_faults.Faults(Random(0)))) == tree


# --- it would notice ----------------------------------------------------------------------


def spans(value: bytes) -> Input:
    """An input as it stands."""
    return Input(value, "spans", ())


def answering(subject: Subject, done: Ingested | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes ingest of the subject give this, whatever comes."""

    def ingest(_value: bytes, _arrived: int) -> Ingested:
        if isinstance(done, Exception):
            raise done
        return done

    monkeypatch.setitem(subject._ingest, "spans", ingest)


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Ingested(rejects={"KeyError": 1}), "reason 'KeyError' is not documented"),
        (Ingested(), "neither spans nor a reason"),
        (Ingested(spans=2), "spans and reasons do not add up"),
        (Ingested(rejects={"bad_json": 1}), "a whole request was set aside"),
        (Ingested(spans=1, aliases=[("trace", hostile.SECRETS[1])]), "a secret came out"),
        (Ingested([(b"run", b"\x01\xc1")], spans=1), "ValueError in records.py"),
        (ZeroDivisionError(), "ZeroDivisionError in the fuzz itself"),
    ],
)
def test_faults_are_noticed(done: Any, said: str, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each promise that can be broken is looked at, and the failure says which one it was."""
    ids = {"traceId": "01" * 16, "spanId": "02" * 8}
    request = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [ids]}]}]}).encode()
    answering(subject, done, monkeypatch)

    with pytest.raises(Failure, match=said):
        subject.run(spans(request))


def test_memory_that_grows_is_noticed() -> None:
    """What was used at the end is set against the warm-up; a single large input is no growth."""
    report = campaign.Report(1, warming_mb=[100.0, 150.0, 160.0], later_mb=[160.0] * 20)
    assert report.faults == []
    report.later_mb[-5] = 900.0
    assert report.faults == []
    report.later_mb[-2:] = [220.0, 230.0]
    assert report.faults == ["memory grew by 70 MB after the warm-up, expected at most 50"]


def test_a_failure_is_made_small() -> None:
    """Only what makes it fail is left."""
    assert shrunk(b"x" * 500 + b"ab" + b"y" * 300 + b"c", lambda value: b"ab" in value and b"c" in value) == b"abc"


def test_the_command_writes_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Figures as JSON, each failing input in the folder, and an exit code that stops a build."""
    figures, kept = tmp_path / "fuzz.json", tmp_path / "kept"
    argv = ["fuzz", "--inputs", "40", "--seed", "3", "--json", str(figures), "--keep", str(kept)]
    monkeypatch.setattr("sys.argv", [*argv, "--processes", "2"])
    assert command.main() == 0
    assert [report["inputs"] for report in json.loads(figures.read_text())] == [20, 20]
    assert not kept.exists()

    monkeypatch.setattr("tests.fuzz.oracle.SPANS", {})
    monkeypatch.setattr("sys.argv", argv)
    assert command.main() == 1
    assert "is not documented" in capsys.readouterr().out
    assert min(file.stat().st_size for file in kept.iterdir()) < 20
