"""`detector notify`: tells people of verdicts, by each channel that the settings ask for.

Every channel is a consumer group of its own: one that is slow or away holds up no other, and none is told twice of
what another one missed. Stories about one run go out in order, those of several runs side by side.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from detector.config import Settings
from detector.control.enforcers.base import Outcome, Result
from detector.errors import ConfigError
from detector.kafka.connection import preflight
from detector.observe.news.channels import Channel, channels
from detector.observe.news.follow import Follower
from detector.observe.news.story import Links, tell, worth_telling
from detector.observe.serve import MetricsServer
from detector.records import Verdict

log = logging.getLogger(__name__)

AT_ONCE = 10
"""Runs that one channel tells of at the same time."""

_COUNTED = (Result.DONE.value, Result.FAILED.value, "again", "unreadable", "kafka_faults")


class Told(Collector):
    """Metrics and probes of followers."""

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._followers = followers
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Every metric as it is now."""
        ready = GaugeMetricFamily("detector_news_ready", "1 while verdicts are read", labels=["channel"])
        lag = GaugeMetricFamily("detector_news_lag_records", "Verdicts written and not yet read", labels=["channel"])
        told = CounterMetricFamily("detector_news", "Verdicts told, by what came of it", labels=["channel", "outcome"])
        for follower in self._followers:
            ready.add_metric([follower.name], float(not follower.unready()))
            lag.add_metric([follower.name], follower.behind)
            for outcome in _COUNTED:
                told.add_metric([follower.name, outcome], follower.counts[outcome])
        yield from (ready, lag, told)

    def alive(self) -> str:
        """Why the process has to be restarted; empty where it lives."""
        return "; ".join(filter(None, (follower.alive() for follower in self._followers)))

    def ready(self) -> str:
        """Why people are not told at this moment; empty where they are."""
        return "; ".join(filter(None, (follower.unready() for follower in self._followers)))


async def notify(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Tells until `stop` is set or, where there's none, until SIGTERM or SIGINT.

    Raises ConfigError where the settings name no channel, RefusedError where a broker is there at the start that does
    not take them, TransportError where the port of its metrics can't be had.
    """
    ways = list(channels(settings))
    if not ways:
        raise ConfigError(["notify: expected one at least of notify_webhook_url, notify_slack_url, notify_smtp_url"])
    followers = [_follower(settings, channel) for channel in ways]
    try:
        await follow(settings, followers, settings.notify_metrics_port, stop)
    finally:
        for channel in ways:
            await channel.close()


async def follow(
    settings: Settings, followers: Sequence[Follower], port: int | None, stop: asyncio.Event | None = None
) -> None:
    """Runs followers with their metrics until `stop` is set, or a signal comes where there's none."""
    await preflight(settings)
    told = Told(followers)
    server = MetricsServer(told.registry, told)
    if port is not None:
        log.info(
            "metrics on http://%s:%d/metrics", settings.metrics_host, await server.start(settings.metrics_host, port)
        )
    try:
        await _until(stop, lambda until: asyncio.gather(*(follower.run(until) for follower in followers)))
    finally:
        await server.stop()


async def _until(stop: asyncio.Event | None, work: Callable[[asyncio.Event], Awaitable[object]]) -> None:
    if stop is not None:
        await work(stop)
        return
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await work(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _sent(channel: Channel, verdict: Verdict, links: Links) -> Outcome:
    """What became of it; a fault that nobody thought of costs one story, not all channels again and again."""
    try:
        return await channel.send(tell(verdict, links))
    except Exception as fault:  # noqa: BLE001 - whatever it is; its text may repeat an address or a login
        return Outcome(Result.FAILED, f"a fault of its own: {type(fault).__name__}")


def _follower(settings: Settings, channel: Channel) -> Follower:
    links, places = Links.from_settings(settings), asyncio.Semaphore(AT_ONCE)

    async def take(verdicts: Sequence[Verdict]) -> None:
        by_run: dict[str, list[Verdict]] = {}
        for verdict in verdicts:
            if worth_telling(verdict, settings.notify_level):
                by_run.setdefault(verdict.run, []).append(verdict)
        await asyncio.gather(*(send(each) for each in by_run.values()))

    async def send(verdicts: list[Verdict]) -> None:
        async with places:
            for verdict in verdicts:
                outcome = await _sent(channel, verdict, links)
                follower.counts[outcome.result.value] += 1
                level = logging.INFO if outcome.result is Result.DONE else logging.WARNING
                about = (channel.name, verdict.run, verdict.sequence, outcome.result.value, outcome.detail)
                log.log(level, "notify: %s: run %r, verdict %d: %s; %s", *about)

    follower = Follower(settings, f"notify-{channel.name}", take)
    return follower
