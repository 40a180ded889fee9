"""Commands that nobody carries out: counted with their age, over acks, resumption, take-over and the run's end."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from detector.config import load
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.records import Acked, Does, Environment, Labelled, decode_log, encode_log
from detector.runs.judge import Judge
from detector.testing import EPOCH_NS, Clock, act, record
from detector.training.matrix import blank
from detector.watch import Applied, Watch

FATAL = act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)
LATER = EPOCH_NS + 10**12


class Story:
    """One run, record by record, and what the watch knows of it."""

    def __init__(self) -> None:
        self.metrics = Metrics(CollectorRegistry())
        self.clock = Clock(LATER)
        self.watch = Watch(Judge(blank(), Policy()), load(), self.metrics, self.clock)
        self.state: bytes | None = None
        self.offset = 0

    def tell(self, *events: object) -> Applied:
        """The next record of the run."""
        self.offset += 1
        applied = self.watch.apply(self.state, encode_log(record(*events)), self.offset)  # type: ignore[arg-type]
        self.state = applied.state
        return applied

    @property
    def sequence(self) -> int:
        """Of the run's newest command."""
        from detector.runs.state import decode

        assert self.state is not None
        state = decode(self.state, self.watch.judge.model.layout)
        return int(state.sequence)  # type: ignore[union-attr]


@pytest.fixture
def story() -> Story:
    """A run that was paused just now."""
    story = Story()
    story.tell(FATAL)
    return story


@pytest.mark.parametrize(("outcome", "left"), [("done", 0), ("already", 0), ("not mine", 1), ("failed", 1)])
def test_only_an_enforcer_that_did_it_ends_the_wait(story: Story, outcome: str, left: int) -> None:
    """`not mine` and `failed` are answers, and the run goes on running; each answer is counted."""
    assert len(story.watch.unacknowledged) == 1
    story.tell(Acked(LATER, story.sequence, "process", outcome))
    assert len(story.watch.unacknowledged) == left
    assert story.metrics.registry.get_sample_value("detector_acks_total", {"outcome": outcome}) == 1


def test_age_is_that_of_the_one_that_waits_longest(story: Story) -> None:
    """More evidence does not make a command younger."""
    story.clock.now += 60 * 10**9
    story.tell(act("read_file"))
    assert story.watch.unacknowledged.oldest() == pytest.approx(60.0, abs=1.0)


def test_a_run_that_may_go_on_waits_for_nobody(story: Story) -> None:
    """A person resumes it: nobody has to stop it any more."""
    story.tell(Labelled(LATER, "resume", "ann", "", story.sequence))
    assert len(story.watch.unacknowledged) == 0
    assert story.watch.unacknowledged.oldest() == 0.0


def test_a_successor_knows_what_waits_and_a_predecessor_forgets(story: Story) -> None:
    """What is read back at a take-over waits as before; runs that went to another worker are not this one's."""
    other = Story()
    assert story.state is not None
    other.watch.standing(story.state)
    assert len(other.watch.unacknowledged) == 1
    story.watch.unacknowledged.keep(lambda _: False)
    assert len(story.watch.unacknowledged) == 0


def test_an_honest_run_waits_for_nobody() -> None:
    """Without a command there is nothing to acknowledge."""
    story = Story()
    story.tell(act("read_file"))
    assert len(story.watch.unacknowledged) == 0
    assert decode_log(encode_log(record(act()))).run
