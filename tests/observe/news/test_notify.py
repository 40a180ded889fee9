"""`detector notify` on an embedded broker: once a verdict, in order, whatever one channel does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer
from prometheus_client import generate_latest

from detector.config import Settings, load
from detector.control.enforcers.base import Outcome, Result
from detector.embedded import Broker
from detector.errors import ConfigError
from detector.kafka import topics
from detector.observe.news.notify import Told, _follower, notify
from detector.observe.news.story import Story
from tests.control.support import produce, until
from tests.observe.news.support import incident


class Board:
    """A channel that keeps what it was told; `fails` as often as it says."""

    def __init__(self, name: str = "board", fails: int = 0) -> None:
        self.name = name
        self.fails = fails
        self.told: list[str] = []

    async def send(self, story: Story) -> Outcome:
        """Notes the delivery."""
        self.told.append(story.delivery)
        if story.run == "odd":
            raise ValueError("s3cret")
        self.fails -= 1
        return Outcome(Result.FAILED, "no") if self.fails >= 0 else Outcome(Result.DONE)

    async def close(self) -> None:
        """Holds nothing."""


@pytest.fixture
async def kafka() -> AsyncIterator[Settings]:
    """Settings of an embedded broker that has the topics."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap, partitions=2)
        await topics.apply(settings)
        yield settings


@asynccontextmanager
async def telling(settings: Settings, board: Board) -> AsyncIterator[Told]:
    """The notifier of one channel, while it runs."""
    follower, stop = _follower(settings, board), asyncio.Event()
    task = asyncio.create_task(follower.run(stop))
    told = Told([follower])
    await until(lambda: not told.ready(), "the partitions to be assigned")
    yield told
    stop.set()
    await task


async def test_each_verdict_is_told_once_in_order(kafka: Settings) -> None:
    """What comes again, is below the level, or can't be read is left out."""
    board = Board()
    async with telling(kafka, board) as told:
        first, second = incident(sequence=1), incident(sequence=2, level="KILL", previous="PAUSE")
        quiet = incident(run="r2", level="ALERT")
        await produce(kafka, "agent-verdicts", first, quiet, b"{", second, first, incident(run="r3", sequence=9))
        await until(lambda: len(board.told) == 3, "three stories")
        await until(lambda: b'outcome="again"} 1.0' in generate_latest(told.registry), "the copy to be counted")
        assert b'outcome="unreadable"} 1.0' in generate_latest(told.registry)
    assert [each for each in board.told if each.startswith("mend")] == ["mend-staging-17:1", "mend-staging-17:2"]


async def test_a_new_group_begins_now_and_an_old_one_where_it_was(kafka: Settings) -> None:
    """Nobody hears last month's news, and what came while it was away is told at its return, even if nothing came
    before it left.
    """
    board = Board()
    await produce(kafka, "agent-verdicts", incident(sequence=1))
    async with telling(kafka, board):
        pass
    await produce(kafka, "agent-verdicts", incident(sequence=2))
    async with telling(kafka, board):
        await until(lambda: board.told, "what came meanwhile")
    async with telling(kafka, board):
        await produce(kafka, "agent-verdicts", incident(sequence=3))
        await until(lambda: len(board.told) == 2, "the next one")
    assert board.told == ["mend-staging-17:2", "mend-staging-17:3"]


async def test_channels_do_not_wait_for_one_another(kafka: Settings) -> None:
    """One that fails is counted, goes on, and the other has told all."""
    broken, whole = Board("broken", fails=1), Board("whole")
    async with telling(kafka, broken) as told, telling(kafka, whole):
        await produce(kafka, "agent-verdicts", incident(sequence=1), incident(sequence=2))
        await until(lambda: len(broken.told) == len(whole.told) == 2, "both to have all")
        await until(lambda: b'outcome="done"} 1.0' in generate_latest(told.registry), "the second to be counted")
        assert b'channel="notify-broken",outcome="failed"} 1.0' in generate_latest(told.registry)


async def test_a_fault_of_one_story_costs_that_story(kafka: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted and said without its text, and the next one is told: nothing is read again and again."""
    board = Board()
    async with telling(kafka, board) as told:
        await produce(kafka, "agent-verdicts", incident(run="odd"))
        await until(lambda: b'outcome="failed"} 1.0' in generate_latest(told.registry), "the fault to be counted")
        await produce(kafka, "agent-verdicts", incident(run="next"))
        await until(lambda: len(board.told) == 2, "the next one")
    assert "failed; a fault of its own: ValueError" in caplog.text
    assert "s3cret" not in caplog.text


async def test_it_goes_on_when_kafka_comes_back() -> None:
    """A broker that is away is waited for, and the probe says so meanwhile."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap, partitions=1)
    board, stop = Board(), asyncio.Event()
    follower = _follower(settings, board)
    task = asyncio.create_task(follower.run(stop))
    await until(lambda: follower.counts["kafka_faults"], "the fault")
    assert Told([follower]).ready() == "notify-board: Kafka does not answer"
    stop.set()
    await task


async def test_the_whole_of_it_posts_a_story_and_serves_its_probes(kafka: Settings, unused_tcp_port: int) -> None:
    """As `detector notify` runs: channels of the settings, metrics, and an end when it is told to."""
    came: list[bytes] = []

    async def receive(request: web.Request) -> web.Response:
        came.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", receive)
    stop = asyncio.Event()
    async with TestServer(app) as server, ClientSession() as session:
        more = {"notify_webhook_url": str(server.make_url("/hook")), "notify_webhook_key": "k"}
        settings = load(bootstrap=kafka.bootstrap, notify_metrics_port=unused_tcp_port, **more)
        task = asyncio.create_task(notify(settings, stop))
        url = f"http://127.0.0.1:{unused_tcp_port}"
        async with asyncio.timeout(20):
            while not await _ready(session, f"{url}/readyz"):  # noqa: ASYNC110 - another server says so
                await asyncio.sleep(0.05)
        await produce(kafka, "agent-verdicts", incident())
        await until(lambda: came, "the story")
        async with session.get(f"{url}/metrics") as answer:
            assert "detector_news_ready" in await answer.text()
        stop.set()
        await task
    assert b"Run mend-staging-17 of infra-agent was paused" in came[0]


async def _ready(session: ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except ClientError:
        return False


async def test_without_a_channel_it_does_not_start() -> None:
    """The error names the settings."""
    with pytest.raises(ConfigError, match="notify_webhook_url, notify_slack_url, notify_smtp_url"):
        await notify(load())
