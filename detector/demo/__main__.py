"""`python -m detector.demo`: a real agent process is frozen before it deletes a production volume.

First without the detector, so that what is at stake is seen to vanish; then the same seed
with broker, worker, receiver and enforcer as processes of their own, in the midst of an honest
fleet. Exit code 0 only if everything that it promises has come about.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from detector.demo.show import Show
from detector.errors import DetectorError

KEPT = frozenset({"DETECTOR_CGROUP_ROOT", "DETECTOR_MODELS"})
"""Settings of the environment that hold in the demo too; folders are given by absolute paths."""


async def _play(seed: int, scratch: Path) -> int:
    # Ended from outside, it still ends every process that it has started; Ctrl-C does the same by itself.
    playing = asyncio.ensure_future(Show(seed, scratch).play())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    return await playing


def main(seed: int = 1) -> int:
    """Plays the demo of `seed`; the exit code."""
    # The user's own settings are for the user's own detector, except for what this machine and the model are.
    for name in [name for name in os.environ if name.startswith("DETECTOR_") and name not in KEPT]:
        del os.environ[name]
    home = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="detector-demo-") as scratch:
        os.chdir(scratch)
        try:
            return asyncio.run(_play(seed, Path(scratch)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            return 130
        except DetectorError as fault:
            sys.stderr.write(f"{fault}\n")
            return 1
        finally:
            os.chdir(home)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m detector.demo", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same story")
    sys.exit(main(parser.parse_args().seed))
