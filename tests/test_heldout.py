"""The held-out calls and their scorer. What the lexicon scores on them is a figure, never a test."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from detector.records import Does, Environment
from tests.bench import heldout
from tests.bench.heldout import Labelled, is_harm

SURFACES = {"shell", "wrapped", "sql", "http", "graphql", "cli", "tool", "quiet-look"}


class Said(NamedTuple):
    """A reading made by hand."""

    does: int = 0
    environment: int = 0


def test_the_file_is_the_frozen_one() -> None:
    """Its hash holds, and it has at least 300 calls, half of them quiet."""
    calls = heldout.load()
    assert len(calls) >= 300
    assert sum(not call.does for call in calls) >= len(calls) / 2


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """One byte more is an error that names the file and both hashes."""
    changed = tmp_path / "calls.jsonl"
    changed.write_bytes(heldout.CALLS.read_bytes() + b"\n")
    with pytest.raises(ValueError, match=f"calls.jsonl is frozen: expected sha256 {heldout.SHA256}, came [0-9a-f]+"):
        heldout.load(changed)


def test_every_line_is_whole() -> None:
    """Ids are unique, labels are of the classes that are scored, each call has a source and a reason."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in heldout.CALLS.read_text(encoding="utf-8").splitlines()]
    classes = {flag.name for flag in heldout.CLASSES}
    assert Counter(row["id"] for row in rows).most_common(1)[0][1] == 1
    assert {row["surface"] for row in rows} == SURFACES
    for row in rows:
        assert set(row["does"]) <= classes, row["id"]
        assert "IRREVERSIBLE" not in row["does"] or "DELETE" in row["does"], row["id"]
        assert row["source"].startswith("https://"), row["id"]
        assert row["note"], row["id"]


def test_every_class_is_there_on_every_kind_of_surface() -> None:
    """Each class has at least ten calls, and each surface but quiet-look has harm."""
    calls = heldout.load()
    for flag in heldout.CLASSES:
        assert sum(bool(call.does & flag) for call in calls) >= 10, flag.name
    assert {call.surface for call in calls if is_harm(call.does)} == SURFACES - {"quiet-look"}


def test_counts_of_three_calls() -> None:
    """A hit with a class missed, a false alarm on a quiet call, and a harmless class that is no alarm."""
    calls = [
        Labelled("wipe", {}, Does.DELETE | Does.BROAD, Environment.PRODUCTION, "tool"),
        Labelled("look", {}, Does(0), Environment(0), "quiet-look"),
        Labelled("login", {}, Does.USE_CREDENTIAL, Environment.STAGING, "tool"),
    ]
    said = {
        "wipe": Said(Does.DELETE | Does.IRREVERSIBLE | Does.WRITE, Environment.PRODUCTION),
        "look": Said(Does.GRANT, Environment.TEST),
        "login": Said(Does.USE_CREDENTIAL | Does.READ),
    }

    def read(tool: str, arguments: Mapping[str, Any]) -> Said:
        assert arguments == {}
        return said[tool]

    result = heldout.score(calls, read)
    figures = result.figures()
    assert (result.calls, result.quiet, result.alarms, result.noisy) == (3, 1, 1, 1)
    assert figures["harm"] == {"support": 1, "precision": 0.5, "recall": 1.0}
    assert figures["class"]["DELETE"] == {"support": 1, "precision": 1.0, "recall": 1.0}
    assert figures["class"]["BROAD"] == {"support": 1, "precision": None, "recall": 0.0}
    assert figures["class"]["IRREVERSIBLE"] == {"support": 0, "precision": 0.0, "recall": None}
    assert figures["class"]["USE_CREDENTIAL"] == {"support": 1, "precision": 1.0, "recall": 1.0}
    assert figures["environment"]["PRODUCTION"] == {"support": 1, "precision": 1.0, "recall": 1.0}
    assert figures["environment"]["STAGING"] == {"support": 1, "precision": None, "recall": 0.0}
    assert figures["harm_by_surface"]["quiet-look"] == {"support": 0, "precision": 0.0, "recall": None}


@pytest.mark.parametrize(
    ("does", "harm"),
    [
        (Does.DELETE | Does.IRREVERSIBLE, True),
        (Does.DELETE | Does.BROAD, True),
        (Does.SAFEGUARD, True),
        (Does.AUDIT, True),
        (Does.GRANT, True),
        (Does.DELETE, False),
        (Does.BROAD | Does.ROTATE, False),
        (Does.BACKUP | Does.USE_CREDENTIAL | Does.SEND, False),
    ],
)
def test_what_counts_as_harm(does: Does, harm: bool) -> None:
    """A delete alone is none, nor is breadth without a delete."""
    assert is_harm(does) is harm


def test_the_table_shows_aggregates_only(capsys: pytest.CaptureFixture[str]) -> None:
    """No tool name and no argument is printed."""
    call = Labelled("unmistakable_tool", {"path": "/a/secret/place"}, Does.DELETE, Environment.TEST, "tool")
    heldout.show(heldout.score([call], lambda _tool, _arguments: Said()))
    shown = capsys.readouterr().out
    assert "quiet calls read as harm: 0 of 0" in shown
    assert "unmistakable" not in shown
    assert "secret" not in shown
