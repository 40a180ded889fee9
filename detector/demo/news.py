"""What the detector says of runs, followed over Kafka: verdicts, commands, acks, and the runs' states.

Verdicts are written on a change only; the score and the calls of a run that nothing is wrong
with stand in its state, in the changelog of the worker's table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from detector.behaviours.base import Layout, layout
from detector.config import Settings
from detector.control.topics import reading
from detector.errors import DetectorError
from detector.records import Ack, Command, Verdict
from detector.runs.run import Run
from detector.runs.state import decode

_PUBLIC: dict[str, type[Verdict | Command | Ack]] = {
    "agent-verdicts": Verdict,
    "agent-commands": Command,
    "agent-acks": Ack,
}


@dataclass
class Known:
    """What is known of one run."""

    run: str
    level: str = "ALLOW"
    peak: float = 0.0
    """The highest score that it reached."""
    verdicts: list[Verdict] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    traces: frozenset[str] = frozenset()

    def stop(self) -> Verdict | None:
        """The first verdict of the detector itself that asks for a stop."""
        return next(
            (v for v in self.verdicts if v.level in {"PAUSE", "KILL"} and not v.cause.startswith("person")), None
        )

    def paused_since(self, sequence: int) -> bool:
        """Whether an enforcer has carried out a pause that came after the command `sequence`."""
        return any(ack.sequence > sequence and ack.desired == "paused" and ack.outcome == "done" for ack in self.acks)

    def answer(self, desired: str) -> Ack | None:
        """What an enforcer answered to the command to bring the run into the state `desired`."""
        return next((ack for ack in self.acks if ack.desired == desired and ack.outcome != "not mine"), None)

    def done(self, desired: str) -> Ack | None:
        """The ack of an enforcer that brought the run into the state `desired`."""
        return next((ack for ack in self.acks if ack.desired == desired and ack.outcome == "done"), None)


class News:
    """Follows the topics; `runs` is what they have said so far, by run id."""

    def __init__(self, settings: Settings) -> None:
        self.runs: dict[str, Known] = {}
        self._settings = settings
        self._topics = {settings.topic(name): kind for name, kind in _PUBLIC.items()}
        self._states = f"{settings.topic_prefix}{settings.group}-runs-changelog"
        self._layout: Layout = layout()

    async def follow(self) -> None:
        """Reads until cancelled. Raises TransportError where Kafka can't be reached."""
        async with reading(self._settings, *self._topics, self._states) as consumer:
            async for record in consumer:
                if record.value is None:
                    continue
                if record.topic == self._states:
                    self._state(record.value)
                else:
                    self._told(msgspec.json.decode(record.value, type=self._topics[record.topic]))

    def of(self, run: str) -> Known:
        """What is known of `run`, which may be nothing yet."""
        return self.runs.get(run) or Known(run)

    def of_trace(self, trace: str) -> Known:
        """What is known of the run that `trace` belongs to."""
        return next((known for known in self.runs.values() if trace in known.traces), Known(""))

    def _state(self, value: bytes) -> None:
        try:
            state = decode(value, self._layout)
        except (DetectorError, msgspec.MsgspecError):
            return
        if not isinstance(state, Run):
            return
        known = self.runs.setdefault(state.run, Known(state.run))
        known.peak = max(known.peak, state.peak)
        known.traces |= {trace.hex() for trace in state.traces}

    def _told(self, record: Verdict | Command | Ack) -> None:
        known = self.runs.setdefault(record.run, Known(record.run))
        if isinstance(record, Verdict):
            known.verdicts.append(record)
            known.level = record.level
            known.peak = max(known.peak, record.score)
        elif isinstance(record, Command):
            known.commands.append(record)
        else:
            known.acks.append(record)
