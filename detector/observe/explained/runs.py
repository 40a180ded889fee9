"""Runs as stories, out of a file of spans or out of the run log.

A file of spans still has the words of what calls were aimed at; the run log has hashes and classes alone. Secrets are
shown in neither.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from detector.config import Settings
from detector.observe.explained.looks import Looks
from detector.observe.explained.story import Story
from detector.observe.explained.witness import Answer, Look, Witness
from detector.policy.policy import Policy
from detector.read import Reader
from detector.reading.names import clean
from detector.records import Action, Blind, Labelled, RunEvents, Turn, Verdict
from detector.replay import Replay, batches
from detector.runs.effects import Handed
from detector.runs.judge import Judge
from detector.scoring.model import load


def judge_of(settings: Settings) -> Judge:
    """The judge that a worker with these settings has. Raises ModelError or ConfigError."""
    return Judge(load(settings.models), Policy.from_settings(settings))


def of_file(path: Path, settings: Settings) -> list[Story]:
    """The runs in `path`, as `detector replay` reads it, in the order in which they began. Raises DetectorError."""
    names: dict[int, str] = {}
    return tell(batches(path, Reader.from_settings(settings, names)), judge_of(settings), names)


def tell(records: Iterable[RunEvents], judge: Judge, names: Mapping[int, str] | None = None) -> list[Story]:
    """The runs in `records` of the run log; with `names` of what hashes stand for, as ingest makes them."""
    teller = _Teller(judge, names)
    for record in records:
        teller.take(record)
    return [story for story in teller.stories.values() if story.calls or story.turns]


class _Teller:
    def __init__(self, judge: Judge, names: Mapping[int, str] | None) -> None:
        self._witness = Witness(judge)
        self._replay = Replay(self._witness.judge)
        self._judge, self._names = judge, names
        self._looks: dict[str, Looks] = {}
        self.stories: dict[str, Story] = {}

    def take(self, record: RunEvents) -> None:
        """Steps the record's run, and those that it hands something to."""
        due = deque([record])
        while due:
            record = due.popleft()
            self._witness.seen.clear()
            effects = self._replay.apply(record)
            self._tell(record, [effect for effect in effects if isinstance(effect, Verdict)])
            if self._names is not None:
                # In the run log what one run hands to another has a record of its own.
                due += [effect.record for effect in effects if isinstance(effect, Handed)]

    def _story(self, record: RunEvents) -> Story:
        limits = self._judge.model.calibration.of(record.workflow)
        if record.run not in self.stories:
            self.stories[record.run] = Story(record.run, "", "", self._judge.model.version, 0.0, None)
        story = self.stories[record.run]
        story.words = self._names is not None
        if record.workflow or not story.workflow:
            story.workflow, story.alert, story.pause = clean(record.workflow), limits.alert, limits.pause
        story.service = story.service or clean(record.service)
        return story

    def _tell(self, record: RunEvents, verdicts: list[Verdict]) -> None:
        story = self._story(record)
        if record.run not in self._looks:
            self._looks[record.run] = Looks(story, self._judge.model.layout, self._names or {})
        looks = self._looks[record.run]
        manifests = self._judge.policy.manifests_of(record.workflow, record.workflow_rank, record.service)
        seen = set()
        for look in self._witness.seen:
            if isinstance(look, Answer):
                looks.answered(look)
                continue
            seen.add((look.action.span, look.action.phase))
            looks.take(look, manifests)
            verdicts = self._said(story, look, verdicts)
        for event in record.events:
            if isinstance(event, Action) and (event.span, event.phase) not in seen:
                looks.passed(event)
            elif isinstance(event, Turn):
                story.turns += not event.root
                story.wordless += bool(event.blind & Blind.WORDS)
            elif isinstance(event, Labelled):
                why = f": {clean(event.why)}" if event.why else ""
                story.notes.append(f"{_after(story)}{clean(event.who)} says {clean(event.kind)}{why}")
        for verdict in verdicts:
            story.level = verdict.level
            story.notes.append(f"{_after(story)}{verdict.level}, because of {clean(verdict.cause)}")

    def _said(self, story: Story, look: Look, verdicts: list[Verdict]) -> list[Verdict]:
        """Gives a call the verdicts that rest on it; returns the others."""
        call = story.calls[-1] if look.position + 1 == story.calls[-1].number else None
        call = call or next(known for known in reversed(story.calls) if known.number == look.position + 1)
        mine = [v for v in verdicts if v.span_id == look.action.span.hex() and v.at == look.action.at]
        for verdict in mine:
            story.level = verdict.level
            shares = "; ".join(f"{share.share:.0%} of the score: {share.words}" for share in verdict.behaviours[:3])
            call.verdicts.append(f"{verdict.level} because of {verdict.cause}" + (f" ({shares})" if shares else ""))
        call.level = story.level
        return [verdict for verdict in verdicts if verdict not in mine]


def _after(story: Story) -> str:
    return f"after call {story.calls[-1].number}: " if story.calls else ""
