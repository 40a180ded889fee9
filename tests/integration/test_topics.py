"""The detector's topics on Apache Kafka: made, found wrong, put right, never shrunk."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from detector.config import Settings, load
from detector.kafka import topics


@pytest.fixture
def settings(kafka: str) -> Settings:
    """Names of one's own on the one Kafka."""
    return load(bootstrap=kafka, topic_prefix=f"{uuid.uuid4()}-", spans_topic=f"{uuid.uuid4()}", partitions=3)


async def make(settings: Settings, name: str, partitions: int, **configs: str) -> None:
    """A topic as somebody else might have made it; `_` in a config's name stands for a dot."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    given = {key.replace("_", "."): value for key, value in configs.items()}
    answer = await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=given)])
    await admin.close()
    assert [code for _, code, _ in answer.topic_errors] == [0]


async def test_topics_are_made_with_their_shape_and_only_once(settings: Settings) -> None:
    """`apply` makes every missing topic with its partitions and settings, and a second time none."""
    made = await topics.apply(settings)
    found = await topics.find(settings)
    assert settings.topic("agent-commands") in made
    assert found[settings.topic("agent-commands")].configs["cleanup.policy"] == "compact"
    run_log = found[settings.topic("agent-run-log")]
    assert (run_log.partitions, run_log.replicas, run_log.configs["cleanup.policy"]) == (3, 1, "delete")
    assert run_log.given["retention.ms"] == str(168 * 3_600_000)
    changelog = found[settings.topic("agent-run-detector-runs-changelog")]
    assert changelog.given.items() >= {
        ("cleanup.policy", "compact"),
        ("segment.bytes", str(64 << 20)),
        ("min.cleanable.dirty.ratio", "0.1"),
        ("delete.retention.ms", "604800000"),
    }
    assert topics.faults(settings, found) == []
    assert await topics.apply(settings) == []


async def test_what_is_wrong_is_told_and_put_right_but_for_partitions(settings: Settings) -> None:
    """Policy and retention are set, what somebody set beside them stays, and no topic gets other partitions."""
    log, commands = settings.topic("agent-run-log"), settings.topic("agent-commands")
    await make(settings, log, 2, retention_ms="60000", max_message_bytes="2000000")
    await make(settings, commands, 5)
    await topics.apply(settings)
    found = await topics.find(settings)
    said = topics.faults(settings, found)
    assert f"topic {log}: expected retention.ms=604800000, came 60000" in said
    assert f"topic {commands}: expected cleanup.policy=compact, came delete" in said
    assert any(line.startswith(f"topic {log}: expected 3 partitions (setting `partitions`), came 2") for line in said)

    await topics.alter(settings, found, topics.differences(settings, found))
    after = await topics.find(settings)
    assert [each.what for each in topics.differences(settings, after)] == ["partitions"]
    assert after[log].given["max.message.bytes"] == "2000000"
    assert (after[log].partitions, after[commands].partitions) == (2, 5)


def detector(settings: Settings, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`detector topics ...` as a process."""
    own = {
        "DETECTOR_BOOTSTRAP": settings.bootstrap,
        "DETECTOR_TOPIC_PREFIX": settings.topic_prefix,
        "DETECTOR_SPANS_TOPIC": settings.spans_topic,
        "DETECTOR_PARTITIONS": str(settings.partitions),
    }
    command = [sys.executable, "-m", "detector", "topics", *arguments]
    return subprocess.run(command, env=os.environ | own | env, capture_output=True, text=True, check=False)


def test_the_command_makes_checks_and_alters(settings: Settings) -> None:
    """`check` names each fault and exits 1, `apply --dry-run` says what it would do, and `apply` does it."""
    log = settings.topic("agent-run-log")
    before = detector(settings, "check")
    assert before.returncode == 1
    assert f"{settings.topic('agent-commands')}: missing" in before.stderr
    assert detector(settings, "apply", "--dry-run").returncode == 0
    assert detector(settings, "check").returncode == 1
    apply, after = detector(settings, "apply"), detector(settings, "check")
    assert (apply.returncode, after.returncode) == (0, 0), apply.stderr + after.stderr

    shorter = {"DETECTOR_RUN_LOG_RETENTION_HOURS": "24"}
    dry = detector(settings, "apply", "--dry-run", **shorter)
    assert f"would set {log}: retention.ms=86400000, was 604800000" in dry.stdout
    assert detector(settings, "check", **shorter).returncode == 1
    assert detector(settings, "apply", **shorter).returncode == 0
    assert detector(settings, "check", **shorter).returncode == 0
    wider = detector(settings, "apply", **shorter, DETECTOR_PARTITIONS="5")
    assert wider.returncode == 1
    assert f"topic {log}: expected 5 partitions (setting `partitions`), came 3" in wider.stderr


def test_a_worker_goes_by_what_breaks_only(settings: Settings) -> None:
    """Retention that differs does not keep a worker from starting, partitions do."""
    assert detector(settings, "apply").returncode == 0
    other = settings.model_copy(update={"run_log_retention_hours": 24, "partitions": 5})
    assert detector(other, "check", DETECTOR_RUN_LOG_RETENTION_HOURS="24").returncode == 1
    command = [sys.executable, "-m", "detector", "worker"]
    env = {
        "DETECTOR_BOOTSTRAP": settings.bootstrap,
        "DETECTOR_TOPIC_PREFIX": settings.topic_prefix,
        "DETECTOR_SPANS_TOPIC": settings.spans_topic,
        "DETECTOR_PARTITIONS": "5",
        "DETECTOR_RUN_LOG_RETENTION_HOURS": "24",
    }
    refused = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "expected 5 partitions" in refused.stderr
    assert "retention.ms" not in refused.stderr
