"""`detector label` and `detector check --labels`: a person says what a run was, and the model is held to that."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from typer.testing import CliRunner

from detector.cli import app
from detector.config import load
from detector.control import topics
from detector.control.false_pauses import DAY_NS, SECOND_NS
from detector.records import Verdict
from detector.scoring import model as models


def run(*arguments: str) -> str:
    """What the command prints; it has to end well."""
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.fixture
def paused(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run of the workflow `desk` that the model in force has paused two days ago, told of in Kafka."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", bootstrap)
    settings = load()
    run("topics", "apply")
    version = models.current(settings.models)
    now = time.time_ns()
    at = now - 2 * DAY_NS
    first = at // SECOND_NS
    verdict = Verdict("a", "desk", first, "PAUSE", "ALLOW", "model", at, "", 0.5, 0.4, [], [], version, "p", "enforce")
    clock = msgspec.structs.replace(verdict, run="b", level="ALERT", at=now)

    async def write() -> None:
        async with topics.writing(settings) as producer:
            for each in (verdict, clock):
                value = msgspec.json.encode(each)
                await producer.send_and_wait(settings.topic("agent-verdicts"), value, key=each.run.encode())

    asyncio.run(write())
    return "a"


def test_a_label_is_counted(paused: str) -> None:
    """Before it the pause is one of which nobody has said what it was, after it a false one."""
    (before,) = (line for line in run("check", "--labels").splitlines() if "desk" in line)
    assert [cell.strip() for cell in before.split("│")[2:4]] == ["0", "0"]
    assert "called honest" in run("label", paused, "honest", "--reason", "asked for", "--who", "ann")
    (after,) = (line for line in run("check", "--labels").splitlines() if "desk" in line)
    assert [cell.strip() for cell in after.split("│")[2:5]] == ["1", "1", "100.00%"]


def test_without_labels_the_topics_are_not_read(paused: str) -> None:
    """`detector check` alone says what is guaranteed, and nothing of single runs."""
    shown = run("check")
    assert "What the model may do, and what that costs honest runs" in shown
    assert "as labels say" not in shown
    assert paused


def test_another_kind_of_label_is_refused() -> None:
    """What else people may say of a run goes through pause, resume and kill."""
    ended = CliRunner().invoke(app, ["label", "a", "nice", "--reason", "r"])
    assert ended.exit_code == 1
