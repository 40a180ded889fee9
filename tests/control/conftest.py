"""Real cgroups, real processes and a real broker for tests of control."""

from __future__ import annotations

import contextlib
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from detector.config import Settings, load
from detector.control import cgroups
from detector.embedded.broker import Broker
from detector.errors import EnforcerError
from detector.records import Desired
from tests.control.support import Launcher, wait_until


@pytest.fixture(scope="session")
def cgroup_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A writable cgroup v2 folder of the tests' own; mounted where the machine shows none."""
    with contextlib.ExitStack() as undo:
        try:
            above = cgroups.root(None)
        except EnforcerError as fault:
            above = tmp_path_factory.mktemp("cgroup2")
            mount = subprocess.run(
                ["mount", "-t", "cgroup2", "none", str(above)], capture_output=True, text=True, check=False
            )
            if mount.returncode:
                said = (mount.stderr.strip() or "mount failed").splitlines()[0]
                pytest.skip(f"NOT tested: freezing, thawing and killing by cgroup v2 ({fault}; {said})")
            undo.callback(subprocess.run, ["umount", str(above)], check=True)
        folder = above / f"test-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        undo.callback(cgroups.ControlGroup(folder).remove)
        yield folder


@pytest.fixture
def launcher(tmp_path: Path, cgroup_root: Path) -> Iterator[Launcher]:
    """Launches into cgroups; kills what a test left there."""
    launcher = Launcher(tmp_path, cgroup_root)
    yield launcher
    cgroups.ControlGroup(cgroup_root).request(Desired.KILLED)
    wait_until(lambda: not cgroups.ControlGroup(cgroup_root).pids(), "the cgroups to empty")
    launcher.close()


@pytest.fixture
def plain_launcher(tmp_path: Path) -> Iterator[Launcher]:
    """Launches where no cgroup can be had."""
    launcher = Launcher(tmp_path, None)
    yield launcher
    launcher.close()


@pytest.fixture(params=["cgroup", "process group"])
def launches(request: pytest.FixtureRequest) -> Launcher:
    """`detector run` with a cgroup, and without."""
    launcher = request.getfixturevalue("launcher" if request.param == "cgroup" else "plain_launcher")
    assert isinstance(launcher, Launcher)
    return launcher


@pytest.fixture
async def kafka() -> AsyncIterator[Settings]:
    """Settings of an embedded broker that has the topics of control."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap)
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
        await admin.start()
        names = ("agent-commands", "agent-acks", "agent-labels", "agent-verdicts", "agent-summaries")
        await admin.create_topics([NewTopic(settings.topic(name), 2, 1) for name in names])
        await admin.close()
        yield settings
