"""The enforce loop on a real broker protocol, from command to ack."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import msgspec
import pytest

from detector.config import Settings, load
from detector.control import enforce as module
from detector.control import topics
from detector.control.enforce import Enforcement, enforce
from detector.control.enforcers.base import Enforcer, Outcome, Result
from detector.control.signatures import sign, verify
from detector.embedded.broker import Broker
from detector.records import Ack, Command, Desired
from tests.control.support import COUNTER, Launcher, command, grows, produce, rests, until


class Recorder(Enforcer):
    """Does nothing and remembers; blocks on runs called `slow`, breaks on runs called `broken`."""

    name = "recorder"

    def __init__(self, *, once: bool = False) -> None:
        super().__init__()
        self.done: list[tuple[str, str, int]] = []
        self.again: asyncio.Queue[list[str]] = asyncio.Queue()
        self.closed = False
        self.mine: Callable[[str], bool] = lambda _: True
        type(self).once = once

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """Always."""
        del settings
        return cls()

    async def act(self, command: Command) -> Outcome:
        """Notes run, state and sequence."""
        if command.run == "slow":
            await asyncio.Event().wait()
        if command.run == "broken":
            raise ValueError
        if not self.mine(command.run):
            return Outcome(Result.NOT_MINE)
        self.done.append((command.run, command.desired.value, command.sequence))
        return Outcome(Result.DONE)

    async def unsettled(self) -> list[str]:
        """What the test says."""
        return await self.again.get()

    async def close(self) -> None:
        """Notes it."""
        self.closed = True


@asynccontextmanager
async def enforcing(settings: Settings, *enforcers: Enforcer, ready: bool = True) -> AsyncIterator[Enforcement]:
    """An enforcement that runs meanwhile, and has caught up when the test begins."""
    stop, enforcement = asyncio.Event(), Enforcement(settings, enforcers)
    task = asyncio.create_task(enforcement.run(stop))
    try:
        if ready:
            await asyncio.wait_for(enforcement.ready.wait(), 20)
        yield enforcement
    finally:
        stop.set()
        await asyncio.wait_for(task, 20)


async def acks(settings: Settings, number: int) -> list[Ack]:
    """The first acks, once there are so many."""
    found: list[Ack] = []
    async with asyncio.timeout(20), topics.reading(settings, settings.topic("agent-acks")) as consumer:
        while len(found) < number:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                found += [msgspec.json.decode(record.value, type=Ack) for record in records]
    return sorted(found, key=lambda ack: ack.at)


async def test_a_command_is_carried_out_and_acked(kafka: Settings) -> None:
    """The ack names run, sequence, enforcer, outcome and time, under the run's key."""
    async with enforcing(kafka, recorder := Recorder()):
        await produce(kafka, "agent-commands", command(Desired.PAUSED, 1))
        [ack] = await acks(kafka, 1)
    assert recorder.done == [("r1", "paused", 1)]
    assert (ack.run, ack.sequence, ack.enforcer, ack.outcome, ack.desired) == ("r1", 1, "recorder", "done", "paused")
    assert ack.at > 1_700_000_000 * 10**9
    assert recorder.closed


async def test_what_was_issued_before_the_start_is_applied_once_as_it_stands(kafka: Settings) -> None:
    """Of each run the newest command counts; a resumed run isn't paused first, a killed one is just killed."""
    await produce(
        kafka,
        "agent-commands",
        *(command(Desired.PAUSED, 1, run) for run in ("a", "b", "c")),
        command(Desired.RUNNING, 2, "b"),
        command(Desired.KILLED, 2, "c"),
        command(Desired.RUNNING, 3, "c"),
    )
    async with enforcing(kafka, recorder := Recorder()):
        await acks(kafka, 3)
    assert sorted(recorder.done) == [("a", "paused", 1), ("b", "running", 2), ("c", "killed", 2)]


async def test_duplicates_and_what_follows_a_kill_change_nothing(kafka: Settings) -> None:
    """Each answer is acked; only what is new and before a kill is done."""
    async with enforcing(kafka, recorder := Recorder()):
        pause, kill = command(Desired.PAUSED, 2), command(Desired.KILLED, 3)
        older, later = command(Desired.RUNNING, 1), command(Desired.RUNNING, 4)
        for sent in (pause, pause, older, kill, later, pause):
            await produce(kafka, "agent-commands", sent)
        answers = await acks(kafka, 6)
    assert recorder.done == [("r1", "paused", 2), ("r1", "killed", 3)]
    assert sorted(ack.outcome for ack in answers) == ["already"] * 4 + ["done"] * 2


async def test_what_is_no_command_is_counted_and_passed_over(kafka: Settings) -> None:
    """Broken JSON, another record, an unknown state: the next good command is carried out."""
    bad = [b"{", b"", b"\xff\xfe", b'{"run": 5}', b'{"run":"r","desired":"gone","sequence":1,"cause":"","at":1}']
    async with enforcing(kafka, recorder := Recorder()) as enforcement:
        await produce(kafka, "agent-commands", *bad, command(Desired.PAUSED, 1))
        await acks(kafka, 1)
        assert enforcement.counts["unreadable"] == len(bad)
    assert recorder.done == [("r1", "paused", 1)]


async def test_an_unsigned_command_is_not_obeyed(kafka: Settings) -> None:
    """With a key set, what isn't signed with it is counted; what is, is done, and the ack is signed."""
    signed = load(bootstrap=kafka.bootstrap, signing_key="key")
    good = sign(command(Desired.PAUSED, 1), "key")
    async with enforcing(signed, recorder := Recorder()) as enforcement:
        forged = [command(Desired.KILLED, 2), sign(command(Desired.KILLED, 2), "other")]
        await produce(signed, "agent-commands", *forged, good)
        [ack] = await acks(signed, 1)
        assert enforcement.counts["refused"] == 2
    assert recorder.done == [("r1", "paused", 1)]
    assert verify(ack, "key")


async def test_runs_do_not_wait_for_one_another(kafka: Settings) -> None:
    """One that hangs and one that breaks hold up none; what hung is dropped at the stop."""
    async with enforcing(kafka, recorder := Recorder()):
        runs = ("slow", "broken", "r1")
        await produce(kafka, "agent-commands", *(command(Desired.PAUSED, 1, run) for run in runs))
        answers = {ack.run: (ack.outcome, ack.detail) for ack in await acks(kafka, 2)}
        module._GRACE_SECONDS, grace = 0.1, module._GRACE_SECONDS
    module._GRACE_SECONDS = grace
    assert answers == {"broken": ("failed", "unexpected ValueError"), "r1": ("done", "")}
    assert recorder.done == [("r1", "paused", 1)]


async def test_a_run_that_comes_later_gets_its_standing_command(kafka: Settings) -> None:
    """First not mine; then the enforcer finds the run, or one below it, and the newest command is applied."""
    recorder = Recorder()
    recorder.mine = lambda _: False
    async with enforcing(kafka, recorder):
        await produce(kafka, "agent-commands", command(Desired.PAUSED, 1, "root", tree=["child"]))
        await produce(kafka, "agent-commands", command(Desired.RUNNING, 1, "free"))
        await acks(kafka, 2)
        recorder.mine = lambda _: True
        recorder.again.put_nowait(["child", "free", "unknown"])
        answers = await acks(kafka, 3)
    assert recorder.done == [("root", "paused", 1)]
    assert [ack.outcome for ack in answers] == ["not mine", "not mine", "done"]


@pytest.mark.parametrize(
    ("once", "done"), [(True, [("r2", "paused", 1)]), (False, [("r1", "paused", 1), ("r2", "paused", 1)])]
)
async def test_what_acts_once_for_all_remembers_over_a_restart(
    kafka: Settings,
    once: bool,
    done: list[tuple[str, str, int]],
) -> None:
    """A message that was delivered isn't delivered again; the state of this host is looked at again."""
    ack = Ack("r1", 1, "recorder", "done", 1, desired="paused")
    failed = Ack("r2", 1, "recorder", "failed", 1, desired="paused")
    await produce(kafka, "agent-acks", ack, failed, b"{")
    await produce(kafka, "agent-commands", *(command(Desired.PAUSED, 1, run) for run in ("r1", "r2")))
    async with enforcing(kafka, recorder := Recorder(once=once)):
        await until(lambda: ("r2", "paused", 1) in recorder.done, "the command that wasn't carried out")
    assert sorted(recorder.done) == done


@pytest.mark.parametrize(
    ("once", "done"), [(True, [("new", "paused", 1)]), (False, [("new", "paused", 1), ("old", "paused", 1)])]
)
async def test_what_acts_once_leaves_out_commands_that_outlived_their_acks(
    kafka: Settings, once: bool, done: list[tuple[str, str, int]], caplog: pytest.LogCaptureFixture
) -> None:
    """A message of last week isn't sent again when its ack is gone, and that is said once; host state is applied."""
    week_ago = time.time() - module.ACKS_KEPT - 60
    await produce(kafka, "agent-commands", command(Desired.PAUSED, 1, "old"), written=week_ago)
    await produce(kafka, "agent-commands", command(Desired.PAUSED, 1, "new"))
    async with enforcing(kafka, recorder := Recorder(once=once)) as enforcement:
        await until(lambda: len(recorder.done) == len(done), "the commands that are due")
        await produce(kafka, "agent-commands", command(Desired.KILLED, 2, "old"))
        await until(lambda: ("old", "killed", 2) in recorder.done, "the command that came after the start")
        assert enforcement.counts["too_old"] == once
    assert sorted(recorder.done[:-1]) == done
    assert caplog.text.count("commands older than 5 days are left out") == once


async def test_kafka_may_come_late_and_go(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a broker it says where it looked and tries again; commands are carried out once there is one."""
    monkeypatch.setattr(module, "_RETRY_SECONDS", 0.05)
    monkeypatch.setattr("detector.control.acks._RETRY_SECONDS", 0.05)
    broker = Broker()
    async with broker:
        address = broker.bootstrap
    port = int(address.rpartition(":")[2])
    settings = load(bootstrap=address)
    async with enforcing(settings, recorder := Recorder(), ready=False) as enforcement:
        await until(lambda: enforcement.counts["kafka_faults"], "the fault to be counted")
        async with Broker(port=port):
            await produce(settings, "agent-commands", command(Desired.PAUSED, 1))
            [ack] = await acks(settings, 1)
    assert ack.outcome == "done"
    assert recorder.done == [("r1", "paused", 1)]
    assert f"enforce: Kafka at {address}: topics agent-commands: " in caplog.text


async def test_a_real_agent_is_frozen_by_a_command_that_came_before_it(
    kafka: Settings, launcher: Launcher, tmp_path: Path
) -> None:
    """The whole way: a pause in the topic, an agent that starts later, and it stands still."""
    await produce(kafka, "agent-commands", command(Desired.PAUSED, 1, "r1"), command(Desired.PAUSED, 1, "other"))
    settings = launcher.settings(bootstrap=kafka.bootstrap)
    stop = asyncio.Event()
    task = asyncio.create_task(enforce(settings, stop))
    path = tmp_path / "n"
    launcher("r1", "sh", "-c", COUNTER.format(path=path))
    [paused] = await acks(kafka, 1)
    assert (paused.run, paused.outcome, paused.enforcer) == ("r1", "done", "process")
    assert rests(path)
    await produce(kafka, "agent-commands", command(Desired.RUNNING, 2, "r1"))
    await acks(kafka, 2)
    assert grows(path)
    stop.set()
    await task


async def test_what_is_lost_of_acks_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acks wait for Kafka in a bounded queue; the oldest goes first."""
    monkeypatch.setattr("detector.control.acks.WAITING", 3)
    enforcement = Enforcement(load(), [])
    for sequence in range(5):
        enforcement._ack(Recorder(), command(Desired.PAUSED, sequence), Outcome(Result.DONE))
    assert [ack.sequence for ack in enforcement.acks._waiting] == [2, 3, 4]
    assert enforcement.counts["acks_lost"] == 2


async def test_too_many_commands_under_way_fail_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound a command is answered as failed; other enforcers are not concerned."""
    monkeypatch.setattr(module, "IN_FLIGHT", 2)
    enforcement = Enforcement(load(), [])
    recorder = Recorder()
    for number in range(3):
        enforcement._hand_out(recorder, command(Desired.PAUSED, 1, f"r{number}"), frozenset(Result))
    assert [ack.detail for ack in enforcement.acks._waiting] == ["2 commands are under way already"]
    await asyncio.gather(*enforcement._tasks)
    assert len(recorder.done) == 2
