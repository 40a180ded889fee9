"""What is read of spans that have the same attribute keys, worked out once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from detector.dialects.base import RUN_KEYS, RUN_PATTERNS, Dialect, Layout

WORKFLOW_KEYS = (
    ("gen_ai.workflow.name", 1),
    ("traceloop.workflow.name", 2),
    ("gen_ai.agent.name", 3),
    ("agent.name", 3),
)
"""Span attributes that name a workflow, with their rank; the resource's own key has 0."""

MAX_SHAPES = 2048
"""Sets of keys that are remembered; a fleet has some dozens."""


class Shape(NamedTuple):
    """Where in a span the fields stand that somebody reads."""

    layout: Layout | None
    """None: no dialect knows such spans."""
    run_keys: tuple[str, ...]
    workflow_keys: tuple[tuple[str, int], ...]
    run_patterns: tuple[tuple[str, re.Pattern[str]], ...] = ()
    """Keys with what finds a run's id in their values."""


class Shapes(dict[tuple[str, ...], Shape]):
    """Shape by the keys of a span's picked attributes."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        super().__init__()
        self._dialects = sorted(dialects, key=lambda dialect: (dialect.order, dialect.name))
        own = frozenset(RUN_KEYS) | RUN_PATTERNS.keys() | {key for key, _ in WORKFLOW_KEYS}
        self.keys_read = own.union(*(dialect.keys() for dialect in dialects))
        """All attribute keys that anybody reads."""

    def __missing__(self, keys: tuple[str, ...]) -> Shape:
        layouts = (dialect.layout(keys) for dialect in self._dialects)
        shape = Shape(
            next((layout for layout in layouts if layout is not None), None),
            tuple(key for key in RUN_KEYS if key in keys),
            tuple((key, rank) for key, rank in WORKFLOW_KEYS if key in keys),
            tuple((key, pattern) for key, pattern in RUN_PATTERNS.items() if key in keys),
        )
        if len(self) >= MAX_SHAPES:
            self.clear()
        self[keys] = shape
        return shape
