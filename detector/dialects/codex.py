"""Codex CLI: what its own spans say. They never carry a command; only its log events do.

Source: openai/codex, codex-rs as of codex-cli 0.169.0: core/src/tools/parallel.rs (tool calls),
core/src/session/turn.rs (model turns), as seen in its export (tests/samples/codex).
"""

from __future__ import annotations

from detector.dialects.base import Dialect, Kind

DIALECT = Dialect(
    name="codex",
    spec="openai/codex codex-cli 0.169.0 codex-rs/core/src/tools/parallel.rs, session/turn.rs",
    order=15,
    kinds={
        "codex.tool.phase": {"dispatch": Kind.TOOL},
        "codex.usage.total_tokens": Kind.MODEL,
    },
    tool=("tool_name",),
    call=("call_id",),
    tokens_in=("gen_ai.usage.input_tokens",),
    tokens_out=("gen_ai.usage.output_tokens",),
    failed={"aborted": frozenset({"true"})},
)
