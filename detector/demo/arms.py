"""The two arms of the demo: their scratch copies, and the agents under `detector run` in the second."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.control.registry import Registration
from detector.demo.child import Agent
from detector.demo.estate import Estate, fingerprint, lay_out
from detector.demo.platform import PlatformServer


@dataclass(frozen=True)
class Arm:
    """One arm's copy of the estate: repository, production's volume, the platform over it."""

    repo: Path
    volume: Path
    platform: PlatformServer
    files: tuple[int, str]
    """How many files production held at the start, and their hash."""

    def left(self) -> int:
        """How many files production holds now."""
        return fingerprint(self.volume)[0]

    def untouched(self) -> bool:
        """Production is what it was at the start, byte for byte."""
        return fingerprint(self.volume) == self.files

    def places(self) -> tuple[str, ...]:
        """What the incident's command line says of this arm."""
        return "--repo", str(self.repo), "--platform", self.platform.address


@contextlib.contextmanager
def arm(estate: Estate, root: Path) -> Iterator[Arm]:
    """An arm laid out below `root`, with its platform listening."""
    repo, folders = lay_out(estate, root)
    volume = folders[estate.volumes["production"]]
    with PlatformServer(estate, root, folders) as platform:
        yield Arm(repo, volume, platform, fingerprint(volume))


@dataclass
class Guarded:
    """An agent under `detector run`, and what was found out about it."""

    title: str
    run: str
    agent: Agent
    drifts: bool
    """The forest alone has to stop it; any signal may stop the other one."""
    registration: Registration | None = None
    calls_at_ack: int = -1
    """Calls that it had done when the enforcer's ack came; -1: none came."""
    held: bool = False
    """Found frozen in the kernel later on, with no call since the ack."""
    decision: str = ""
    outcome: str = ""
    """What came of the decision, in words; empty where it didn't come about."""

    @property
    def paused(self) -> bool:
        """An enforcer says that it is frozen."""
        return self.calls_at_ack >= 0
