"""`detector manifest propose` and `check`, as a person runs them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from detector import cli
from detector.testing import Spans


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of one honest run, in an empty folder without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DETECTOR_MANIFESTS", raising=False)
    path = tmp_path / "runs.jsonl"
    path.write_bytes(Spans("team/orders").tool("read_file", {"path": "README.md"}, "text").request() + b"\n")
    return path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs `detector manifest` and gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["detector", "manifest", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_propose_then_check(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written is read again, and the runs that it came from do not leave it."""
    assert call(monkeypatch, "propose", "--from", str(runs), "--out", "approved") == 0
    written = Path(capsys.readouterr().out.strip())
    assert written == Path("approved/team-orders.yaml")
    assert "workflow: team/orders" in written.read_text(encoding="utf-8")

    assert call(monkeypatch, "check", "approved", "--from", str(runs)) == 0
    said = capsys.readouterr().out
    assert "1 manifest in approved: team/orders" in said
    assert "nothing left it" in said

    written.write_text("workflow: team/orders\ntools: [other]\non_leave: alert\n", encoding="utf-8")
    monkeypatch.setenv("DETECTOR_MANIFESTS", "approved")
    assert call(monkeypatch, "check", "--from", str(runs)) == 0
    said = capsys.readouterr().out
    assert "tool_left: 1 of 1 runs: read_file (1)" in said
    assert "on_leave would have said ALERT in 1 of 1 runs" in said


def test_propose_prints(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a folder the draft goes to stdout; a workflow without runs is a fault."""
    assert call(monkeypatch, "propose", "--from", str(runs)) == 0
    assert "  - read_file  # 1" in capsys.readouterr().out
    assert call(monkeypatch, "propose", "--from", str(runs), "--workflow", "none") == 1
    assert "expected honest runs of workflow none, found none" in capsys.readouterr().err


def test_nothing_is_overwritten(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A manifest that a person may have edited is left alone."""
    (runs.parent / "team-orders.yaml").write_text("mine", encoding="utf-8")
    assert call(monkeypatch, "propose", "--from", str(runs), "--out", ".") == 1
    assert "team-orders.yaml is there already" in capsys.readouterr().err
    assert (runs.parent / "team-orders.yaml").read_text(encoding="utf-8") == "mine"


def test_faults_end_the_check(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault is a line on stderr; without a folder the command says what it expected."""
    folder = runs.parent / "approved"
    folder.mkdir()
    (folder / "a.yaml").write_text("workflow: a\nwrites: [prod]\nunknown: x\n", encoding="utf-8")
    assert call(monkeypatch, "check", str(folder)) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "a.yaml: writes.0: expected" in said[0]
    assert call(monkeypatch, "check") == 1
    assert "expected a folder, came none" in capsys.readouterr().err
