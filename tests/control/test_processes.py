"""Holding a run by signals: what they reach, what they miss, and what they never hit."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.control.groups import bring
from detector.control.processes import TOKEN, Process, ProcessGroup, every, look, signal_process
from detector.records import Desired
from tests.control.support import COUNTER, grows, rests, wait_until


class Tree:
    """A leader with counters below it, each of them detached a little further."""

    def __init__(self, folder: Path, script: str) -> None:
        environment = {**os.environ, TOKEN: "token-1"}
        self.process = subprocess.Popen(["sh", "-c", script], env=environment, start_new_session=True, cwd=folder)
        found = look(self.process.pid)
        assert found
        self.leader = found
        self.group = ProcessGroup(found.pid, found.started, "token-1")


SCRIPT = f"""
sh -c '{COUNTER.format(path="same-group")}' &
setsid sh -c '{COUNTER.format(path="own-session")}' &
sh -c "setsid sh -c '{COUNTER.format(path="orphan")}' & "
env -i PATH="$PATH" setsid sh -c '{COUNTER.format(path="bare-child")}' &
env -i PATH="$PATH" sh -c "setsid sh -c '{COUNTER.format(path="bare-orphan")}; ' & echo $! > bare-orphan.pid"
while :; do sleep 0.01; done
"""
REACHED = ("same-group", "own-session", "orphan", "bare-child")


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """The tree, with all of its counters running."""
    tree = Tree(tmp_path, SCRIPT)
    for name in (*REACHED, "bare-orphan"):
        assert grows(tmp_path / name)
    yield tree
    for member in list(ProcessGroup(tree.leader.pid, tree.leader.started, "token-1")._members()):
        signal_process(member, signal.SIGKILL)
    tree.process.wait()
    for process in every():
        if _cwd(process.pid) == tmp_path:
            signal_process(process, signal.SIGKILL)


def _cwd(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


async def test_signals_stop_continue_and_kill_what_they_reach(tree: Tree, tmp_path: Path) -> None:
    """Group, sessions, orphans that carry the token and bare children stop; a bare orphan is missed, as said."""
    assert await bring(tree.group, Desired.PAUSED)
    assert [rests(tmp_path / name) for name in REACHED] == [True] * len(REACHED)
    assert grows(tmp_path / "bare-orphan")
    assert await bring(tree.group, Desired.RUNNING)
    assert all(grows(tmp_path / name) for name in REACHED)
    assert await bring(tree.group, Desired.KILLED)
    assert tree.group.state() is Desired.KILLED
    assert tree.process.wait() == -signal.SIGKILL
    assert [rests(tmp_path / name) for name in REACHED] == [True] * len(REACHED)
    assert tree.group.misses == "a process that detached from its parents and cleared its environment"


async def test_what_was_seen_once_is_not_lost_with_its_parent(tree: Tree, tmp_path: Path) -> None:
    """A bare child of the leader is still killed after the leader's death made it an orphan."""
    assert tree.group.state() is Desired.RUNNING
    tree.process.kill()
    tree.process.wait()
    assert await bring(tree.group, Desired.KILLED)
    assert rests(tmp_path / "bare-child")


async def test_the_end_of_the_leader_leaves_its_group_under_control(tree: Tree, tmp_path: Path) -> None:
    """An enforcer that starts later still finds the group by a marked member of it."""
    tree.process.kill()
    tree.process.wait()
    fresh = ProcessGroup(tree.leader.pid, tree.leader.started, "token-1")
    assert await bring(fresh, Desired.PAUSED)
    assert rests(tmp_path / "same-group")
    assert rests(tmp_path / "orphan")


def test_a_pid_that_came_to_another_process_is_not_hit() -> None:
    """A signal is meant for one process, by its start time: a foreign one at that pid lives on."""
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    found = look(process.pid)
    assert found
    signal_process(found._replace(started=found.started - 1), signal.SIGKILL)
    assert ProcessGroup(found.pid, found.started - 1, "token-2").state() is Desired.KILLED
    ProcessGroup(found.pid, found.started - 1, "token-2").request(Desired.KILLED)
    assert process.poll() is None
    signal_process(found, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    signal_process(found, signal.SIGKILL)
    assert look(process.pid) is None


def test_any_process_name_is_read(tmp_path: Path) -> None:
    """Brackets and spaces in a program's name don't shift the fields."""
    odd = tmp_path / "a) R (b 1 2"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([odd, "1000"])
    wait_until(lambda: b"a) R (b" in Path(f"/proc/{process.pid}/stat").read_bytes(), "the name to change")
    found = look(process.pid)
    process.kill()
    process.wait()
    assert isinstance(found, Process)
    assert (found.pid, found.parent, found.group) == (process.pid, os.getpid(), os.getpgrp())
