"""What a dialect is: tables of attribute keys. The logic that reads them stands once, in `_layout`.

A dialect is one file with a `DIALECT = Dialect(...)`. The first dialect, by `order`, that knows
a span takes it whole: no field of a span is ever read by two dialects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from detector.dialects._layout import Layout
from detector.dialects._seen import Kind, Seen
from detector.records import Span

__all__ = ["RUN_KEYS", "RUN_PATTERNS", "Dialect", "Kind", "Layout", "Seen"]

RUN_KEYS = (
    "crewai.execution_uuid",
    "gen_ai.conversation.id",
    "session.id",
    "conversation.id",
    "gcp.vertex.agent.session_id",
    "traceloop.association.properties.thread_id",
    "traceloop.association.properties.session_id",
    "langsmith.metadata.thread_id",
    "lmnr.association.properties.session_id",
    "ai.settings.context.sessionId",
    "ai.telemetry.metadata.sessionId",
)
"""Span attributes that name a run, first match wins. Ids that name one call or one turn of a
run (`gen_ai.agent.call.id` changes when a run resumes after an approval) are left out."""

_UUID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

RUN_PATTERNS = {
    # AutoGen 0.7.5 names agents and topics `NAME_TEAM/TEAM` and `NAME_TEAM.(TEAM)-A` or `-T`: a team is a run.
    "gen_ai.agent.id": re.compile(rf"_{_UUID}/\1$"),
    "messaging.destination": re.compile(rf"_{_UUID}\.\(\1\)-[AT]$"),
}
"""Span attributes that hold the id of a run, where none of RUN_KEYS is there: group 1 of what matches."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Key tables of one dialect. Where a field lists several keys, the first one present wins."""

    name: str
    spec: str
    """Where the keys are from: document or source file, with version or commit."""
    kinds: Mapping[str, Kind | Mapping[str, Kind]]
    """Marks. Attribute key to kind, or to a table from the attribute's value to kind; a value
    that the table lacks is OTHER. The first key present decides; a span with none isn't ours."""
    order: int = 50
    """Dialects are asked in rising order; specific marks belong before general ones."""
    span_kinds: frozenset[int] | None = None
    """OTLP span kinds that count; the others of this dialect are OTHER. None: all."""

    tool: tuple[str, ...] = ()
    tool_prefixes: tuple[str, ...] = ()
    """Cut off the span's name where no attribute names the tool."""
    call: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    result: tuple[str, ...] = ()
    arguments_event: tuple[str, str] | None = None
    """Span event and its attribute that carry arguments where no attribute does."""
    result_event: tuple[str, str] | None = None
    fields: Mapping[Kind, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """For HTTP, DATABASE and PROCESS: argument name to attribute keys. `name` in it is the tool."""

    failed: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """Keys whose value means failure: one of the set, or any value but an empty one for None."""
    status: tuple[str, ...] = ()
    inner_kinds: frozenset[int] = frozenset()
    """OTLP span kinds whose tool spans repeat another span's call, such as a tool server's own."""
    inner_mark: str = ""
    """`inner_kinds` holds only for spans with this attribute."""
    pending: tuple[str, str] | None = None
    """Attribute and value of a span that is sent when a call starts. Its parent is the call's span."""

    output: tuple[str, ...] = ()
    """Messages that the model wrote, as JSON or structured."""
    output_event: tuple[str, str] | None = None
    output_flat: str = ""
    """Prefix of flattened messages: `{prefix}{n}.message.tool_calls.{m}.tool_call.…`."""
    input: tuple[str, ...] = ()
    input_flat: str = ""
    setup: str = ""
    """Of the system prompt, where it stands by itself. Read only where a person has spoken."""
    user_event: str = ""
    """Name of the span event that carries one message of a person."""
    assistant_event: str = ""
    tokens_in: tuple[str, ...] = ()
    tokens_out: tuple[str, ...] = ()

    def keys(self) -> frozenset[str]:
        """Every attribute key that is read by its whole name."""
        lists = (self.tool, self.call, self.arguments, self.result, self.status, self.output, self.input)
        named = {key for keys in (*lists, self.tokens_in, self.tokens_out) for key in keys}
        infra = {key for table in self.fields.values() for keys in table.values() for key in keys}
        single = {self.inner_mark, *(self.pending or ())[:1]} - {""}
        return frozenset(self.kinds) | named | infra | single | frozenset(self.failed)

    def layout(self, keys: Collection[str]) -> Layout | None:
        """Where the fields stand in spans whose attributes have just `keys`; None where these are none of ours."""
        mark = _first(self.kinds, keys)
        if not mark:
            return None
        return Layout(
            dialect=self,
            mark=mark,
            kind=self.kinds[mark],
            tool=_first(self.tool, keys),
            call=_first(self.call, keys),
            arguments=_first(self.arguments, keys),
            result=_first(self.result, keys),
            status=_first(self.status, keys),
            output=_first(self.output, keys),
            input=_first(self.input, keys),
            tokens_in=_first(self.tokens_in, keys),
            tokens_out=_first(self.tokens_out, keys),
            fields={
                kind: tuple((name, key) for name, named in table.items() if (key := _first(named, keys)))
                for kind, table in self.fields.items()
            },
            failed=tuple((key, values) for key, values in self.failed.items() if key in keys),
            pending=self.pending if self.pending and self.pending[0] in keys else None,
            inner=bool(self.inner_kinds) and (not self.inner_mark or self.inner_mark in keys),
        )

    def read(self, span: Span, attributes: Mapping[str, Any]) -> Seen | None:
        """The span in this dialect, or None where it's no span of it.

        `attributes` holds those of the span's attributes that `keys` names, made plain; one that is
        None reads as absent. For many spans, keep the layouts and read by these.
        """
        present = {key: value for key, value in attributes.items() if value is not None}
        layout = self.layout(present)
        return None if layout is None else layout.read(span, present)


def _first(named: Iterable[str], keys: Collection[str]) -> str:
    return next((key for key in named if key in keys), "")
