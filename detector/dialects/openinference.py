"""OpenInference, the conventions of Arize Phoenix.

Source: Arize-ai/openinference @1fe497f1, spec/semantic_conventions.md.
"""

from __future__ import annotations

from detector.dialects.base import Dialect, Kind

DIALECT = Dialect(
    name="openinference",
    spec="Arize-ai/openinference @1fe497f1 spec/semantic_conventions.md",
    # Before genai: some instrumentations add gen_ai keys to spans that are OpenInference's.
    order=10,
    kinds={"openinference.span.kind": {"TOOL": Kind.TOOL, "LLM": Kind.MODEL, "AGENT": Kind.AGENT}},
    tool=("tool.name",),
    call=("tool.id", "tool_call.id"),
    # `tool.parameters` is a schema in most instrumentations, so it comes last and is not read.
    arguments=("input.value",),
    result=("output.value",),
    failed={"error.type": None},
    output_flat="llm.output_messages.",
    input_flat="llm.input_messages.",
    tokens_in=("llm.token_count.prompt",),
    tokens_out=("llm.token_count.completion",),
)
