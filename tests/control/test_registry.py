"""The registrations of runs: hostile ids, other users, other boots, reused names."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.control.processes import boot, look
from detector.control.registry import Registration, Registry, is_live, safe_name
from detector.errors import ConfigError, EnforcerError

HERE = Registration("r1", 1, 1, os.uname().nodename, "", 5)


@given(st.text(), st.text())
def test_a_name_is_safe_and_belongs_to_one_id(one: str, other: str) -> None:
    """No id leads out of the folder, hides a file, or stands for another id."""
    name = safe_name(one)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name)
    assert ".." not in name
    assert (name == safe_name(other)) == (one == other)


@pytest.mark.parametrize(
    "run", ["../../etc/passwd", "/etc/passwd", ".", "..", "", "a/b", "a\0b", "run.x", "ä", "x" * 65]
)
def test_an_id_that_is_no_plain_word_is_hashed(run: str, tmp_path: Path) -> None:
    """Whatever the id, its registration lies in the folder and is found again."""
    registry = Registry(tmp_path / "runs")
    registration = msgspec.structs.replace(HERE, run=run)
    registry.add(registration)
    assert list(registry.names()) == [f"{safe_name(run)}.json"]
    assert registry.find(run) == registration
    assert registry.find(safe_name(run)) is None


def test_the_folder_is_private(tmp_path: Path) -> None:
    """It's made for its owner alone."""
    Registry(tmp_path / "a" / "runs")
    assert (tmp_path / "a" / "runs").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Who may write there could have any process killed."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs").chmod(0o770)
    with pytest.raises(ConfigError, match="writable by its owner only, found mode 0770"):
        Registry(tmp_path / "runs")


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that somebody made beforehand is not trusted."""
    (tmp_path / "runs").mkdir(mode=0o700)
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(ConfigError, match=f"to be owned by user {owner + 1}, found {owner}"):
        Registry(tmp_path / "runs")


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """Nor is a link to somewhere else, or a file."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="expected a folder"):
        Registry(tmp_path / "link")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="could not be made: File exists"):
        Registry(tmp_path / "file")


@pytest.mark.parametrize("changed", [{"host": "elsewhere", "boot": "x"}, {"boot": "another"}])
def test_a_registration_of_another_host_or_boot_holds_nothing(changed: dict[str, str]) -> None:
    """Pids and cgroups of then are other processes now."""
    stale = msgspec.structs.replace(HERE, **{"pid": os.getpid(), **changed})
    with pytest.raises(EnforcerError, match="on another host or before the last boot"):
        stale.group()
    assert not stale.is_here()
    # What another host registered in a shared folder is that host's to forget.
    assert is_live(stale) == (stale.host == "elsewhere")


def test_a_cgroup_that_is_another_one_by_now_is_not_touched(tmp_path: Path) -> None:
    """The path alone proves nothing: the folder must be the one of the launch."""
    registration = msgspec.structs.replace(HERE, boot=boot(), cgroup=str(tmp_path), inode=1)
    with pytest.raises(EnforcerError, match="is not the cgroup that it was started in"):
        registration.group()


def test_unreadable_registrations_are_none(tmp_path: Path) -> None:
    """A broken file or one that names another run is no registration."""
    registry = Registry(tmp_path / "runs")
    (tmp_path / "runs" / "r1.json").write_bytes(b'{"run": ')
    (tmp_path / "runs" / "r2.json").write_bytes(msgspec.json.encode(HERE))
    assert registry.find("r1") is None
    assert registry.find("r2") is None


def test_only_ended_launches_are_forgotten(tmp_path: Path) -> None:
    """A sweep leaves the living; a registration that was replaced meanwhile is left to its new launch."""
    registry = Registry(tmp_path / "runs")
    process = subprocess.Popen(["sleep", "1000"])
    found = look(process.pid)
    assert found
    live = msgspec.structs.replace(HERE, pid=found.pid, started=found.started, boot=boot())
    ended = msgspec.structs.replace(live, run="r2", started=1)
    registry.add(live)
    registry.add(ended)
    registry.sweep()
    assert list(registry.names()) == ["r1.json"]
    process.kill()
    process.wait()
    assert not registry.clear(msgspec.structs.replace(live, created=6))
    assert registry.clear(live)
    assert registry.names() == {}
