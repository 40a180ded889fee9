"""The honest fleet, live: at least twenty runs at once, spans by the SDK over OTLP/HTTP."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from detector.demo.play import Player, WallClock, tracer_of
from detector.demo.script import Call, Result, Story
from detector.demo.stories import HONEST, LOOKALIKES, tell

RUNS = 24
SHORTEST, LONGEST = 13.0, 19.0
"""Seconds that a run lasts: its pace is fitted, so that all are under way at once."""
EXPORT_MILLISECONDS = 200


@dataclass
class Member:
    """One honest run as the fleet itself knows it."""

    story: Story
    lookalike: bool
    player: Player
    calls: int = 0
    failed: int = 0
    done: bool = False

    def is_run(self, run: str) -> bool:
        """Whether the detector's `run` is this one: by its conversation's id, or by its trace."""
        return run in {self.story.run, self.player.trace_id}


def stories(seed: int, runs: int = RUNS) -> list[tuple[Story, bool]]:
    """The fleet of `seed`: every look-alike once, then others; with whether it is a look-alike."""
    rng = random.Random(f"fleet/{seed}")  # noqa: S311 - which stories are told
    told = [(tell(workflow, teller, f"fleet/{seed}/{n}"), True) for n, (workflow, teller) in enumerate(LOOKALIKES)]
    plain = [entry for entry in HONEST if entry not in LOOKALIKES]
    told += [(tell(*rng.choice(plain), f"fleet/{seed}/{n}"), False) for n in range(len(told), runs)]
    return told


class Fleet:
    """Plays the stories of a seed, each in a thread of its own, one TracerProvider a service."""

    def __init__(self, seed: int, endpoint: str) -> None:
        self._rng = random.Random(f"fleet/{seed}/tempo")  # noqa: S311 - tempo
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
        self._processor = BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_MILLISECONDS)
        self._providers: dict[str, TracerProvider] = {}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._running = 0
        self.most_at_once = 0
        self.members = [self._member(story, lookalike) for story, lookalike in stories(seed)]
        self._threads = [threading.Thread(target=self._play, args=(member,), daemon=True) for member in self.members]

    def start(self) -> None:
        """Starts all runs."""
        for thread in self._threads:
            thread.start()

    def finished(self) -> bool:
        """Whether every run has come to its end."""
        return all(member.done for member in self.members)

    def stop(self) -> None:
        """Ends what still runs, after its current call, and flushes the last spans."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=5)
        for provider in self._providers.values():
            provider.shutdown()

    def _member(self, story: Story, lookalike: bool) -> Member:
        turns = list(story.turns)
        natural = sum(turn.seconds + sum(call.seconds for call in turn.calls) for turn in turns)
        pace = self._rng.uniform(SHORTEST, LONGEST) / natural
        player = Player(story, tracer_of(self._provider(story), story), WallClock(), pace)
        return Member(story, lookalike, player)

    def _provider(self, story: Story) -> TracerProvider:
        if story.service not in self._providers:
            provider = TracerProvider(resource=Resource.create(dict(story.resource)), shutdown_on_exit=False)
            provider.add_span_processor(self._processor)
            self._providers[story.service] = provider
        return self._providers[story.service]

    def _play(self, member: Member) -> None:
        time.sleep(self._rng.uniform(0, 1.5))
        self._count(1)

        def told(_call: Call, result: Result) -> None:
            member.calls += 1
            member.failed += bool(result.failed)

        member.player.play(told, self._stop.is_set)
        self._count(-1)
        member.done = True

    def _count(self, change: int) -> None:
        with self._lock:
            self._running += change
            self.most_at_once = max(self.most_at_once, self._running)
