"""The detector's topics against the embedded broker."""

from __future__ import annotations

import pytest

from detector import topics
from detector.config import Settings, load
from detector.errors import TransportError


@pytest.fixture
def settings(bootstrap: str) -> Settings:
    """Settings of a broker of one's own."""
    return load(bootstrap=bootstrap, partitions=3, topic_prefix="team-")


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
    faults = topics.faults(wider, await topics.find(wider))
    assert len(faults) == 2
    assert all("expected 5 partitions (setting `partitions`), came 3" in fault for fault in faults)


async def test_a_topic_that_forgets_is_a_fault(settings: Settings) -> None:
    """Commands must be compacted: a cleanup policy that loses the latest state is named."""
    found = {topic.name: topics.Found(3, topic.policy) for topic in topics.wanted(settings)}
    found["team-agent-commands"] = topics.Found(3, "delete")
    (fault,) = topics.faults(settings, found)
    assert fault == "topic team-agent-commands: expected cleanup.policy=compact, came delete"


def test_a_broker_that_does_not_tell_the_policy_is_believed() -> None:
    """Where the cleanup policy can't be read, it's not called wrong."""
    settings = load(partitions=4)
    found = {topic.name: topics.Found(4, "") for topic in topics.wanted(settings)}
    assert topics.faults(settings, found) == []


async def test_an_unreachable_broker_is_a_transport_error() -> None:
    """The error names the address."""
    with pytest.raises(TransportError, match=r"Kafka at 127\.0\.0\.1:1:"):
        await topics.find(load(bootstrap="127.0.0.1:1"))


def test_names_follow_prefix_and_group() -> None:
    """Own topics carry the prefix, the Collector's don't; the changelog is named as Faust names it."""
    names = [topic.name for topic in topics.wanted(load(topic_prefix="team-", group="g", spans_topic="spans"))]
    assert "spans" in names
    assert "team-spans-rejected" in names
    assert "team-g-runs-changelog" in names
