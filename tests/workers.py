"""A worker process on an embedded broker, and what tests send it and read back."""

from __future__ import annotations

import re
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import msgspec
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from detector.config import Settings, load
from tests.integration.server import Server, free_port

PARTITIONS = 4
ANY = -1
PATIENCE = 60.0
"""Seconds that a wait may take on a busy machine before it counts as never."""


class Stream:
    """Workers on one broker. Clients are plain librdkafka: nothing of the detector's own reads for it."""

    def __init__(self, bootstrap: str, folder: Path, **env: str) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.env = {
            "DETECTOR_BOOTSTRAP": bootstrap,
            "DETECTOR_PARTITIONS": str(PARTITIONS),
            "DETECTOR_HASH_KEY": "test",
            "DETECTOR_SHADOW_SHARE": "0",
            "DETECTOR_BRAKE_STOPS": "0",
            "DETECTOR_TICK_SECONDS": "0.2",
            **env,
        }
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 0, "message.max.bytes": 64 * 1024 * 1024}
        )

    @property
    def settings(self) -> Settings:
        """What its workers are set to."""
        return load(**{name.removeprefix("DETECTOR_").lower(): value for name, value in self.env.items()})

    def worker(self, name: str = "worker", **env: str) -> Worker:
        """A worker with a folder of its own; use it as a context."""
        port = free_port()
        own = {"DETECTOR_METRICS_PORT": str(port), "DETECTOR_DATADIR": str(self.folder / name)}
        return Worker(name, port, self.env | own | env)

    def send(self, *values: bytes, topic: str = "otlp_spans", key: bytes | None = None, partition: int = ANY) -> None:
        """Writes records, confirmed; to a `partition` by the key where none is given."""
        for value in values:
            self._producer.produce(topic, value, key, partition)
        assert self._producer.flush(30) == 0

    def read(self, topic: str, count: int = 0, *, run: str = "") -> list[bytes]:
        """The values of a topic, in partition order, of `run` where given: all there are now, and at least `count`."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [value for key, value in self._all(topic) if value is not None and (not run or key == run.encode())]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"{topic}: expected {count} records, came {len(found)}"
            time.sleep(0.1)

    def json(self, topic: str, count: int = 0, *, run: str = "") -> list[Any]:
        """The same, as JSON."""
        return [msgspec.json.decode(value) for value in self.read(topic, count, run=run)]

    def committed(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the workers' group commits, in the end, at least `offset` of the partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "agent-run-detector"})
        deadline = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < deadline:
                (at,) = consumer.committed([TopicPartition(topic, partition)], timeout=10)
                if at.offset >= offset:
                    return True
                time.sleep(0.1)
        finally:
            consumer.close()
        return False

    def topics(self) -> list[str]:
        """The names of all topics that Kafka has."""
        return list(self._producer.list_topics(timeout=10).topics)

    def _all(self, topic: str) -> Iterable[tuple[bytes | None, bytes | None]]:
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": str(uuid.uuid4()),
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        try:
            known = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            consumer.assign([TopicPartition(topic, p, 0) for p in known])
            ended = 0
            while ended < len(known):
                message = consumer.poll(10)
                assert message is not None, f"{topic}: the broker did not answer"
                if message.error():
                    fault = message.error()
                    assert fault is not None
                    assert fault.code() == KafkaError._PARTITION_EOF, fault
                    ended += 1
                else:
                    yield message.key(), message.value()
        finally:
            consumer.close()


class Worker:
    """`detector worker` as a process."""

    def __init__(self, name: str, port: int, env: dict[str, str]) -> None:
        self.port = port
        self.server = Server(f"test-{name}-{port}", [sys.executable, "-m", "detector", "worker"], env)

    def __enter__(self) -> Self:
        self.server.__enter__().until(self.ready)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def ready(self) -> bool:
        """Whether it judges."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def metrics(self) -> dict[str, float]:
        """Every sample of /metrics by its name and labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (re.split(r" (?=\S+$)", x) for x in lines if x[:1] != "#")}

    def wait(self, name: str, value: float = 1.0) -> float:
        """Waits until the sample is at least `value`; returns it."""
        deadline = time.monotonic() + PATIENCE
        while (came := self.metrics().get(name, 0.0)) < value:
            assert time.monotonic() < deadline, f"{name}: expected at least {value}, came {came}"
            time.sleep(0.1)
        return came

    def kill(self) -> None:
        """SIGKILL: no goodbye to the group, nothing flushed."""
        self.server.process.kill()
        self.server.process.wait()

    def resident_mb(self) -> float:
        """Resident memory, MB."""
        return resident_mb(self.server.process.pid)


def resident_mb(pid: int, what: str = "VmRSS") -> float:
    """Resident memory of a process, MB; VmHWM: its peak."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{what}:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def forget_peak(pid: int) -> None:
    """The peak of its memory counts from now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
