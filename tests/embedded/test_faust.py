"""A whole Faust application on the broker."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from detector.embedded import Broker

PATIENCE_S = 30
WORDS = [b"one", b"two", b"three", b"four"]

APP = """
import os, faust

app = faust.App(
    "tally", broker="kafka://" + os.environ["BOOTSTRAP"], store="memory://", topic_partitions=2,
    stream_wait_empty=False, broker_session_timeout=2.0, broker_heartbeat_interval=0.3,
    broker_commit_interval=0.2,
)
raw = dict(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", partitions=2)
words, counts = app.topic("words", **raw), app.topic("counts", **raw)
table = app.Table("counted", default=int, partitions=2)

@app.agent(words)
async def count(stream):
    async for word in stream.group_by(lambda word: word, name="by_word", partitions=2):
        table[word.decode()] += 1
        await counts.send(key=word, value=b"%d" % table[word.decode()])
"""


class Workers:
    """Faust workers in processes of their own."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        (folder / "tally.py").write_text(APP)
        self.folder = folder
        self.environment = {**os.environ, "BOOTSTRAP": bootstrap, "PYTHONWARNINGS": "ignore"}
        self.processes: list[asyncio.subprocess.Process] = []

    async def start(self) -> asyncio.subprocess.Process:
        """Start one more."""
        name = f"data{len(self.processes)}"
        command = ["-m", "faust", "-A", "tally", "--datadir", name, "worker", "-l", "error", "--without-web"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    async def stop(self) -> None:
        """Kill those that are still there."""
        for process in self.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def talk(sender: Any, receiver: Any, counts: dict[bytes, int], rounds: int) -> None:
    """Say every word until it was counted `rounds` times more.

    A count that does not grow is a table that was lost. How often a word was said is not compared: Faust 0.15 repeats
    and loses events around a recovery, on any broker, which is why the detector's own state does not rely on it.
    """
    goal = {word: counts.get(word, 0) + rounds for word in WORDS}
    async with asyncio.timeout(PATIENCE_S):
        while any(counts.get(word, 0) < goal[word] for word in WORDS):
            for number, word in enumerate(WORDS):
                await sender.send_and_wait("words", word, partition=number % 2)
            for records in (await receiver.getmany(timeout_ms=300)).values():
                for record in records:
                    assert int(record.value) > counts.get(record.key, 0)
                    counts[record.key] = int(record.value)


async def test_a_table_outlives_its_worker(
    broker: Broker, producer: Any, consumer: Any, clients: Any, tmp_path: Path
) -> None:
    """A worker is killed; its successor reads the table from the changelog, shares with a third, and is replaced."""
    workers = Workers(broker.bootstrap, tmp_path)
    clients.push_async_callback(workers.stop)
    sender, receiver = await producer(), await consumer("counts")
    counts: dict[bytes, int] = {}
    first = await workers.start()
    await talk(sender, receiver, counts, 3)
    await committed(broker)
    first.kill()
    await first.wait()
    second = await workers.start()
    await talk(sender, receiver, counts, 2)
    await committed(broker)
    await workers.start()
    await members(broker, 2)
    await talk(sender, receiver, counts, 2)
    await committed(broker)
    second.terminate()
    await second.wait()
    await talk(sender, receiver, counts, 1)
    assert min(counts[word] for word in WORDS) >= 3 + 2 + 2 + 1


async def committed(broker: Broker) -> None:
    """Wait until the application has committed all that is in the topics which it reads."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            done = {key: found.offset for key, found in broker._groups.get("tally").offsets.items()}
            ends = {key: broker._topics.partition(*key).end for key in done}
            if len({topic for topic, _ in done}) == 2 and done == ends:
                return
            await asyncio.sleep(0.05)


async def members(broker: Broker, count: int) -> None:
    """Wait until the application's group is stable with `count` members."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            group = broker._groups.get("tally")
            if group.state == "Stable" and len(group.members) == count:
                return
            await asyncio.sleep(0.05)
