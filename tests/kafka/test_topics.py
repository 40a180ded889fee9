"""The detector's topics against the embedded broker."""

from __future__ import annotations

import pytest

from detector.config import Settings, load
from detector.errors import TransportError
from detector.kafka import topics
from detector.kafka.topics import Found


@pytest.fixture
def settings(bootstrap: str) -> Settings:
    """Settings of a broker of one's own."""
    return load(bootstrap=bootstrap, partitions=3, topic_prefix="team-")


def as_wanted(settings: Settings) -> dict[str, Found]:
    """Every topic as it should be."""
    return {
        topic.name: Found(settings.partitions, settings.replication, dict(topic.configs))
        for topic in topics.wanted(settings)
    }


async def test_missing_topics_are_named_then_made(settings: Settings) -> None:
    """Every wanted topic is a fault until `apply` makes it; then none is."""
    wanted = {topic.name for topic in topics.wanted(settings)}
    before = topics.faults(settings, await topics.find(settings))
    assert len(before) == len(wanted)
    assert set(await topics.apply(settings)) == wanted
    assert topics.faults(settings, await topics.find(settings)) == []


async def test_what_exists_is_left_alone(settings: Settings) -> None:
    """A second `apply`, with other partitions, makes nothing; the check names the run log and the changelog."""
    await topics.apply(settings)
    wider = settings.model_copy(update={"partitions": 5})
    assert await topics.apply(wider) == []
    wrong = topics.differences(wider, await topics.find(wider))
    assert {each.topic for each in wrong} == {"team-agent-run-log", "team-agent-run-detector-runs-changelog"}
    assert all("expected 5 partitions (setting `partitions`), came 3" in each.text for each in wrong)
    assert all(each.breaks and not each.alterable for each in wrong)


async def test_settings_that_differ_are_put_right_and_others_kept(settings: Settings) -> None:
    """`alter` sets what is wrong, and leaves what somebody set on a topic beside it; partitions stay as they are."""
    await topics.apply(settings)
    log = "team-agent-run-log"
    mine = topics.Difference(log, "retention.bytes", "1000000", "", alterable=True)
    await topics.alter(settings, await topics.find(settings), [mine])

    shorter = settings.model_copy(update={"run_log_retention_hours": 24, "partitions": 5})
    found = await topics.find(shorter)
    wrong = topics.differences(shorter, found)
    assert f"topic {log}: expected retention.ms=86400000, came 604800000" in [each.text for each in wrong]
    await topics.alter(shorter, found, wrong)

    after = await topics.find(shorter)
    assert (after[log].configs["retention.ms"], after[log].configs["retention.bytes"]) == ("86400000", "1000000")
    assert after[log].configs["cleanup.policy"] == "delete"
    assert {each.what for each in topics.differences(shorter, after)} == {"partitions"}
    assert after[log].partitions == 3


@pytest.mark.parametrize(
    ("name", "setting", "came", "breaks"),
    [
        ("team-agent-commands", "cleanup.policy", "delete", True),
        ("team-agent-commands", "cleanup.policy", "compact,delete", True),
        ("team-agent-run-log", "cleanup.policy", "compact", True),
        ("team-agent-verdicts", "retention.ms", "604800000", False),
        ("team-agent-run-detector-runs-changelog", "segment.bytes", "1073741824", False),
    ],
)
def test_each_setting_is_told_with_what_was_expected(name: str, setting: str, came: str, breaks: bool) -> None:
    """Topic, setting, expected and actual value are named; only what would lose state keeps a worker from starting."""
    settings = load(topic_prefix="team-")
    found = as_wanted(settings)
    expected = found[name].configs[setting]
    found[name] = found[name]._replace(configs={**found[name].configs, setting: came})
    (wrong,) = topics.differences(settings, found)
    assert wrong.text == f"topic {name}: expected {setting}={expected}, came {came}"
    assert (wrong.breaks, wrong.alterable) == (breaks, True)


async def test_topics_of_others_are_judged_and_never_altered(settings: Settings) -> None:
    """The Collector's topics are read by others too: a fault there names who has to mend it."""
    found = as_wanted(settings)
    found["otlp_spans"] = found["otlp_spans"]._replace(configs={"cleanup.policy": "compact", "retention.ms": "1"})
    (wrong,) = topics.differences(settings, found)
    assert wrong.text.endswith("came compact; it is not the detector's topic, so its owner has to change it")
    await topics.apply(settings)
    await topics.alter(settings, found, [wrong])
    assert (await topics.find(settings))["otlp_spans"].configs["cleanup.policy"] == "delete"


@pytest.mark.parametrize(("replication", "insync"), [(1, None), (2, "1"), (3, "2"), (5, "3")])
def test_confirmed_means_by_most_replicas(replication: int, insync: str | None) -> None:
    """With replicas a majority has to have a record; a topic with fewer replicas, or a lower bound, is told."""
    settings = load(replication=replication)
    run_log = next(topic for topic in topics.wanted(settings) if topic.name == "agent-run-log")
    assert run_log.configs.get("min.insync.replicas") == insync
    found = as_wanted(settings)
    higher = {**found["agent-run-log"].configs, "min.insync.replicas": str(replication)}
    found["agent-run-log"] = Found(settings.partitions, replication, higher)
    assert topics.faults(settings, found) == []
    if replication > 1:
        found["agent-run-log"] = Found(settings.partitions, 1, {**higher, "min.insync.replicas": "0"})
        said = topics.faults(settings, found)
        assert f"expected at least {replication} replicas (setting `replication`), came 1" in said[0]
        assert f"expected at least min.insync.replicas={insync}, came 0" in said[1]


def test_a_broker_that_does_not_tell_is_believed() -> None:
    """Where settings can't be read, they're not called wrong."""
    settings = load(partitions=4)
    found = {topic.name: Found(4, 0, {}) for topic in topics.wanted(settings)}
    assert topics.faults(settings, found) == []


async def test_an_unreachable_broker_is_a_transport_error() -> None:
    """The error names the address, and why."""
    with pytest.raises(TransportError, match=r"Kafka at 127\.0\.0\.1:1: no connection: .*Connect call failed"):
        await topics.find(load(bootstrap="127.0.0.1:1"))


async def test_a_refused_change_is_told(settings: Settings) -> None:
    """What Kafka says against a change comes back with the topic's name."""
    await topics.apply(settings)
    bad = topics.Difference("team-agent-run-log", "cleanup.policy", "shred", "delete", alterable=True)
    with pytest.raises(TransportError, match=r"Kafka refused to alter topics: team-agent-run-log: cleanup\.policy"):
        await topics.alter(settings, await topics.find(settings), [bad])


def test_names_follow_prefix_and_group() -> None:
    """Own topics carry the prefix, the Collector's don't; the changelog is named as Faust names it."""
    names = [topic.name for topic in topics.wanted(load(topic_prefix="team-", group="g", spans_topic="spans"))]
    assert "spans" in names
    assert "team-spans-rejected" in names
    assert "team-g-runs-changelog" in names
