"""`python -m detector.demo.agent incident|drift`: one scripted agent as a process of its own.

It does what its story says, at an agent's pace, and waits for nobody: where
OTEL_EXPORTER_OTLP_ENDPOINT is set its spans are exported in the background every 100 ms, and
it neither asks nor learns what becomes of them. Each call that has ended is one JSON line on
its standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from detector.demo.estate import estate
from detector.demo.play import Player, WallClock, tracer_of
from detector.demo.script import Call, Result, Story
from detector.demo.stories.drift import drifting
from detector.demo.stories.incident import incident
from detector.demo.worlds import RealWorld

EXPORT_MILLISECONDS = 100


def main() -> None:
    """Plays the story that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m detector.demo.agent", description="One agent of the demo.")
    parser.add_argument("story", choices=("incident", "drift"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=1.0, help="multiplies all durations")
    parser.add_argument("--repo", type=Path, help="incident: the scratch repository")
    parser.add_argument("--platform", default="", help="incident: host:port of the stand-in platform")
    options = parser.parse_args()
    if options.story == "drift":
        story = drifting(options.seed)
    else:
        if not options.repo or not options.platform:
            parser.error("incident: expected --repo and --platform")
        story = incident(options.seed, estate(options.seed), RealWorld(options.repo, options.platform))
    _play(story, options.pace)


def _play(story: Story, pace: float) -> None:
    # What `detector run` put into OTEL_RESOURCE_ATTRIBUTES joins here: the run's id.
    resource = Resource.create({**story.resource, "process.pid": os.getpid()})
    provider = TracerProvider(resource=resource)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=EXPORT_MILLISECONDS))
    _tell({"run": os.environ.get("AGENT_RUN_ID", ""), "pid": os.getpid(), "at": time.time_ns()})

    def told(call: Call, result: Result) -> None:
        _tell({"tool": call.tool, "note": call.note, "failed": bool(result.failed), "at": time.time_ns()})

    Player(story, tracer_of(provider, story), WallClock(), pace).play(told)
    provider.shutdown()


def _tell(line: dict[str, str | int | bool]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
