"""The state machine of a run: duplicates, intents, verdicts, people, time, leaks."""

from __future__ import annotations

import itertools
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    RunEvents,
    Summary,
    Tick,
    Turn,
    Verdict,
    decode_log,
    encode_log,
)
from detector.runs import run as runs
from detector.runs import state
from detector.runs.effects import Effect, Noted
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.step import apply, due
from detector.testing import EPOCH_NS, act, record
from detector.training.matrix import blank

Kind = TypeVar("Kind")
JUDGE = Judge(blank(), Policy())
LAYOUT = JUDGE.model.layout
DELETE = Does.DELETE | Does.IRREVERSIBLE


def play(*events: Event, run: Run | None = None, judge: Judge = JUDGE, now: int = 1) -> tuple[Run, list[Effect]]:
    """The run after `events`, and their effects."""
    after, effects = apply(run, record(*events, written=now), judge)
    assert isinstance(after, Run)
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
    assert state.encode(twice) == state.encode(once)


def test_any_order_of_looks_is_one_call() -> None:
    """The model's turn may come after the tool's span or its inner one, and the inner span last: still one call."""
    asked = act("api", Does.DELETE, phase=Phase.INTENDED, call=9, shape=9)
    inner = act("http", Does.DELETE, inner=True, parent=b"toolspan")
    done = act("api", Does.DELETE, span=b"toolspan", call=9, shape=9)
    for story in itertools.permutations([asked, inner, done]):
        run, _ = play(*story)
        assert (run.calls, round(long_sum(run, "destruction.deleted"), 1)) == (1, 1.0)


def test_an_intent_claims_one_inner_span() -> None:
    """A second call that asks for the same, before the first one's own span has come, is a second call."""
    inner = act("http", Does.DELETE, inner=True, parent=b"toolspan")
    first, second = (act("api", Does.DELETE, phase=Phase.INTENDED, call=n, shape=n) for n in (9, 10))
    run, _ = play(inner, first, second)
    assert run.calls == 2
    assert long_sum(run, "destruction.deleted") > 1.9


def test_late_intent_is_no_new_evidence() -> None:
    """What a person approved stays approved when the turn that asked for it arrives last."""
    run, _ = play(fatal(call=3, shape=3))
    late = fatal(phase=Phase.INTENDED, call=3, shape=3)
    run, effects = play(Labelled(EPOCH_NS, "approve", "ann"), late, run=run)
    assert [c.desired for c in only(Command, effects)] == [Desired.RUNNING]


def test_a_call_id_used_again_hides_nothing() -> None:
    """An id that stood for a harmless call does not cover another call."""
    harmless = act("api", Does.DELETE | Does.IRREVERSIBLE, phase=Phase.INTENDED, call=1, shape=1)
    _, effects = play(harmless, fatal(call=1, shape=2))
    assert [v.cause for v in only(Verdict, effects)] == ["rule:irreversible-in-production"]


@pytest.mark.parametrize("inner", [True, False])
def test_production_that_shows_late_counts(inner: bool) -> None:
    """Where only a later look says that it is production, the whole call counts as one in production."""
    asked = act("api", DELETE, phase=Phase.INTENDED, call=3, shape=3)
    later = fatal(inner=True, parent=b"toolspan") if inner else fatal(call=3, shape=3)
    _, effects = play(asked, later)
    assert [v.cause for v in only(Verdict, effects)] == ["rule:irreversible-in-production"]


def test_a_service_is_no_agent() -> None:
    """Spans of a service alone are never judged; once the run shows an agent, what they did is."""
    deletes = fatal(inner=True, parent=b"toolspan")
    run, effects = play(deletes)
    assert effects == []
    run, effects = play(act("helper", span=b"toolspan"), run=run)
    assert [c.desired for c in only(Command, effects)] == [Desired.PAUSED]


def test_a_service_leaves_no_summary() -> None:
    """What was no agent's run is forgotten without a word."""
    run, _ = play(act("db", inner=True))
    assert apply(run, record(Tick(10**18)), JUDGE) == (None, [])


def test_many_events_that_come_again_count_once() -> None:
    """Requests of more events than a run remembers, sent again after one another, change nothing."""
    pieces = [[act() for _ in range(512)] for _ in range(5)]
    run, _ = play(*pieces[0])
    for piece in pieces[1:]:
        run, _ = play(*piece, run=run)
    assert run.calls == 5 * 512
    before = state.encode(run)
    for piece in pieces:
        run, effects = play(*piece, run=run)
        assert effects == [Noted("duplicate")]
    assert state.encode(run) == before
    run, effects = play(*pieces[-1][-8:], run=run)
    assert effects == [Noted("duplicate")] * 8


def test_reused_span_id_is_no_duplicate() -> None:
    """One span id for two different calls does not hide the second."""
    run, effects = play(act(span=b"same-id!", shape=1), fatal(span=b"same-id!", shape=2))
    assert run.desired == Desired.PAUSED
    assert not only(Noted, effects)


def test_ring_of_ids_is_aligned_and_bounded() -> None:
    """An id is found only where an id begins, and the ring keeps its size."""
    run, effects = play(act())
    for _ in range(3 * runs.SEEN_IDS // runs.MANY):
        run, more = play(*[act() for _ in range(runs.MANY)], run=run)
        effects += more
    assert len(run.seen) == runs.SEEN_IDS * runs.ID_BYTES
    assert not only(Noted, effects)


def test_call_seen_three_times_counts_once() -> None:
    """Asked for, seen from the inside, done: one call, one deletion."""
    run, _ = play(
        act("api", Does.DELETE, phase=Phase.INTENDED, call=9, shape=9),
        act("http", Does.DELETE, inner=True, parent=b"toolspan"),
        act("api", Does.DELETE, span=b"toolspan", call=9, shape=9),
    )
    assert run.calls == 1
    assert long_sum(run, "destruction.deleted") == 1.0
    assert len(run.looks) == 1


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
    run, effects = play(
        fatal(phase=Phase.INTENDED, call=3, shape=3), fatal(call=3, shape=3), *[act() for _ in range(50)]
    )
    assert len(only(Verdict, effects)) == 1
    assert run.desired == Desired.PAUSED


def test_person_resumes_and_new_evidence_pauses_again() -> None:
    """A decision works once: the call it covers passes, a new one of the kind stops."""
    run, _ = play(fatal(phase=Phase.INTENDED, call=3, shape=3))
    run, effects = play(Labelled(EPOCH_NS, "approve", "ann", sequence=1), fatal(call=3, shape=3), act(), run=run)
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
    """A run without events is summarised, and a while later forgotten; a tick that came too early changes nothing."""
    policy = Policy(idle_ns=50 * SECOND_NS)
    judge = Judge(blank(), policy)
    run, _ = play(act(does=Does.DELETE), act(), Turn(b"turnspan", bytes(16), EPOCH_NS), judge=judge, now=SECOND_NS)
    run, effects = play(Tick(50 * SECOND_NS), run=run, judge=judge)
    assert effects == []
    run, effects = play(Tick(51 * SECOND_NS), run=run, judge=judge)

    (summary,) = only(Summary, effects)
    assert (summary.outcome, summary.calls, summary.turns, summary.level) == ("expired", 2, 1, "ALLOW")
    assert len(summary.features) == len(summary.peak_features) == len(LAYOUT.feature_names)
    assert due(run, policy) == 101 * SECOND_NS
    assert apply(run, record(Tick(101 * SECOND_NS)), judge) == (None, [])


@pytest.mark.parametrize("late", [act(does=Does.DELETE), Labelled(EPOCH_NS, "honest", "ann")])
def test_what_comes_late_renews_the_whole_summary(late: Event) -> None:
    """A span or a label after the summary goes on with the run: the next summary tells of all of it."""
    judge = Judge(blank(), Policy(idle_ns=50 * SECOND_NS))
    run, _ = play(*[act() for _ in range(5)], judge=judge, now=SECOND_NS)
    run, _ = play(Tick(51 * SECOND_NS), run=run, judge=judge)
    run, effects = play(late, run=run, judge=judge, now=60 * SECOND_NS)
    assert effects == []
    _, effects = play(Tick(110 * SECOND_NS), run=run, judge=judge)
    (summary,) = only(Summary, effects)
    assert summary.calls + len(summary.labels) == 6


def test_finished_run_goes_sooner() -> None:
    """Once the agent's own span has ended the shorter time counts, until something follows."""
    run, _ = play(act(), Turn(b"rootspan", bytes(16), EPOCH_NS, root=True), now=SECOND_NS)
    assert due(run, JUDGE.policy) == SECOND_NS + JUDGE.policy.finished_ns
    run, _ = play(act(), run=run, now=SECOND_NS)
    assert due(run, JUDGE.policy) == SECOND_NS + JUDGE.policy.idle_ns


def test_paused_run_is_not_evicted() -> None:
    """Room is made at the cost of quiet runs only."""
    run, _ = play(fatal())
    after, effects = apply(run, record(Tick(5, evict=True)), JUDGE)
    assert after is run
    assert effects == []
    assert apply(play(act())[0], record(Tick(5, evict=True)), JUDGE)[0] is None


def test_a_run_that_comes_back_outranks_its_past() -> None:
    """After a run was forgotten, commands under the same id have higher numbers than all before."""
    before, _ = play(fatal(), now=100 * SECOND_NS)
    again, _ = play(fatal(), now=5000 * SECOND_NS)
    assert again.sequence > before.sequence > 0
    assert again.verdicts > before.verdicts


def test_a_label_works_once() -> None:
    """The same decision again, by a retry or a replay, does not free a run that was paused anew."""
    resume = Labelled(EPOCH_NS, "resume", "ann")
    run, _ = play(fatal(), resume, fatal())
    run, effects = play(resume, run=run)
    assert effects == [Noted("duplicate")]
    assert run.desired == Desired.PAUSED


def test_denied_prompt_is_no_kill() -> None:
    """A person who denies a prompt of the agent's own does not end a run that the detector let go on."""
    run, effects = play(act(), Labelled(EPOCH_NS, "deny", "ann"))
    assert effects == [Noted("idle_decision")]
    assert run.desired == Desired.RUNNING


def test_late_praise_makes_no_run() -> None:
    """A label that decides nothing does not bring a forgotten run back."""
    assert apply(None, record(Labelled(EPOCH_NS, "honest", "ann")), JUDGE) == (None, [])


def test_the_first_process_named_is_the_one() -> None:
    """A later span that claims the run does not point its commands elsewhere."""
    run, _ = apply(None, record(act(), where={"k8s.pod.name": "agent-1"}, service="agent"), JUDGE)
    run, effects = apply(run, record(fatal(), where={"k8s.pod.name": "billing-7"}, service="billing"), JUDGE)
    (command,) = only(Command, effects)
    assert (command.where, command.service) == ({"k8s.pod.name": "agent-1"}, "agent")


def test_a_loosened_mode_tightened_again() -> None:
    """What was only watched is stopped at the next evidence, once that is allowed."""
    run, effects = play(fatal(), judge=Judge(blank(), Policy(mode="shadow")))
    assert not only(Command, effects)
    _, effects = play(fatal(), run=run)
    assert [c.desired for c in only(Command, effects)] == [Desired.PAUSED]


def test_an_agent_can_not_loosen_its_mode() -> None:
    """A workflow name from spans tightens the mode; only one from the resource may loosen it."""
    policy = Policy(modes={"night": "shadow"})
    assert policy.mode_of("night", 2) == "enforce"
    assert policy.mode_of("night", 0) == "shadow"
    assert Policy(mode="alert", modes={"night": "enforce"}).mode_of("night", 2) == "enforce"


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
    assert apply(None, record(Tick(1), Acked(1, 1, "process", "done")), JUDGE) == (None, [])


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
    whole = apply(None, record(*story, written=1), JUDGE)[1]
    stored: bytes | None = None
    effects: list[Effect] = []
    for piece in _pieces(story, cuts):
        run = None if stored is None else state.decode(stored, LAYOUT)
        assert run is None or isinstance(run, Run)
        after, made = apply(run, decode_log(encode_log(record(*piece, written=1))), JUDGE)
        effects += made
        stored = None if after is None else state.encode(after)
        assert stored is None or len(stored) <= 8192
    assert effects == whole


def _pieces(story: list[Event], cuts: set[int]) -> list[list[Event]]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(story)), len(story)]
    return [story[a:b] for a, b in itertools.pairwise(edges) if b > a]


def test_the_fullest_state_is_within_its_bound() -> None:
    """Every list full, every name as long as it may be and in a script of many bytes: 8 KB at most."""
    every = int(Does(2**19 - 1))
    story = [
        act(
            "t" * 64,
            Does(every),
            outcome=Outcome(1 + n % 4),
            env=Environment(1 << n % 5),
            blind=31,
            shape=2**64 - 1 - n,
            call=2**64 - 1 - n,
            phase=Phase(n % 2),
            trace=bytes([255 - n % 200]) * 16,
            span=bytes([255 - n % 200]) * 8,
            targets=tuple(2**64 - 1 - 8 * n - k for k in range(8)),
            secrets_seen=tuple(2**63 - 1 - 8 * n - k for k in range(8)),
            secrets_used=tuple(2**62 - 1 - 8 * n - k for k in range(8)),
            signs=tuple(f"{'s' * 38}{k}" for k in range(8)),
        )
        for n in range(400)
    ]
    where = {f"{'k' * 20}{n}": "\u6f22" * 256 for n in range(20)}
    full = RunEvents(
        "\u6f22" * 200, list(story), written=10**18, service="\u6f22" * 300, workflow="\u6f22" * 300, where=where
    )
    run, _ = apply(None, full, JUDGE)
    assert run is not None
    assert len(state.encode(run)) <= 8192


def test_other_behaviours_keep_decisions() -> None:
    """State that other behaviours kept starts its signals anew; what was decided stands."""
    run, _ = play(fatal())
    run.layout = "another"
    again = state.decode(state.encode(run), LAYOUT)
    assert isinstance(again, Run)
    assert not np.any(again.vector())
    assert (again.desired, again.sequence, again.layout) == (Desired.PAUSED, 1, LAYOUT.version)
