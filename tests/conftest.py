"""What tests of several parts start from."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings

from detector.embedded import Broker

# How fast examples are made says something of the machine, not of the code.
settings.register_profile("detector", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("detector")


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """Address of an embedded broker of one's own, on a thread, for code that brings its own event loop."""
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="module")
def module_bootstrap() -> Iterator[str]:
    """The same, for all tests of a file."""
    with embedded_broker() as address:
        yield address


@contextmanager
def embedded_broker() -> Iterator[str]:
    """The address of one that runs on a thread meanwhile."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    broker = Broker()

    async def serve() -> None:
        async with broker:
            started.set()
            await stop.wait()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="embedded broker")
    thread.start()
    assert started.wait(10), "the embedded broker did not start"
    try:
        yield broker.bootstrap
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
