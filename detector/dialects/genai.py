"""OpenTelemetry GenAI and MCP conventions, current and deprecated, with the near variants in use.

Current: open-telemetry/semantic-conventions-genai @7e7e4e76, model/gen-ai/spans.yaml. Deprecated
keys: semantic-conventions v1.36.0, docs/gen-ai. Variants: Gemini CLI 0.61 (`tool_call`,
`gen_ai.tool.call_id`), Strands 1.62 (arguments in span events), pydantic-ai 2.68 and 0.x
(`tool_arguments`), LangSmith (`gen_ai.prompt`, `gen_ai.completion`), google-adk 1.14
(`gcp.vertex.agent.*`), Logfire 5.2 (pending spans).
"""

from __future__ import annotations

from detector.dialects.base import Dialect, Kind

DIALECT = Dialect(
    name="genai",
    spec="open-telemetry/semantic-conventions-genai @7e7e4e76 model/gen-ai/spans.yaml; semantic-conventions v1.36.0",
    order=20,
    kinds={
        "gen_ai.operation.name": {
            "execute_tool": Kind.TOOL,
            "tool_call": Kind.TOOL,
            "chat": Kind.MODEL,
            "generate_content": Kind.MODEL,
            "text_completion": Kind.MODEL,
            "llm_call": Kind.MODEL,
            "invoke_agent": Kind.AGENT,
            "invoke_workflow": Kind.AGENT,
        },
        "mcp.method.name": {"tools/call": Kind.TOOL},
        "gen_ai.tool.name": Kind.TOOL,
        "gen_ai.tool.call.id": Kind.TOOL,
        "gen_ai.response.model": Kind.MODEL,
        "gen_ai.request.model": Kind.MODEL,
    },
    tool=("gen_ai.tool.name", "tool_name"),
    tool_prefixes=("execute_tool ", "running tool: ", "tools/call ", "MCP send tools/call "),
    call=("gen_ai.tool.call.id", "gen_ai.tool.call_id", "tool_call_id", "tool_use_id"),
    arguments=(
        "gen_ai.tool.call.arguments",
        "tool_arguments",
        "gcp.vertex.agent.tool_call_args",
        "gen_ai.tool.input",
        "gen_ai.prompt",
        "gen_ai.input.messages",
        "full_command",
        "file_path",
    ),
    arguments_event=("gen_ai.tool.message", "content"),
    result=(
        "gen_ai.tool.call.result",
        "tool_response",
        "gcp.vertex.agent.tool_response",
        "gen_ai.tool.output",
        "gen_ai.completion",
        "gen_ai.output.messages",
    ),
    result_event=("gen_ai.choice", "message"),
    failed={
        "error.type": None,
        "gen_ai.tool.status": frozenset({"error"}),
        "gen_ai.task.status": frozenset({"failure"}),
    },
    status=("rpc.response.status_code", "http.response.status_code"),
    # A tool server's span and the client's stand for one call.
    inner_kinds=frozenset({2}),
    inner_mark="mcp.method.name",
    pending=("logfire.span_type", "pending_span"),
    output=("gen_ai.output.messages", "gen_ai.completion"),
    output_event=("gen_ai.choice", "message"),
    input=("gen_ai.input.messages", "gen_ai.prompt"),
    setup="gen_ai.system_instructions",
    user_event="gen_ai.user.message",
    assistant_event="gen_ai.assistant.message",
    # The last ones are Claude Code's.
    tokens_in=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "input_tokens"),
    tokens_out=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "output_tokens"),
)
