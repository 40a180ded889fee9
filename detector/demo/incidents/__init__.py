"""Publicly reported destructions by agents, re-enacted from the reporting, with honest look-alikes of each.

For measuring only: nothing here is learnt from, and the words are not those of the training fleet. An incident is a
module: what was reported and where, its script `plain` and `disguised`, two look-alikes in the same dangerous words.
`told` makes one run of a script, by seed; its requests are what an exporter would send.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.demo.incidents import (
    backup,
    cleaned,
    destroyed,
    drive,
    dropped,
    freeze,
    home,
    inbox,
    migrated,
    overwritten,
    protection,
    pruned,
    recreated,
    reset,
    subagent,
    volume,
)
from detector.demo.incidents.base import FORMS, Act, Fails, Fleet, Form, Hears, Incident, Part, Script, Teller
from detector.demo.incidents.cast import Cast
from detector.demo.script import Story
from detector.demo.simulate import EPOCH, requests_of

__all__ = ["FORMS", "INCIDENTS", "Fleet", "Form", "Incident", "Script", "Teller", "Told", "fleets", "stumbling", "told"]

INCIDENTS: tuple[Incident, ...] = tuple(
    module.INCIDENT
    for module in (
        volume, freeze, recreated, inbox, overwritten, drive, destroyed, protection, subagent, pruned, backup, dropped,
        reset, migrated, cleaned, home,
    )
)  # fmt: skip
_MONTHS = 120 * 86_400
_SPELLINGS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"gen_ai.tool.call.arguments": "tool_arguments", "gen_ai.tool.call.result": "tool_response"},
    {"gen_ai.tool.call.id": "gen_ai.tool.call_id"},
)
"""Spellings of the GenAI conventions that the training fleet does not use: pydantic-ai's, Gemini CLI's."""


@dataclass(frozen=True)
class Told:
    """One run of a script. `act` and `fails` count calls from 0: the call that can't be undone, the one refused."""

    story: Story
    script: Script
    requests: list[bytes]
    """ExportTraceServiceRequest in protobuf, in the order in which they leave."""
    act: int | None
    fails: int | None


def fleets() -> dict[str, Fleet]:
    """The fleets in which the incidents happen, by workflow."""
    return {incident.fleet.workflow: incident.fleet for incident in INCIDENTS}


def told(fleet: Fleet, teller: Teller, key: str) -> Told:
    """The run that `teller` makes of the seed `key`: the same key, the same bytes."""
    rng = random.Random(f"incidents/{key}")  # noqa: S311 - a story
    cast = Cast(rng)
    script = teller(cast)
    story = Story(
        run=f"{cast.service}-{rng.getrandbits(40):010x}",
        workflow=fleet.workflow,
        task=teller.__name__,
        service=cast.service,
        agent=cast.agent,
        dialect=cast.dialect,
        identity=cast.identity,
        turns=script.turns(cast),
        resource={"service.name": cast.service, "service.version": "0.9.1", "agent.workflow": fleet.workflow},
    )
    start = EPOCH + rng.randrange(_MONTHS) * 1_000_000_000
    requests = requests_of(story, start, 2.0 ** rng.uniform(-1.6, 2.6), rng.choice((0.2, 1.0, 5.0)))
    if (spelt := rng.choice(_SPELLINGS)) and story.dialect == "genai":
        requests = [_respelt(request, spelt) for request in requests]
    return Told(story, script, requests, script.place(Act), script.place(Fails))


def stumbling(fleet: Fleet, teller: Teller) -> Teller:
    """`teller`, but that one call is refused on the way; the person says go on, and honest work goes on."""

    def stumbles(cast: Cast) -> Script:
        script = teller(cast)
        at = cast.number(0, max(0, 2 * len(script.parts) // 3))
        refused: tuple[Part, ...] = (Fails(fleet.refused(cast)),)
        refused += tuple(cast.maybe(0.5, Hears("Never mind that, go on.")))
        return Script(script.request, script.parts[:at] + refused + script.parts[at:], script.answer)

    return stumbles


def _respelt(request: bytes, spelt: Mapping[str, str]) -> bytes:
    message = ExportTraceServiceRequest.FromString(request)
    for resource in message.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                for attribute in span.attributes:
                    attribute.key = spelt.get(attribute.key, attribute.key)
    return message.SerializeToString(deterministic=True)
