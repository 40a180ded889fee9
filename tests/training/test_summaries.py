"""agent-summaries as training data: what they hold, which are learnt from, and how far a fit on them is one on runs."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from detector.behaviours.base import layout
from detector.config import PACKAGED_MODELS, load
from detector.control import topics
from detector.errors import DetectorError
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import Summary
from detector.runs.judge import Judge
from detector.scoring import model as models
from detector.scoring.calibration import threshold
from detector.training import example, fit, recipe, recorded, retrain, summaries
from detector.training.corpus import Example, grouped
from detector.training.matrix import feature_judge
from detector.training.matrix import rows as rows_of

MADE = list(example.runs(60, 2, seed=9))


@cache
def judge() -> Judge:
    """The shipped model, which only watches."""
    return Judge(models.load(PACKAGED_MODELS), Policy(mode="shadow"))


@cache
def found_of() -> list[Summary]:
    """The summaries of the runs."""
    return list(example.summaries(MADE, judge()))


def some(**fields: object) -> Summary:
    """An honest summary, but for `fields`."""
    return msgspec.structs.replace(found_of()[0], **fields)


def test_a_summary_holds_rows_of_its_run() -> None:
    """At the end and at the peak it has the very features that step() had then, to six digits of a float32."""
    n = len(judge().model.layout.signals)
    for (run, _), summary in zip(MADE, found_of(), strict=True):
        (found,) = grouped(recorded.requests(run), Reader())
        every = rows_of(found.records, feature_judge())
        scores = judge().model.scores(every[:, n:])
        assert summary.peak == pytest.approx(scores.max(), abs=1e-6)
        assert np.allclose(summary.features, every[-1], atol=1e-5)
        assert np.allclose(summary.peak_features, every[int(np.argmax(scores))], rtol=1e-6, atol=1e-5)


def test_a_fit_on_summaries_is_a_fit_on_these_rows_of_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond which rows it sees, nothing differs: the same forest and thresholds, byte for byte, in whatever order."""
    monkeypatch.setattr(recipe, "TREES", 20)
    honest = [summary for summary in found_of() if "destructive" not in summary.labels]
    fitted = retrain.fit(honest[::-1], tmp_path / "one", "v1", seed=3)
    ordered = sorted(honest, key=lambda s: s.run)
    every = [(Example(s.run, s.workflow, s.run, []), summaries.rows(s, summaries.MARGIN)) for s in ordered]
    rarity, forest = fit.learn(every, 3)
    models.save(tmp_path / "two", "v1", rarity, forest, fit.calibrate(every, 3), {})
    other = models.load(tmp_path / "two", "v1")
    assert other.manifest["sha256"] == fitted.manifest["sha256"]
    assert other.calibration == fitted.calibration
    assert models.current(tmp_path / "one") == "v1"


def test_under_another_forest_a_summary_never_shows_more_than_its_run() -> None:
    """What is lost is a higher peak elsewhere: calibration from summaries sees that or less."""
    every = [(Example(s.run, s.workflow, s.run, []), summaries.rows(s, summaries.MARGIN)) for s in found_of()]
    rarity, forest = fit.learn(every, 8)
    other = replace(judge().model, rarity=rarity, forest=forest)
    n = len(other.layout.signals)
    for (run, _), peak in zip(MADE, retrain.peaks(found_of(), other), strict=True):
        (found,) = grouped(recorded.requests(run), Reader())
        assert peak <= other.scores(rows_of(found.records, feature_judge())[:, n:]).max() + 1e-9


def test_what_is_learnt_from() -> None:
    """Not what a person blamed, and not what was paused or killed and nobody cleared; runs without a call are none."""
    told = summaries.sort([
        some(run="quiet"),
        some(run="alerted", level="ALERT"),
        some(run="cleared", level="PAUSE", labels={"honest": 1}),
        some(run="resumed", level="PAUSE", labels={"resume": 1}),
        some(run="both", level="PAUSE", labels={"approve": 1, "destructive": 1}),
        some(run="late", labels={"destructive": 1}),
        some(run="paused", level="PAUSE"),
        some(run="deadline", level="KILL", outcome="killed"),
        some(run="approved before", level="PAUSE", outcome="killed", labels={"approve": 1, "resume": 1}),
        some(run="killed and honest", level="PAUSE", outcome="killed", labels={"honest": 1}),
        some(run="of a newer worker", level="QUARANTINE"),
        some(run="idle", calls=0),
    ])  # fmt: skip
    names = [[summary.run for summary in group] for group in told]
    assert names == [
        ["quiet", "alerted", "cleared", "resumed", "killed and honest"],
        ["both", "late"],
        ["paused", "deadline", "approved before", "of a newer worker"],
    ]


def test_what_nobody_has_judged_never_lowers_a_threshold() -> None:
    """Six models, each calibrated on runs of which the one before has paused some that nobody judged: with these above
    all others none pauses more than it says, or it never pauses; without them they pause ever more.
    """
    random = np.random.default_rng(0)
    names = [str(n) for n in range(4000)]
    counted, left_out = np.inf, np.inf
    for _ in range(6):
        peaks = random.exponential(size=4000)
        limit = threshold([peak if peak <= counted else np.inf for peak in peaks], names)
        counted = np.inf if limit.pause is None else limit.pause
        assert np.exp(-counted) <= limit.bound < 0.03
        kept = [peak for peak in peaks if peak <= left_out]
        low = threshold(kept, names[: len(kept)])
        left_out = low.pause or 0.0
    assert np.exp(-left_out) > 2 * low.bound


def test_paused_runs_that_nobody_has_judged_count_above_every_threshold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is learnt from them; the bound of their workflow rises, and with many of them it gets no pause."""
    monkeypatch.setattr(recipe, "TREES", 20)
    honest = [summary for summary in found_of() if "destructive" not in summary.labels]
    workflow = Counter(summary.workflow for summary in honest).most_common(1)[0][0]
    unsaid = [some(run=f"u{n}", workflow=workflow, level="PAUSE", peak_features=[], features=[]) for n in range(20)]
    without = retrain.fit(honest, tmp_path / "one", "v1")
    fitted = retrain.fit(honest, tmp_path / "two", "v1", unsaid=unsaid)
    assert fitted.manifest["sha256"] == without.manifest["sha256"]
    assert fitted.manifest["fitted"]["unsaid"] == 20
    assert fitted.calibration.everywhere.runs == without.calibration.everywhere.runs + 20
    assert fitted.calibration.everywhere.bound > without.calibration.everywhere.bound
    assert np.isfinite(fitted.calibration.everywhere.alert)
    assert fitted.calibration.of(workflow).pause is None


def test_only_summaries_of_the_installed_behaviours_are_used(tmp_path: Path) -> None:
    """Those under a model that is not there, or of other behaviours, are left out; if none is left that is said."""
    old = tmp_path / "old"
    old.mkdir()
    (old / "manifest.json").write_text('{"layout": "another"}')
    (tmp_path / judge().model.version).symlink_to(PACKAGED_MODELS / judge().model.version)
    found = [some(run="a"), some(run="b", model="old"), some(run="c", model="gone"), some(run="d", features=[1.0])]
    assert [summary.run for summary in summaries.usable(found, layout(), tmp_path)] == ["a"]
    with pytest.raises(DetectorError, match="came 2 under gone, old"):
        summaries.usable(found[1:3], layout(), tmp_path)


def test_a_file_is_read_and_its_faults_are_named(tmp_path: Path) -> None:
    """Gzipped or not; the last summary of a run counts; a line that is none is named by its number."""
    path = tmp_path / "summaries.jsonl.gz"
    example.write(path, [some(run="a", calls=1), some(run="b"), some(run="a", calls=2)])
    assert {summary.run: summary.calls for summary in summaries.load(path)} == {"a": 2, "b": found_of()[0].calls}
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(msgspec.json.encode(found_of()[0]) + b'\n{"run": 1}\n')
    with pytest.raises(DetectorError, match=r"plain\.jsonl, line 2"):
        summaries.load(plain)
    with pytest.raises(DetectorError, match="can't be read: No such file"):
        summaries.load(tmp_path / "gone.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.gz", b"not gzip", "is no whole gzip file"),
        ("b.gz", gzip.compress(b"x" * 1000)[:-9], "is no whole gzip file"),
        ("c.gz", gzip.compress(b"x" * 1000)[:12] + b"\xff\xff\xff", "is no whole gzip file"),
        ("d.jsonl", b'{"run": "\xff"}', "line 1"),
        ("e.jsonl", b'\n{"run": 1}', "line 1"),
    ],
)
def test_what_is_no_file_of_summaries(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """Whatever stands in it, the error says which file, and what is wrong."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DetectorError, match=f"summaries: .*{name}.*{said}"):
        summaries.load(tmp_path / name)


def test_a_file_may_end_with_empty_lines(tmp_path: Path) -> None:
    """As editors leave them; an empty file holds nothing."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(msgspec.json.encode(some(run="a")) + b"\n\n")
    assert [summary.run for summary in summaries.load(path)] == ["a"]
    path.write_bytes(b"")
    assert summaries.load(path) == []


def test_the_topic_is_read(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kafka` reads the topic that the settings name: the last summary of a run, none where it was withdrawn."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", bootstrap)
    settings = load()

    async def write() -> None:
        async with topics.writing(settings) as producer:
            for run, value in (
                ("a", msgspec.json.encode(some(run="a", calls=1))),
                ("b", msgspec.json.encode(some(run="b"))),
                ("c", b"no summary"),
                ("a", msgspec.json.encode(some(run="a", calls=2))),
                ("b", None),
            ):
                await producer.send_and_wait(settings.topic("agent-summaries"), value, key=run.encode())

    asyncio.run(write())
    assert [(summary.run, summary.calls) for summary in summaries.load("kafka")] == [("a", 2)]


def test_too_few(tmp_path: Path) -> None:
    """Below a minimum nothing is fitted."""
    with pytest.raises(DetectorError, match="at least 40 honest summaries, came 3"):
        retrain.fit(found_of()[:3], tmp_path, "v1")


def test_frame() -> None:
    """A row a run, with its behaviours by family."""
    table = summaries.frame(found_of(), layout())
    assert table.height == len(found_of())
    assert table["workflow"].to_list() == [summary.workflow for summary in found_of()]
    assert set(table.columns) >= {"chain", "destruction", "scope", "peak", "level"}
    assert table.filter(level="PAUSE")["destruction"].min() > 0.0  # type: ignore[operator]
