"""Aliases in bulk: told once, written together, kept in one piece, found when a trace needs them."""

from __future__ import annotations

import msgspec
import pytest

from detector.records import Aliases, decode_log
from detector.runs import aliases
from detector.runs.aliases import PREFIX, Bundle, Index, Outbox, Told
from detector.runs.kin import Forwarder
from detector.runs.run import Run
from detector.testing import Clock, Spans
from tests.fleet import Fleet, singles

SECOND = 10**9


def named(trace: int, run: str = "conversation") -> bytes:
    """A turn that names its run."""
    return Spans("svc", run, trace=trace).chat().request()


def unnamed(trace: int) -> bytes:
    """A call that does not."""
    return Spans("svc", "", trace=trace).tool("bash", {"n": trace}).request()


def test_told_once_until_a_while_has_passed() -> None:
    """The same alias is new again after that; another run for the trace is new each time, and changes nothing."""
    told = Told(10.0)
    one = [("part", "run")]
    assert told.new(one, 0) == one
    assert told.new(one, 9 * SECOND) == []
    assert told.new([("part", "other")], 9 * SECOND) == [("part", "other")]
    assert told.new(one, 9 * SECOND) == []
    assert told.new(one, 10 * SECOND) == one


def test_what_was_told_is_bounded() -> None:
    """The oldest is forgotten first."""
    told = Told(10.0)
    told.new([(str(n), "run") for n in range(aliases.REMEMBERED + 5)], 0)
    again = [(str(n), "run") for n in (4, aliases.REMEMBERED)]
    assert told.new(reversed(again), 1) == again[:1]


def test_one_record_a_partition() -> None:
    """With a key of its own that says the partition; all who wait are told when everything is written."""
    outbox = Outbox(lambda key: key[-1] % 2, Clock(5))
    first = outbox.add([("a", "r"), ("b", "r")])
    assert outbox.add([("c", "r")]) is first
    records, written = outbox.take()
    assert written is first
    assert not first.done()
    read = {partition: decode_log(value).events for partition, _, value in records}
    assert read == {1: [Aliases(5, [("a", "r"), ("c", "r")])], 0: [Aliases(5, [("b", "r")])]}
    assert all(aliases.partition_of(key) == partition for partition, key, _ in records)
    assert outbox.take() == ([], None)


def test_very_many_are_several_records() -> None:
    """So that none outgrows what Kafka takes."""
    outbox = Outbox(lambda _: 0)
    outbox.add([(str(n), "run") for n in range(2 * aliases.MOST + 1)])
    records, _ = outbox.take()
    assert len(records) == 3
    assert len({key for _, key, _ in records}) == 3


def test_no_run_is_named_like_aliases() -> None:
    """An id with a zero byte in it, from spans or from people, is none of ours."""
    fleet = Fleet()
    fleet.take(Spans("svc", "\0aliases/0/x").tool("bash", {}).request())
    fleet.take(b'{"run": "\\u0000aliases/0/x", "kind": "pause", "who": "ann", "at": 1}', "labels")
    fleet.settle()
    assert not any(key.startswith(PREFIX) and b"/x" in key for key in fleet.table)


def test_a_trace_without_a_run_costs_no_state_of_its_own() -> None:
    """Of many traces that name their run, only the aliases of each moment are kept, in one piece a partition."""
    fleet = Fleet(workers=1)
    for trace in range(1, 100):
        fleet.take(named(trace))
    fleet.settle()
    assert sum(isinstance(state, Bundle) for state in fleet.known()) == 3
    assert not any(isinstance(state, Forwarder) for state in fleet.known())


def test_a_trace_that_needs_it_later_finds_it() -> None:
    """After restarts and moves too: the first event of the trace goes on to its run."""
    fleet = Fleet()
    fleet.take(named(1))
    fleet.settle()
    for number in range(2):
        fleet.restart(number)
    fleet.rebalance()
    fleet.take(unnamed(1))
    fleet.settle()
    (run,) = fleet.runs().values()
    assert (run.run, run.calls, run.turns) == ("svc/conversation", 1, 1)
    assert fleet.noted("forwarded") == 1


def test_a_trace_that_has_a_run_is_told() -> None:
    """It hands over what it has."""
    fleet = Fleet()
    fleet.take(unnamed(1))
    fleet.settle()
    assert list(fleet.runs()) == [f"svc/{1:032x}"]
    fleet.take(named(1))
    fleet.settle()
    assert {run.run: run.calls for run in fleet.runs().values()} == {"svc/conversation": 1}


def test_aliases_end_like_runs() -> None:
    """They are dropped when a run would be, and are not asked to make room before."""
    fleet = Fleet()
    fleet.take(named(1))
    fleet.settle()
    fleet.tick(1.0, evict=True)
    assert any(isinstance(state, Bundle) for state in fleet.known())
    fleet.tick(4000.0)
    fleet.tick(4000.0)
    assert fleet.table == {}
    assert all(not worker.watch.aliases._keys for worker in fleet.workers)


def test_a_trace_of_several_runs_belongs_to_the_topmost() -> None:
    """Or to none, where none of them is above the others: that is counted."""
    spans = Spans("svc", "root", trace=1).span("invoke_agent", {"gen_ai.operation.name": "invoke_agent"})
    below = {"gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "child"}
    root = f"{1:08x}{1:08x}"
    spans.span("invoke_agent", below, parentSpanId=root)
    fleet = Fleet()
    fleet.take(spans.request())
    fleet.take(unnamed(1))
    fleet.settle()
    assert fleet.runs()["svc/root"].calls == 1
    child = fleet.runs()["svc/child"].kin
    assert child is not None
    assert child.root == "svc/root"

    two = (
        Spans("svc", "one", trace=2)
        .chat()
        .span("chat", {"gen_ai.operation.name": "chat", "gen_ai.conversation.id": "two"})
    )
    done = fleet.workers[0].spans(two.request(), 1)
    assert (done.aliases, done.notes["alias_ambiguous"]) == ([], 1)


def test_the_table_tells_states_apart() -> None:
    """Runs, forwarders and aliases stand side by side."""
    fleet = Fleet(workers=1)
    for request in singles([]) or [unnamed(3), named(3), named(4)]:
        fleet.take(request)
    fleet.settle()
    assert {type(state) for state in fleet.known()} == {Run, Forwarder, Bundle}


@pytest.mark.parametrize("taken_up", [(0, 1), (1, 0)], ids=["as told", "as recovered"])
def test_what_was_told_twice_is_found_in_one_way(taken_up: tuple[int, int]) -> None:
    """A worker that has recovered goes by the first alias that stands, as one that heard both; then by the other."""
    bundles = [
        Bundle("\0aliases/0/a", [("part", "first"), ("both", "run")], 1, offset=10),
        Bundle("\0aliases/0/b", [("part", "second"), ("both", "run")], 2, offset=20),
    ]
    table = {bundle.run.encode(): msgspec.msgpack.encode(bundle) for bundle in bundles}
    index = Index(table.get, msgspec.msgpack.Decoder(Bundle).decode)
    for number in taken_up:
        index.load(bundles[number])
    assert (index.of("part"), index.of("both")) == ("first", "run")
    index.drop(bundles[0])
    assert (index.of("part"), index.of("both")) == ("second", "run")
    index.drop(bundles[1])
    assert (index.of("part"), index.of("both"), index._keys) == ("", "", {})
