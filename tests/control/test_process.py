"""The process enforcer on real agents that `detector run` started."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from detector.control.cgroups import ControlGroup
from detector.control.commands import Newest
from detector.control.enforcers.base import Outcome, Result
from detector.control.enforcers.process import ProcessEnforcer
from detector.control.registry import Registry
from detector.records import Desired
from tests.control.support import COUNTER, Launcher, command, grows, rests, until, wait_until


def agent(path: Path) -> str:
    """An agent whose tool has a session of its own, as coding agents start theirs."""
    return f"setsid sh -c '{COUNTER.format(path=path)}' & while :; do sleep 0.01; done"


async def test_pause_resume_and_kill_of_a_whole_tree(launches: Launcher, tmp_path: Path) -> None:
    """Each is proven when it's answered, and the agent's tool obeys with it."""
    process, path = launches("r1", "sh", "-c", agent(tmp_path / "n")), tmp_path / "n"
    launches.registered("r1")
    assert grows(path)
    enforcer = ProcessEnforcer(Registry(launches.run_dir))
    paused = await enforcer.apply(command(Desired.PAUSED, 1))
    assert paused.result is Result.DONE
    assert rests(path)
    assert (await enforcer.apply(command(Desired.RUNNING, 2))).result is Result.DONE
    assert grows(path)
    assert (await enforcer.apply(command(Desired.RUNNING, 3))).result is Result.ALREADY
    await enforcer.apply(command(Desired.PAUSED, 4))
    assert (await enforcer.apply(command(Desired.KILLED, 5))).result is Result.DONE
    assert process.wait() == 137
    assert rests(path)
    kind = "cgroup" if launches.cgroup_root else "process group"
    assert f"{kind} stopped, " in paused.detail
    assert ("misses a process" in paused.detail) == (kind == "process group")


async def test_only_registered_runs_are_touched(launcher: Launcher, tmp_path: Path) -> None:
    """A command for any other run, by whatever id, is not mine; the agent here goes on."""
    launcher("r1", "sh", "-c", agent(tmp_path / "n"))
    launcher.registered("r1")
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    for run in ("r2", "r1.json", "../runs/r1", "r1\0", ""):
        where = {"host.name": "h", "process.pid": "1"}
        assert await enforcer.apply(command(Desired.KILLED, 1, run, where=where)) == Outcome(Result.NOT_MINE)
    assert grows(tmp_path / "n")


async def test_a_command_covers_the_runs_below(launcher: Launcher, tmp_path: Path) -> None:
    """Sub-agents that were launched on their own stop with the run above them."""
    for run in ("child-1", "child-2"):
        launcher(run, "sh", "-c", agent(tmp_path / run))
        launcher.registered(run)
        assert grows(tmp_path / run)
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    outcome = await enforcer.apply(command(Desired.PAUSED, 1, "root", tree=["child-1", "child-2"]))
    assert outcome.result is Result.DONE
    assert rests(tmp_path / "child-1")
    assert rests(tmp_path / "child-2")


async def test_a_run_that_registers_is_told(launcher: Launcher, tmp_path: Path) -> None:
    """A launch after its pause came is noticed, and the command then takes hold of it."""
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    pause = command(Desired.PAUSED, 1)
    assert (await enforcer.apply(pause)).result is Result.NOT_MINE
    launcher("r1", "sh", "-c", agent(tmp_path / "n"))
    assert await asyncio.wait_for(enforcer.unsettled(), 20) == ["r1"]
    assert (await enforcer.apply(pause)).result is Result.DONE
    assert rests(tmp_path / "n")


async def test_a_run_that_left_its_state_is_told(launcher: Launcher, tmp_path: Path) -> None:
    """Thawed by somebody else, its registration deleted: it's still held, noticed and frozen again."""
    launcher("r1", "sh", "-c", agent(tmp_path / "n"))
    registration = launcher.registered("r1")
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    pause = command(Desired.PAUSED, 1)
    assert await enforcer.unsettled() == ["r1"]
    assert (await enforcer.apply(pause)).result is Result.DONE
    registration.unlink()
    assert launcher.cgroup_root
    (launcher.cgroup_root / "r1" / "cgroup.freeze").write_text("0")
    assert grows(tmp_path / "n")
    assert await asyncio.wait_for(enforcer.unsettled(), 20) == ["r1"]
    enforcer.unsettle("r1")
    assert (await enforcer.apply(pause)).result is Result.DONE
    assert rests(tmp_path / "n")


async def test_an_ended_run_is_answered_as_ended(launcher: Launcher) -> None:
    """After its end there's nothing to stop: `already`, and no registration or group is left."""
    process = launcher("r1", "sleep", "1000")
    launcher.registered("r1")
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    await enforcer.unsettled()
    process.kill()
    process.wait()
    assert launcher.cgroup_root
    group = launcher.cgroup_root / "r1"
    assert (await enforcer.apply(command(Desired.KILLED, 1))).result is Result.DONE
    watching = asyncio.create_task(enforcer.unsettled())
    await until(lambda: not group.exists(), "the group to be removed")
    watching.cancel()
    assert (await enforcer.apply(command(Desired.PAUSED, 1, "r2", tree=["r1"]))).result is Result.NOT_MINE
    enforcer._standing.clear()
    assert await enforcer.apply(command(Desired.PAUSED, 2)) == Outcome(Result.ALREADY, "the run has ended")


async def test_what_can_not_be_proven_has_failed(launcher: Launcher, tmp_path: Path) -> None:
    """A freeze that the kernel doesn't confirm in time is answered as failed, in words."""
    launcher("r1", "sh", "-c", agent(tmp_path / "n"))
    launcher.registered("r1")
    assert launcher.cgroup_root
    enforcer = ProcessEnforcer(Registry(launcher.run_dir), proof=0.05)
    above = launcher.cgroup_root / "cgroup.freeze"
    above.write_text("1")
    wait_until(lambda: "frozen 1" in (above.parent / "r1" / "cgroup.events").read_text(), "the freeze")
    outcome = await enforcer.apply(command(Desired.RUNNING, 1))
    above.write_text("0")
    assert outcome == Outcome(Result.FAILED, "cgroup: expected running within 0.05 s, found paused")


class Unreadable:
    """Makes cgroups of some runs unreadable, as a process without a free descriptor finds them."""

    def __init__(self, patch: pytest.MonkeyPatch, method: str, *runs: str) -> None:
        self.runs = set(runs)
        real = getattr(ControlGroup, method)

        def read(group: ControlGroup) -> object:
            if group.path.name in self.runs:
                raise OSError(errno.EMFILE, "Too many open files")
            return real(group)

        patch.setattr(ControlGroup, method, read)


async def test_a_group_that_can_not_be_read_hides_no_new_run(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A run that was held becomes unreadable; one that registers then is still told, and the fault is said once."""
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    launcher("bad", "sleep", "1000")
    assert await asyncio.wait_for(enforcer.unsettled(), 20) == ["bad"]
    unreadable = Unreadable(monkeypatch, "state", "bad")
    enforcer._next_check = 0.0
    launcher("r1", "sh", "-c", agent(tmp_path / "n"))
    launcher.registered("r1")
    assert await asyncio.wait_for(enforcer.unsettled(), 20) == ["r1"]
    enforcer._next_check = 0.0
    assert enforcer._drifted() == []
    assert caplog.text.count("run 'bad' can't be looked at") == 1
    unreadable.runs.clear()
    assert (await enforcer.apply(command(Desired.PAUSED, 1, "bad"))).result is Result.DONE


async def test_a_new_run_that_can_not_be_read_is_looked_at_again(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one is told meanwhile; the first is told as soon as its group can be read."""
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    unreadable = Unreadable(monkeypatch, "inode", "bad")
    for run in ("bad", "r1"):
        launcher(run, "sh", "-c", agent(tmp_path / run))
        launcher.registered(run)
    assert await asyncio.wait_for(enforcer.unsettled(), 20) == ["r1"]
    assert enforcer._appeared() == []
    unreadable.runs.clear()
    assert await asyncio.wait_for(enforcer.unsettled(), 20) == ["bad"]


async def test_a_registration_that_can_not_be_read_yet_is_read_again(launcher: Launcher) -> None:
    """What stands in the folder but can't be read isn't taken as seen."""
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    launcher("r1", "sleep", "1000")
    registration = launcher.registered("r1")
    text, stamp = registration.read_bytes(), registration.stat()
    registration.write_bytes(b"{")
    os.utime(registration, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert enforcer._appeared() == []
    registration.write_bytes(text)
    os.utime(registration, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert enforcer._appeared() == ["r1"]


async def test_one_that_can_not_be_reached_spares_no_other(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command for a whole tree stops what it can, and fails in words for what it can't."""
    Unreadable(monkeypatch, "inode", "bad")
    for run in ("bad", "r1"):
        launcher(run, "sh", "-c", agent(tmp_path / run))
        launcher.registered(run)
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    outcome = await enforcer.apply(command(Desired.PAUSED, 1, "bad", tree=["r1"]))
    assert outcome == Outcome(Result.FAILED, "run 'bad': Too many open files")
    assert rests(tmp_path / "r1")


async def test_a_run_below_keeps_what_stops_it(launcher: Launcher, tmp_path: Path) -> None:
    """Paused for itself it stays so when the run above goes on; below a paused run it can't be freed alone."""
    launcher("child", "sh", "-c", agent(tmp_path / "n"))
    launcher.registered("child")
    enforcer, newest = ProcessEnforcer(Registry(launcher.run_dir)), Newest()
    enforcer.strongest = newest.strongest

    async def apply(desired: Desired, sequence: int, run: str, **more: object) -> None:
        asked = command(desired, sequence, run, **more)
        newest.note(asked, 0)
        await enforcer.apply(asked)

    await apply(Desired.PAUSED, 1, "root", tree=["child"])
    await apply(Desired.PAUSED, 1, "child", root="root")
    await apply(Desired.RUNNING, 2, "child", root="root")
    assert rests(tmp_path / "n")
    await apply(Desired.PAUSED, 3, "child", root="root")
    await apply(Desired.RUNNING, 2, "root", tree=["child"])
    assert rests(tmp_path / "n")
    await apply(Desired.RUNNING, 4, "child", root="root")
    assert grows(tmp_path / "n")


async def test_a_decision_for_the_run_frees_what_was_stopped_as_a_part(launcher: Launcher, tmp_path: Path) -> None:
    """What was paused under a trace's name goes on when the run that it belongs to may."""
    launcher("trace-1", "sh", "-c", agent(tmp_path / "n"))
    launcher.registered("trace-1")
    enforcer = ProcessEnforcer(Registry(launcher.run_dir))
    await enforcer.apply(command(Desired.PAUSED, 7, "trace-1"))
    assert rests(tmp_path / "n")
    outcome = await enforcer.apply(command(Desired.RUNNING, 2, "svc/run", aliases=["trace-1"]))
    assert outcome.result is Result.DONE
    assert grows(tmp_path / "n")
