"""The demo's processes: waited for, named with the end of their log when they fail, ended at the close."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from detector.demo.services import Services, free_ports, listens
from detector.errors import DetectorError

FAILS = "import sys; sys.exit('no broker at 127.0.0.1:1')"
WAITS = "import time; time.sleep(60)"


def module(folder: Path, name: str, text: str) -> str:
    """A module that `python -m` finds in the scratch folder, where services run."""
    (folder / f"{name}.py").write_text(text)
    return name


async def never() -> bool:
    """A service that is never ready."""
    return False


async def test_a_service_that_dies_is_named_with_its_log(tmp_path: Path) -> None:
    """Waiting for a service that has ended raises its name, its code and what it said last."""
    services = Services(tmp_path, {})
    service = await services.start("worker", module(tmp_path, "fails", FAILS))
    with pytest.raises(DetectorError, match=r"worker ended with code 1\n    worker \| no broker at"):
        await services.ready(service, never)
    await services.close()


async def test_a_service_that_is_never_ready_is_named(tmp_path: Path) -> None:
    """Waiting has an end, and closing ends the process that was waited for."""
    services = Services(tmp_path, {})
    service = await services.start("receiver", module(tmp_path, "waits", WAITS))
    with pytest.raises(DetectorError, match="receiver was not ready after 0 s"):
        await services.ready(service, never, seconds=0.2)
    await services.close()
    assert service.process.returncode is not None


async def test_readiness_by_port() -> None:
    """A port is ready when something listens on it."""
    (port,) = free_ports(1)
    assert not await listens(port)()
    with socket.create_server(("127.0.0.1", port)):
        assert await listens(port)()
