"""cgroup v2 folders: where they are found, and what freezing and killing them does."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.control import cgroups
from detector.control.cgroups import ControlGroup, own_folders
from detector.control.groups import bring
from detector.errors import EnforcerError
from detector.records import Desired
from tests.control.support import COUNTER, count, grows, rests, wait_until

UNIFIED = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = (
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
)
CONTAINER = "1 2 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"


@pytest.mark.parametrize(
    ("mountinfo", "own", "found"),
    [
        (UNIFIED, "0::/user.slice/a.scope\n", ["/sys/fs/cgroup/user.slice/a.scope"]),
        (UNIFIED, "0::/\n", ["/sys/fs/cgroup"]),
        (HYBRID, "6:freezer:/x\n0::/\n", ["/sys/fs/cgroup/unified"]),
        (CONTAINER, "0::/docker/abc/job\n", ["/sys/fs/cgroup/job"]),
        (CONTAINER, "0::/docker/abcdef\n", []),
        (UNIFIED, "0::/../other\n", []),
        (UNIFIED, "6:freezer:/x\n", []),
        ("29 23 0:26 / /tmp/a\\040b rw - cgroup2 none rw\n", "0::/\n", ["/tmp/a b"]),
        (UNIFIED.replace("cgroup2 cgroup2", "tmpfs cgroup2"), "0::/\n", []),
    ],
)
def test_own_folder_is_found_in_every_kind_of_hierarchy(mountinfo: str, own: str, found: list[str]) -> None:
    """Unified, hybrid, in a container that is shown a part, and where there's none."""
    assert own_folders(mountinfo, own) == [Path(path) for path in found]


def test_a_configured_root_must_be_a_cgroup(tmp_path: Path) -> None:
    """A folder of another file system is refused by name, never silently replaced."""
    with pytest.raises(EnforcerError, match=r"cgroup_root: expected a writable cgroup v2 folder, came '.*'"):
        cgroups.root(tmp_path)


@pytest.fixture
def group(cgroup_root: Path) -> Iterator[ControlGroup]:
    """An empty group, killed and removed at the end."""
    group = cgroups.make(cgroup_root, "one")
    yield group
    group.request(Desired.KILLED)
    wait_until(group.remove, "the group to be removed")


@pytest.fixture
def counter(group: ControlGroup, tmp_path: Path) -> Iterator[Path]:
    """The file of a counter whose process left its parent, its session and its environment behind."""
    path = tmp_path / "counter"
    inner = COUNTER.format(path=path)
    script = f"read go; env -i setsid sh -c '{inner}' & sleep 1000"
    process = subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE)
    assert process.stdin
    group.add(process.pid)
    process.stdin.write(b"\n")
    process.stdin.close()
    assert grows(path)
    yield path
    process.kill()
    process.wait()


async def test_freezing_stops_the_whole_tree_and_thawing_continues_it(group: ControlGroup, counter: Path) -> None:
    """A grandchild with a session of its own stands still while frozen, and goes on."""
    assert await bring(group, Desired.PAUSED)
    assert group.state() is Desired.PAUSED
    assert rests(counter)
    assert not await bring(group, Desired.PAUSED)
    assert await bring(group, Desired.RUNNING)
    assert grows(counter)


async def test_killing_works_while_frozen(group: ControlGroup, counter: Path) -> None:
    """A frozen group is emptied, and empty is what it says afterwards."""
    await bring(group, Desired.PAUSED)
    assert await bring(group, Desired.KILLED)
    assert group.pids() == []
    assert group.state() is Desired.KILLED
    assert rests(counter)
    assert not await bring(group, Desired.PAUSED)


async def test_a_kernel_without_cgroup_kill_kills_too(
    group: ControlGroup, counter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Linux 5.14 the group is frozen, and each process in it killed."""
    write = ControlGroup._write

    def without_kill(self: ControlGroup, name: str, value: str) -> None:
        write(self, "cgroup.absent" if name == "cgroup.kill" else name, value)

    monkeypatch.setattr(ControlGroup, "_write", without_kill)
    assert await bring(group, Desired.KILLED)
    assert group.pids() == []
    assert rests(counter)


async def test_what_lies_below_a_group_stops_with_it(group: ControlGroup, counter: Path) -> None:
    """An agent started by an agent is in a group below, and is frozen and killed with the upper one."""
    below = cgroups.make(group.path, "below")
    await bring(group, Desired.PAUSED)
    for pid in group.pids():
        below.add(pid)
    await bring(group, Desired.RUNNING)
    assert grows(counter)
    assert (group.path / "cgroup.procs").read_text() == ""
    await bring(group, Desired.PAUSED)
    assert rests(counter)
    await bring(group, Desired.KILLED)
    assert below.state() is Desired.KILLED


async def test_a_state_that_is_not_reached_is_an_error(group: ControlGroup, counter: Path) -> None:
    """A group frozen from above can't be thawed: that's said, not taken for done."""
    above = ControlGroup(group.path.parent)
    above.request(Desired.PAUSED)
    wait_until(lambda: group.state() is Desired.PAUSED, "the group to freeze")
    before = count(counter)
    with pytest.raises(EnforcerError, match=r"cgroup: expected running within 0.05 s, found paused"):
        await bring(group, Desired.RUNNING, seconds=0.05)
    assert count(counter) == before
    above.request(Desired.RUNNING)


@pytest.mark.parametrize("desired", Desired)
async def test_a_group_that_is_gone_has_ended(cgroup_root: Path, desired: Desired) -> None:
    """The launcher removes it as soon as it's empty, maybe between asking for a kill and its proof."""
    gone = ControlGroup(cgroup_root / "gone")
    gone.request(desired)
    assert gone.state() is Desired.KILLED
    assert gone.remove()
    assert not await bring(gone, desired)


def test_a_group_in_use_is_not_made_again(group: ControlGroup, counter: Path) -> None:
    """Two launches never share a group; an empty one that was left is replaced."""
    assert counter.exists()
    with pytest.raises(EnforcerError, match="File exists"):
        cgroups.make(group.path.parent, group.path.name)
    (group.path.parent / "left").mkdir()
    assert cgroups.make(group.path.parent, "left").remove()
