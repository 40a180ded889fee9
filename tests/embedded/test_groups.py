"""Consumer groups: sharing, taking over, fencing."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalGenerationError, UnknownMemberIdError, for_code
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest

from detector.embedded.group import Group
from detector.embedded.members import Joining, State
from detector.embedded.wire import Code, RefusedError

if TYPE_CHECKING:
    from detector.embedded import Broker

PATIENCE_S = 20
FAST = {"session_timeout_ms": 1_000, "heartbeat_interval_ms": 100}

MEMBER = """
import asyncio, sys
from aiokafka import AIOKafkaConsumer
async def main():
    consumer = AIOKafkaConsumer("t", bootstrap_servers=sys.argv[1], group_id="g",
                                session_timeout_ms=1000, heartbeat_interval_ms=100)
    await consumer.start()
    print("in", flush=True)
    await consumer.getone()
asyncio.run(main())
"""


async def owns(consumer: Any, count: int) -> None:
    """Wait until a consumer has `count` partitions."""
    async with asyncio.timeout(PATIENCE_S):
        while len(consumer.assignment()) != count:  # noqa: ASYNC110 - aiokafka tells nobody
            await asyncio.sleep(0.05)


async def test_two_members_share_and_the_last_one_takes_all(producer: Any, consumer: Any) -> None:
    """Each of two members gets one of two partitions; when one leaves, the other reads both."""
    first = await consumer("t", group_id="g", **FAST)
    await owns(first, 2)
    second = await consumer("t", group_id="g", **FAST)
    await owns(first, 1)
    await owns(second, 1)
    assert first.assignment() | second.assignment() == {TopicPartition("t", 0), TopicPartition("t", 1)}
    await second.stop()
    await owns(first, 2)
    sender = await producer()
    for number in range(2):
        await sender.send_and_wait("t", b"%d" % number, partition=number)
    async with asyncio.timeout(PATIENCE_S):
        assert {(await first.getone()).value for _ in range(2)} == {b"0", b"1"}


async def test_a_killed_member_is_replaced(broker: Broker, consumer: Any) -> None:
    """A member that dies without a word loses its partitions after its session timeout."""
    first = await consumer("t", group_id="g", **FAST)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MEMBER, broker.bootstrap, stdout=asyncio.subprocess.PIPE
    )
    try:
        await owns(first, 1)
    finally:
        process.kill()
        await process.communicate()
    await owns(first, 2)
    assert len(first.assignment()) == 2


async def test_committed_offsets_survive_the_consumer(producer: Any, consumer: Any) -> None:
    """The next consumer of a group starts where the last one committed; another group starts at its own place."""
    sender = await producer()
    for number in range(4):
        await sender.send_and_wait("t", b"%d" % number, partition=0)
    first = await consumer("t", group_id="g", enable_auto_commit=False)
    async with asyncio.timeout(PATIENCE_S):
        record = [await first.getone() for _ in range(3)][-1]
    await first.commit({TopicPartition("t", 0): record.offset})
    await first.stop()
    second = await consumer("t", group_id="g", enable_auto_commit=False)
    other = await consumer("t", group_id="other")
    async with asyncio.timeout(PATIENCE_S):
        assert (await second.getone()).value == b"2"
        assert (await other.getone()).value == b"0"


async def test_commits_are_fenced(consumer: Any, wire: Any) -> None:
    """Strangers, members of an older generation and outsiders of a live group commit nothing."""
    member = await consumer("t", group_id="g")
    known, generation = member._coordinator.member_id, member._coordinator.generation
    cases: list[tuple[str, int, type[Exception]]] = [
        ("nobody", generation, UnknownMemberIdError),
        (known, generation - 1, IllegalGenerationError),
        ("", -1, UnknownMemberIdError),
    ]
    for name, number, error in cases:
        commit = OffsetCommitRequest("g", number, name, -1, [("t", [(0, 7, "")])])
        answer = await wire.send(wire.get_random_node(), commit)
        assert for_code(answer.topics[0][1][0][1]) is error
        beat = await wire.send(wire.get_random_node(), HeartbeatRequest("g", number, name))
        assert for_code(beat.error_code) in {error, UnknownMemberIdError}
    assert await member.committed(TopicPartition("t", 0)) is None


def joining(member: str = "", *, instance: str | None = None, protocols: str = "range") -> Joining:
    """Return a JoinGroup request with timeouts of 10 s."""
    return Joining(
        member=member,
        instance=instance,
        client="c",
        host="h",
        session_ms=10_000,
        rebalance_ms=10_000,
        protocol_type="consumer",
        protocols=dict.fromkeys(protocols.split(), b""),
    )


async def test_a_member_that_does_not_rejoin_is_left_behind() -> None:
    """A rebalance ends at its timeout without those that kept beating but did not join again."""
    group = Group("g")
    first = await group.join(joining(), now=0)
    await group.sync(first.member, 1, {}, now=0)
    second = asyncio.create_task(group.join(joining(), now=1))
    await asyncio.sleep(0)
    with pytest.raises(RefusedError) as told:
        group.heartbeat(first.member, 1, now=5)
    assert told.value.code is Code.REBALANCE_IN_PROGRESS
    group.sweep(now=10.9)
    assert not second.done()
    group.sweep(now=11)
    assert (await second).leader == (await second).member
    assert list(group.members) == [(await second).member]


async def test_the_protocol_is_one_that_all_speak() -> None:
    """The most voted common protocol wins; a member without a common one is refused."""
    group = Group("g")
    first = asyncio.create_task(group.join(joining(protocols="range sticky"), now=0))
    await asyncio.sleep(0)
    second = asyncio.create_task(group.join(joining(protocols="sticky"), now=0))
    await asyncio.sleep(0)
    again = await group.join(joining((await first).member, protocols="range sticky"), now=0)
    assert (again.protocol, (await second).protocol) == ("sticky", "sticky")
    with pytest.raises(RefusedError) as refused:
        await group.join(joining(protocols="other"), now=0)
    assert refused.value.code is Code.INCONSISTENT_GROUP_PROTOCOL


async def test_a_client_that_hangs_up_while_joining_is_forgotten() -> None:
    """Nobody waits for a member that never heard its id."""
    group = Group("g")
    first = await group.join(joining(), now=0)
    second = asyncio.create_task(group.join(joining(), now=0))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert list(group.members) == [first.member]
    assert (await group.join(joining(first.member), now=0)).generation == 2


async def test_a_static_member_takes_its_old_place() -> None:
    """A member with a known group.instance.id replaces the one before at once."""
    group = Group("g")
    first = await group.join(joining(instance="i"), now=0)
    second = await group.join(joining(instance="i"), now=0)
    assert list(group.members) == [second.member] != [first.member]


async def test_an_abandoned_group_ends_up_empty() -> None:
    """Silence beyond the session timeout empties a group."""
    group = Group("g")
    await group.join(joining(), now=0)
    group.sweep(now=9.9)
    assert group.members
    group.sweep(now=10)
    assert not group.members
    assert group.state is State.EMPTY
