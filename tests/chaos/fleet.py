"""A small fleet of made-up agents: spans in, some of them dangerous, doubled, late and out of order.

Seeded: the same seed makes the same spans in the same order. Everything that it sends is
confirmed by Kafka, however long that takes.
"""

from __future__ import annotations

import heapq
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

import msgspec
from confluent_kafka import Producer

from detector.config import Settings
from detector.records import Label
from detector.testing import EPOCH_NS, Spans

LIVE = 12
LATE_NS = 300_000_000_000
"""How far the clocks of late spans are behind: five minutes."""
FATAL = {"query": 'mutation { volumeDelete(volumeId: "v1") }', "environment": "production"}
POISON = (b"\xff\xfe no request", b"", b"{}", b'{"resourceSpans": [{"scopeSpans": 7}]}', b"\x0a\xff\xff\xff\xff\x0f")


class Trace(Spans):
    """Spans of one trace whose ids differ over all of its requests."""

    _count = 0

    def span(self, name: str, attributes: dict[str, str], *, failed: bool = False, **fields: Any) -> Self:
        """Any span, a second long, after the one before it."""
        self._count += 1
        own = {"spanId": f"{int(self._trace, 16) % 2**31:08x}{self._count:08x}"}
        return super().span(name, attributes, failed=failed, **own, **fields)


@dataclass
class Agent:
    """One agent's run, and where it is in it."""

    name: str
    spans: Trace
    steps: int
    fatal: int
    named: int
    """The step from which its spans say whose run they are; before that their trace stands for it."""
    stopped: bool = False

    @property
    def run(self) -> str:
        """As the detector names it."""
        return f"coder/{self.name}"


class Fleet:
    """Sends requests at `rate` a second on a thread of its own, while it's used as a context."""

    def __init__(self, settings: Settings, seed: int, rate: float = 30.0, disorder: float = 0.05) -> None:
        self.counts: Counter[str] = Counter()
        """What was sent, and how much of it doubled, reordered, late, poisoned."""
        self._settings = settings
        self._random = random.Random(seed)
        self._seed = seed
        self._rate = rate
        self._disorder = disorder
        self._agents: list[Agent] = []
        self._born = 0
        self._held: list[tuple[float, int, bytes]] = []
        self._refused = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send_all, name="fleet")
        self._producer = Producer(
            {
                "bootstrap.servers": settings.bootstrap,
                "linger.ms": 0,
                "enable.idempotence": True,
                "message.timeout.ms": 900_000,
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Sends what was held back, and waits until all is confirmed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        while self._held:
            self._produce(self._settings.spans_topic, heapq.heappop(self._held)[2])
        left = self._producer.flush(120)
        assert not left, f"Kafka did not take {left} records of the fleet in 120 s"
        assert not self._refused, f"Kafka refused {self._refused} records of the fleet"

    def send(self, request: bytes) -> None:
        """Sends a request of somebody else's beside its own."""
        self._produce(self._settings.spans_topic, request)

    def poison(self) -> None:
        """Sends what can't be read, on every topic that the workers read."""
        rubbish = self._random.choice(POISON)
        own = self._settings.topic
        for topic in (self._settings.spans_topic, own("agent-labels"), own("agent-acks"), own("agent-run-log")):
            self._produce(topic, rubbish, f"poison-{self._random.randrange(64)}".encode())
            self.counts["poisoned"] += 1

    def _send_all(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            self._step()
            while self._held and self._held[0][0] <= time.monotonic():
                self._produce(self._settings.spans_topic, heapq.heappop(self._held)[2])
            self._producer.poll(0)
            due += 1 / self._rate
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _step(self) -> None:
        rng = self._random
        while len(self._agents) < LIVE:
            self._agents.append(self._new())
        agent = rng.choice(self._agents)
        if agent.stopped:
            # Two of three stay as they are, to be found so at the end.
            if rng.random() < 0.34:
                self._label(agent)
            self._agents.remove(agent)
            return
        agent.spans.run = agent.name if agent.steps <= agent.named else ""
        if agent.steps == agent.fatal:
            agent.spans.tool("graphql", FATAL, "{}", call="c1")
            agent.stopped = True
        else:
            for _ in range(rng.randint(1, 3)):
                agent.spans.tool("read_file", {"path": f"src/part_{rng.randrange(99)}.py"}, "text")
        agent.steps -= 1
        self._hand_over(agent.spans.request())
        if agent.steps < 0:
            self._agents.remove(agent)

    def _new(self) -> Agent:
        rng = self._random
        self._born += 1
        name = f"run-{self._seed}-{self._born}"
        spans = Trace("coder", name, trace=self._seed % 2**16 << 80 | self._born)
        if rng.random() < self._disorder:
            spans._now = EPOCH_NS - LATE_NS
            self.counts["late"] += 1
        steps = rng.randint(2, 10)
        fatal = rng.randint(0, steps) if rng.random() < 0.4 else -1
        named = rng.randint(max(0, fatal), steps) if rng.random() < 0.25 else steps
        return Agent(name, spans, steps, fatal, named)

    def _hand_over(self, request: bytes) -> None:
        rng = self._random
        self.counts["requests"] += 1
        if rng.random() < self._disorder:
            self.counts["doubled"] += 1
            self._hold(rng.uniform(0, 10), request)
        if rng.random() < self._disorder:
            self.counts["reordered"] += 1
            self._hold(rng.uniform(0.1, 3), request)
        elif rng.random() < self._disorder / 20:
            self.counts["minutes late"] += 1
            self._hold(rng.uniform(60, 180), request)
        else:
            self._produce(self._settings.spans_topic, request)

    def _hold(self, seconds: float, request: bytes) -> None:
        heapq.heappush(self._held, (time.monotonic() + seconds, self._random.getrandbits(60), request))

    def _label(self, agent: Agent) -> None:
        kind = self._random.choice(("resume", "kill", "honest"))
        label = Label(agent.run, kind, "ann", EPOCH_NS + self._random.randrange(10**12))
        self._produce(self._settings.topic("agent-labels"), msgspec.json.encode(label))
        self.counts["labels"] += 1

    def _produce(self, topic: str, value: bytes, key: bytes | None = None) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _delivered(self, fault: Any, _: Any) -> None:
        self._refused += fault is not None
