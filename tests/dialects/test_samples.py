"""What real libraries export, read to the end: calls, turns, outcomes and what is blind."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.read import Reader
from detector.records import Action, Blind, Outcome, Phase, RunEvents, Turn

SAMPLES = Path(__file__).parent.parent / "samples"


def batches(name: str) -> list[RunEvents]:
    """The run-log records of one library's export, in the order of its requests."""
    reader = Reader(b"key")
    return [b for path in sorted((SAMPLES / name).glob("*.binpb")) for b in reader.read(path.read_bytes()).batches]


def actions(name: str, phase: Phase = Phase.DONE, *, inner: bool = False) -> list[Action]:
    """Its actions of one phase."""
    events = [event for batch in batches(name) for event in batch.events]
    return [e for e in events if isinstance(e, Action) and e.phase == phase and e.inner == inner]


SCRIPT = ["read_file", "fetch_url", "fetch_url", "fetch_url", "run_shell"]
BAD_TWICE = [Outcome.OK, Outcome.ERROR, Outcome.ERROR, Outcome.OK, Outcome.OK]


@pytest.mark.parametrize(
    "name",
    [
        "pydantic-ai",
        "strands",
        "agent-framework",
        "openai-agents-openinference",
        "langchain-openinference",
        "smolagents",
    ],
)
def test_one_script_reads_the_same_from_every_library(name: str) -> None:
    """The same five calls, of which two fail, whichever library tells of them."""
    done = actions(name)[:5]

    assert [action.tool for action in done] == SCRIPT
    assert [action.outcome for action in done] == BAD_TWICE
    assert done[1].shape == done[2].shape == done[3].shape
    assert not any(action.blind & Blind.ARGUMENTS for action in done)


def test_libraries_agree_on_what_a_call_is() -> None:
    """The shape of a call is the same over dialects and argument encodings."""
    shapes = {
        action.shape
        for name in ("pydantic-ai", "strands", "langchain-openinference", "smolagents")
        for action in actions(name)[:1]
    }

    assert len(shapes) == 1


@pytest.mark.parametrize(
    "name", ["pydantic-ai", "strands", "agent-framework", "vercel-ai-modern", "google-adk-content"]
)
def test_intents_and_calls_share_their_id(name: str) -> None:
    """What a turn asked for and what was then done are known to be one call, and read the same."""
    joined = 0
    for batch in batches(name):
        calls = [event for event in batch.events if isinstance(event, Action) and event.call]
        intended = {action.call: action for action in calls if action.phase == Phase.INTENDED}
        for done in calls:
            if done.phase == Phase.DONE:
                asked = intended[done.call]
                assert (asked.tool, asked.shape, asked.does) == (done.tool, done.shape, done.does)
                joined += 1

    assert joined >= 4


def test_gated_calls_did_not_run() -> None:
    """A tool's span of a call that waits, or that was refused by a person or a hook, is no call done well."""
    (adk,) = [a for a in actions("google-adk-content") if a.tool == "delete_database"]
    (agents,) = [a for a in actions("openai-agents-openinference") if a.tool == "delete_database"]
    blocked = [a for a in actions("crewai-native") if a.tool == "run_shell"][-1]

    assert adk.outcome == Outcome.DENIED
    assert (agents.outcome, agents.blind) == (Outcome.UNKNOWN, Blind.RESULT)
    assert blocked.outcome == Outcome.DENIED


def test_a_pending_span_announces_the_call_that_ends_later() -> None:
    """Logfire's start signal is an intent of the span that it announces, and counts no second call."""
    announced = [a for a in actions("logfire-pending", Phase.INTENDED) if a.tool == "fetch_url"]
    (done,) = [a for a in actions("logfire-pending") if a.tool == "fetch_url"]

    assert {a.call for a in announced} == {done.call}
    assert done.span in {a.span for a in announced}


def test_a_resumed_run_is_one_run() -> None:
    """A conversation that goes on in another trace after an approval keeps its key."""
    assert len({batch.run for batch in batches("logfire-pending")}) == 1
    assert (
        len({event.trace for batch in batches("logfire-pending") for event in batch.events if isinstance(event, Turn)})
        == 2
    )


def test_arguments_that_never_come_are_told() -> None:
    """A library that sends no arguments is blind, not harmless."""
    done = actions("mcp-python-sdk")

    assert done
    assert all(a.blind & Blind.ARGUMENTS for a in done)


def test_a_tool_servers_span_is_the_same_call() -> None:
    """Client and server tell of one call; the server's is a closer look."""
    assert len(actions("mcp-python-sdk")) == len(actions("mcp-python-sdk", inner=True)) == 2


@pytest.mark.parametrize("name", ["infra-old", "infra-new"])
def test_requests_and_statements_below_a_tool(name: str) -> None:
    """Current and deprecated keys of HTTP and databases give the same inner actions."""
    inner = actions(name, inner=True)

    assert [a.tool for a in inner] == ["http.get", "http.get", "http.delete", "db.select", "db.drop"]
    assert [a.outcome for a in inner] == [Outcome.OK, Outcome.ERROR, Outcome.OK, Outcome.OK, Outcome.OK]
    assert "http.token-in-url" in inner[0].signs
    assert "sql.drop-table" in inner[4].signs
    parents = {a.span for a in actions(name)}
    assert all(a.parent in parents for a in inner)


def test_codex_names_its_calls_and_no_more() -> None:
    """The spans of its runtime, its start-up and its requests to its model are no calls; commands never come."""
    done = actions("codex")

    assert [(a.tool, a.blind & Blind.ARGUMENTS) for a in done] == [("exec_command", Blind.ARGUMENTS)] * 6
    assert len({a.call for a in done}) == 6
    assert actions("codex", inner=True) == []
    assert len({batch.run for batch in batches("codex")}) == 1


def test_autogens_traces_are_one_run() -> None:
    """Twenty traces, each of which names the team somewhere."""
    reading = Reader(b"key").read((SAMPLES / "autogen" / "traces-000.binpb").read_bytes())

    (batch,) = reading.batches
    assert set(reading.aliases.values()) == {batch.run}
    assert len(reading.aliases) == 18


def test_turns_carry_tokens_and_what_a_person_said() -> None:
    """The first turn read the person's one message, the others none; the agent's own span ends the run."""
    turns = [e for b in batches("pydantic-ai") for e in b.events if isinstance(e, Turn)]

    assert [t.user for t in turns] == [1, *[0] * (len(turns) - 1)]
    assert turns[0].tokens_in > 0
    assert [t.root for t in turns] == [*[False] * (len(turns) - 1), True]
