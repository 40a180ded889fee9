"""read(): the bytes of a Kafka record to the events of the runs in it. Pure: no clock, no I/O.

Decode > recognise > classify. Argument and result text goes no further than this module: what
comes out holds classes, names from our own tables, keyed hashes and span ids. Whose run an event
is, is told in `reading.runs`.

Where a call acts is what its own words say, else what a request or statement below it says. The
environment of the resource is taken only for a database that nothing else places: a service's
database comes with its deployment, while an agent in staging may call production's API.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from detector import otlp, plugins
from detector.dialects.base import Dialect, Kind, Seen
from detector.errors import Drop
from detector.lexicon import Lexicon, extend, outcomes
from detector.policy import manifest
from detector.reading import services
from detector.reading.classify import Classifier, Read
from detector.reading.globs import Globs
from detector.reading.record import EARLIEST, Record
from detector.reading.runs import Runs
from detector.reading.shapes import Shapes
from detector.records import Action, Blind, Outcome, Phase, RunEvents, Span, Turn, Values

if TYPE_CHECKING:
    from detector.config import Settings

MANY_RUNS = 100
"""Runs in one record beyond this are noted."""

MODEL_PATHS = (
    "/chat/completions",
    "/v1/messages",
    "/v1/responses",
    "/v1/completions",
    "/v1/embeddings",
    ":generateContent",
    ":streamGenerateContent",
    "/converse",
    "/invoke-with-response-stream",
    "/api/chat",
    "/api/generate",
)
"""Ends of paths by which agents reach their model: the turn's own span tells of these calls."""

PATHS_WITHOUT_HOST = frozenset({"/responses"})
"""Codex names the path alone of its requests to its model (`api.path`)."""

_TO_A_MODEL = frozenset({"post", "other"})

# Reading a member off an Enum class costs as much as reading an attribute of a span.
_OTHER, _TOOL, _MODEL, _AGENT = Kind.OTHER, Kind.TOOL, Kind.MODEL, Kind.AGENT
_OF_AGENTS = frozenset({_TOOL, _MODEL, _AGENT})
_HTTP, _DATABASE, _PROCESS = Kind.HTTP, Kind.DATABASE, Kind.PROCESS
_NO_ARGUMENTS, _NO_RESULT, _NO_WORDS = int(Blind.ARGUMENTS), int(Blind.RESULT), int(Blind.WORDS)
_NO_VALUES = Values()
_DONE, _INTENDED = int(Phase.DONE), int(Phase.INTENDED)
_UNKNOWN, _OK = int(Outcome.UNKNOWN), int(Outcome.OK)


class Reading(msgspec.Struct):
    """What one record held."""

    batches: list[RunEvents]
    """One for each run in the record, its events in the order of their end."""
    spans: int
    """Spans that were decoded."""
    rejects: dict[str, int]
    """Spans that were set aside, by reason; `no_spans` for a request without any."""
    notes: dict[str, int]
    """What was wrong with things that were kept: `args_missing`, `unreadable`, `clock_skewed`,
    `ids_missing`, `own_parent`, `runs_per_record` (where there are more than 100), `alias_ambiguous`."""
    aliases: dict[str, str]
    """Runs named by a trace of which the record shows whose they are, and the runs that they are a part of."""


class Reader:
    """Reads records. Build one for a process; it holds tables and a bounded memory of calls."""

    def __init__(
        self,
        hash_key: bytes = b"",
        max_text_chars: int = 16_384,
        max_record_bytes: int = 32 * 1024 * 1024,
        dialects: Sequence[Dialect] | None = None,
        lexicon: Lexicon | None = None,
        assets: Iterable[str] = (),
        names: dict[int, str] | None = None,
    ) -> None:
        """`assets`: globs of workflows' manifests. `names` takes what hashes stand for: not for a worker."""
        found: Sequence[Dialect] = plugins.find("detector.dialects") if dialects is None else dialects
        self._shapes = Shapes(found)
        self._classifier = Classifier(hash_key, max_text_chars, lexicon, Globs(assets), names)
        self._max_bytes = max_record_bytes

    @classmethod
    def from_settings(cls, settings: Settings, names: dict[int, str] | None = None) -> Reader:
        """A reader with the settings' key, limits and tables. Raises ConfigError where those can't be used."""
        return cls(
            settings.hash_key.get_secret_value().encode(),
            settings.max_text_chars,
            settings.max_record_bytes,
            lexicon=Lexicon(extend.load(settings.lexicon_file)),
            assets=manifest.globs(manifest.load(settings.manifests)),
            names=names,
        )

    def read(self, value: bytes, arrived: int = 0) -> Reading:
        """The events in one record. `arrived`: when it reached Kafka, nanoseconds since 1970; 0: unknown.

        Raises Drop where nothing of the record can be used: `too_large`, or a reason of `otlp.decode`.
        """
        if len(value) > self._max_bytes:
            raise Drop("too_large", f"expected at most {self._max_bytes} bytes, came {len(value)}")
        rejects: dict[str, int] = {}
        notes: dict[str, int] = {}
        spans = otlp.decode(value, rejects)
        if not spans and not rejects:
            rejects["no_spans"] = 1
        attributes = otlp.pick(spans, self._shapes.keys_read)
        shapes = [self._shapes[tuple(picked)] for picked in attributes]
        seen = [
            shape.layout.read(span, picked) if shape.layout is not None else None
            for span, shape, picked in zip(spans, shapes, attributes, strict=True)
        ]
        record = Record(Runs(spans, attributes, shapes, notes), seen, notes, arrived)
        for index, found in enumerate(seen):
            if found is not None and found.kind is not _OTHER:
                self._events(spans[index], found, index, record)
        batches = record.runs.batches(arrived)
        if len(batches) > MANY_RUNS:
            notes["runs_per_record"] = len(batches)
        return Reading(batches, len(spans), rejects, notes, record.runs.aliases)

    def _events(self, span: Span, seen: Seen, index: int, record: Record) -> None:
        at = span.end
        if not EARLIEST <= at <= record.latest:
            at = record.instead_of_end(span)
        kind = seen.kind
        events = record.runs.batch_of(index, of_agent=kind in _OF_AGENTS).events
        if kind is _TOOL:
            events.append(self._tool(span, seen, at, record))
        elif seen.intended:
            # A start signal of a turn or an agent says nothing that its end does not.
            return
        elif kind is _MODEL:
            events.append(self._turn(span, seen, at, record))
            for asked in seen.asked:
                read = self._classifier.call(asked.tool, asked.arguments)
                action = self._action(span, at, read, asked.call, record)
                if asked.arguments is None:
                    action.blind |= _NO_ARGUMENTS
                events.append(action)
        elif kind is _AGENT:
            events.append(Turn(span.span_id, span.trace_id, at, not record.within_call(span), seen.failed))
        elif not record.of_model(span) and (inner := self._infra(span, seen, index, at, record)) is not None:
            events.append(inner)

    def _turn(self, span: Span, seen: Seen, at: int, record: Record) -> Turn:
        """A model's turn, and what it read that no other span has."""
        turn = Turn(span.span_id, span.trace_id, at, False, seen.failed, seen.user, seen.tokens_in, seen.tokens_out)  # noqa: FBT003
        if seen.said:
            turn.asked, turn.named = self._classifier.provenance.person(seen.said, seen.told)
        if seen.results and not record.has_results():
            turn.supplied = self._classifier.provenance.result(seen.results)
        if seen.wordless:
            turn.blind = _NO_WORDS
        return turn

    def _tool(self, span: Span, seen: Seen, at: int, record: Record) -> Action:
        arguments, result = seen.arguments, seen.result
        read = self._classifier.call(seen.tool, arguments)
        if seen.intended:
            # A start signal has an id of its own and lies below the span that it announces.
            span.span_id = span.parent_id or span.span_id
        action = self._action(span, at, read, seen.call, record)
        if arguments is None:
            action.blind |= _NO_ARGUMENTS
        if seen.intended:
            return action
        if arguments is None:
            record.note("args_missing")
        if result is None:
            action.blind |= _NO_RESULT
            looked_at = outcomes.NO_RESULT
        else:
            looked_at = self._classifier.result(result)
            action.secrets_seen = looked_at.secrets
            if looked_at.text and (supplied := self._classifier.provenance.result(looked_at.text)):
                of_call = action.values or _NO_VALUES
                action.values = Values(of_call.kinds, of_call.aims, of_call.carried, supplied)
        if result is not None or seen.failed or seen.status:
            action.outcome = outcomes.read(looked_at, seen.message, seen.failed, seen.status, read.does)
        elif span.status == 1 and arguments is None:
            # With arguments and no result it may have waited for an approval, whatever its status says.
            action.outcome = _OK
        action.phase = _DONE
        action.inner = seen.inner or record.repeats_parent(span, seen)
        if not action.env:
            action.env = record.places.get(span.span_id, 0)
        return action

    def _infra(self, span: Span, seen: Seen, index: int, at: int, record: Record) -> Action | None:
        fields: Mapping[str, Any] = seen.arguments
        tool = _infra_name(seen.kind, fields)
        if not tool:
            return None
        read = self._classifier.infra(tool, seen.kind, fields)
        action = self._action(span, at, read, "", record)
        if action.env and span.parent_id:
            record.places[span.parent_id] = record.places.get(span.parent_id, 0) | action.env
        if not action.env and seen.kind is _DATABASE:
            action.env = record.runs.environment_of(index)
        if not (fields.get("url") or fields.get("sql") or fields.get("command")):
            action.blind |= _NO_ARGUMENTS
        action.outcome = _infra_outcome(seen, read.does)
        action.phase, action.inner = _DONE, True
        return action

    def _action(self, span: Span, at: int, read: Read, call: str, record: Record) -> Action:
        """A call as it is asked for: what else is known of one that was made, its caller adds."""
        if read.blind:
            record.note("unreadable")
        return Action(
            span.span_id,
            span.trace_id,
            at,
            _INTENDED,
            self._classifier.short_hash(call) if call else 0,
            span.parent_id,
            False,  # noqa: FBT003 - by position, for speed
            read.tool,
            read.does,
            read.environment,
            _UNKNOWN,
            span.blind | read.blind,
            read.shape,
            read.targets,
            (),
            read.secrets,
            read.signs,
            read.assets,
            read.principals,
            read.mode or services.of(span.resource).mode,
            read.values,
        )


def _infra_outcome(seen: Seen, does: int) -> Outcome:
    if seen.kind is _PROCESS:
        return Outcome.ERROR if seen.status or seen.failed else Outcome.OK
    return outcomes.read(outcomes.NO_RESULT, seen.message, seen.failed, seen.status, does)


def _infra_name(kind: Kind, fields: Mapping[str, Any]) -> str:
    """What an infrastructure span is called as an action; empty for a request to a model."""
    if kind is _HTTP:
        method = str(fields.get("method", "other")).lower()[:16]
        # Only what is sent to a model's path is a turn: anybody may end a fragment in the same words.
        path = str(fields.get("url", "")).partition("#")[0].partition("?")[0]
        to_model = method in _TO_A_MODEL and (path.endswith(MODEL_PATHS) or path in PATHS_WITHOUT_HOST)
        return "" if to_model else "http." + method
    if kind is _DATABASE:
        words = str(fields.get("operation") or fields.get("sql") or "").split(None, 1)
        return "db." + (words[0].lower()[:16] if words else "other")
    return "process"
