"""What people and enforcers write, and what becomes of what they should not have written."""

from __future__ import annotations

import msgspec
import pytest

from detector import ingest
from detector.config import load
from detector.records import Ack, Acked, Action, Label, Labelled, Phase, RunEvents, decode_log
from detector.testing import Spans

SETTINGS = load()


def test_label_and_ack_become_events_of_their_run() -> None:
    """Each is one record of the run log under the run's key."""
    label = msgspec.json.encode(Label("r1", "approve", "ann", 5, "it was asked for", 2))
    ack = msgspec.json.encode(Ack("r1", 2, "process", "done", 6))
    ((key, value),) = ingest.labels(SETTINGS)(label, 9).log
    assert key == b"r1"
    assert decode_log(value).events == [Labelled(5, "approve", "ann", "it was asked for", 2)]
    assert decode_log(ingest.acks(SETTINGS)(ack, 9).log[0][1]).events == [Acked(6, 2, "process", "done")]


@pytest.mark.parametrize(
    ("value", "reason", "said"),
    [
        (b"{", "bad_json", "expected a Label as JSON"),
        (b"\xff\xff", "bad_json", "expected a Label"),
        (b'{"run": "r"}', "bad_json", "kind"),
        (b'{"run": "r", "kind": "explode", "who": "a", "at": 1}', "bad_label", "came 'explode'"),
        (b'{"run": "", "kind": "kill", "who": "a", "at": 1}', "bad_run", "came 0"),
        (b'{"run": "r", "kind": "kill", "who": "a", "at": 1e40}', "bad_json", "at"),
    ],
)
def test_bad_labels(value: bytes, reason: str, said: str) -> None:
    """Each fault has a reason to count and a sentence to read, and nothing reaches the log."""
    done = ingest.labels(SETTINGS)(value, 1)
    assert done.log == []
    assert done.rejects == {reason: 1}
    assert said in done.detail


def test_signature_is_asked_for_where_a_key_is_set() -> None:
    """An unsigned ack is set aside where a key is configured."""
    keyed = load(signing_key="k")
    done = ingest.acks(keyed)(msgspec.json.encode(Ack("r1", 2, "process", "done", 6)), 9)
    assert done.rejects == {"bad_signature": 1}


def test_spans_become_one_record_a_run() -> None:
    """Keys are run ids, whatever the record's own key was."""
    done = ingest.spans(SETTINGS)(Spans("svc", "r1").tool("read_file", {"path": "a"}).request(), 3)
    assert [key for key, _ in done.log] == [b"svc/r1"]
    assert done.spans == 1


def test_rejection_holds_no_bytes() -> None:
    """A dead letter says where the record stands and what its checksum is, not what it said."""
    letter = ingest.rejection("otlp_spans", 1, 42, b"token=hunter2", {"not_otlp": 1}, "why")
    assert b"hunter2" not in letter
    assert msgspec.json.decode(letter)["offset"] == 42


def test_many_events_are_more_than_one_record() -> None:
    """A run's events go to the log in records that Kafka takes, in order, none twice."""
    spans = Spans("svc", "r1")
    for n in range(1100):
        spans.tool("read_file", {"path": f"file-{n}"})
    log = [decode_log(value) for _, value in ingest.spans(SETTINGS)(spans.request(), 3).log]
    assert [len(record.events) for record in log] == [512, 512, 76]
    assert len({event.span for record in log for event in record.events}) == 1100  # type: ignore[union-attr]


def test_what_people_write_holds_no_secret() -> None:
    """A token in a reason, a name or a kind is redacted before it is written anywhere."""
    token = "ghp_" + "0aB" * 12
    label = msgspec.json.encode(Label("r1", "approve", f"ann {token}", 5, f"use {token}"))
    bad = msgspec.json.encode(Label("r1", token, "ann", 5))

    ((_, value),) = ingest.labels(SETTINGS)(label, 9).log
    assert decode_log(value).events == [Labelled(5, "approve", "ann [github redacted]", "use [github redacted]")]
    assert token not in ingest.labels(SETTINGS)(bad, 9).detail


def test_a_run_that_can_not_be_printed_is_nobodys() -> None:
    """Ids are printable wherever the detector gives them out."""
    assert ingest.labels(SETTINGS)(msgspec.json.encode(Label("r\n1", "kill", "ann", 5)), 9).rejects == {"bad_run": 1}


def asked_and_done() -> dict[str, Action]:
    """Looks at calls: `a` and `b` asked for, and done."""
    return {
        "a?": Action(b"model001", b"t" * 16, 1, Phase.INTENDED, call=7, shape=1),
        "a": Action(b"tool0001", b"t" * 16, 2, Phase.DONE, call=7, shape=1),
        "a otherwise?": Action(b"model001", b"t" * 16, 1, Phase.INTENDED, call=7, shape=9),
        "b?": Action(b"model001", b"t" * 16, 1, Phase.INTENDED, call=8, shape=2),
        "b": Action(b"tool0002", b"t" * 16, 3, Phase.DONE, call=8, shape=2),
        "within a": Action(b"http0001", b"t" * 16, 2, Phase.DONE, parent=b"tool0001", inner=True),
    }


@pytest.mark.parametrize(
    ("story", "kept"),
    [
        (["a?", "a", "b?", "b"], ["a", "b"]),
        (["a?", "within a", "a"], ["within a", "a"]),
        (["a otherwise?", "a"], ["a otherwise?", "a"]),
        (["a", "a?"], ["a", "a?"]),
        (["a?", "a?", "a"], ["a?", "a"]),
        # Which of parallel calls ended first says what the run knew when it asked for the other.
        (["a?", "b?", "a", "b"], ["a?", "b?", "a", "b"]),
        (["a?", "b?", "b", "a"], ["a?", "b", "a"]),
    ],
)
def test_what_was_asked_for_and_done_in_one_record_is_told_once(story: list[str], kept: list[str]) -> None:
    """Where no other call stands between; an intent with other arguments, or of a call still to come, stays."""
    looks = asked_and_done()
    (piece,) = ingest.pieces(RunEvents("run", [looks[name] for name in story]), 5)
    assert piece.events == [looks[name] for name in kept]
    assert piece.written == 5
