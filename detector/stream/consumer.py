"""How records are read: Faust's consumer, with backpressure, and with a fair share for every topic.

What is replaced, as of faust-streaming 0.15.3, mode-streaming 0.7.1 and aiokafka 0.14:

- Faust hands out all that one poll brought before it polls again, and queues up to 4096 records of a
  topic of whatever size (conductor.py, `stream_buffer_maxsize`). With a backlog of spans none of them
  was judged before all were read. Here a poll brings a bounded number of records, out of fetches of a
  bounded number of bytes, and the next one leaves out the topics of which ENOUGH records still wait:
  what is read ahead is memory that does not grow, the rest stays in Kafka.
- aiokafka has one fetch on its way to a broker (consumer/fetcher.py). One sent while all busy
  partitions have unread records asks for the idle ones only, and waits for those as long as Faust's
  fixed 1.5 s, with everything else behind it. Here it waits for 50 ms.
- `Consumer.wait_first` makes four tasks for every message, to notice a rebalance while the message
  waits for room (transport/consumer.py, `_drain_messages`). Here one that need not wait makes none.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Generator
from typing import Any

from faust.transport.drivers import aiokafka as driver

FAUST_LOG = logging.getLogger("faust")
"""Of Faust's own classes as they are extended here: what they say is not ours."""

FETCH_BYTES, SMALLEST_FETCH, ALL_FETCHES = 1024 * 1024, 64 * 1024, 16 * 1024 * 1024
"""What one fetch brings of a partition, of one of very many, and of all partitions. A larger record still comes."""
POLL_RECORDS = 500
"""What one poll hands out. The next one may be of other topics."""
FETCH_WAIT_MS = 50
ENOUGH = 100
"""Records of a topic that still wait when more are asked for: 10 ms of work."""
POLL_SECONDS, POLL_TRIES = 0.005, 4
"""How long a busy topic is waited for before the others are read without it. Meanwhile they gather company."""


def fetch_bytes(partitions: int) -> int:
    """What one fetch may bring of each of so many partitions of a topic."""
    return max(SMALLEST_FETCH, min(FETCH_BYTES, ALL_FETCHES // partitions))


class Consumer(driver.Consumer):
    """A consumer that reads what there is room for, and hands it on without a task for each message."""

    logger = FAUST_LOG

    polled = 0.0
    """When records were last asked for, seconds, monotonic: a sign of life."""

    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust has it so
        self.polled = time.monotonic()
        return await super()._wait_next_records(timeout)

    async def _getmany(self, active_partitions: set[Any] | None, timeout: float) -> Any:  # noqa: ASYNC109
        for _ in range(POLL_TRIES):
            if not (busy := self._busy()):
                break
            await asyncio.sleep(POLL_SECONDS)
        else:
            active_partitions = {tp for tp in active_partitions or () if tp.topic not in busy}
            timeout = POLL_SECONDS
            if not active_partitions:
                return {}
        return await super()._getmany(active_partitions, timeout)

    def _busy(self) -> set[str]:
        topics: Any = self.app.topics
        known = topics._topic_name_index.items()  # noqa: SLF001 - Faust has no way to ask
        return {name for name, channels in known if any(channel.queue.qsize() > ENOUGH for channel in channels)}

    async def wait_first(self, *coros: Any, timeout: Any = None) -> Any:  # noqa: ASYNC109 - mode has it so
        """What is done first. A hand-over beside a wait for a rebalance ends here, mostly, in its first step."""
        if len(coros) != 2 or timeout is not None or not all(isinstance(coro, Coroutine) for coro in coros):
            return await super().wait_first(*coros, timeout=timeout)
        handing_over, rebalance = coros
        try:
            waits_for = handing_over.send(None)
        except BaseException as ended:
            rebalance.close()
            if isinstance(ended, StopIteration):
                return None
            raise
        return await super().wait_first(_Begun(handing_over, waits_for), rebalance)


class _Thread(driver.AIOKafkaConsumerThread):
    logger = FAUST_LOG

    async def on_start(self) -> None:
        await super().on_start()
        wait_briefly(self._consumer)


def wait_briefly(consumer: Any) -> None:
    """Has an aiokafka consumer's fetches wait FETCH_WAIT_MS for records. Faust has no setting for it."""
    consumer._fetcher._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - read for every fetch


class _Begun:
    """A coroutine that has run up to its first wait, as something to await."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            yield self._waits_for
        except BaseException as fault:  # noqa: BLE001 - cancelled: it's the coroutine's to clean up after itself
            return self._coroutine.throw(fault)
        return (yield from self._coroutine.__await__())
