"""Which commands hold a run: its own, that of the run that it is a part of, those of the runs above it."""

from __future__ import annotations

import itertools

from detector.control.commands import Newest
from detector.records import Command, Desired
from tests.control.support import command


def newest(*commands: Command) -> Newest:
    """What stands after these."""
    known = Newest()
    for one in commands:
        known.note(one, 0)
    return known


def test_a_part_has_no_command_of_its_own_any_more() -> None:
    """In whatever order the two partitions are read: what counts is the command of the whole."""
    part = command(Desired.PAUSED, 9, "svc/trace")
    for order in itertools.permutations([part, command(Desired.RUNNING, 2, "svc/run", aliases=["svc/trace"])]):
        known = newest(*order)
        assert [issued.command.run for issued in known.all()] == ["svc/run"]
        assert known.stopping("svc/trace") == []
        assert known.whole("svc/trace") == "svc/run"


def test_a_stop_goes_down_the_tree_and_not_up() -> None:
    """The whole chain above a run holds it; what stops a sub-agent leaves the run above it alone."""
    root = command(Desired.PAUSED, 1, "root", tree=["child", "grandchild"])
    child = command(Desired.RUNNING, 5, "child", root="root")
    assert newest(root, child).strongest("child", Desired.RUNNING) is Desired.PAUSED
    assert newest(root).strongest("grandchild", Desired.RUNNING) is Desired.PAUSED
    stopped = newest(command(Desired.RUNNING, 1, "root", tree=["child"]), command(Desired.KILLED, 1, "child"))
    assert stopped.strongest("root", Desired.RUNNING) is Desired.RUNNING
    assert stopped.strongest("child", Desired.RUNNING) is Desired.KILLED


def test_a_circle_ends() -> None:
    """Two runs that each claim to stand below the other are both held, and nothing hangs."""
    known = newest(command(Desired.PAUSED, 1, "a", root="b"), command(Desired.RUNNING, 1, "b", root="a"))
    assert known.strongest("b", Desired.RUNNING) is Desired.PAUSED
    assert known.strongest("a", Desired.RUNNING) is Desired.PAUSED


def test_a_kill_may_come_again_for_more_runs() -> None:
    """Killed stays killed, but the tree that it covers may grow."""
    known = newest(
        command(Desired.KILLED, 1, "root"),
        command(Desired.KILLED, 2, "root", tree=["child"]),
        command(Desired.RUNNING, 3, "root"),
    )
    assert [issued.command.sequence for issued in known.all()] == [2]
    assert known.strongest("child", Desired.RUNNING) is Desired.KILLED
