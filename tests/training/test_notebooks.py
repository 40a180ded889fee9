"""The notebooks: they run from top to bottom, show what they promise, and are stored without what they showed."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from detector.behaviours.base import layout
from detector.config import PACKAGED_MODELS
from detector.policy.policy import Policy
from detector.runs.judge import Judge
from detector.scoring import model as models
from detector.training import example, summaries
from detector.training.fit import fold

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
EXAMPLE = NOTEBOOKS / "examples" / "summaries.jsonl.gz"
NAMES = ("01-explore-runs", "02-retrain", "03-evaluate")
ANYWHERE = re.compile(r"/(home|root|work|tmp|Users)/|https?://")


def executed(name: str) -> Any:
    """The notebook after it has run in a kernel of its own, with `notebooks/` as its folder."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOKS)}})
    return client.execute()


def shown(notebook: Any, kind: str) -> list[Any]:
    """The outputs of this MIME type."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output.data[kind] for output in outputs if kind in output.get("data", {})]


@pytest.mark.parametrize("name", NAMES)
def test_stored_without_outputs(name: str) -> None:
    """What is in git holds no output, no count, no machine's path and no address, and is what nbformat accepts."""
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    stored = json.loads(text)
    nbformat.validate(stored)
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert code
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None]
    assert not ANYWHERE.search(text)


def test_the_example_fits_the_installed_behaviours() -> None:
    """The shipped example has the features of today; else write it anew by `python -m detector.training.example`."""
    found = summaries.usable(summaries.load(EXAMPLE), layout(), PACKAGED_MODELS)
    assert len(found) > 300
    assert EXAMPLE.stat().st_size < 200_000
    assert {summary.workflow for summary in found} == {"coding", "data", "office", "support"}


def few(folder: Path) -> Path:
    """The notebook's own labelled runs, but of tasks in two or three folds only: a forest is fitted for each."""
    example.labelled(folder, honest=114, unsafe=8)
    lines = (folder / "labels.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines))
    unsafe = {fold(row["task"]) for row in rows if row["label"] == "unsafe"}
    kept = unsafe | {min({0, 1, 2} - unsafe)}
    (folder / "labels.csv").write_text(
        "\n".join([lines[0], *(line for line, row in zip(lines[1:], rows, strict=True) if fold(row["task"]) in kept)])
    )
    return folder


def test_explore_runs_and_draws() -> None:
    """01-explore-runs reads the shipped example, and each picture is drawn."""
    assert len(shown(executed("01-explore-runs"), "image/png")) == 4


def test_evaluate_runs_and_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """03-evaluate measures the folder that it is pointed at, and each picture is drawn."""
    monkeypatch.setenv("RUNS", str(few(tmp_path)))
    assert len(shown(executed("03-evaluate"), "image/png")) == 6


def test_retrain_writes_a_model_that_loads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """02-retrain reads the summaries that it is pointed at, and leaves a folder of models that a worker accepts."""
    made = tmp_path / "summaries.jsonl.gz"
    judge = Judge(models.load(PACKAGED_MODELS), Policy(mode="shadow"))
    example.write(made, example.summaries(example.runs(120, 4, seed=5), judge))
    monkeypatch.setenv("SUMMARIES", str(made))
    monkeypatch.setenv("OUT", str(tmp_path / "models"))
    assert len(shown(executed("02-retrain"), "image/png")) == 3
    model = models.load(tmp_path / "models")
    assert model.version == "retrained"
    assert model.manifest["fitted"]["from"] == "summaries"
