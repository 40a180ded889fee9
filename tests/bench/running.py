"""A worker process, seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from tests.integration.server import ROOT
from tests.workers import forget_peak, resident_mb

READY_SECONDS = 300
POLL_SECONDS = 0.2
"""Reading two counters takes the worker a millisecond of the time that is measured; all metrics take it thirty."""
COUNTERS = "metrics?name[]=detector_spans_total&name[]=detector_state_bytes_count"


@contextlib.contextmanager
def process(args: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its log in a file, stopped at the end."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, *args], env=os.environ | env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


class Running:
    """A worker process: where its metrics are, its memory, and how long it took to be ready."""

    def __init__(self, port: int, started: subprocess.Popen[bytes], log: Path) -> None:
        self._port = port
        self._process = started
        self._log = log
        self.ready_s = 0.0

    async def ready(self) -> None:
        """Waits until it judges. Raises RuntimeError with its log's end where it ends or takes too long."""
        begun = time.monotonic()
        while not await self._answers():
            self.ready_s = time.monotonic() - begun
            if self._process.poll() is not None or self.ready_s > READY_SECONDS:
                raise RuntimeError(f"the worker did not become ready:\n{self._log.read_text()[-3000:]}")
            await asyncio.sleep(0.05)
        # Compiling and loading took memory that is free again.
        forget_peak(self._process.pid)

    async def _answers(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(self._address("readyz")) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _address(self, page: str) -> str:
        return f"http://127.0.0.1:{self._port}/{page}"

    async def counters(self, session: aiohttp.ClientSession) -> tuple[float, float]:
        """(spans read, run-log records applied) so far."""
        async with session.get(self._address(COUNTERS)) as answer:
            text = await answer.text()
        spans = sum(float(v) for v in re.findall(r"^detector_spans_total\{[^}]*\} (\S+)", text, re.MULTILINE))
        states = re.search(r"^detector_state_bytes_count (\S+)", text, re.MULTILINE)
        return spans, float(states[1]) if states else 0.0

    async def read(self, records: int) -> None:
        """Waits until it has read so many records of the spans topic."""
        sample = re.compile(r"^detector_records_total\{[^}]*spans[^}]*\} (\S+)", re.MULTILINE)
        async with aiohttp.ClientSession() as session:
            while True:
                async with session.get(self._address("metrics")) as answer:
                    found = sample.search(await answer.text())
                if found and float(found[1]) >= records:
                    return
                await asyncio.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """Ends it by SIGKILL."""
        self._process.kill()

    def resident_mb(self) -> float:
        """Resident memory, MB."""
        return resident_mb(self._process.pid)

    def peak_mb(self) -> float:
        """The most that it was since the process was `ready`, MB."""
        return resident_mb(self._process.pid, "VmHWM")
