"""The brake: what the model would stop beyond so many runs in a while is alerted on; nothing else is held back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from detector.behaviours.base import Moment
from detector.config import load
from detector.observe.metrics import Metrics
from detector.policy.brake import Brake, Stops, key_of
from detector.policy.policy import Policy
from detector.records import Action, Command, Does, Environment, Event, Labelled, Outcome, Tick, Verdict, encode_log
from detector.runs.aliases import partition_of
from detector.runs.judge import Judge
from detector.runs.state import decode, encode
from detector.testing import EPOCH_NS, SECOND_NS, Clock, act, record
from detector.watch import Applied, Watch
from tests.fleet import Fleet
from tests.policy.test_shadow import limited

ODD = [act("a"), act("b", outcome=Outcome.REFUSED), act("c", outcome=Outcome.REFUSED)]
FATAL = act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)
MODEL = limited(0.3, 0.4)
PAUSED, ALERTED = ("PAUSE", "model"), ("ALERT", "brake")
WINDOW = 600


class Partition:
    """A worker's watch and its table, and one partition of the run log that it applies."""

    def __init__(self, stops: int = 20, number: int = 0, table: dict[bytes, bytes] | None = None) -> None:
        self.table = {} if table is None else table
        self.number = number
        self.next = 0
        self.clock = Clock()
        self.metrics = Metrics(CollectorRegistry())
        policy = Policy(brake_stops=stops, brake_ns=WINDOW * SECOND_NS)
        self.judge = Judge(MODEL, policy)
        self.watch = Watch(self.judge, load(), self.metrics, self.clock, stored=self.table.get)

    def apply(self, run: str, *events: Event, written: int = 0) -> Applied:
        """Applies a record of the run, `written` now if nothing else is said; its states aren't stored."""
        value = encode_log(record(*events, run=run, written=written or self.clock()))
        return self.watch.apply(self.table.get(run.encode()), value, self.next, self.number)

    def take(self, run: str, *events: Event, written: int = 0) -> list[tuple[str, str]]:
        """Applies it and stores what comes of it; (level, cause) of the verdicts."""
        applied = self.apply(run, *events, written=written)
        if applied.brake is not None:
            self.table[applied.brake[0]] = applied.brake[1]
        if applied.state is not None:
            self.table[run.encode()] = applied.state
        self.next += 1
        return verdicts(applied)

    def stops(self) -> list[tuple[int, int]]:
        """The stored stops."""
        state = decode(self.table[key_of(self.number)], MODEL.layout)
        assert isinstance(state, Stops)
        return state.made


def verdicts(applied: Applied) -> list[tuple[str, str]]:
    """(level, cause) of each."""
    sent = [msgspec.json.decode(s.value or b"", type=Verdict) for s in applied.sends if s.topic == "agent-verdicts"]
    return [(verdict.level, verdict.cause) for verdict in sent]


def commands(applied: Applied) -> list[str]:
    """The state that each asks for."""
    sent = [msgspec.json.decode(s.value or b"", type=Command) for s in applied.sends if s.topic == "agent-commands"]
    return [command.desired.value for command in sent]


def full(stops: int = 20, number: int = 0) -> Partition:
    """A partition in which the model has just stopped so many runs."""
    partition = Partition(stops, number)
    assert [partition.take(f"run-{n}", *ODD) for n in range(stops)] == [[PAUSED]] * stops
    return partition


def test_so_many_are_paused_and_the_next_is_alerted_on() -> None:
    """Twenty pauses pass; of the twenty-first an alert with the pause's threshold is left, and no command."""
    partition = full()
    applied = partition.apply("one-more", *ODD)
    assert (verdicts(applied), commands(applied), applied.brake) == ([ALERTED], [], None)
    (said,) = (msgspec.json.decode(send.value or b"", type=Verdict) for send in applied.sends)
    assert said.threshold == 0.4
    assert len(partition.stops()) == 20


def test_it_is_told_once_a_run_and_stopped_when_there_is_room() -> None:
    """Further evidence says nothing while the brake is pulled, and pauses the run afterwards."""
    partition = full(2)
    assert partition.take("late", *ODD) == [ALERTED]
    assert partition.take("late", act("d", outcome=Outcome.REFUSED)) == []
    partition.clock.move(WINDOW)
    assert partition.take("late", act("e", outcome=Outcome.REFUSED)) == [PAUSED]
    assert [at for at, _ in partition.stops()] == [4]


def test_an_alert_before_does_not_hide_it() -> None:
    """A run that the model had alerted on says once more that it would have been paused."""
    partition = full(1)
    partition.judge = Judge(limited(0.2, 0.4), partition.judge.policy)
    partition.watch = Watch(partition.judge, load(), partition.metrics, partition.clock, stored=partition.table.get)
    assert partition.take("late", *ODD) == [("ALERT", "model"), ALERTED]


def test_the_window_goes_by_when_records_were_written() -> None:
    """What spans say of their times, and the worker's clock, change nothing; a clock that jumped ahead locks nobody."""
    partition = full(1)
    partition.clock.move(10 * WINDOW)
    assert partition.take("same-time", *ODD, written=EPOCH_NS + 5) == [ALERTED]
    assert partition.take("later", *ODD, written=EPOCH_NS + WINDOW * SECOND_NS) == [PAUSED]
    partition = Partition(1)
    assert partition.take("future", *ODD, written=2 * EPOCH_NS) == [PAUSED]
    assert partition.take("now", *ODD) == [PAUSED]


def test_rules_and_people_are_not_braked_and_do_not_count() -> None:
    """A rule and a person stop runs while the brake is pulled; stops of theirs leave the model its own."""
    partition = full(1)
    assert partition.take("ruled", FATAL) == [("PAUSE", "rule:irreversible-in-production")]
    assert partition.take("late", *ODD, FATAL) == [ALERTED, ("PAUSE", "rule:irreversible-in-production")]
    partition.take("asked", act())
    assert partition.take("asked", Labelled(EPOCH_NS, "kill", "ann")) == [("KILL", "person:ann")]
    assert len(partition.stops()) == 1

    other = Partition(1)
    other.take("ruled", FATAL)
    other.take("asked", act(), Labelled(EPOCH_NS, "kill", "ann"))
    assert other.take("odd", *ODD) == [PAUSED]


def test_deadlines_are_not_braked() -> None:
    """A pause that nobody decided ends as configured, however many runs were stopped."""
    partition = full(1)
    later = EPOCH_NS + partition.judge.policy.deadline_ns
    assert partition.take("run-0", Tick(later), written=later) == [("KILL", "deadline")]


def test_partitions_have_brakes_of_their_own() -> None:
    """Where one is pulled the model stops runs of another."""
    table = full(1).table
    other = Partition(1, number=7, table=table)
    assert other.take("elsewhere", *ODD) == [PAUSED]
    assert {key_of(0), key_of(7)} <= table.keys()
    assert partition_of(key_of(7)) == 7


def test_where_nothing_is_stopped_nothing_is_braked() -> None:
    """In a workflow where the model may not act its verdicts stay, and none counts."""
    partition = Partition(1)
    partition.judge = Judge(MODEL, Policy(mode="alert", brake_stops=1))
    partition.watch = Watch(partition.judge, load(), partition.metrics, partition.clock, stored=partition.table.get)
    assert [partition.take(f"run-{n}", *ODD) for n in range(3)] == [[PAUSED]] * 3
    assert key_of(0) not in partition.table


def test_without_a_brake_all_are_stopped() -> None:
    """0: no limit, and nothing is stored for one."""
    partition = Partition(0)
    assert [partition.take(f"run-{n}", *ODD) for n in range(30)] == [[PAUSED]] * 30
    assert key_of(0) not in partition.table


@pytest.mark.parametrize("stored", ["nothing", "brake", "both"])
def test_a_replay_counts_nothing_twice(stored: str) -> None:
    """After a crash before either write, between the two and behind them: the same effects or none, the same state."""
    partition = full(2)
    partition.clock.move(WINDOW)
    first = partition.apply("again", *ODD)
    assert first.brake is not None
    assert first.state is not None
    if stored != "nothing":
        partition.table[first.brake[0]] = first.brake[1]
    if stored == "both":
        partition.table[b"again"] = first.state
    again = Partition(2, table=partition.table)
    again.next = partition.next
    second = again.apply("again", *ODD, written=partition.clock())
    assert (second.state, second.brake) == (first.state, None if stored == "both" else first.brake)
    assert second.sends == ([] if stored == "both" else first.sends)
    assert second.repeated == (stored == "both")


def test_a_successor_goes_on() -> None:
    """Another worker brakes by what is stored, shows that at once, and forgets it with the partition."""
    before = full(2)
    after = Partition(2, table=before.table)
    after.next = before.next
    assert not after.watch.braked()
    assert [after.watch.standing(state) for state in before.table.values()][-1] is not None
    assert after.watch.braked()
    assert after.take("late", *ODD) == [ALERTED]
    after.watch.forget({1})
    assert after.watch.braked()
    after.watch.forget({0})
    assert not after.watch.braked()


def test_it_shows_for_as_long_as_it_is_pulled() -> None:
    """Pulled with the last stop that passes, released when the window has passed; alerts in place of pauses count."""
    partition = full(1)
    assert partition.watch.braked()
    partition.take("late", *ODD)
    read = partition.metrics.registry.get_sample_value
    assert read("detector_braked_total", {"workflow": "testing"}) == 1
    partition.clock.move(WINDOW)
    assert not partition.watch.braked()


def test_a_stored_brake_is_versioned_and_is_no_run() -> None:
    """It comes back as it was; it needs no tick, is not evicted, and a record under its key is refused."""
    state = Stops(key_of(3).decode(), [(5, EPOCH_NS), (8, EPOCH_NS + 1)], 8)
    assert encode(state)[:2] == b"\x02b"
    assert decode(encode(state), MODEL.layout) == state
    partition = Partition(number=3, table={key_of(3): encode(state)})
    assert partition.watch.standing(encode(state)) == (0, True)
    partition.next = 9
    with pytest.raises(ValueError, match="expected a run, came the key of a brake"):
        partition.apply(key_of(3).decode(), Tick(EPOCH_NS))


def test_a_record_that_fails_counts_no_stop() -> None:
    """What breaks a behaviour after the model has stopped the run is set aside, and the next record begins anew."""
    partition = Partition(1)
    first, *others = partition.judge.updates

    def breaks(memory: Any, action: Action, moment: Moment) -> Sequence[float] | None:
        if action.tool == "bad":
            raise RuntimeError("broken")
        return first(memory, action, moment)

    object.__setattr__(partition.judge, "updates", (breaks, *others))
    with pytest.raises(RuntimeError, match="broken"):
        partition.apply("bad", *ODD, act("bad"))
    assert partition.judge.brake.end() is None
    assert partition.take("good", *ODD) == [PAUSED]


def test_a_judge_without_a_run_log_brakes_nothing() -> None:
    """Where nobody says which record it is, as in training, all passes."""
    brake = Brake(1, WINDOW)
    assert [brake.passes() for _ in range(3)] == [True] * 3
    assert brake.end() is None


def test_it_is_part_of_the_policy() -> None:
    """The settings make it, and its version tells what it changes in verdicts."""
    told = Policy.from_settings(load(brake_stops=3, brake_window_seconds=1.5))
    assert (told.brake_stops, told.brake_ns) == (3, 1_500_000_000)
    versions = {Policy(brake_stops=n, brake_ns=ns).version for n, ns in [(20, 600), (20, 60), (3, 600), (0, 600)]}
    assert len(versions) == 4
    assert Policy.from_settings(load()).version == Policy().version


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_replay_gives_what_the_stream_gave(data: st.DataObject) -> None:
    """However workers die between two writes, restart and move: the same effects, and the same table, brakes too."""
    fleet = Fleet(2, 2, judge=Judge(MODEL, Policy(brake_stops=2, brake_ns=WINDOW * SECOND_NS)))
    steps: Iterable[str] = data.draw(st.lists(st.sampled_from(["odd", "odd", "odd", "step", "dies", "moves", "time"])))
    for n, what in enumerate(steps):
        partition = data.draw(st.integers(0, 1))
        if what == "odd":
            run = f"run-{n}"
            value = encode_log(record(*ODD, run=run, written=fleet.clock()))
            fleet.log[fleet.partition(run.encode())].append((run.encode(), value))
        elif what == "time":
            fleet.clock.move(data.draw(st.sampled_from([1, 400, -100])))
        elif what == "moves":
            fleet.rebalance()
        else:
            fleet.step(partition, dies=what == "dies")
    fleet.settle()
    sent, table = fleet.replay()
    assert list(dict.fromkeys(sorted(fleet.sent))) == sorted(sent)
    assert fleet.table == table
