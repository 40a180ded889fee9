"""Manifests out of runs: what is proposed is not left by the runs that it came from, and `check` tells what is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.policy import history, manifest
from detector.policy.manifest import Manifest
from detector.read import Reader
from detector.testing import Spans
from detector.training.corpus import Example, grouped

SECRET = "ghp_" + "a1" * 18


def requests() -> Iterator[bytes]:
    """Two honest runs of one workflow, and one of another."""
    for number in (1, 2):
        spans = Spans("orders", run=f"run-{number}", trace=number)
        spans.tool("bash", {"command": "psql -h staging-db -U app_rw -c 'update a set b=1 where c=2'"}, "UPDATE 1")
        spans.tool("bash", {"command": f"curl -H 'Authorization: Bearer {SECRET}' https://api.staging.example.com/x"})
        if number == 2:
            spans.tool("delete_volume", {"volume_id": "vol-c0ffee"}, "deleted")
        yield spans.request()
    yield Spans("chat", run="run-3", trace=3).tool("yes", {"path": "README.md"}, "text").request()


def examples(reader: Reader) -> list[Example]:
    """The runs as training reads them."""
    return list(grouped(requests(), reader))


def test_a_proposal_is_not_left_by_its_own_runs(tmp_path: Path) -> None:
    """Proposed from honest runs, read again, held against the same runs: nothing leaves it."""
    names: dict[int, str] = {}
    found = history.observe(examples(Reader(b"key", names=names)))
    for workflow, each in found.items():
        (tmp_path / f"{workflow}.yaml").write_text(history.text(each, names), encoding="utf-8")
    manifests = manifest.load(tmp_path)
    assert set(manifests) == {"orders", "chat"}
    # A token of a person's is named as such, whoever approved it by its form.
    checked = history.check(examples(Reader(b"key", assets=manifest.globs(manifests))), manifests, b"key")
    assert {name: dict(each.signals) for name, each in checked.items()} == {"orders": {}, "chat": {}}


def test_what_is_proposed() -> None:
    """Counts stand behind each line, unplaced deletions are told, and no secret is written."""
    names: dict[int, str] = {}
    found = history.observe(examples(Reader(b"key", names=names)))
    text = history.text(found["orders"], names)
    assert "Proposed from 2 honest runs" in text
    assert "  - bash  # 2\n" in text
    assert "  - delete_volume  # 1\n" in text
    assert "  - staging  # 2\n" in text
    assert "  - app_rw  # 2\n" in text
    assert '  - "token:github-person"  # 2\n' in text
    assert "#   - {name: vol-c0ffee, environment: production}  # deleted in 1; nothing says where it is" in text
    assert "unknown: local" in text
    assert SECRET not in text
    # A tool that is called `yes` is a text, not a flag.
    assert '  - "yes"  # 1\n' in history.text(found["chat"], names)


def test_check_tells_what_would_have_left() -> None:
    """The signal, in how many runs, what it was, and what on_leave would have said."""
    strict = Manifest.model_validate({"workflow": "orders", "tools": ["bash"], "on_leave": {"write_left": "pause"}})
    names: dict[int, str] = {}
    checked = history.check(examples(Reader(b"key", names=names)), {"orders": strict}, b"key")
    report = history.report(checked["orders"], names)
    assert report[0] == "orders: 2 runs"
    assert "  tool_left: 1 of 2 runs: delete_volume (1)" in report
    assert "  write_left: 2 of 2 runs: staging (2), production (1)" in report
    assert report[-1] == "  on_leave would have said PAUSE in 2 of 2 runs"


@pytest.mark.parametrize("runs", [0, 1])
def test_a_history_of_few(runs: int) -> None:
    """A history without runs proposes nothing; one run is said in the singular."""
    found = history.observe(examples(Reader(b"key"))[:runs])
    assert len(found) == runs
    assert all("Proposed from 1 honest run." in history.text(each, {}) for each in found.values())
