"""The shadow share: runs that the model alone does not stop, so that their end says what its pauses cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.config import load
from detector.policy.policy import Policy
from detector.records import Action, Command, Does, Environment, Outcome, RunEvents, Verdict
from detector.runs.effects import Effect
from detector.runs.judge import Judge
from detector.scoring.calibration import Calibration, Threshold
from detector.scoring.forest import Forest
from detector.scoring.model import Model
from detector.step import apply
from detector.testing import act
from detector.training.matrix import blank


def limited(alert: float, pause: float | None) -> Model:
    """A model of one tree with these thresholds: a run scores 0.25, and 0.5 once a call of its was refused."""
    model = blank()
    refused = model.layout.index["obstacles.refused"]
    feature, left, right = (np.array(of, dtype=np.int32) for of in ([refused, -1, -1], [1, -1, -1], [2, -1, -1]))
    roots = np.array([0], dtype=np.int32)
    forest = Forest(
        feature,
        np.array([0.5, 0.0, 0.0]),
        left,
        right,
        np.array([1.5, 2.0, 1.0]),
        roots,
        1.0,
        len(model.layout.signals),
    )
    return replace(model, forest=forest, calibration=Calibration(Threshold(alert, pause, 999, 999, 0.01), {}))


def effects(judge: Judge, run: str, *story: Action) -> list[Effect]:
    """What the story causes, told of this run."""
    return apply(None, RunEvents(run, list(story), written=1), judge)[1]


def policy(share: float, key: bytes = b"k") -> Policy:
    """A policy with this share in shadow."""
    return Policy(shadow_share=share, shadow_key=key)


ODD = [act("a"), act("b", outcome=Outcome.REFUSED), act("c", outcome=Outcome.REFUSED)]


def test_a_run_in_the_share_is_alerted_on_and_not_stopped() -> None:
    """Where the model would pause, a run in the share gets one alert with the cause `shadow`, and no command."""
    model = limited(0.3, 0.4)
    found = effects(Judge(model, policy(0.5)), in_share(0.5), *ODD)
    (verdict,) = (effect for effect in found if isinstance(effect, Verdict))
    assert (verdict.level, verdict.cause, verdict.threshold) == ("ALERT", "shadow", 0.4)
    assert not [effect for effect in found if isinstance(effect, Command)]


def test_an_alert_before_does_not_hide_it() -> None:
    """A run that the model had alerted on says once more that it would have been paused, and only once."""
    found = effects(Judge(limited(0.2, 0.4), policy(0.5)), in_share(0.5), *ODD)
    told = [(e.level, e.cause, e.threshold) for e in found if isinstance(e, Verdict)]
    assert told == [("ALERT", "model", 0.2), ("ALERT", "shadow", 0.4)]


def test_a_run_outside_the_share_is_stopped() -> None:
    """The same run without a share, and another run with it, are paused by the model."""
    model = limited(0.3, 0.4)
    for judge, run in ((Judge(model, policy(0.0)), in_share(0.5)), (Judge(model, policy(0.5)), outside(0.5))):
        found = effects(judge, run, *ODD)
        assert [(e.level, e.cause) for e in found if isinstance(e, Verdict)] == [("PAUSE", "model")]
        assert [e.desired for e in found if isinstance(e, Command)] == ["paused"]


def test_rules_are_never_shadowed() -> None:
    """A rule stops a run in the share as any other, also after the model's alert in shadow."""
    model = limited(0.3, 0.4)
    fatal = act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)
    found = effects(Judge(model, policy(0.5)), in_share(0.5), *ODD, fatal)
    causes = [(effect.level, effect.cause) for effect in found if isinstance(effect, Verdict)]
    assert causes == [("ALERT", "shadow"), ("PAUSE", "rule:irreversible-in-production")]
    assert [effect.desired for effect in found if isinstance(effect, Command)] == ["paused"]


def test_where_the_model_may_only_alert_nothing_is_in_shadow() -> None:
    """Without a threshold to pause by, alerts are the model's own."""
    found = effects(Judge(limited(0.3, None), policy(0.5)), in_share(0.5), *ODD)
    assert [(e.level, e.cause) for e in found if isinstance(e, Verdict)] == [("ALERT", "model")]


def test_the_share_is_drawn_by_a_keyed_hash() -> None:
    """The same run and key give the same answer, another key another one, and about the share is drawn."""
    runs = [f"run-{n}" for n in range(5_000)]
    drawn = [policy(0.01).shadowed(run) for run in runs]
    assert drawn == [policy(0.01).shadowed(run) for run in runs]
    assert drawn != [policy(0.01, b"another").shadowed(run) for run in runs]
    assert 30 < sum(drawn) < 70
    assert not any(policy(0.0).shadowed(run) for run in runs)


@pytest.mark.parametrize(("key", "share"), [("", 0.0), ("k", 0.01)])
def test_without_a_key_there_is_no_share(key: str, share: float) -> None:
    """An agent that chooses its run id could else choose one that the model does not stop."""
    assert Policy.from_settings(load(hash_key=key)).shadow_share == share


def test_the_share_is_part_of_the_policy_version() -> None:
    """What it changes in verdicts is told by their policy; the key is not in it, nor shown."""
    assert len({Policy().version, policy(0.01).version, policy(0.02).version}) == 3
    assert policy(0.01).version == policy(0.01, b"another").version
    assert "secret-key" not in repr(policy(0.01, b"secret-key"))


def in_share(share: float) -> str:
    """A run that is in it."""
    return next(run for n in range(99) if policy(share).shadowed(run := f"run-{n}"))


def outside(share: float) -> str:
    """A run that is not."""
    return next(run for n in range(99) if not policy(share).shadowed(run := f"run-{n}"))
