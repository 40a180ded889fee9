"""Failpoints: what arms them, what an armed one does, and that every one of them is passed somewhere."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector import failpoints
from detector.errors import ConfigError

CODE = """
from detector import failpoints
failpoints.arm()
for n in range(5):
    print(n, flush=True)
    failpoints.reach("tick.due")
    failpoints.reach("watch.taken")
"""


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    """Nothing is armed before a test, and nothing after it."""
    failpoints.arm("")
    yield
    failpoints.arm("")


def run(armed: str) -> subprocess.Popen[str]:
    """A process that comes to two points five times each."""
    env = {failpoints.VARIABLE: armed, "PATH": ""}
    return subprocess.Popen([sys.executable, "-c", CODE], env=env, stdout=subprocess.PIPE, text=True)


def test_a_process_dies_at_the_pass_that_is_named() -> None:
    """It is killed there, in the middle of its work, and not at another point or an earlier pass."""
    with run("tick.due:3") as process:
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert printed.split() == ["0", "1", "2"]


def test_a_frozen_process_goes_on() -> None:
    """`freeze` stops it by SIGSTOP at its first pass, and SIGCONT lets it go on to its end."""
    with run("tick.due:1:freeze") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        state = ""
        while state != "T":
            state = re.search(r"State:\s+(\S)", Path(f"/proc/{process.pid}/status").read_text())[1]  # type: ignore[index]
        process.send_signal(signal.SIGCONT)
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert printed.split() == ["1", "2", "3", "4"]


def test_nothing_is_armed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, and with an empty one, every point is passed."""
    monkeypatch.delenv(failpoints.VARIABLE, raising=False)
    failpoints.arm()
    assert not failpoints.armed("")
    monkeypatch.setenv(failpoints.VARIABLE, "")
    failpoints.arm()
    for point in failpoints.POINTS:
        failpoints.reach(point)
    assert not failpoints.armed("")


@pytest.mark.parametrize(
    "wanted", ["nowhere", "tick.due:often", "tick.due:1:explode", ":3", "tick.due:-1", "tick.due:0"]
)
def test_a_point_that_is_none_refuses_to_start(wanted: str) -> None:
    """The error names the variable, what came, and what is possible."""
    with pytest.raises(ConfigError, match=re.escape(repr(wanted))) as refused:
        failpoints.arm(wanted)
    assert failpoints.VARIABLE in str(refused.value)
    assert "watch.effects-confirmed" in str(refused.value)
    assert not failpoints.armed("")


def test_a_group_of_points_can_be_asked_for() -> None:
    """Points that are costly to reach are prepared only where one of them is armed."""
    failpoints.arm("commit.before")
    assert failpoints.armed("commit.")
    assert not failpoints.armed("recovery.")


def test_every_point_is_passed_once_in_the_code() -> None:
    """A point that nothing passes would be a test that never comes to its fault."""
    folder = Path(failpoints.__file__).parent
    code = "".join(path.read_text() for path in folder.rglob("*.py") if path.name != "failpoints.py")
    named = re.findall(r'"([a-z]+\.[a-z-]+)"', code)
    assert {point: named.count(point) for point in failpoints.POINTS} == dict.fromkeys(failpoints.POINTS, 1)
