"""`detector enforce`: brings runs into the state that agent-commands asks for, and says so on agent-acks.

The topic is read from its beginning on every start, and the newest command of each run is
applied: what was issued while no enforcer was up is carried out then. Commands of different
runs, and different enforcers, never wait for one another.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from detector import failpoints, plugins
from detector.config import Settings
from detector.control import topics
from detector.control.acks import AckWriter, remember
from detector.control.commands import Issued, Newest, decode
from detector.control.enforcers.base import Enforcer, Outcome, Result
from detector.control.status import Status
from detector.errors import ConfigError, Drop, TransportError
from detector.failpoints import reach
from detector.kafka.connection import preflight
from detector.kafka.outage import Outage
from detector.observe.health import ASK_SECONDS
from detector.observe.serve import MetricsServer
from detector.records import Ack, Command

log = logging.getLogger(__name__)

IN_FLIGHT = 10_000
"""Commands that one enforcer may have under way; beyond it they fail at once."""

ACKS_KEPT = 5 * 86_400.0
"""Seconds for which agent-acks surely says what was done: its records go after 7 days, commands stay.

An older command that stands at the start is not given to an enforcer that acts once for all hosts:
whether it was carried out can't be known any more, and a week-old message must not go out again.
"""

_POLL_MS = 250
_RETRY_SECONDS = 1.0
_LOOK_SECONDS = ASK_SECONDS
_GRACE_SECONDS = 4.0
"""At a stop: three quarters for commands that are under way, what is left for their acks."""

_ANSWERS = frozenset(Result)
_NEWS = frozenset({Result.DONE, Result.FAILED})
"""What is acked of a command that is tried again: that nothing had to be done was said before."""


async def enforce(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Enforces until `stop` is set or, where there's none, until SIGTERM or SIGINT.

    Where Kafka can't be reached it says so and tries again. Raises ConfigError where settings
    ask for no enforcer or for one that can't be made, RefusedError where a broker is there at
    the start that does not take them, TransportError where the port of its metrics can't be had.
    """
    failpoints.arm()
    await preflight(settings)
    enforcement = Enforcement(settings, open_enforcers(settings))
    status = Status(enforcement)
    server = MetricsServer(status.registry, status)
    if settings.enforcer_metrics_port is not None:
        port = await server.start(settings.metrics_host, settings.enforcer_metrics_port)
        log.info("enforce: metrics on http://%s:%d/metrics", settings.metrics_host, port)
    try:
        if stop is not None:
            await enforcement.run(stop)
        else:
            await _until_signal(enforcement)
    finally:
        await server.stop()


async def _until_signal(enforcement: Enforcement) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await enforcement.run(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def open_enforcers(settings: Settings) -> list[Enforcer]:
    """Those of all enforcers found that the settings ask for. Raises ConfigError."""
    found = plugins.find("detector.control.enforcers")
    made = [enforcer for plugin in found if (enforcer := plugin.from_settings(settings)) is not None]
    if not made:
        raise ConfigError(["enforcers: expected one at least, e.g. by webhook_url; the process enforcer needs Linux"])
    return made


class Enforcement:
    """The loop between the two topics.

    `counts` says what came, by kind of answer or fault; `ready` is set once all that stood in the
    topic at the start is being carried out. `polled` is when commands were last asked for (s,
    monotonic), `behind` how many were not read yet when Kafka was last asked.
    """

    def __init__(self, settings: Settings, enforcers: Iterable[Enforcer]) -> None:
        self.counts: Counter[str] = Counter()
        self.ready = asyncio.Event()
        self._settings = settings
        self._enforcers = list(enforcers)
        self._key = settings.signing_key.get_secret_value()
        self._newest = Newest()
        for enforcer in self._enforcers:
            enforcer.strongest = self._newest.strongest
        self.outage = Outage(log, "enforce")
        self.acks = AckWriter(settings, self.counts, self.outage)
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: Counter[str] = Counter()
        self.polled = time.monotonic()
        self.behind = 0

    @property
    def under_way(self) -> int:
        """Commands that are being carried out."""
        return self._under_way.total()

    async def run(self, stop: asyncio.Event) -> None:
        """Enforces until `stop` is set, then gives what is under way a moment to end."""
        acks = asyncio.create_task(self.acks.run())
        inward = [asyncio.create_task(self._read())]
        inward += [asyncio.create_task(self._try_again(enforcer)) for enforcer in self._enforcers]
        waiting = asyncio.create_task(stop.wait())
        try:
            ended, _ = await asyncio.wait({*inward, acks, waiting}, return_when=asyncio.FIRST_COMPLETED)
            # Of these only `waiting` ends by itself: anything else is a fault to be told.
            for task in ended:
                task.result()
        finally:
            until = time.monotonic() + _GRACE_SECONDS
            await _cancel(*inward, waiting)
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=0.75 * _GRACE_SECONDS)
            await _cancel(*self._tasks)
            await self.acks.sent(until - time.monotonic())
            await _cancel(acks)
            for enforcer in self._enforcers:
                await enforcer.close()

    async def _read(self) -> None:
        topic = self._settings.topic("agent-commands")
        while True:
            try:
                await remember(self._settings, self._enforcers)
                async with topics.reading(self._settings, topic) as consumer:
                    await self._catch_up(consumer)
                    await self._follow(consumer)
            except (TransportError, KafkaError, OSError) as fault:
                self.counts["kafka_faults"] += 1
                self.outage.note(fault)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _catch_up(self, consumer: AIOKafkaConsumer) -> None:
        self.outage.over()
        async for record in topics.to_the_end(consumer):
            self._take(record)
        standing = self._newest.all()
        names = ", ".join(enforcer.name for enforcer in self._enforcers)
        log.info("enforce: ready; %d runs have a command; enforcers: %s", len(standing), names)
        for enforcer in self._enforcers:
            self._start(self._bring_up_to_date(enforcer, standing))
        self.ready.set()

    async def _bring_up_to_date(self, enforcer: Enforcer, standing: list[Issued]) -> None:
        if enforcer.once:
            standing = self._still_known(enforcer, standing)
        # Half of the places stay free for commands that come meanwhile.
        places = asyncio.Semaphore(IN_FLIGHT // 2)
        for issued in standing:
            await places.acquire()
            self._hand_out(enforcer, issued.command, _NEWS, places.release)

    def _still_known(self, enforcer: Enforcer, standing: list[Issued]) -> list[Issued]:
        """Those commands of which the acks still say whether they were carried out."""
        # By the time of writing: that of the event comes from a span, whose clock may be anything.
        since = (time.time() - ACKS_KEPT) * 1000
        unknown = sum(enforcer.remember(issued.command) for issued in standing if issued.written < since)
        if unknown:
            self.counts["too_old"] += unknown
            log.warning(
                "enforce: %s: commands older than %g days are left out, for no ack says whether they were done: %d",
                *(enforcer.name, ACKS_KEPT / 86_400, unknown),
            )
        return [issued for issued in standing if issued.written >= since]

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        looking = asyncio.create_task(self._look(consumer))
        try:
            while True:
                self.polled = time.monotonic()
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        if (command := self._take(record)) is not None:
                            for enforcer in self._enforcers:
                                self._hand_out(enforcer, command, _ANSWERS)
        finally:
            await _cancel(looking)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        # A consumer whose broker is gone just finds no records: it has to be asked.
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                self.behind = await topics.behind(self._settings, consumer, _LOOK_SECONDS)
            except (TransportError, KafkaError) as fault:
                self.counts["kafka_faults"] += 1
                self.outage.note(fault)
            else:
                self.outage.over()

    def _take(self, record: Any) -> Command | None:
        if record.value is None:
            return None
        try:
            command = decode(record.value, Command, self._key)
        except Drop as drop:
            self.counts[drop.reason] += 1
            log.warning("enforce: a command was set aside: %s", drop)
            return None
        self._newest.note(command, record.timestamp)
        if self._newest.whole(command.run):
            self.counts["part_of_another"] += 1
            return None
        reach("enforce.command-read")
        return command

    def _hand_out(
        self, enforcer: Enforcer, command: Command, acked: Collection[Result], done: Callable[[], None] = lambda: None
    ) -> None:
        if self._under_way[enforcer.name] >= IN_FLIGHT:
            self._ack(enforcer, command, Outcome(Result.FAILED, f"{IN_FLIGHT} commands are under way already"))
            done()
            return
        self._under_way[enforcer.name] += 1
        self._start(self._carry_out(enforcer, command, acked, done))

    async def _carry_out(
        self, enforcer: Enforcer, command: Command, acked: Collection[Result], done: Callable[[], None]
    ) -> None:
        try:
            outcome = await enforcer.apply(command)
        except Exception as fault:  # noqa: BLE001 - an enforcer that breaks its contract mustn't stop the others
            outcome = Outcome(Result.FAILED, f"unexpected {type(fault).__name__}")
        finally:
            self._under_way[enforcer.name] -= 1
            done()
        reach("enforce.applied")
        if outcome.result in acked:
            self._ack(enforcer, command, outcome)

    async def _try_again(self, enforcer: Enforcer) -> None:
        while True:
            try:
                for run in await enforcer.unsettled():
                    for command in self._newest.stopping(run):
                        enforcer.unsettle(command.run)
                        self._hand_out(enforcer, command, _NEWS)
            except Exception:
                log.exception("enforce: %s: could not look for runs that should not be running", enforcer.name)
                await asyncio.sleep(_RETRY_SECONDS)

    def _ack(self, enforcer: Enforcer, command: Command, outcome: Outcome) -> None:
        self.counts[outcome.result.value] += 1
        level = {Result.FAILED: logging.WARNING, Result.DONE: logging.INFO}.get(outcome.result, logging.DEBUG)
        about = (enforcer.name, command.run, command.desired.value, command.sequence, outcome.result.value)
        log.log(level, "enforce: %s: run %r to be %s, command %d: %s; %s", *about, outcome.detail)
        ack = Ack(
            run=command.run,
            sequence=command.sequence,
            enforcer=enforcer.name,
            outcome=outcome.result.value,
            at=time.time_ns(),
            desired=command.desired.value,
            detail=outcome.detail,
        )
        self.acks.put(ack)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
