"""The state machine of a run: duplicates, intents, verdicts, people, time, leaks."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector import run as runs
from detector.effects import Effect, Noted
from detector.judge import Judge
from detector.policy.policy import SECOND_NS, Policy
from detector.records import (
    Acked,
    Action,
    Command,
    Desired,
    Does,
    Environment,
    Event,
    Labelled,
    Outcome,
    Phase,
    Summary,
    Tick,
    Turn,
    Verdict,
    decode_log,
    encode_log,
)
from detector.run import Run
from detector.step import apply, due
from detector.testing import EPOCH_NS, act, record
from detector.training.matrix import blank

Kind = TypeVar("Kind")
JUDGE = Judge(blank(), Policy())
LAYOUT = JUDGE.model.layout
DELETE = Does.DELETE | Does.IRREVERSIBLE


def play(*events: Event, run: Run | None = None, judge: Judge = JUDGE, now: int = 1) -> tuple[Run, list[Effect]]:
    """The run after `events`, and their effects."""
    after, effects = apply(run, record(*events), judge, now)
    assert after is not None
    return after, effects


def only(kind: type[Kind], effects: list[Effect]) -> list[Kind]:
    """The effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def fatal(**fields: object) -> Action:
    """A call that the rule on production stops."""
    return act("api", DELETE, env=Environment.PRODUCTION, **fields)  # type: ignore[arg-type]


def long_sum(run: Run, signal: str) -> float:
    """The signal's long sum."""
    return float(run.vector()[len(LAYOUT.signals) + LAYOUT.index[signal]])


def test_duplicate_changes_nothing() -> None:
    """The same span twice counts once, and is counted as a duplicate."""
    action = act(does=Does.DELETE)
    once, _ = play(action)
    twice, effects = play(action, action)

    assert effects == [Noted("duplicate")]
    assert runs.encode(twice) == runs.encode(once)


def test_reused_span_id_is_no_duplicate() -> None:
    """One span id for two different calls does not hide the second."""
    run, effects = play(act(span=b"same-id!", shape=1), fatal(span=b"same-id!", shape=2))
    assert run.desired == Desired.PAUSED
    assert not only(Noted, effects)


def test_ring_of_ids_is_aligned_and_bounded() -> None:
    """An id is found only where an id begins, and the ring keeps its size."""
    run, effects = play(*[act() for _ in range(3 * runs.SEEN_IDS)])
    assert len(run.seen) == runs.SEEN_IDS * runs.ID_BYTES
    assert not only(Noted, effects)


def test_call_seen_three_times_counts_once() -> None:
    """Asked for, seen from the inside, done: one call, one deletion."""
    run, _ = play(
        act("api", Does.DELETE, phase=Phase.INTENDED, call=9),
        act("http", Does.DELETE, inner=True, parent=b"toolspan"),
        act("api", Does.DELETE, span=b"toolspan", call=9),
    )
    assert run.calls == 1
    assert long_sum(run, "destruction.deleted") == 1.0
    assert run.counted == []


def test_one_refusal_is_one() -> None:
    """Refused from the inside and from the outside: one refusal, in the tool's name, and a later one is the second."""
    inner = act("http", inner=True, parent=b"toolspan", outcome=Outcome.REFUSED)
    run, _ = play(inner, act("deploy", span=b"toolspan", outcome=Outcome.REFUSED))
    assert long_sum(run, "obstacles.refused") == pytest.approx(1.0, abs=0.05)
    assert long_sum(run, "obstacles.refused_again") == 0.0
    assert [step.tool for step in run.steps] == ["deploy"]
    run, _ = play(act("deploy", outcome=Outcome.REFUSED), run=run)
    assert long_sum(run, "obstacles.refused_again") == 1.0


def test_inner_span_shows_what_the_tool_hid() -> None:
    """A tool of harmless name whose HTTP span deletes: that counts, once."""
    run, _ = play(
        act("http", Does.DELETE, inner=True, parent=b"toolspan"),
        act("helper", Does.DELETE, span=b"toolspan"),
    )
    assert run.calls == 1
    assert 0.9 < long_sum(run, "destruction.deleted") <= 1.0


def test_verdict_rises_and_never_falls_by_itself() -> None:
    """After a pause honest calls lower nothing, and the same evidence gives no second verdict."""
    run, effects = play(fatal(phase=Phase.INTENDED, call=3), fatal(call=3), *[act() for _ in range(50)])
    assert len(only(Verdict, effects)) == 1
    assert run.desired == Desired.PAUSED


def test_person_resumes_and_new_evidence_pauses_again() -> None:
    """A decision works once: the call it covers passes, a new one of the kind stops."""
    run, _ = play(fatal(phase=Phase.INTENDED, call=3))
    run, effects = play(Labelled(EPOCH_NS, "approve", "ann", sequence=1), fatal(call=3), act(), run=run)
    assert [c.desired for c in only(Command, effects)] == [Desired.RUNNING]
    run, effects = play(fatal(), run=run)
    assert [(c.desired, c.sequence) for c in only(Command, effects)] == [(Desired.PAUSED, 3)]


def test_stale_decision_is_refused() -> None:
    """A decision on an earlier command does not lift a later one."""
    run, _ = play(fatal())
    run, _ = play(Labelled(EPOCH_NS, "resume", "ann"), fatal(), run=run)
    run, effects = play(Labelled(EPOCH_NS, "resume", "ann", sequence=1), run=run)
    assert effects == [Noted("stale_decision")]
    assert run.desired == Desired.PAUSED


@pytest.mark.parametrize("kind", ["resume", "pause", "approve"])
def test_killed_absorbs(kind: str) -> None:
    """Nothing brings a killed run back."""
    run, effects = play(Labelled(EPOCH_NS, "kill", "ann"), Labelled(EPOCH_NS, kind, "bob"), fatal())
    assert [c.desired for c in only(Command, effects)] == [Desired.KILLED]
    assert run.desired == Desired.KILLED


def test_people_are_obeyed_in_shadow_too() -> None:
    """Shadow keeps the detector's hands still, not a person's."""
    _, effects = play(Labelled(EPOCH_NS, "pause", "ann"), judge=Judge(blank(), Policy(mode="shadow")))
    assert [c.cause for c in only(Command, effects)] == ["person:ann"]


@pytest.mark.parametrize(("state", "level"), [(Desired.KILLED, "KILL"), (Desired.RUNNING, "ALLOW")])
def test_deadline(state: Desired, level: str) -> None:
    """A pause that nobody decides ends as configured, at its deadline and not before."""
    judge = Judge(blank(), Policy(deadline_ns=100 * SECOND_NS, deadline_state=state))
    run, _ = play(fatal(), judge=judge, now=SECOND_NS)
    assert due(run, judge.policy) == 101 * SECOND_NS
    run, effects = play(Tick(100 * SECOND_NS), run=run, judge=judge)
    assert effects == []
    run, effects = play(Tick(101 * SECOND_NS), run=run, judge=judge)
    assert [v.level for v in only(Verdict, effects)] == [level]
    assert run.desired == state


def test_idle_run_is_finished_with_a_summary() -> None:
    """A run without events is summarised and forgotten; a tick that came too early changes nothing."""
    policy = Policy(idle_ns=50 * SECOND_NS)
    judge = Judge(blank(), policy)
    run, _ = play(act(does=Does.DELETE), act(), Turn(b"turnspan", bytes(16), EPOCH_NS), judge=judge, now=SECOND_NS)
    run, effects = play(Tick(50 * SECOND_NS), run=run, judge=judge)
    assert effects == []
    after, effects = apply(run, record(Tick(51 * SECOND_NS)), judge, 0)

    assert after is None
    (summary,) = only(Summary, effects)
    assert isinstance(summary, Summary)
    assert (summary.outcome, summary.calls, summary.turns, summary.level) == ("expired", 2, 1, "ALLOW")
    assert len(summary.features) == len(summary.peak_features) == len(LAYOUT.feature_names)


def test_finished_run_goes_sooner() -> None:
    """Once the agent's own span has ended the shorter time counts, until something follows."""
    run, _ = play(act(), Turn(b"rootspan", bytes(16), EPOCH_NS, root=True), now=SECOND_NS)
    assert due(run, JUDGE.policy) == SECOND_NS + JUDGE.policy.finished_ns
    run, _ = play(act(), run=run, now=SECOND_NS)
    assert due(run, JUDGE.policy) == SECOND_NS + JUDGE.policy.idle_ns


def test_paused_run_is_not_evicted() -> None:
    """Room is made at the cost of quiet runs only."""
    run, _ = play(fatal())
    after, effects = apply(run, record(Tick(5, evict=True)), JUDGE, 0)
    assert after is run
    assert effects == []
    assert apply(play(act())[0], record(Tick(5, evict=True)), JUDGE, 0)[0] is None


def test_a_run_that_comes_back_outranks_its_past() -> None:
    """After a run was forgotten, commands under the same id have higher numbers than all before."""
    before, _ = play(fatal(), now=100 * SECOND_NS)
    again, _ = play(fatal(), now=5000 * SECOND_NS)
    assert again.sequence > before.sequence > 0
    assert again.verdicts > before.verdicts


def test_leak() -> None:
    """An action after the proven stop is a leak, said once; one before it is not."""
    run, _ = play(fatal())
    stopped = EPOCH_NS + 10**15
    run, effects = play(Acked(stopped, 1, "process", "done"), act(at=stopped - 1), run=run)
    assert effects == []
    run, effects = play(act(at=stopped + 1), act(at=stopped + 2), run=run)
    assert [v.cause for v in only(Verdict, effects)] == ["leak"]


def test_tick_for_an_unknown_run() -> None:
    """A tick or an ack that comes after the run was forgotten makes no new one."""
    assert apply(None, record(Tick(1), Acked(1, 1, "process", "done")), JUDGE, 0) == (None, [])


events = st.one_of(
    st.builds(
        act,
        st.sampled_from(["a", "b", "a" * 64]),
        st.integers(0, 2**19 - 1),
        env=st.integers(0, 31),
        outcome=st.integers(0, 4),
        phase=st.integers(0, 1),
        call=st.integers(0, 3),
        inner=st.booleans(),
        parent=st.sampled_from([b"", b"parent-1"]),
        span=st.binary(min_size=8, max_size=8),
        blind=st.integers(0, 31),
        shape=st.integers(0, 2**64 - 1),
        targets=st.lists(st.integers(0, 2**64 - 1), max_size=8).map(tuple),
        secrets_seen=st.lists(st.integers(0, 5), max_size=8).map(tuple),
        secrets_used=st.lists(st.integers(0, 5), max_size=8).map(tuple),
        signs=st.lists(st.just("shell.rm-recursive"), max_size=8).map(tuple),
    ),
    st.builds(Labelled, st.integers(0, 2**62), st.sampled_from(["correct", "pause", "resume"]), st.just("ann")),
    st.builds(Turn, st.binary(min_size=8, max_size=8), st.just(bytes(16)), st.integers(0, 2**62)),
    st.builds(Acked, st.integers(0, 2**62), st.integers(0, 9), st.just("process"), st.just("done")),
    st.builds(Tick, st.integers(0, 2**40)),
)


@given(story=st.lists(events, max_size=80), cuts=st.sets(st.integers(0, 80)))
@settings(max_examples=60, deadline=None)
def test_replay_in_any_batches(story: list[Event], cuts: set[int]) -> None:
    """However a story is cut into records, stored and read back between them, the effects are the same,
    and the stored state stays within its bound.
    """
    whole = apply(None, record(*story), JUDGE, 1)[1]
    stored: bytes | None = None
    effects: list[Effect] = []
    for piece in _pieces(story, cuts):
        run = None if stored is None else runs.decode(stored, LAYOUT)
        run, made = apply(run, decode_log(encode_log(record(*piece))), JUDGE, 1)
        effects += made
        stored = None if run is None else runs.encode(run)
        assert stored is None or len(stored) <= 8192
    assert effects == whole


def _pieces(story: list[Event], cuts: set[int]) -> list[list[Event]]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(story)), len(story)]
    return [story[a:b] for a, b in pairwise(edges) if b > a]


def test_other_behaviours_keep_decisions() -> None:
    """State that other behaviours kept starts its signals anew; what was decided stands."""
    run, _ = play(fatal())
    run.layout = "another"
    again = runs.decode(runs.encode(run), LAYOUT)
    assert not np.any(again.vector())
    assert (again.desired, again.sequence, again.layout) == (Desired.PAUSED, 1, LAYOUT.version)
