"""Apache Kafka itself: the plain clients, and the detector's topics."""

from __future__ import annotations

import subprocess
import sys
import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from detector import topics
from detector.config import load


async def test_a_record_comes_back_as_it_was_sent(kafka: str) -> None:
    """A record that aiokafka produced is consumed with its key and value."""
    settings = load(bootstrap=kafka, topic_prefix=f"{uuid.uuid4()}-", partitions=1)
    await topics.apply(settings)
    topic = settings.topic("agent-verdicts")
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send_and_wait(topic, b"value", key=b"key")
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    assert (record.key, record.value) == (b"key", b"value")


async def test_topics_are_made_with_their_shape_and_only_once(kafka: str) -> None:
    """`apply` makes every missing topic with its partitions and cleanup policy, and a second time none."""
    settings = load(bootstrap=kafka, topic_prefix=f"{uuid.uuid4()}-", partitions=3)
    made = await topics.apply(settings)
    found = await topics.find(settings)
    assert settings.topic("agent-commands") in made
    assert found[settings.topic("agent-commands")] == topics.Found(3, "compact")
    assert found[settings.topic("agent-run-log")] == topics.Found(3, "delete")
    assert topics.faults(settings, found) == []
    assert await topics.apply(settings) == []


async def test_a_run_log_of_another_width_is_a_fault(kafka: str) -> None:
    """A run log whose partitions differ from the setting is named with both numbers."""
    settings = load(bootstrap=kafka, topic_prefix=f"{uuid.uuid4()}-", partitions=2)
    await topics.apply(settings)
    wider = settings.model_copy(update={"partitions": 5})
    faults = topics.faults(wider, await topics.find(wider))
    assert len(faults) == 2, "the run log and the changelog of its states, no other"
    assert "agent-run-log" in faults[0]
    assert all("expected 5 partitions" in fault and "came 2" in fault for fault in faults)


def test_the_command_makes_and_checks_topics(kafka: str) -> None:
    """`detector topics check` fails and names each missing topic; after `apply` it passes."""
    env = {"DETECTOR_BOOTSTRAP": kafka, "DETECTOR_TOPIC_PREFIX": f"{uuid.uuid4()}-", "PATH": ""}
    command = [sys.executable, "-m", "detector", "topics"]
    before = subprocess.run([*command, "check"], env=env, capture_output=True, text=True, check=False)
    apply = subprocess.run([*command, "apply"], env=env, capture_output=True, text=True, check=False)
    after = subprocess.run([*command, "check"], env=env, capture_output=True, text=True, check=False)
    assert before.returncode == 1
    assert f"{env['DETECTOR_TOPIC_PREFIX']}agent-commands: missing" in before.stderr
    assert (apply.returncode, after.returncode) == (0, 0), apply.stderr + after.stderr
