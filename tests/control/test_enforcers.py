"""The contract of enforcers, over every enforcer found, and the order of commands that all of them keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from detector import plugins
from detector.config import Settings, load
from detector.control.enforcers.base import Enforcer, Outcome, Result
from detector.errors import EnforcerError
from detector.records import Command, Desired
from tests.control.support import command

FOUND: tuple[type[Enforcer], ...] = plugins.find("detector.control.enforcers")


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings that ask for every enforcer that comes with the detector; the webhook accepts all."""

    async def accept(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/", accept)
    async with TestServer(app) as server:
        yield load(run_dir=tmp_path / "runs", webhook_url=str(server.make_url("/")), webhook_key="k")


@pytest.fixture(params=FOUND, ids=lambda enforcer: enforcer.name)
async def enforcer(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Enforcer]:
    """Each enforcer found, made from settings."""
    made = request.param.from_settings(settings)
    assert made is not None
    yield made
    await made.close()


async def test_every_enforcer_answers_and_none_raises(enforcer: Enforcer) -> None:
    """Whatever a command asks for, hostile run ids included, an outcome comes back."""
    for run in ("r1", "", "../../etc/passwd", "a\r\nb: c", "\0", "x" * 100_000):
        outcome = await enforcer.apply(command(Desired.PAUSED, 1, run))
        assert outcome.result in set(Result)


async def test_every_enforcer_does_a_command_once(enforcer: Enforcer) -> None:
    """What was done isn't done again; a run that isn't held stays `not mine`, for it may come."""
    first, second = [await enforcer.apply(command(Desired.PAUSED, 1)) for _ in range(2)]
    again = Result.NOT_MINE if first.result is Result.NOT_MINE else Result.ALREADY
    assert second.result is again


async def test_every_enforcer_stays_with_killed(enforcer: Enforcer) -> None:
    """After a kill nothing changes a run, and after a newer command no older one."""
    await enforcer.apply(command(Desired.KILLED, 5))
    assert (await enforcer.apply(command(Desired.RUNNING, 6))).result is Result.ALREADY
    assert (await enforcer.apply(command(Desired.PAUSED, 4))).result is Result.ALREADY


def test_every_enforcer_has_a_name_of_its_own() -> None:
    """Acks name the enforcer, so names differ and are short words."""
    names = [enforcer.name for enforcer in FOUND]
    assert names == ["process", "webhook"]


async def test_an_enforcer_that_nobody_asked_for_is_not_made(tmp_path: Path) -> None:
    """The webhook needs an address; the process enforcer is there on Linux."""
    plain = load(run_dir=tmp_path / "runs")
    made = {enforcer.name: enforcer.from_settings(plain) is not None for enforcer in FOUND}
    assert made == {"process": True, "webhook": False}


class Slow(Enforcer):
    """An enforcer as a third party writes it; holds each act until it's let go."""

    name = "slow"

    def __init__(self, remembered: int = 100) -> None:
        super().__init__(remembered)
        self.began: list[int] = []
        self.ended: list[int] = []
        self.go = asyncio.Event()
        self.fault: Exception | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """Always."""
        del settings
        return cls()

    async def act(self, command: Command) -> Outcome:
        """Notes when it begins and ends."""
        self.began.append(command.sequence)
        await self.go.wait()
        if self.fault:
            raise self.fault
        self.ended.append(command.sequence)
        return Outcome(Result.DONE)


async def test_a_newer_command_ends_the_work_on_an_older_one() -> None:
    """A kill doesn't wait for a pause that takes long; the pause is answered as failed."""
    slow = Slow()
    pause = asyncio.create_task(slow.apply(command(Desired.PAUSED, 1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    kill = asyncio.create_task(slow.apply(command(Desired.KILLED, 2)))
    superseded = await pause
    slow.go.set()
    assert (superseded.result, (await kill).result) == (Result.FAILED, Result.DONE)
    assert "superseded by command 2" in superseded.detail
    assert (slow.began, slow.ended) == ([1, 2], [2])


async def test_the_same_command_twice_at_once_is_done_once() -> None:
    """The second waits for the first, and finds it done."""
    slow = Slow()
    both = [asyncio.create_task(slow.apply(command(Desired.PAUSED, 1))) for _ in range(2)]
    await asyncio.sleep(0)
    slow.go.set()
    assert [outcome.result for outcome in await asyncio.gather(*both)] == [Result.DONE, Result.ALREADY]
    assert slow.ended == [1]


async def test_what_failed_may_be_tried_again() -> None:
    """A fault of ours is told in its words, a foreign one by its type alone; neither settles the command."""
    slow = Slow()
    slow.go.set()
    slow.fault = EnforcerError("cgroup: expected paused, found running")
    assert await slow.apply(command(Desired.PAUSED, 1)) == Outcome(Result.FAILED, str(slow.fault))
    slow.fault = ValueError("password=hunter2")
    assert await slow.apply(command(Desired.PAUSED, 1)) == Outcome(Result.FAILED, "unexpected ValueError")
    slow.fault = None
    assert (await slow.apply(command(Desired.PAUSED, 1))).result is Result.DONE


async def test_cancelling_from_outside_is_not_swallowed() -> None:
    """An enforcer that stops doesn't answer for what it left."""
    slow = Slow()
    task = asyncio.create_task(slow.apply(command(Desired.PAUSED, 1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.ended == []


async def test_memory_of_runs_is_bounded() -> None:
    """The longest untouched run is forgotten beyond the limit."""
    slow = Slow(remembered=10)
    slow.go.set()
    for number in range(50):
        await slow.apply(command(Desired.PAUSED, 1, f"r{number}"))
    assert list(slow._standing) == [f"r{number}" for number in range(40, 50)]


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(Desired)), max_size=12))
def test_sequences_only_rise_and_nothing_follows_a_kill(commands: list[tuple[int, Desired]]) -> None:
    """In any order and however often commands come, what is done has rising sequences, and after a kill only kills."""

    async def apply_all() -> list[int]:
        slow = Slow()
        slow.go.set()
        for sequence, desired in commands:
            await slow.apply(command(desired, sequence))
        return slow.ended

    done = asyncio.run(apply_all())
    assert done == sorted(set(done))
    first = dict(reversed(commands))
    killed = next((sequence for sequence in done if first[sequence] is Desired.KILLED), None)
    if killed is not None:
        assert all((sequence, Desired.KILLED) in commands for sequence in done if sequence > killed)
