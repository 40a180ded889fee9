"""`make demo` as a stranger runs it: the control arm's files vanish, the watched agent is frozen and they stay."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.integration.server import ROOT


@pytest.mark.parametrize("seed", [1, 7])
def test_the_demo_keeps_its_promise(seed: int) -> None:
    """Exit code 0 means that everything the summary names was seen to happen; the summary names it."""
    played = subprocess.run(
        [sys.executable, "-m", "detector", "demo", "--seed", str(seed)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert played.returncode == 0, played.stdout[-4000:] + played.stderr[-2000:]
    for said in ("10 of production's 10 files deleted", "all 10 files are there", "by model", "0 of 24 paused"):
        assert said in played.stdout
