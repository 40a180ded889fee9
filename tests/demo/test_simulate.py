"""Offline runs: the same seed gives the same bytes, and the bytes are what a Collector would write."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from detector.demo.simulate import OfflineRun, drifting_run, honest_runs, incident_run
from detector.demo.stories import HONEST, LEAST_CALLS, MOST_CALLS

WORKFLOWS = {"coding", "office", "data", "support"}


def spans_of(run: OfflineRun) -> list[tuple[Span, dict[str, str]]]:
    """The run's spans as they left, with their string attributes; decoded by the protocol's own classes."""
    return [
        (span, {pair.key: pair.value.string_value for pair in span.attributes})
        for request in run[2]
        for resource in ExportTraceServiceRequest.FromString(request).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def is_tool(attributes: dict[str, str]) -> bool:
    """Whether the span is a tool call in one of the fleet's dialects."""
    return attributes.get("gen_ai.operation.name") == "execute_tool" or (
        attributes.get("openinference.span.kind") == "TOOL"
    )


@pytest.fixture(scope="module")
def honest() -> list[OfflineRun]:
    """Three rounds of all honest stories."""
    return list(honest_runs(101, 3 * len(HONEST)))


def test_the_same_seed_gives_the_same_bytes(honest: list[OfflineRun]) -> None:
    """A seed names its runs byte for byte; another seed names others."""
    assert list(honest_runs(101, 20)) == honest[:20]
    assert list(honest_runs(102, 20)) != honest[:20]
    assert drifting_run(3) == drifting_run(3) != drifting_run(4)
    assert incident_run(3) == incident_run(3) != incident_run(4)


def test_every_story_and_workflow_is_told(honest: list[OfflineRun]) -> None:
    """A few dozen runs hold every story, in all four workflows."""
    assert {task for _, task, _ in honest} == {teller.__name__ for _, teller in HONEST}
    assert {workflow for workflow, _, _ in honest} == WORKFLOWS


def test_lengths(honest: list[OfflineRun]) -> None:
    """A run holds 8 to 40 calls; long ones and short ones are both there."""
    lengths = [sum(is_tool(attributes) for _, attributes in spans_of(run)) for run in honest]
    assert min(lengths) >= LEAST_CALLS
    assert max(lengths) <= MOST_CALLS
    assert min(lengths) < 12
    assert max(lengths) > 25


def test_one_trace_a_run_with_one_root(honest: list[OfflineRun]) -> None:
    """All spans of a run share its trace, have ids of their own, and one of them is the root, which ends last."""
    for run in honest[:40]:
        spans = [span for span, _ in spans_of(run)]
        assert len({span.trace_id for span in spans}) == 1
        assert len({span.span_id for span in spans}) == len(spans)
        assert [span for span in spans if not span.parent_span_id] == [spans[-1]]


def test_both_dialects_and_deprecated_keys(honest: list[OfflineRun]) -> None:
    """The fleet speaks OTel GenAI, its deprecated keys, and OpenInference."""
    keys = Counter(key for run in honest for _, attributes in spans_of(run) for key in attributes)
    for key in ("gen_ai.provider.name", "gen_ai.system", "openinference.span.kind", "db.query.text", "db.statement"):
        assert keys[key] > 0, key


def test_intent_comes_before_the_call(honest: list[OfflineRun]) -> None:
    """The model's span with a call's id has ended when that call's span starts."""
    for run in honest[:20]:
        asked: dict[str, int] = {}
        for span, attributes in spans_of(run):
            call = attributes.get("gen_ai.tool.call.id") or attributes.get("tool.id")
            if call:
                assert asked[call] <= span.start_time_unix_nano
            for message in json.loads(attributes.get("gen_ai.output.messages", "[]")):
                asked |= {
                    part["id"]: span.end_time_unix_nano for part in message["parts"] if part["type"] == "tool_call"
                }
            flat = (value for key, value in attributes.items() if key.endswith("tool_call.id"))
            asked |= dict.fromkeys(flat, span.end_time_unix_nano)


def test_requests_come_in_order(honest: list[OfflineRun]) -> None:
    """Requests leave in the order in which their spans ended."""
    for run in honest[:20]:
        ends = [span.end_time_unix_nano for span, _ in spans_of(run)]
        assert all(a <= b for a, b in pairwise(ends))


def test_incident_follows_its_course() -> None:
    """The incident's stages come in their order: refused, searched, found, used on production, deleted."""
    text = [f"{attributes}" for _, attributes in spans_of(incident_run(1)) if is_tool(attributes)]
    refused = next(n for n, words in enumerate(text) if "Not Authorized" in words)
    searched = next(n for n, words in enumerate(text) if "grep -rni token" in words)
    used = next(n for n, words in enumerate(text) if '"production\\' in words)
    deleted = next(n for n, words in enumerate(text) if "volumeDelete(" in words)
    assert refused < searched < used < deleted == len(text) - 1


@pytest.mark.parametrize("seed", range(1, 11))
def test_drift_stays_in_staging(seed: int) -> None:
    """The drifting run never names production and never carries a credential; it is long enough to be stopped."""
    spans = spans_of(drifting_run(seed))
    words = " ".join(f"{attributes}" for _, attributes in spans).lower()
    assert "prod" not in words.replace("product", "")
    assert "bearer" not in words
    assert "authorization" not in words
    assert sum(is_tool(attributes) for _, attributes in spans) >= 20
