"""What faults left, from the topics alone: the run log is replayed, and everything is held against that.

Nothing is told by the parts under test. What arrived on the input topics is read again, offline,
and every event of it has to stand in the run log. The run log is judged again, offline, and its
verdicts, commands and summaries have to stand on their topics, byte by byte and in their order; so
has the state of every run in the changelog.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
from prometheus_client import CollectorRegistry

from detector import ingest
from detector.config import Settings
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.records import Acked, Action, Command, Desired, Labelled, Turn, decode_log
from detector.runs.judge import Judge
from detector.runs.state import decode
from detector.scoring.model import load
from detector.stream.changelog import FENCE, by
from detector.watch import Watch
from tests.chaos.stage import Delivery
from tests.chaos.topics import Reader, Record

KINDS = ("agent-verdicts", "agent-commands", "agent-summaries")
SHOWN = 5

Effects = dict[tuple[str, bytes], list[bytes]]
"""Records by topic and run, in order."""


@dataclass
class Report:
    """What was found. `faults` holds a sentence for the first of each kind."""

    events: int = 0
    effects: int = 0
    events_lost: int = 0
    effects_lost: int = 0
    effects_repeated: int = 0
    """Effects that an enforcer would take for new ones: never to be."""
    sent_again: int = 0
    """Records sent a second time, byte by byte the same, which every reader passes over: at least once."""
    delivered_again: int = 0
    """Webhook deliveries that came a second time under their id, which receivers pass over."""
    states_wrong: int = 0
    runs_stopped: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, kind: str, found: Iterable[object]) -> int:
        """Notes faults of a kind; returns how many there are."""
        listed = list(found)
        if listed:
            self.faults.append(f"{kind}: {len(listed)}, e.g. {'; '.join(map(str, listed[:SHOWN]))}")
        return len(listed)

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.events_lost or self.effects_lost or self.effects_repeated or self.states_wrong or self.faults)


class Replay:
    """The run log, judged again."""

    def __init__(self, settings: Settings, log: list[Record]) -> None:
        self.effects: Effects = defaultdict(list)
        self.states: dict[bytes, bytes] = {}
        self.commands: dict[bytes, Command] = {}
        judge = Judge(load(settings.models), Policy.from_settings(settings))
        self._layout = judge.model.layout
        watch = Watch(judge, settings, Metrics(CollectorRegistry()), stored=self.states.get)
        public = {settings.topic(kind): kind for kind in KINDS}
        for record in log:
            try:
                known = self.states.get(record.key)
                applied = watch.apply(known, record.value or b"", record.offset, record.partition)
            except Exception:  # noqa: BLE001 - as the stream does with what breaks step()
                continue
            for send in applied.sends:
                if kind := public.get(send.topic):
                    self.effects[kind, send.key].append(send.value or b"")
                    if kind == "agent-commands" and send.value:
                        self.commands[send.key] = msgspec.json.decode(send.value, type=Command)
            if applied.brake is not None:
                self.states[applied.brake[0]] = applied.brake[1]
            if applied.state is None:
                self.states.pop(record.key, None)
            else:
                self.states[record.key] = applied.state

    def words(self, state: bytes | None) -> str:
        """What a state is, for a fault's sentence."""
        if state is None:
            return "none"
        known = decode(state, self._layout)
        return f"a {type(known).__name__} at {known.offset} ({len(state)} bytes)"


def check(settings: Settings, reader: Reader, deliveries: Mapping[str, list[Delivery]] | None = None) -> Report:
    """Holds every topic of `settings` against its input, and what a webhook's receiver got against the commands.

    Everything has to stand still meanwhile.
    """
    report = Report()
    log = reader.records(settings.topic("agent-run-log"))
    _events(settings, reader, log, report)
    replay = Replay(settings, log)
    report.runs_stopped = sum(command.desired is not Desired.RUNNING for command in replay.commands.values())
    for kind in KINDS:
        _effects(kind, reader.records(settings.topic(kind)), replay.effects, report)
    _states(reader.records(settings.topic(f"{settings.group}-runs-changelog")), replay, report)
    if deliveries is not None:
        _deliveries(deliveries, replay.commands, report)
    return report


def took_over(changelog: list[Record], since: float) -> float | None:
    """Seconds from `since` until every partition had a state of a later term; None where one never had."""
    latest = 0.0
    changelog = [record for record in changelog if record.key != FENCE]
    for partition in {record.partition for record in changelog}:
        records = [(record.at, _term(record)) for record in changelog if record.partition == partition]
        before = max((term for at, term in records if at < since), default=0)
        later = [at for at, term in records if at >= since and term > before]
        if not later:
            return None
        latest = max(latest, later[0])
    return latest - since if latest else None


def went_on(changelog: list[Record], since: float) -> float | None:
    """Seconds from `since` until every partition had a record; None where one never had."""
    firsts: dict[int, float] = {}
    for record in changelog:
        if record.at >= since:
            firsts[record.partition] = min(record.at, firsts.get(record.partition, record.at))
    everywhere = firsts.keys() == {record.partition for record in changelog}
    return max(firsts.values()) - since if firsts and everywhere else None


def _events(settings: Settings, reader: Reader, log: list[Record], report: Report) -> None:
    """Every event that arrived stands in the run log, and nothing else but ticks."""
    found = {event: run for record in log for event, run in _of_log(record.value)}
    arrived: dict[bytes, str] = {}
    sources = {
        settings.spans_topic: ingest.spans(settings),
        settings.topic("agent-labels"): ingest.labels(settings),
        settings.topic("agent-acks"): ingest.acks(settings),
    }
    for topic, take in sources.items():
        for record in reader.records(topic):
            for _, value in take(record.value or b"", int(record.at * 1e9)).log:
                arrived.update(_of_log(value))
    report.events = len(arrived)
    report.events_lost = report.fault("events lost", (arrived[event] for event in arrived.keys() - found.keys()))
    report.fault("events that never arrived", (found[event] for event in found.keys() - arrived.keys()))


def _of_log(value: bytes | None) -> Iterator[tuple[bytes, str]]:
    """The events in a run-log record that came from outside, and its run: another one where they were handed over."""
    try:
        record = decode_log(value or b"")
    except ValueError:
        return
    for event in record.events:
        if isinstance(event, Action | Turn | Labelled | Acked):
            yield msgspec.msgpack.encode(event), record.run


def _effects(kind: str, records: list[Record], wanted: Effects, report: Report) -> None:
    found: dict[bytes, list[bytes]] = defaultdict(list)
    for record in records:
        found[record.key].append(record.value or b"")
    report.effects += sum(len(values) for (topic, _), values in wanted.items() if topic == kind)
    for key in {key for topic, key in wanted if topic == kind} | set(found):
        due, came = wanted.get((kind, key), []), found.get(key, [])
        run = key.decode()
        report.effects_lost += report.fault(f"{kind}: lost", [run] * sum((Counter(due) - Counter(came)).values()))
        invented = [run for value in set(came) - set(due)]
        report.effects_repeated += report.fault(f"{kind}: not in the replay", invented)
        # Each once: a late look at a call that shows nothing new renews a summary, which is then the same again.
        first = [value for value in dict.fromkeys(came) if value in set(due)]
        disordered = first != list(dict.fromkeys(due))[: len(first)]
        report.effects_repeated += report.fault(f"{kind}: out of order", [run] if disordered else [])
        report.sent_again += len(came) - len(set(came))
        if kind == "agent-commands" and came and due:
            # Compaction keeps the last record of a run: it has to be the newest command.
            report.fault(f"{kind}: an older one stands last", [run] if came[-1] != due[-1] else [])


def _states(changelog: list[Record], replay: Replay, report: Report) -> None:
    """The states that a worker would recover, and those that compaction would keep, are the replay's."""
    recovered: dict[bytes, bytes | None] = {}
    last: dict[bytes, bytes | None] = {}
    highest: Counter[int] = Counter()
    for record in changelog:
        last[record.key] = record.value
        term = _term(record)
        if term >= highest[record.partition]:
            highest[record.partition] = term
            recovered[record.key] = record.value
    wanted = replay.states
    for words, states in (("recovered otherwise", recovered), ("last in the changelog is another", last)):
        kept = {key: value for key, value in states.items() if value is not None}
        wrong = [
            f"{key.decode()}: expected {replay.words(wanted.get(key))}, came {replay.words(kept.get(key))}"
            for key in wanted.keys() | kept.keys()
            if wanted.get(key) != kept.get(key)
        ]
        report.states_wrong += report.fault(f"states: {words}", wrong)


def _term(record: Record) -> int:
    return by(record.headers.items())[0]


def _deliveries(deliveries: Mapping[str, list[Delivery]], newest: dict[bytes, Command], report: Report) -> None:
    """The receiver, going by delivery ids, ends with every run in the state that it must be in."""
    for run, came in deliveries.items():
        ids = [delivery.sequence for delivery in came]
        first = list(dict.fromkeys(ids))
        changed = {delivery.body for delivery in came}
        report.delivered_again += len(ids) - len(first)
        report.effects_repeated += report.fault("webhook: one id, two commands", [run] * (len(changed) - len(first)))
        report.effects_repeated += report.fault("webhook: older after newer", [run] if first != sorted(first) else [])
    for key, command in newest.items():
        got = deliveries.get(key.decode(), [])
        undone = not got or got[-1].sequence != command.sequence
        report.effects_lost += report.fault("webhook: the newest command did not come last", [key] if undone else [])
