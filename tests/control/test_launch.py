"""`detector run`: agents as real processes, in a cgroup and without."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from urllib.parse import unquote

import pytest

from detector.config import load
from detector.control.launch import _checked, agent_environment, launch
from detector.control.registry import Registry
from detector.errors import EnforcerError
from detector.reading.names import MAX_RUN_CHARS
from detector.reading.services import Service
from tests.control.support import COUNTER, Launcher, grows, wait_until


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_the_launcher_ends_as_the_agent_ends(launches: Launcher, script: str, code: int) -> None:
    """Exit codes go through; a signal N is 128 + N. Nothing stays registered."""
    process = launches("r1", "sh", "-c", script)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert Registry(launches.run_dir).names() == {}
    assert launches.cgroup_root is None or not (launches.cgroup_root / "r1").exists()


def test_a_command_that_is_not_there_ends_with_127(launches: Launcher) -> None:
    """As a shell would end, and the name is said."""
    process = launches("r1", "no-such-command")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 127
    assert "no-such-command: No such file or directory" in said


def test_the_agent_is_in_its_group_before_it_runs(launcher: Launcher) -> None:
    """Its very first look at itself shows the group, and its registration is there already."""
    process = launcher("r1", "sh", "-c", f"grep ^0:: /proc/self/cgroup; cat {launcher.run_dir}/r1.json")
    out, said = process.communicate(timeout=60)
    group, registered = out.split("\n", 1)
    assert group.endswith("/r1")
    assert json.loads(registered)["run"] == "r1"
    assert f"detector run: run r1 in cgroup {launcher.cgroup_root}/r1\n" in said


def test_the_agent_keeps_streams_and_knows_its_run(launches: Launcher) -> None:
    """Standard streams are the launcher's; the environment names run and workflow."""
    process = launches("r1", "sh", "-c", "echo $AGENT_RUN_ID; echo $OTEL_RESOURCE_ATTRIBUTES; echo e >&2")
    out, said = process.communicate(timeout=60)
    run, attributes = out.splitlines()
    assert run == "r1"
    assert {"agent.run.id=r1", "agent.workflow=workflow"} <= set(attributes.split(","))
    assert said.endswith("e\n")


def test_resource_attributes_are_merged_and_encoded() -> None:
    """What stood there stays, ours win, and no value can add a key."""
    base = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=s%20x, agent.run.id=old,host.name=h", "PATH": "/bin"}
    environment = agent_environment(base, "a,b=c ü", "w;1", "t")
    assert environment["OTEL_RESOURCE_ATTRIBUTES"] == (
        "service.name=s%20x,host.name=h,agent.run.id=a%2Cb%3Dc%20%C3%BC,agent.workflow=w%3B1"
    )
    assert (environment["PATH"], environment["AGENT_RUN_ID"]) == ("/bin", "a,b=c ü")
    assert "agent.workflow" not in agent_environment({}, "r", "", "t")["OTEL_RESOURCE_ATTRIBUTES"]


def test_an_agent_that_an_agent_starts_names_the_run_above() -> None:
    """A launch below a launch is a sub-agent's, of the run right above it."""
    root = agent_environment({}, "root", "", "t")
    child = agent_environment(root, "child", "", "t")
    assert "agent.run.parent" not in root["OTEL_RESOURCE_ATTRIBUTES"]
    assert "agent.run.parent=root" in child["OTEL_RESOURCE_ATTRIBUTES"].split(",")
    grandchild = agent_environment(child, "grandchild", "", "t")["OTEL_RESOURCE_ATTRIBUTES"].split(",")
    assert {"agent.run.parent=child", "agent.run.id=grandchild"} <= set(grandchild)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_signals_reach_the_agent(launches: Launcher, number: signal.Signals) -> None:
    """A signal to the launcher is the agent's to handle."""
    name = number.name.removeprefix("SIG")
    script = f"trap 'echo got {name}; exit 3' {name}; echo up; while :; do sleep 0.01; done"
    process = launches("r1", "sh", "-c", script)
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == (f"got {name}\n", 3)


def test_a_pipe_that_breaks_ends_the_agent(launches: Launcher) -> None:
    """The agent doesn't inherit Python's ignored SIGPIPE."""
    process = launches("r1", "sh", "-c", "grep SigIgn /proc/self/status; grep SigBlk /proc/self/status")
    out, _ = process.communicate(timeout=60)
    ignored, blocked = (int(line.split()[1], 16) for line in out.splitlines())
    assert not (ignored | blocked) >> (signal.SIGPIPE - 1) & 1


def test_an_id_of_a_live_run_is_refused(launches: Launcher) -> None:
    """Two agents never share an id, and the first goes on; afterwards the id is free."""
    first = launches("r1", "sleep", "1000")
    launches.registered("r1")
    second = launches("r1", "touch", str(launches.run_dir / "ran"))
    _, said = second.communicate(timeout=60)
    assert "run id 'r1': expected one of its own, but process" in said
    assert not (launches.run_dir / "ran").exists()
    first.terminate()
    first.communicate(timeout=60)
    third = launches("r1", "true")
    third.communicate(timeout=60)
    assert (first.returncode, third.returncode) == (143, 0)


def test_what_an_agent_leaves_behind_stays_under_control(launches: Launcher, tmp_path: Path) -> None:
    """The registration stays while a process of the run lives, and goes with the last one."""
    path = tmp_path / "counter"
    script = f"setsid sh -c '{COUNTER.format(path=path)}' >&- 2>&- & exit 5"
    process = launches("r1", "sh", "-c", script)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "live on, under its control" in said
    assert grows(path)
    registry = Registry(launches.run_dir)
    left = registry.find("r1")
    assert left
    assert not registry.clear(left)
    for pid in left.group().pids():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: registry.clear(left), "the group to be let go")
    assert registry.names() == {}


def test_a_pause_is_said(launcher: Launcher) -> None:
    """A person at the terminal learns why the agent stands still."""
    process = launcher("r1", "sleep", "1000")
    launcher.registered("r1")
    assert process.stderr
    assert launcher.cgroup_root
    assert process.stderr.readline().startswith("detector run: run r1 in cgroup")
    group = launcher.cgroup_root / "r1"
    (group / "cgroup.freeze").write_text("1")
    assert process.stderr.readline() == "detector run: run r1 is paused\n"
    (group / "cgroup.freeze").write_text("0")
    assert process.stderr.readline() == "detector run: run r1 goes on\n"
    (group / "cgroup.kill").write_text("1")
    assert process.stderr.readline() == "detector run: run r1 was killed\n"
    assert process.wait() == 137


def test_a_launcher_that_dies_before_registering_starts_nothing(launches: Launcher, tmp_path: Path) -> None:
    """An agent that isn't registered never runs: here the registration can't be written."""
    launches.run_dir.mkdir(mode=0o700)
    (launches.run_dir / "r1.json").mkdir()
    process = launches("r1", "touch", str(tmp_path / "ran"))
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert not (tmp_path / "ran").exists()


def test_without_a_cgroup_it_says_what_signals_miss(plain_launcher: Launcher) -> None:
    """The fallback is named at the start, with the reason and with what it can't reach."""
    process = plain_launcher("r1", "sh", "-c", "kill -9 $$")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 137
    assert (
        "run r1 without a cgroup (no cgroup v2 hierarchy is mounted): signals pause and kill it and miss "
        "a process that detached from its parents and cleared its environment" in said
    )


def test_without_a_cgroup_the_agent_has_a_session_and_gets_signals(plain_launcher: Launcher) -> None:
    """It leads a process group, so that signals reach all of it, and those to the launcher come through."""
    script = "trap 'exit 9' TERM; cut -d' ' -f6 /proc/$$/stat; echo $$; while :; do sleep 0.01; done"
    process = plain_launcher("r1", "sh", "-c", script)
    assert process.stdout
    assert int(process.stdout.readline()) == int(process.stdout.readline())
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 9


@pytest.mark.parametrize("run", ["a\nb", "\0", "\u200b", "\ud800", "x" * (MAX_RUN_CHARS + 1)])
def test_ids_that_the_reader_would_change_are_refused(run: str, tmp_path: Path) -> None:
    """Control characters and endless ids are refused before anything starts: commands would name another run."""
    with pytest.raises(EnforcerError, match="run id: expected 1 to 200 printable characters"):
        launch(["true"], run, None, load(run_dir=tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_a_workflow_that_the_reader_would_cut_is_refused(tmp_path: Path) -> None:
    """Its mode would not be found under the name that is left of it."""
    with pytest.raises(EnforcerError, match="workflow: expected 1 to 120 printable characters"):
        launch(["true"], "r1", "x" * 121, load(run_dir=tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["a, b=c;% ü", "x" * MAX_RUN_CHARS])
def test_what_is_accepted_is_what_the_reader_reads(name: str) -> None:
    """Run id and workflow come out of the resource attributes as they went in."""
    workflow = name[:120]
    assert (_checked("run id", name, MAX_RUN_CHARS), _checked("workflow", workflow, 120)) == (name, workflow)
    pairs = agent_environment({}, name, workflow, "t")["OTEL_RESOURCE_ATTRIBUTES"].split(",")
    read = Service({key: unquote(value) for key, _, value in (pair.partition("=") for pair in pairs)})
    assert (read.run, read.workflow) == (name, (0, workflow))


def test_a_set_root_that_is_none_is_an_error(tmp_path: Path) -> None:
    """Who asks for a cgroup doesn't silently get less."""
    launcher = Launcher(tmp_path, tmp_path)
    process = launcher("r1", "touch", str(tmp_path / "ran"))
    _, said = process.communicate(timeout=60)
    assert "cgroup_root: expected a writable cgroup v2 folder" in said
    assert process.returncode == 1
    assert not (tmp_path / "ran").exists()
