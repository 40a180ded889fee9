"""Acks: what enforcers did, written without ever holding up what they do next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, deque

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from detector.config import Settings
from detector.control import topics
from detector.control.commands import decode
from detector.control.enforcers.base import Enforcer, Result
from detector.control.signatures import sign
from detector.errors import Drop, TransportError
from detector.failpoints import reach
from detector.kafka.outage import Outage
from detector.records import Ack, Command, Desired

log = logging.getLogger(__name__)

WAITING = 10_000
"""Acks that wait for Kafka; beyond it the oldest is lost, and counted."""

_RETRY_SECONDS = 1.0


class AckWriter:
    """Sends acks in order from a queue of its own; keeps trying while Kafka is away."""

    def __init__(self, settings: Settings, counts: Counter[str], outage: Outage | None = None) -> None:
        self._settings = settings
        self._counts = counts
        self._outage = Outage(log, "enforce") if outage is None else outage
        self._waiting: deque[Ack] = deque()
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def put(self, ack: Ack) -> None:
        """Takes an ack to send, signed here where a key is set."""
        if len(self._waiting) >= WAITING:
            self._waiting.popleft()
            self._counts["acks_lost"] += 1
        self._waiting.append(sign(ack, self._settings.signing_key.get_secret_value()))
        self._empty.clear()
        self._more.set()

    async def sent(self, seconds: float) -> None:
        """Waits until nothing waits any more, for `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), seconds)

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            try:
                async with topics.writing(self._settings) as producer:
                    await self._send(producer)
            except (TransportError, KafkaError, OSError) as fault:
                self._outage.note(fault)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _send(self, producer: AIOKafkaProducer) -> None:
        topic = self._settings.topic("agent-acks")
        while True:
            while self._waiting:
                ack = self._waiting[0]
                sent = await producer.send(topic, msgspec.json.encode(ack), key=ack.run.encode())
                reach("enforce.ack-sent")
                await sent
                # It may have been pushed out meanwhile, by newer ones.
                if self._waiting and self._waiting[0] is ack:
                    self._waiting.popleft()
            self._empty.set()
            await self._more.wait()
            self._more.clear()


async def remember(settings: Settings, enforcers: list[Enforcer]) -> None:
    """Tells enforcers that act once for all hosts what was done before. Raises TransportError, KafkaError."""
    once = {enforcer.name: enforcer for enforcer in enforcers if enforcer.once}
    topic = settings.topic("agent-acks")
    if not once or not await topics.present(settings, topic):
        return
    key = settings.signing_key.get_secret_value()
    async with topics.reading(settings, topic) as consumer:
        async for record in topics.to_the_end(consumer):
            with contextlib.suppress(Drop, ValueError):
                ack = decode(record.value or b"", Ack, key)
                if ack.outcome == Result.DONE and ack.enforcer in once:
                    command = Command(ack.run, Desired(ack.desired), ack.sequence, cause="", at=ack.at)
                    once[ack.enforcer].remember(command)
