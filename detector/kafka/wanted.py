"""The topics that the detector needs, as they should be, and how what is there differs. Pure.

The names, the widths and the retention come from the settings. Compaction of the changelog is set so
that a worker's recovery reads little more than one record a live run: Kafka's defaults compact a
segment only once it holds 1 GB or is a week old.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from detector.config import Settings

POLICY = "cleanup.policy"
INSYNC = "min.insync.replicas"
_HOUR_MS = 3_600_000

_SEGMENT = {"segment.bytes": str(64 << 20)}
_CHANGELOG = {
    **_SEGMENT,
    "min.cleanable.dirty.ratio": "0.1",
    # A worker whose disk missed the mark of a run's end would bring the run back: it has a week to see it.
    "delete.retention.ms": str(7 * 24 * _HOUR_MS),
}
_COMMANDS = {
    # What a worker that was presumed dead sends late stands behind newer commands. Enforcers go by their
    # numbers, so both have to be there until no pause of that time stands any more.
    "min.compaction.lag.ms": str(2 * 24 * _HOUR_MS),
}


class Topic(NamedTuple):
    """A topic as it should be."""

    name: str
    what: str
    configs: Mapping[str, str]
    """Its settings; `min.insync.replicas` at least, the others exactly so."""
    counted: bool = False
    """Its number of partitions must be that of the settings: state is kept by partition."""
    ours: bool = True
    """False: somebody else writes it, e.g. the Collector. It is made where missing and never altered."""


class Found(NamedTuple):
    """A topic as it is."""

    partitions: int
    replicas: int
    """Of the partition that has fewest; 0 where it's not known."""
    configs: Mapping[str, str]
    """Its settings, defaults of the broker included; empty where the broker doesn't tell."""
    given: Mapping[str, str] = {}
    """Those of them that were set on the topic itself."""


class Difference(NamedTuple):
    """One thing in which a topic is not as it should be."""

    topic: str
    what: str
    """`topic` (it is missing), `partitions`, `replicas`, or the name of a setting of the topic."""
    expected: str
    came: str
    breaks: bool = False
    """With it the detector would lose state or go wrong: a worker does not start."""
    alterable: bool = False
    """`detector topics apply` puts it right."""

    @property
    def text(self) -> str:
        """What was expected and what came, where, and what can be done about it."""
        if self.what == "topic":
            return f"topic {self.topic}: missing; `detector topics apply` makes it"
        if self.what == "partitions":
            return (
                f"topic {self.topic}: expected {self.expected} partitions (setting `partitions`), came {self.came}; "
                "see docs/operations.md, Partitions: state is kept by partition, so nothing changes them for you"
            )
        if self.what == "replicas":
            return (
                f"topic {self.topic}: expected at least {self.expected} replicas (setting `replication`), "
                f"came {self.came}; Kafka's own kafka-reassign-partitions adds them"
            )
        least = "at least " if self.what == INSYNC else ""
        theirs = "" if self.alterable else "; it is not the detector's topic, so its owner has to change it"
        return f"topic {self.topic}: expected {least}{self.what}={self.expected}, came {self.came}{theirs}"


def wanted(settings: Settings) -> list[Topic]:
    """Every topic that the detector reads or writes."""
    own = settings.topic
    insync = {INSYNC: str((settings.replication + 1) // 2)} if settings.replication > 1 else {}
    compact = {POLICY: "compact", **_SEGMENT, **insync}
    log = {POLICY: "delete", "retention.ms": _ms(settings.run_log_retention_hours), **insync}
    audit = {POLICY: "delete", "retention.ms": _ms(24 * settings.audit_retention_days), **insync}
    # The Collector's, and read by others too: how long they are kept is not ours to say.
    theirs = {POLICY: "delete"}
    return [
        Topic(settings.spans_topic, "spans, as the OpenTelemetry Collector writes them", theirs, ours=False),
        Topic(settings.logs_topic, "log records, as the OpenTelemetry Collector writes them", theirs, ours=False),
        Topic(own("agent-run-log"), "everything that happens to a run, in one order", log, counted=True),
        # Faust's name for the changelog of the table `runs`; where it exists, Faust takes it as it is.
        Topic(changelog(settings), "the state of every live run", {**compact, **_CHANGELOG}, counted=True),
        Topic(own("agent-verdicts"), "every decision with its evidence", audit),
        Topic(own("agent-commands"), "the state that each run must be in", {**compact, **_COMMANDS}),
        Topic(own("agent-acks"), "what enforcers did", audit),
        Topic(own("agent-labels"), "what people said of runs", audit),
        Topic(own("agent-summaries"), "one record a finished run: what training reads", compact),
        Topic(own(f"{settings.spans_topic}-rejected"), "where input that could not be used came from", log),
    ]


def changelog(settings: Settings) -> str:
    """The name of the changelog of the table `runs`, as Faust makes it of the group's."""
    return settings.topic(f"{settings.group}-runs-changelog")


def _ms(hours: int) -> str:
    return str(hours * _HOUR_MS)


def differences(settings: Settings, found: Mapping[str, Found]) -> list[Difference]:
    """In what the topics that were `found` are not as they should be, topic by topic."""
    return [each for topic in wanted(settings) for each in _of(topic, found.get(topic.name), settings)]


def _of(topic: Topic, found: Found | None, settings: Settings) -> list[Difference]:
    if found is None:
        return [Difference(topic.name, "topic", "there", "missing", breaks=True, alterable=True)]
    said = []
    if topic.counted and found.partitions != settings.partitions:
        said.append(Difference(topic.name, "partitions", str(settings.partitions), str(found.partitions), breaks=True))
    if topic.ours and 0 < found.replicas < settings.replication:
        said.append(Difference(topic.name, "replicas", str(settings.replication), str(found.replicas)))
    for name, expected in topic.configs.items():
        came = found.configs.get(name, expected)
        if not _fits(name, expected, came):
            said.append(
                Difference(topic.name, name, expected, came, breaks=topic.ours and name == POLICY, alterable=topic.ours)
            )
    return said


def _fits(name: str, expected: str, came: str) -> bool:
    if name == INSYNC:
        return int(came) >= int(expected)
    if name == "min.cleanable.dirty.ratio":
        return float(came) == float(expected)
    return came == expected
