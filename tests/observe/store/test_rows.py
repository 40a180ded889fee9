"""Records as rows, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from detector.control.signatures import sign
from detector.errors import Drop
from detector.observe.store import statements
from detector.observe.store.rows import TOPICS, Row, rows, time
from detector.records import Ack, Command, Desired, Evidence, Label, Share, Summary, Verdict

WRITTEN = 1_790_000_000_000
VERDICT = Verdict(
    run="svc/r", workflow="w", sequence=3, level="PAUSE", previous="ALLOW", cause="model", at=WRITTEN * 10**6,
    span_id="ab", score=0.7, threshold=0.6, evidence=[Evidence("deletes", "cd", "ef", 5, "sql", 4)],
    behaviours=[Share("chain.used", 1.0, 2.0, "used it")], model="m", policy="p", mode="enforce", service="svc",
    traces=["11", "22"], calls=4,
)  # fmt: skip
SUMMARY = Summary(
    run="svc/r", workflow="w", service="svc", started=10**18, ended=2 * 10**18, calls=1, turns=1, outcome="finished",
    level="ALLOW", peak=0.5, peak_position=0, features=[], peak_features=[], model="m", policy="p",
    blind={"calls": 1}, tokens_in=3,
)  # fmt: skip
COMMAND = Command("svc/r", Desired.PAUSED, 7, "model", 1, deadline=10**18, aliases=["svc/a"], root="svc/root")


def made(topic: str, record: Any, key: str = "") -> dict[str, list[Row]]:
    """The rows of a record by their statement."""
    found: dict[str, list[Row]] = {}
    for row in rows(topic, b"svc/r", msgspec.json.encode(record), WRITTEN, key):
        found.setdefault(row.statement, []).append(row)
    return found


def test_a_verdict_is_a_row_with_its_evidence_and_shares() -> None:
    """Each under the run and the verdict's sequence; the deciding span's trace is the newest."""
    found = made("agent-verdicts", VERDICT)
    assert list(found) == [statements.RUN, statements.VERDICT, statements.EVIDENCE, statements.SHARE]
    (verdict,), (step,), (share,) = (found[name] for name in list(found)[1:])
    assert verdict.values[:2] == step.values[:2] == share.values[:2] == ("svc/r", 3)
    assert verdict.values[9:11] == ("ab", "22")
    assert step.values[2:] == (1, time(5), 4, "sql", "deletes", "cd", "ef")


def test_a_verdict_without_a_span_has_no_trace_of_one() -> None:
    """A person's decision did not happen in a trace."""
    (row,) = made("agent-verdicts", msgspec.structs.replace(VERDICT, span_id=""))[statements.VERDICT]
    assert row.values[9:11] == ("", "")


def test_a_command_moves_the_run_and_names_its_parts() -> None:
    """Its deadline is a time, and none where it never ends."""
    found = made("agent-commands", COMMAND)
    assert [row.values for row in found[statements.DESIRED]] == [("svc/r", "paused", 7, "svc/root")]
    assert [(row.values[0], row.values[-1]) for row in found[statements.PART]] == [("svc/a", "svc/r")]
    assert found[statements.COMMAND][0].values[5] == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    (row,) = made("agent-commands", msgspec.structs.replace(COMMAND, deadline=0))[statements.COMMAND]
    assert row.values[5] is None


def test_a_summary_fills_the_runs_row_and_its_end_voids_it() -> None:
    """What is void has no number left; as many values as the statement has places in either case."""
    (row,) = made("agent-summaries", SUMMARY)[statements.SUMMARY]
    (void,) = rows("agent-summaries", b"svc/r", None, WRITTEN)
    assert row.values[:2] == ("svc/r", False)
    assert void.values == ("svc/r", True, *[None] * (len(row.values) - 2))
    assert row.values[10:15] == (3, 0, 0, 0, '{"calls":1}')


@pytest.mark.parametrize("topic", ["agent-verdicts", "agent-commands", "agent-acks", "agent-labels"])
def test_no_other_record_is_ever_void(topic: str) -> None:
    """A key without a value says nothing there."""
    assert rows(topic, b"svc/r", None, WRITTEN) == []


def test_every_row_has_a_value_for_each_place_of_its_statement() -> None:
    """And every statement is written by some record."""
    records = {"agent-verdicts": VERDICT, "agent-commands": COMMAND, "agent-summaries": SUMMARY,
               "agent-acks": Ack("r", 1, "e", "done", 1), "agent-labels": Label("r", "accept", "a", 1)}  # fmt: skip
    assert set(records) == set(TOPICS)
    found = {row.statement: row for topic in TOPICS for each in made(topic, records[topic]).values() for row in each}
    assert set(found) == set(statements.ORDER)
    places = {name: statements.STATEMENTS[name].count("%s") for name in found}
    assert places == {name: len(row.values) for name, row in found.items()}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (msgspec.structs.replace(VERDICT, run="r" * 257), "out_of_range"),
        (msgspec.structs.replace(VERDICT, at=10**30), "out_of_range"),
        (msgspec.structs.replace(VERDICT, sequence=2**63), "out_of_range"),
        (COMMAND, "unreadable"),
        ("text", "unreadable"),
    ],
)
def test_what_fits_no_table_is_dropped_with_a_reason(record: Any, reason: str) -> None:
    """It never reaches the database."""
    with pytest.raises(Drop) as drop:
        made("agent-verdicts", record)
    assert drop.value.reason == reason


def test_only_what_is_signed_with_the_key_is_believed() -> None:
    """Where one is set; verdicts and summaries are never signed, their topics are the workers' alone."""
    assert made("agent-commands", sign(COMMAND, "key"), "key")
    assert made("agent-verdicts", VERDICT, "key")
    with pytest.raises(Drop, match="refused"):
        made("agent-commands", COMMAND, "key")


def test_words_are_made_fit_for_postgresql() -> None:
    """It knows no character 0, and nobody's remark is longer than 2,000 characters."""
    (row,) = made("agent-labels", Label("svc/r", "accept", "a\0nn", 1, "x" * 3000))[statements.LABEL]
    assert (row.values[3], len(row.values[4])) == ("ann", 2000)
