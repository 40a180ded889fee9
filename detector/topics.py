"""The topics that the detector needs: what each is for, made where missing, checked where there.

The names come from the settings; `apply` is `detector topics apply` and what a worker does at
its start. Nothing that exists is changed: a topic of the wrong shape is a fault that names it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, TopicAlreadyExistsError, for_code

from detector.config import Settings
from detector.errors import TransportError

Policy = Literal["delete", "compact"]


class Topic(NamedTuple):
    """A topic as it should be."""

    name: str
    policy: Policy
    what: str
    counted: bool = False
    """Its number of partitions must be that of the settings: state is kept by partition."""


class Found(NamedTuple):
    """A topic as it is; `policy` is empty where the broker doesn't tell."""

    partitions: int
    policy: str


def wanted(settings: Settings) -> list[Topic]:
    """Every topic that the detector reads or writes."""
    own = settings.topic
    return [
        Topic(settings.spans_topic, "delete", "spans, as the OpenTelemetry Collector writes them"),
        Topic(settings.logs_topic, "delete", "log records, as the OpenTelemetry Collector writes them"),
        Topic(own("agent-run-log"), "delete", "everything that happens to a run, in one order", counted=True),
        # Faust's name for the changelog of the table `runs`; where it exists, Faust takes it as it is.
        Topic(own(f"{settings.group}-runs-changelog"), "compact", "the state of every live run", counted=True),
        Topic(own("agent-verdicts"), "delete", "every decision with its evidence"),
        Topic(own("agent-commands"), "compact", "the state that each run must be in"),
        Topic(own("agent-acks"), "delete", "what enforcers did"),
        Topic(own("agent-labels"), "delete", "what people said of runs"),
        Topic(own("agent-summaries"), "compact", "one record a finished run: what training reads"),
        Topic(own(f"{settings.spans_topic}-rejected"), "delete", "where input that could not be used came from"),
    ]


async def find(settings: Settings) -> dict[str, Found]:
    """The wanted topics that exist, by name. Raises TransportError where Kafka can't be reached."""
    async with _admin(settings) as admin:
        names = set(await admin.list_topics()) & {topic.name for topic in wanted(settings)}
        if not names:
            return {}
        policies = await _policies(admin, names)
        described = await admin.describe_topics(sorted(names))
        return {t["topic"]: Found(len(t["partitions"]), policies.get(t["topic"], "")) for t in described}


async def apply(settings: Settings) -> list[str]:
    """Makes the topics that are missing and returns their names.

    Raises TransportError where Kafka can't be reached or refuses one.
    """
    async with _admin(settings) as admin:
        there = set(await admin.list_topics())
        missing = [topic for topic in wanted(settings) if topic.name not in there]
        if missing:
            _raise_refusals((await admin.create_topics([_new(topic, settings) for topic in missing])).topic_errors)
            await _until_known(admin, {topic.name for topic in missing})
        return [topic.name for topic in missing]


def faults(settings: Settings, found: dict[str, Found]) -> list[str]:
    """What is wrong with the topics, a sentence each: missing, partitions, cleanup policy."""
    return [fault for topic in wanted(settings) for fault in _faults_of(topic, found.get(topic.name), settings)]


def _faults_of(topic: Topic, found: Found | None, settings: Settings) -> list[str]:
    if found is None:
        return [f"topic {topic.name}: missing; `detector topics apply` makes it"]
    said = []
    if topic.counted and found.partitions != settings.partitions:
        said.append(
            f"topic {topic.name}: expected {settings.partitions} partitions (setting `partitions`), "
            f"came {found.partitions}"
        )
    if found.policy and topic.policy not in found.policy.split(","):
        said.append(f"topic {topic.name}: expected cleanup.policy={topic.policy}, came {found.policy}")
    return said


def _new(topic: Topic, settings: Settings) -> NewTopic:
    return NewTopic(
        topic.name, settings.partitions, settings.replication, topic_configs={"cleanup.policy": topic.policy}
    )


def _raise_refusals(errors: list[tuple[str, int, str]]) -> None:
    # Another worker that starts at the same time may have made a topic between the look and the request.
    refused = [
        f"{name}: {text or for_code(code).description}"
        for name, code, text in errors
        if code not in (0, TopicAlreadyExistsError.errno)
    ]
    if refused:
        raise TransportError("Kafka refused to make topics: " + "; ".join(refused))


async def _until_known(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    # The controller answers before every broker knows: a client that asks one at once is told "unknown topic".
    for _ in range(100):
        if names <= set(await admin.list_topics()):
            return
        await asyncio.sleep(0.1)
    raise TransportError("Kafka made the topics, but its brokers did not know them after 10 s")


async def _policies(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, str]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": ""}) for name in sorted(names)]
    try:
        answers = await admin.describe_configs(asked)
    except IncompatibleBrokerVersion:
        return {}
    return {
        resource[3]: config[1]
        for answer in answers
        for resource in answer.resources
        for config in resource[4]
        if config[0] == "cleanup.policy"
    }


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.bootstrap, request_timeout_ms=10_000, **settings.aiokafka_security()
    )
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as fault:
        raise TransportError(f"Kafka at {settings.bootstrap}: {fault}") from fault
    finally:
        await admin.close()
