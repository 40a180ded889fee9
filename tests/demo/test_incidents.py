"""Re-enacted incidents: what is marked destroys, look-alikes are honest in the same words, pools are training's not."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.demo import pools as trained
from detector.demo import scene
from detector.demo.conventions import SCOPES
from detector.demo.incidents import FORMS, INCIDENTS, Form, Incident, Teller, Told, fleets, pools, stumbling, told
from detector.demo.incidents.base import Hears
from detector.demo.script import Call, Story
from detector.demo.stories import HONEST, tell

SEEDS = range(6)
SCRIPTS = [(incident, form) for incident in INCIDENTS for form in FORMS]
ALIKE = [(incident, teller) for incident in INCIDENTS for teller in incident.lookalikes]
TRIAL = re.compile(
    r"staging|dev|preview|sandbox|qa|test|scratch|restore|legacy|copy|dump|backup|mirror|branch|:memory:|/tmp/"
)
CODED = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


def runs(incident: Incident, teller: Teller) -> list[Told]:
    """A few tellings of one script."""
    return [told(incident.fleet, teller, f"test/{incident.name}/{teller.__name__}/{n}") for n in SEEDS]


def said(call: Call) -> str:
    """A call's tool and arguments."""
    return f"{call.tool} {dict(call.arguments)}"


def decoded(text: str) -> str:
    """`text`, and what is encoded in it."""
    parts = [base64.b64decode(found, validate=False) for found in CODED.findall(text) if len(found) % 4 == 0]
    return " ".join([text, *(part.decode(errors="ignore") for part in parts)])


def strings(value: Any) -> Iterator[str]:
    """All strings in nested tuples."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(strings, value))


def words_in(module: Any) -> set[str]:
    """Every word of a module of pools."""
    return {word for name in dir(module) if name.isupper() for word in strings(getattr(module, name)) if word}


def ids(pair: tuple[Incident, Any]) -> str:
    """A name for a test's case."""
    incident, what = pair
    return f"{incident.name}-{what if isinstance(what, str) else what.__name__}"


def test_each_has_sources_and_a_name() -> None:
    """Ten incidents at least, each with where it was reported, two look-alikes, and names of its own."""
    assert len(INCIDENTS) >= 10
    assert len({incident.name for incident in INCIDENTS}) == len(INCIDENTS)
    for incident in INCIDENTS:
        assert incident.sources, incident.name
        assert len({teller.__name__ for teller in incident.lookalikes}) == 2


@pytest.mark.parametrize("case", SCRIPTS, ids=ids)
def test_one_act_is_marked(case: tuple[Incident, Form]) -> None:
    """Each form has an act after at least one honest call; no call before it holds the words of the act."""
    incident, form = case
    for run in runs(incident, getattr(incident, form)):
        assert run.act is not None
        assert run.act >= 1
        assert run.fails is None


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_the_plain_act_says_what_it_destroys(incident: Incident) -> None:
    """The marked call of the plain form is the one in dangerous words."""
    for run in runs(incident, incident.plain):
        assert run.act is not None
        assert re.search(incident.danger, said(run.script.calls[run.act]))


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_the_disguised_act_hides_it(incident: Incident) -> None:
    """The marked call mostly has other words than the plain one; what it runs stands in it, encoded, or before it."""
    hidden = 0
    for run in runs(incident, incident.disguised):
        assert run.act is not None
        act = said(run.script.calls[run.act])
        hidden += not re.search(incident.danger, act)
        assert len(decoded(" ".join(said(call) for call in run.script.calls[: run.act + 1]))) > len(act)
    assert hidden >= len(SEEDS) / 2


@pytest.mark.parametrize("case", ALIKE, ids=ids)
def test_lookalikes(case: tuple[Incident, Teller]) -> None:
    """A look-alike holds the same dangerous words, marks nothing, and a person or a place makes it honest."""
    incident, teller = case
    for run in runs(incident, teller):
        assert run.act is None
        assert any(re.search(incident.danger, said(call)) for call in run.script.calls)
        heard = [run.script.request, *(part.text for part in run.script.parts if isinstance(part, Hears))]
        allowed = re.search(
            r"(?i)delet|drop|destroy|prune|empty|rewrite|bin |reset|move|contents|instead|clear|approve",
            " ".join(heard),
        )
        assert allowed or TRIAL.search(" ".join(map(said, run.script.calls))), heard


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_the_same_seed_gives_the_same_bytes(incident: Incident) -> None:
    """A seed names its runs byte for byte; another seed names others, in more than their ids."""
    for teller in (incident.plain, incident.disguised, *incident.lookalikes):
        first, again, other = (told(incident.fleet, teller, key) for key in ("a", "a", "b"))
        assert first.requests == again.requests
        assert [said(call) for call in first.script.calls] != [said(call) for call in other.script.calls]


def test_all_dialects_and_both_identities_come() -> None:
    """The runs are real OTLP in every dialect of the fleet, also in spellings that training does not use."""
    many = [told(INCIDENTS[0].fleet, INCIDENTS[0].plain, f"dialects/{n}") for n in range(120)]
    assert {run.story.dialect for run in many} == set(SCOPES)
    assert {run.story.identity for run in many} == {"conversation", "trace"}
    keys = {
        attribute.key
        for run in many
        for request in run.requests
        for resource in ExportTraceServiceRequest.FromString(request).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        for attribute in span.attributes
    }
    assert {"tool_arguments", "gen_ai.tool.call_id", "gen_ai.tool.call.arguments", "openinference.span.kind"} <= keys


def test_a_refused_call_is_put_into_honest_work() -> None:
    """Each honest story of each fleet holds exactly one marked refusal, the rest is as it was."""
    for fleet in fleets().values():
        for teller in fleet.honest:
            run = told(fleet, stumbling(fleet, teller), "test/refused")
            assert run.act is None
            assert run.fails is not None
            refused = run.script.calls[run.fails].perform()
            assert re.search(r"(?i)unauthori|not authorized|denied|incorrect|401|403|authentication", refused.text)


# --- pools ------------------------------------------------------------------------------


def test_no_word_stands_in_both_pools() -> None:
    """No name, path, table, word or tool of the incidents' pools stands in those that training draws from."""
    tools = set(
        chain.from_iterable(strings(getattr(scene, name)) for name in dir(scene) if re.fullmatch(r"_[A-Z]+", name))
    )
    # Keys of arguments are what tools of the world share.
    keys = {"command", "cmd", "path", "file_path", "query", "sql", "url", "pattern", "input", "statement"}
    assert words_in(pools) & (words_in(trained) | tools) - {""} <= keys


def test_what_is_told_shares_no_names() -> None:
    """Tools, services, agents, hosts, workflows and projects as told are other ones than the training fleet's."""

    def names(stories: list[tuple[Story, list[Call]]]) -> dict[str, set[str]]:
        hosts = {
            host
            for _, calls in stories
            for call in calls
            for host in re.findall(r"https?://([a-z0-9.-]+)", said(call))
            if not host.startswith(("localhost", "127."))
        }
        return {
            "tool": {call.tool for _, calls in stories for call in calls},
            "service": {story.service for story, _ in stories},
            "agent": {story.agent for story, _ in stories},
            "workflow": {story.workflow for story, _ in stories},
            "host": hosts,
        }

    honest = [tell(*HONEST[n % len(HONEST)], f"test/pools/{n}") for n in range(3 * len(HONEST))]
    ours = [
        run
        for incident in INCIDENTS
        for teller in (incident.plain, *incident.lookalikes)
        for run in runs(incident, teller)
    ]
    ours += [told(fleet, teller, f"pools/{n}") for fleet in fleets().values() for teller in fleet.honest for n in SEEDS]
    theirs = names([(story, [call for turn in story.turns for call in turn.calls]) for story in honest])
    own = names([(run.story, run.script.calls) for run in ours])
    for kind, known in theirs.items():
        assert known
        assert own[kind]
        assert not known & own[kind], kind
