"""Runs that span traces: one run and each call once, in whatever order and wherever the spans come in."""

from __future__ import annotations

import itertools
import json
from base64 import b64encode
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.records import (
    Acked,
    Action,
    Alias,
    Below,
    Command,
    Desired,
    Does,
    Environment,
    Event,
    Labelled,
    RunEvents,
    Summary,
    Tick,
    Verdict,
    decode_log,
    encode_log,
)
from detector.runs import kin
from detector.runs.effects import Effect, Handed, Noted, Withdrawn
from detector.runs.judge import Judge
from detector.runs.kin import Forwarder
from detector.runs.run import Run
from detector.runs.state import STATE_BYTES, State, decode, encode
from detector.step import apply
from detector.testing import SECOND_NS, Spans, act, record
from tests.fleet import JUDGE, SAMPLES, Fleet, singles


def sample(name: str) -> list[bytes]:
    """The spans of a real export, one a request."""
    found = [path.read_bytes() for path in sorted((SAMPLES / name).glob("traces-*.binpb"))]
    found += [_protobuf(path.read_text()) for path in sorted((SAMPLES / name).glob("traces-*.wire.json"))]
    return singles(found)


def _protobuf(text: str) -> bytes:
    """OTLP/JSON, whose ids are hex, as protobuf, whose ids are base64 in JSON."""
    data = json.loads(text)
    for resource in data["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if span.get(key):
                        span[key] = b64encode(bytes.fromhex(span[key])).decode()
                span.pop("flags", None)
    message = json_format.ParseDict(data, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    return message.SerializeToString()


def resumed() -> list[bytes]:
    """A run that waits for an approval and goes on in another trace.

    As a conformant framework tells of it: only the agent's own span and its turns carry the conversation.
    """
    requests = []
    for trace, tools in ((7, ("read_file", "delete_database")), (8, ("delete_database", "run_shell"))):
        spans = Spans("resumed", "conversation-7", trace=trace)
        root = f"{trace:016x}"
        for n, tool in enumerate(tools):
            call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
            call |= {"gen_ai.tool.call.id": f"call_{n}", "gen_ai.tool.call.arguments": f'{{"n": {trace + n}}}'}
            spans.span(f"execute_tool {tool}", {**call, "gen_ai.conversation.id": ""}, parentSpanId=root)
            spans.span("chat", {"gen_ai.operation.name": "chat"}, parentSpanId=root)
        spans.span("invoke_agent", {"gen_ai.operation.name": "invoke_agent"}, spanId=root)
        requests.append(spans.request())
    return [_single(span) for request in requests for span in _spans_of(request)]


def _spans_of(request: bytes) -> list[Any]:
    data = json.loads(request)
    resource = data["resourceSpans"][0]
    return [(resource["resource"], span) for span in resource["scopeSpans"][0]["spans"]]


def _single(found: Any) -> bytes:
    resource, span = found
    # An attribute that is there and empty is none: the span carries no conversation.
    span["attributes"] = [a for a in span["attributes"] if a["value"].get("stringValue") != ""]
    return json.dumps(
        {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "t"}, "spans": [span]}]}]}
    ).encode()


STORIES = {"autogen": (5, 0), "gemini-cli": (5, 6), "codex": (6, 7), "resumed": (4, 4)}
"""Calls and turns of one run each."""


def spans_of(story: str) -> list[bytes]:
    """The spans of a story, one a request; of Codex only those that tell of calls, turns or the run."""
    if story == "resumed":
        return resumed()
    found = sample(story)
    if story == "codex":
        found = [request for request in found if b"call_id" in request or b"codex." in request]
    return found


@pytest.mark.parametrize("story", STORIES)
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_one_run_and_each_call_once(story: str, data: st.DataObject) -> None:
    """One span a request, in any order, over workers that restart, die before they store, and swap partitions."""
    seed = data.draw(st.integers(0, 2**32))
    fleet = Fleet(seed=seed)
    requests = spans_of(story)
    fleet.random.shuffle(requests)
    for request in requests:
        fleet.take(request)
        match fleet.random.randrange(12):
            case 0:
                fleet.restart(fleet.random.randrange(2))
            case 1:
                fleet.rebalance()
            case 2:
                fleet.step(fleet.random.randrange(3), dies=True)
            case 3 | 4:
                fleet.settle()
            case _:
                fleet.step(fleet.random.randrange(3))
    fleet.settle()

    (run,) = fleet.runs().values()
    assert (run.calls, run.turns) == STORIES[story]
    assert all(not isinstance(state, Forwarder) or state.to == run.run for state in fleet.known())


def test_every_order_of_a_resumed_run() -> None:
    """All orders of two tool spans and the two agents' spans that say whose they are."""
    requests = resumed()
    few = [requests[0], requests[4], requests[5], requests[9]]
    for order in itertools.permutations(few):
        fleet = Fleet()
        for request in order:
            fleet.take(request)
            fleet.restart(0)
            fleet.settle()
        (run,) = fleet.runs().values()
        assert (run.run, run.calls) == ("resumed/conversation-7", 2)


def test_sharing_no_id_is_several_runs() -> None:
    """Where a framework puts nothing on its spans that two traces share, each trace is a run."""
    for story in ("openai-agents-openinference", "agent-framework"):
        fleet = Fleet()
        for request in sample(story):
            fleet.take(request)
        fleet.settle()
        assert len(fleet.runs()) > 1


# --- what was decided, at the level of single records ------------------------------------

DELETE = Does.DELETE | Does.IRREVERSIBLE
TRACE = bytes(15) + b"\x07"
PART, WHOLE = f"svc/{TRACE.hex()}", "svc/conversation"


class Log:
    """A run log that is applied at once: what runs hand one another follows their record."""

    def __init__(self, judge: Judge = JUDGE) -> None:
        self.judge = judge
        self.states: dict[str, State] = {}
        self.effects: list[Effect] = []
        self.handed: list[RunEvents] = []

    def put(self, *events: Event, run: str = PART, written: int = SECOND_NS, **fields: Any) -> list[Effect]:
        """The effects of a record, and of what comes of it."""
        due = [record(*events, run=run, written=written, traced=len(run) == len(PART), **fields)]
        made: list[Effect] = []
        while due:
            first = due.pop(0)
            state, effects = apply(self.states.pop(first.run, None), decode_log(encode_log(first)), self.judge)
            if state is not None:
                stored = encode(state)
                assert len(stored) <= STATE_BYTES
                self.states[first.run] = decode(stored, self.judge.model.layout)  # type: ignore[assignment]
            due += (handed := [effect.record for effect in effects if isinstance(effect, Handed)])
            self.handed += handed
            made += effects
        self.effects += made
        return made

    def alias(self, to: str = WHOLE, run: str = PART) -> list[Effect]:
        """A span shows whose the part is."""
        return self.put(Alias(1, to), run=run)

    def run(self, name: str = WHOLE) -> Run:
        """A run, as stored."""
        state = self.states[name]
        assert isinstance(state, Run)
        return state


def commands(effects: list[Effect]) -> list[Command]:
    """The commands among effects."""
    return [effect for effect in effects if isinstance(effect, Command)]


def causes(effects: list[Effect]) -> list[str]:
    """The causes of the verdicts among effects."""
    return [effect.cause for effect in effects if isinstance(effect, Verdict)]


def notes(effects: list[Effect]) -> list[str]:
    """What was counted."""
    return [effect.reason for effect in effects if isinstance(effect, Noted)]


def fatal(**fields: Any) -> Action:
    """A call that the rule on production stops."""
    return act("api", DELETE, env=Environment.PRODUCTION, **fields)


def test_what_was_decided_goes_along() -> None:
    """A part that was paused pauses the whole, whose command takes the place of the part's."""
    log = Log()
    log.put(fatal())
    effects = log.alias()
    (command,) = commands(effects)
    assert (command.run, command.desired, command.aliases) == (WHOLE, Desired.PAUSED, [PART])
    assert causes(effects) == ["rule:irreversible-in-production"]
    assert isinstance(log.states[PART], Forwarder)


def test_a_pause_whose_evidence_is_gone_goes_along() -> None:
    """The part's level and state are taken even where none of the events that it kept says why."""
    log = Log()
    log.put(fatal(), *[act() for _ in range(kin.KEPT_EVENTS)])
    effects = log.alias()
    assert causes(effects) == ["adopted:rule:irreversible-in-production"]
    assert [(c.run, c.desired) for c in commands(effects)] == [(WHOLE, Desired.PAUSED)]


def test_a_part_that_a_person_killed_kills_the_whole() -> None:
    """A person's word on the part holds for the run that it turns out to be."""
    log = Log()
    log.put(act(), run=WHOLE)
    log.put(act(), Labelled(5, "kill", "ann"))
    effects = log.alias()
    assert [(c.desired, c.cause) for c in commands(effects)] == [(Desired.KILLED, "adopted:person:ann")]
    assert log.run().labels == {"kill": 1}


def test_what_a_person_let_pass_stays_passed() -> None:
    """The same evidence does not stop the whole after it was approved for the part; new evidence does."""
    log = Log()
    log.put(fatal(), act())
    log.put(Labelled(5, "resume", "ann"), act())
    assert commands(log.alias()) == []
    assert (log.run().calls, log.run().desired) == (3, Desired.RUNNING)
    assert [c.desired for c in commands(log.put(fatal()))] == [Desired.PAUSED]


def test_a_stopped_run_takes_over_the_part_that_was_stopped_too() -> None:
    """Its command comes again with the part's name, and a decision on the one before is still good."""
    log = Log()
    (first,) = commands(log.put(fatal(), run=WHOLE))
    log.put(Labelled(5, "pause", "ann"))
    (again,) = commands(log.alias())
    assert (again.desired, again.sequence, again.aliases) == (Desired.PAUSED, first.sequence + 1, [PART])
    (freed,) = commands(log.put(Labelled(6, "resume", "bob", sequence=first.sequence), run=WHOLE))
    assert (freed.desired, freed.aliases) == (Desired.RUNNING, [PART])


@pytest.mark.parametrize(("newer", "frees"), [(False, True), (True, False)])
def test_a_decision_on_the_part(newer: bool, frees: bool) -> None:
    """One that saw the part's command frees the whole, unless something came since that its maker had not seen."""
    log = Log()
    (seen,) = commands(log.put(fatal()))
    log.alias()
    if newer:
        log.put(Labelled(6, "resume", "bob"), run=WHOLE)
        log.put(fatal(), run=WHOLE)
    effects = log.put(Labelled(7, "resume", "ann", sequence=seen.sequence))
    assert [c.desired for c in commands(effects)] == [Desired.RUNNING] * frees
    assert ("stale_decision" in notes(effects)) is not frees


def test_acks_for_the_part_prove_nothing_of_the_whole() -> None:
    """Enforcers answer the whole's own command."""
    log = Log()
    log.put(fatal())
    log.alias()
    assert notes(log.put(Acked(9, 10**9, "process", "done"))) == ["ack_of_adopted"]
    assert log.run().acked == 0


def test_twice_changes_nothing() -> None:
    """Everything that was handed over, handed over again, leaves the run as it was."""
    log = Log()
    log.put(*[act(does=Does.DELETE) for _ in range(5)])
    log.alias()
    log.put(act(does=Does.DELETE))
    before = encode(log.run())
    for again in list(log.handed):
        state, effects = apply(log.run(), again, JUDGE)
        assert effects == [Noted("handed_again")]
        assert isinstance(state, Run)
        assert encode(state) == before
    assert log.run().calls == 6


def test_a_span_that_came_both_ways_counts_once() -> None:
    """Once beside a span that names the run, and once alone."""
    log = Log()
    call = act(does=Does.DELETE)
    log.put(call)
    log.put(call, run=WHOLE)
    assert "duplicate" in notes(log.alias())
    assert log.run().calls == 1


def test_the_first_alias_wins() -> None:
    """Another one is refused and counted; the same one again is nothing."""
    log = Log()
    log.put(act())
    assert notes(log.alias()) == ["adopted"]
    assert notes(log.alias("svc/other")) == ["alias_conflict"]
    assert notes(log.alias()) == []
    assert notes(log.alias(PART)) == ["alias_of_itself"]
    log.put(act())
    assert log.run().calls == 2


def test_a_run_with_an_id_is_not_handed_over() -> None:
    """Whatever somebody says of its name."""
    log = Log()
    log.put(act(), run=WHOLE)
    assert notes(log.alias("svc/other", run=WHOLE)) == ["alias_refused"]
    assert log.run().calls == 1


def test_a_circle_of_aliases_ends() -> None:
    """Two traces that are each said to be a part of the other are one run, with every call."""
    log = Log()
    other = f"svc/{(bytes(15) + bytes([9])).hex()}"
    log.put(act())
    log.put(act(), run=other)
    assert notes(log.alias(other)) == ["adopted"]
    assert notes(log.alias(PART, run=other)) == ["alias_refused"]
    log.put(act())
    assert log.run(other).calls == 3


def test_a_forwarder_to_which_others_are_handed_is_a_run_again() -> None:
    """Both aliases of a circle may stand before either is known to the other."""
    log = Log()
    log.alias(WHOLE)
    effects = log.put(act(), adopted_from="svc/third", adopted_sequence=1)
    assert notes(effects) == ["alias_undone"]
    assert log.run(PART).calls == 1
    assert notes(log.alias(WHOLE)) == ["alias_refused"]


def test_a_forwarder_goes_quietly() -> None:
    """It expires like a run and leaves no summary; what comes then begins anew."""
    log = Log()
    log.put(act())
    log.alias()
    assert log.put(Tick(SECOND_NS + 1)) == []
    assert log.put(Tick(10**18)) == []
    assert PART not in log.states


def test_a_summary_of_the_part_is_withdrawn() -> None:
    """What it told of is in the summary of the whole."""
    log = Log()
    log.put(act())
    log.put(Tick(10**16))
    assert Withdrawn(PART) in log.alias()
    effects = log.put(Tick(10**18), run=WHOLE)
    assert [(e.run, e.calls) for e in effects if isinstance(e, Summary)] == [(WHOLE, 1)]


def test_what_the_part_knew_of_its_process_goes_along() -> None:
    """Service, workflow and where it lives: what the whole's commands are found by."""
    log = Log()
    log.put(act(), service="svc", where={"host.name": "h", "process.pid": "7"})
    log.alias()
    run = log.run()
    assert (run.service, run.workflow, run.where) == ("svc", "testing", {"host.name": "h", "process.pid": "7"})


def test_kept_events_are_bounded() -> None:
    """By number, and by what is left of the state's bytes; what is kept are the newest."""
    log = Log()
    wide: Any = {"targets": tuple(range(2**63, 2**63 + 8)), "secrets_seen": tuple(range(2**62, 2**62 + 8))}
    for _ in range(100):
        last = act("t" * 64, Does(2**19 - 1), signs=tuple(f"{'s' * 38}{n}" for n in range(8)), **wide)
        log.put(last)
    kept = log.run(PART).kin
    assert kept is not None
    assert 0 < len(kept.kept) <= kin.KEPT_EVENTS
    log.alias()
    assert log.handed[0].events[-1] == last


def test_memory_of_parts_is_bounded() -> None:
    """However many traces a run has; the part that was heard of first is forgotten first."""
    log = Log()
    for n in range(3 * kin.SOURCES):
        log.put(act(), run=WHOLE, adopted_from=f"svc/{n:032x}", adopted_sequence=1)
    known = log.run().kin
    assert known is not None
    assert [source.name for source in known.sources] == [
        kin.short(f"svc/{n:032x}") for n in range(2 * kin.SOURCES, 3 * kin.SOURCES)
    ]


# --- the tree ----------------------------------------------------------------------------


def test_a_command_covers_the_tree() -> None:
    """Whoever is known to stand below, however deep, is named by the command of the root."""
    log = Log()
    log.put(Below(1, "child"), act(), run="grandchild")
    log.put(Below(1, "root"), act(), run="child")
    (command,) = commands(log.put(fatal(), run="root"))
    assert sorted(command.tree) == ["child", "grandchild"]
    (own,) = commands(log.put(fatal(), run="child"))
    assert (own.root, own.tree) == ("root", ["grandchild"])
    assert log.run("root").calls == 1


def test_a_stopped_root_stops_who_comes_to_stand_below() -> None:
    """Its command comes again with the new name, once."""
    log = Log()
    (first,) = commands(log.put(fatal(), run="root"))
    (again,) = commands(log.put(Below(1, "root"), act(), run="child"))
    assert (again.run, again.sequence, again.tree) == ("root", first.sequence + 1, ["child"])
    assert commands(log.put(Below(2, "root"), act(), run="child")) == []


def test_a_paused_sub_agent_leaves_its_root_alone() -> None:
    """A stop goes down the tree, not up."""
    log = Log()
    log.put(Below(1, "root"), act(), run="child")
    assert [c.run for c in commands(log.put(fatal(), run="child"))] == ["child"]
    assert log.run("root").desired == Desired.RUNNING


def test_trees_are_no_circles_and_bounded() -> None:
    """Contradictions are counted, and a root of very many is no larger than any state."""
    log = Log()
    log.put(Below(1, "b"), act(), run="a")
    assert "tree_circle" in notes(log.put(Below(1, "a"), act(), run="b"))
    assert "tree_conflict" in notes(log.put(Below(1, "c"), act(), run="a"))
    for n in range(100):
        log.put(Below(1, "root"), act(), run=f"child-{n:060}")
    assert "tree_full" in notes(log.effects)
    assert len(encode(log.run("root"))) < STATE_BYTES


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_replay_gives_what_the_stream_gave(data: st.DataObject) -> None:
    """Each partition's log, from its beginning and alone, gives every verdict and command again, bit for bit."""
    fleet = Fleet(seed=data.draw(st.integers(0, 2**32)))
    requests = [*resumed(), Spans("resumed", "other", trace=9).tool("bash", {"command": "rm -rf /"}).request()]
    fleet.random.shuffle(requests)
    for request in requests:
        fleet.take(request)
        fleet.step(fleet.random.randrange(3))
    fleet.settle()
    fleet.take(json.dumps({"run": "resumed/conversation-7", "kind": "pause", "who": "ann", "at": 5}).encode(), "labels")
    for seconds in (1.0, 2000.0, 2000.0):
        fleet.tick(seconds)
    assert sorted(fleet.replayed()) == sorted(fleet.sent)
    assert {send.topic for send in fleet.sent} >= {"agent-verdicts", "agent-commands", "agent-summaries"}


def test_a_forwarder_that_was_forgotten_and_made_again_hands_over_all() -> None:
    """A trace that was quiet for so long that its forwarder went, and goes on, is not taken for one that repeats."""
    log, later = Log(), SECOND_NS + JUDGE.policy.idle_ns
    log.put(act())
    log.alias()
    log.put(act())
    assert log.run().calls == 2
    log.put(Tick(later))
    assert PART not in log.states
    log.put(Alias(1, WHOLE), written=later)
    log.put(act(), act(), written=later)
    assert log.run().calls == 4
