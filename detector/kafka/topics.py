"""The detector's topics on Kafka: found, made where missing, put right where asked.

`apply` is what a worker does at its start: it makes what is missing and changes nothing that exists.
`alter` is the other half of `detector topics apply`. Neither deletes anything, nor changes the number
of partitions of a topic that exists. wanted.py says how topics should be.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, TopicAlreadyExistsError, for_code

from detector.config import Settings
from detector.errors import TransportError
from detector.kafka.connection import starting
from detector.kafka.outage import reaching
from detector.kafka.wanted import Difference, Found, Topic, differences, wanted

__all__ = ["Difference", "Found", "Topic", "alter", "apply", "differences", "faults", "find", "wanted"]

_SET_ON_TOPIC = 1
"""DescribeConfigs, config_source: DYNAMIC_TOPIC_CONFIG (https://kafka.apache.org/protocol)."""


async def find(settings: Settings) -> dict[str, Found]:
    """The wanted topics that exist, by name. Raises TransportError where Kafka can't be reached."""
    async with _admin(settings) as admin:
        names = set(await admin.list_topics()) & {topic.name for topic in wanted(settings)}
        if not names:
            return {}
        configs = await _configs(admin, names)
        return {
            each["topic"]: Found(
                len(each["partitions"]),
                min((len(part["replicas"]) for part in each["partitions"]), default=0),
                {name: value for name, (value, _) in configs[each["topic"]].items()},
                {name: value for name, (value, given) in configs[each["topic"]].items() if given},
            )
            for each in await admin.describe_topics(sorted(names))
        }


async def apply(settings: Settings) -> list[str]:
    """Makes the topics that are missing and returns their names.

    Raises TransportError where Kafka can't be reached or refuses one.
    """
    async with _admin(settings) as admin:
        there = set(await admin.list_topics())
        missing = [topic for topic in wanted(settings) if topic.name not in there]
        if missing:
            answer = await admin.create_topics([_new(topic, settings) for topic in missing])
            _raise_refusals("make", answer.topic_errors)
            await _until_known(admin, {topic.name for topic in missing})
        return [topic.name for topic in missing]


async def alter(settings: Settings, found: dict[str, Found], wrong: Iterable[Difference]) -> None:
    """Sets what is alterable of `wrong`; every other setting of a topic stays as it was `found`.

    Raises TransportError where Kafka can't be reached or refuses a change.
    """
    changes: dict[str, dict[str, str]] = defaultdict(dict)
    for each in wrong:
        if each.alterable and each.topic in found:
            changes[each.topic][each.what] = each.expected
    if not changes:
        return
    # AlterConfigs replaces: what is not named goes back to the broker's default.
    asked = [
        ConfigResource(ConfigResourceType.TOPIC, name, {**found[name].given, **change})
        for name, change in changes.items()
    ]
    async with _admin(settings) as admin:
        for answer in await admin.alter_configs(asked):
            _raise_refusals("alter", [(name, code, text) for code, text, _, name in answer.resources])
        await _until_set(admin, changes)


def faults(settings: Settings, found: dict[str, Found]) -> list[str]:
    """What is wrong with the topics, a sentence each."""
    return [each.text for each in differences(settings, found)]


def _new(topic: Topic, settings: Settings) -> NewTopic:
    return NewTopic(topic.name, settings.partitions, settings.replication, topic_configs=dict(topic.configs))


def _raise_refusals(what: str, errors: Iterable[tuple[str, int, str | None]]) -> None:
    # Another worker that starts at the same time may have made a topic between the look and the request.
    refused = [
        f"{name}: {text or for_code(code).description}"
        for name, code, text in errors
        if code not in (0, TopicAlreadyExistsError.errno)
    ]
    if refused:
        raise TransportError(f"Kafka refused to {what} topics: " + "; ".join(refused))


async def _until_known(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    # The controller answers before every broker knows: a client that asks one at once is told "unknown topic".
    for _ in range(100):
        if names <= set(await admin.list_topics()):
            return
        await asyncio.sleep(0.1)
    raise TransportError("Kafka made the topics, but its brokers did not know them after 10 s")


async def _until_set(admin: AIOKafkaAdminClient, changes: dict[str, dict[str, str]]) -> None:
    for _ in range(100):
        now = await _configs(admin, set(changes))
        if all(now[name][key][0] == value for name, change in changes.items() for key, value in change.items()):
            return
        await asyncio.sleep(0.1)
    raise TransportError("Kafka took the settings of topics, but did not show them after 10 s")


async def _configs(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, dict[str, tuple[str, bool]]]:
    """By topic: each setting, and whether it was set on the topic; empty where the broker doesn't tell."""
    said: dict[str, dict[str, tuple[str, bool]]] = defaultdict(dict)
    try:
        answers = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]
        )
    except IncompatibleBrokerVersion:
        return said
    for answer in answers:
        for resource in answer.resources:
            said[resource[3]] = {entry[0]: (entry[1], _is_given(answer, entry)) for entry in resource[4]}
    return said


def _is_given(answer: Any, entry: Any) -> bool:
    # Version 0 says whether it is a default, later ones where it comes from.
    return bool(not entry[3] if answer.API_VERSION == 0 else entry[3] == _SET_ON_TOPIC)


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.bootstrap, request_timeout_ms=10_000, **settings.aiokafka_security()
    )
    try:
        async with starting(settings):
            await admin.start()
        with reaching(settings.bootstrap):
            yield admin
    finally:
        await admin.close()
