"""Evidence says which call of the run it is."""

from __future__ import annotations

from detector.policy.policy import Policy
from detector.records import Does, Environment, Verdict
from detector.runs.judge import Judge
from detector.step import apply
from detector.testing import act, record
from detector.training.matrix import blank


def test_a_step_has_the_number_of_its_call() -> None:
    """From 1, as its words count them."""
    deed = act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)
    _, effects = apply(None, record(act(), act(), deed), Judge(blank(), Policy()))
    (verdict,) = (effect for effect in effects if isinstance(effect, Verdict))
    assert [(step.call, step.text.partition(",")[0]) for step in verdict.evidence] == [(3, "call 3")]
