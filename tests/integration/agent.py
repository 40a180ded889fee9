"""`python -m tests.integration.agent STORY`: an agent with an OpenTelemetry SDK and nothing of the detector's.

It exports over OTLP as OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL say; its run id, where it
has one, comes with OTEL_RESOURCE_ATTRIBUTES. After an incident it works on: a byte into --beats every 20 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from tests.integration.stories import HONEST, INCIDENT, Story

STORIES = {"incident": INCIDENT, "honest": HONEST}
PACE_SECONDS = 0.1


def exporter(endpoint: str, protocol: str) -> SpanExporter:
    """The SDK's exporter for `grpc` or `http/protobuf`, as a user would make it without the environment."""
    if protocol == "grpc":
        return Grpc(endpoint=endpoint, insecure=True)
    return Http(endpoint=f"{endpoint}/v1/traces")


def play(story: Story, sender: SpanExporter, service: str, conversation: str = "") -> None:
    """Does the story's calls in one trace; each turn's spans leave before the next turn, as an agent's do."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(sender, schedule_delay_millis=50))
    tracer = provider.get_tracer("tests.agent")
    common = {"gen_ai.conversation.id": conversation} if conversation else {}
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": service, **common}
    with tracer.start_as_current_span(f"invoke_agent {service}", kind=SpanKind.INTERNAL, attributes=agent):
        for turn in story:
            for command, result, failed in turn:
                call = {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "shell",
                    "gen_ai.tool.call.arguments": json.dumps({"command": command}),
                    **common,
                }
                with tracer.start_as_current_span("execute_tool shell", attributes=call) as span:
                    span.set_attribute("gen_ai.tool.call.result", result)
                    if failed:
                        span.set_status(Status(StatusCode.ERROR))
            provider.force_flush()
            time.sleep(PACE_SECONDS)
    provider.shutdown()


def main() -> None:
    """Plays the story that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.agent")
    parser.add_argument("story", choices=sorted(STORIES))
    parser.add_argument("--beats", type=Path)
    options = parser.parse_args()
    sender = exporter(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"], os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"])
    play(STORIES[options.story], sender, "coder")
    while options.story == "incident":
        with options.beats.open("ab") as beats:
            beats.write(b".")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
