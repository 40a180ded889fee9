"""One run, call by call: what a notebook shows of it is what the stream would have said."""

from __future__ import annotations

from detector.config import PACKAGED_MODELS
from detector.policy.policy import Policy
from detector.read import Reader
from detector.replay import verdicts
from detector.runs.judge import Judge
from detector.scoring import model as models
from detector.training import example, recorded, timeline
from detector.training.corpus import grouped


def test_a_timeline_is_what_the_stream_says() -> None:
    """Its verdicts are those of a replay in shadow, each at a call that it has; its highest point is the run's peak."""
    (run, label), *_ = example.runs(0, 2)
    model = models.load(PACKAGED_MODELS)
    judge = Judge(model, Policy(mode="shadow"))
    told = timeline.of_recorded(run, model)
    (found,) = grouped(recorded.requests(run), Reader())
    replayed = list(verdicts(iter(found.records), judge))
    assert [verdict for _, verdict in told.verdicts] == replayed
    assert replayed
    tools = sum(step["kind"] == "tool" for step in run["steps"])
    assert max(point.call for point in told.points) == tools
    assert all(1 <= call <= tools for call, _ in told.verdicts)
    (summary,) = example.summaries([(run, label)], judge)
    assert round(max(point.score for point in told.points), 6) == summary.peak
    assert told.workflow == label["workflow"]


def test_the_drifting_stories_harm_where_their_labels_say() -> None:
    """The step of an unsafe run's label is its first call that deletes, and honest runs have none."""
    for run, label in example.runs(3, 4):
        if label["label"] == "benign":
            assert "unsafe_step" not in label
            continue
        step = int(label["unsafe_step"])
        harmful = (n for n, each in enumerate(run["steps"]) if example.HARM.search(str(each.get("arguments"))))
        assert next(harmful) == step
