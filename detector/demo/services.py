"""The demo's processes: started, waited for, named with the end of their log where one fails, ended by pid."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import detector
from detector.errors import DetectorError

READY_SECONDS = 25.0
LOG_LINES = 15
STOP_SECONDS = 3.0

Ready = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Service:
    """One process and the file that its output goes to."""

    name: str
    process: Process
    log: Path


class Services:
    """Starts `python -m …` with one environment, in one scratch folder. Use `close` at the end."""

    def __init__(self, scratch: Path, environment: Mapping[str, str]) -> None:
        self._scratch = scratch
        self._environment = {**os.environ, **environment, "PYTHONPATH": _import_path(), "PYTHONUNBUFFERED": "1"}
        self._started: list[Service] = []

    async def start(self, name: str, *arguments: str, pipe: bool = False, **environment: str) -> Service:
        """Starts `python -m arguments`; with `pipe` its standard output is for us to read."""
        log = self._scratch / f"{name}.log"
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *arguments,
                cwd=self._scratch, env={**self._environment, **environment}, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE if pipe else sink, stderr=sink,
            )  # fmt: skip
        service = Service(name, process, log)
        self._started.append(service)
        return service

    async def ready(self, service: Service, is_ready: Ready, seconds: float = READY_SECONDS) -> None:
        """Waits until `is_ready()`. Raises DetectorError with the end of its log where it dies or takes too long."""
        try:
            async with asyncio.timeout(seconds):
                while not await is_ready():
                    self.check(service)
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise DetectorError(f"demo: {service.name} was not ready after {seconds:.0f} s\n{tail(service)}") from None

    def check(self, *services: Service) -> None:
        """Raises DetectorError with the end of its log where one of the processes has ended; all by default."""
        for service in services or self._started:
            if service.process.returncode is not None:
                raise DetectorError(
                    f"demo: {service.name} ended with code {service.process.returncode}\n{tail(service)}"
                )

    def standing(self) -> list[Service]:
        """The services that should never end by themselves: all but those whose output is read."""
        return [service for service in self._started if service.process.stdout is None]

    async def close(self) -> None:
        """Ends every process that was started, with its process group: the broker when the others have ended."""
        brokers = [service for service in self._started if service.name == "broker"]
        for services in ([service for service in self._started if service not in brokers], brokers):
            for service in services:
                _signal(service, signal.SIGTERM)
            waits = [asyncio.wait_for(service.process.wait(), STOP_SECONDS) for service in services]
            await asyncio.gather(*waits, return_exceptions=True)
            for service in services:
                _signal(service, signal.SIGKILL)
                await service.process.wait()


def tail(service: Service) -> str:
    """The last lines of a service's log, indented."""
    lines = service.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(f"    {service.name} | {line}" for line in lines) or f"    {service.name} | (no output)"


def listens(port: int) -> Ready:
    """Whether something accepts connections on a loopback port."""

    async def ready() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    return ready


def answers(url: str) -> Ready:
    """Whether a GET of `url` answers 200."""

    def get() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own loopback address
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    async def ready() -> bool:
        return await asyncio.to_thread(get)

    return ready


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def _signal(service: Service, number: signal.Signals) -> None:
    if service.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.process.pid, number)


def _import_path() -> str:
    # The services run in the scratch folder, where no detector.toml of the user's can reach them.
    own = str(Path(detector.__file__).resolve().parent.parent)
    return os.pathsep.join(part for part in (own, os.environ.get("PYTHONPATH", "")) if part)
