"""Records to the events of runs."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from detector.config import Settings
from detector.dialects.base import Dialect, Kind
from detector.errors import Drop
from detector.read import Reader, Reading
from detector.records import Action, Below, Blind, Environment, Outcome, Phase, RunEvents, Turn, encode_log
from detector.testing import Spans

READER = Reader(b"key of the test")
NOW = 1_780_000_000_000_000_000
SECOND = 10**9
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*/*.binpb"))


class Request:
    """Builds a protobuf request span by span."""

    def __init__(self, **resource: str | int) -> None:
        self.message = ExportTraceServiceRequest()
        self.group = self.message.resource_spans.add()
        _attributes(self.group.resource.attributes, {k.replace("__", "."): v for k, v in resource.items()})
        self.spans = self.group.scope_spans.add().spans

    def span(
        self, attributes: dict[str, Any], *, own: int = 0, parent: int = 0, trace: int = 1, **fields: Any
    ) -> Request:
        """A span; ids are numbers, times follow each other."""
        number = len(self.spans) + 1
        span = self.spans.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=(own or number).to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            **{"end_time_unix_nano": NOW + number * SECOND, "start_time_unix_nano": NOW, "kind": 1, **fields},
        )
        _attributes(span.attributes, attributes)
        return self

    def tool(self, name: str = "bash", arguments: Any = "{}", result: str | None = "ok", **fields: Any) -> Request:
        """A tool's span."""
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        if arguments is not None:
            attributes["gen_ai.tool.call.arguments"] = (
                arguments if isinstance(arguments, str) else json.dumps(arguments)
            )
        if result is not None:
            attributes["gen_ai.tool.call.result"] = result
        return self.span(attributes | fields.pop("more", {}), **fields)

    def read(self, arrived: int = 0, reader: Reader = READER) -> Reading:
        """The request, read."""
        return reader.read(self.message.SerializeToString(), arrived)


def _attributes(target: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        field = {str: "string_value", bool: "bool_value", int: "int_value"}[type(value)]
        setattr(target.add(key=key).value, field, value)


def only(reading: Reading) -> RunEvents:
    """The one run."""
    (batch,) = reading.batches
    return batch


def action(reading: Reading) -> Action:
    """The one action."""
    (event,) = only(reading).events
    assert isinstance(event, Action)
    return event


# --- runs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "attributes", "run"),
    [
        ({"agent__run__id": "run-7", "service__name": "s"}, {"session.id": "x"}, "run-7"),
        ({"service__name": "s"}, {"gen_ai.conversation.id": "c"}, "s/c"),
        ({"service__name": "s", "service__namespace": "n"}, {"session.id": "c"}, "n/s/c"),
        ({}, {"session.id": "c"}, "unknown_service/c"),
        ({"service__name": "s"}, {"gen_ai.conversation.id": "c", "session.id": "x"}, "s/c"),
        ({"service__name": "s"}, {"gen_ai.agent.call.id": "one turn"}, f"s/{1:032x}"),
        ({"service__name": "s"}, {"session.id": ""}, f"s/{1:032x}"),
        ({"service__name": "s"}, {}, f"s/{1:032x}"),
    ],
)
def test_run_keys(resource: dict[str, str], attributes: dict[str, str], run: str) -> None:
    """The resource's run id bare, else a run or session id or the trace id within the service."""
    assert only(Request(**resource).tool(more=attributes).read()).run == run


def test_a_span_inherits_its_ancestors_run() -> None:
    """The nearest ancestor in the request that carries an id says whose a span is, over spans of no dialect."""
    request = Request(service__name="s").tool(own=1, parent=2).span({"x": "chain"}, own=2, parent=3)
    request.span({"session.id": "c", "gen_ai.operation.name": "invoke_agent"}, own=3)
    request.span({"session.id": "other", "gen_ai.operation.name": "invoke_agent"}, own=4)

    runs = {batch.run: len(batch.events) for batch in request.read().batches}

    assert runs == {"s/c": 2, "s/other": 1}


def test_a_trace_that_shows_one_run_gives_it_to_its_spans() -> None:
    """A tool's span without an id goes with the only run that its trace shows, and with none where it shows two."""
    chat = {"gen_ai.operation.name": "chat"}
    one = Request(service__name="s").tool(parent=99).span(chat | {"gen_ai.conversation.id": "c"}, parent=99)
    two = Request(service__name="s").tool(parent=99)
    two.span(chat | {"gen_ai.conversation.id": "a"}).span(chat | {"gen_ai.conversation.id": "b"})

    assert [batch.run for batch in one.read().batches] == ["s/c"]
    assert {batch.run for batch in two.read().batches} == {"s/a", "s/b", f"s/{1:032x}"}


TEAM = "31400020-3935-4632-8916-0a311950119f"


@pytest.mark.parametrize(
    ("attributes", "run"),
    [
        ({"gen_ai.agent.id": f"ops_agent_{TEAM}/{TEAM}"}, f"s/{TEAM}"),
        ({"messaging.destination": f"group_topic_{TEAM}.({TEAM})-T"}, f"s/{TEAM}"),
        ({"gen_ai.agent.id": f"ops_agent_{TEAM}/{TEAM}", "session.id": "c"}, "s/c"),
        ({"gen_ai.agent.id": f"ops_agent_{TEAM}/{TEAM[::-1]}"}, f"s/{1:032x}"),
        ({"gen_ai.agent.id": "asst_1", "messaging.destination": "orders"}, f"s/{1:032x}"),
    ],
)
def test_a_run_within_a_name(attributes: dict[str, str], run: str) -> None:
    """AutoGen's team, which all its agents and topics are named by; no other agent's or queue's name is a run."""
    assert only(Request(service__name="s").tool(more=attributes).read()).run == run


def test_what_shows_whose_a_trace_is() -> None:
    """An alias wherever a run has an id, however it came by it; none where several runs share the trace."""
    part, chat = f"s/{1:032x}", {"gen_ai.operation.name": "chat"}
    assert Request(service__name="s").tool().read().aliases == {}
    assert only(Request(service__name="s").tool().read()).traced
    named = Request(service__name="s").tool(parent=99).span(chat | {"session.id": "c"}).read()
    assert named.aliases == {part: "s/c"}
    assert not only(named).traced
    assert Request(service__name="s", agent__run__id="r").tool().read().aliases == {part: "r"}
    two = Request(service__name="s").span(chat | {"session.id": "a"}).span(chat | {"session.id": "b"}).read()
    assert (two.aliases, two.notes["alias_ambiguous"]) == ({}, 1)


def test_who_is_above() -> None:
    """By the resource, or by the topmost ancestor of another run; a run is never above itself."""
    agent = {"gen_ai.operation.name": "invoke_agent"}
    request = Request(service__name="s").span(agent | {"session.id": "root"}, own=1)
    request.span({"x": "chain", "session.id": "root"}, own=2, parent=1)
    request.span(agent | {"session.id": "child"}, own=3, parent=2)
    request.tool(own=4, parent=3, more={"session.id": "grandchild"})
    reading = request.read()
    above = {b.run: b.events[0].above for b in reading.batches if isinstance(b.events[0], Below)}
    assert above == {"s/child": "s/root", "s/grandchild": "s/root"}
    assert reading.aliases == {f"s/{1:032x}": "s/root"}

    for parent, found in (("root", True), ("child", False)):
        launched = only(Request(service__name="s", agent__run__id="child", agent__run__parent=parent).tool().read())
        assert isinstance(launched.events[0], Below) is found


def test_parents_in_a_circle_end() -> None:
    """Spans that are each other's parents are read like orphans."""
    request = Request(service__name="s").tool(own=1, parent=2).tool(own=2, parent=3).tool(own=3, parent=1)

    assert len(only(request.read()).events) == 3


@pytest.mark.parametrize("run", ["x" * 500, "a\nb", "a\x00b", "\u202e evil"])
def test_run_keys_are_bounded_and_printable(run: str) -> None:
    """A long or unprintable id becomes a key that is neither, and stays different from others."""
    first = only(Request(service__name="s").tool(more={"session.id": run}).read()).run
    second = only(Request(service__name="s").tool(more={"session.id": run + "!"}).read()).run

    assert len(first) <= 200
    assert first.isprintable()
    assert first != second


def test_one_record_may_hold_many_runs() -> None:
    """Each run gets its own events in the order of their end; more than a hundred runs are noted."""
    request = Request(service__name="s")
    for number in range(300):
        request.tool(more={"session.id": str(number % 150)}, end_time_unix_nano=NOW + (300 - number) * SECOND)
    reading = request.read()

    assert len(reading.batches) == 150
    assert reading.notes["runs_per_record"] == 150
    assert reading.spans == 300
    assert all(a.at < b.at for batch in reading.batches for a, b in pairwise(batch.events))


@pytest.mark.parametrize(
    ("resource", "attributes", "workflow", "rank"),
    [
        ({"agent__workflow": "w", "service__name": "s"}, {"gen_ai.workflow.name": "x"}, "w", 0),
        ({"service__name": "s"}, {"gen_ai.workflow.name": "x", "gen_ai.agent.name": "a"}, "x", 1),
        ({"service__name": "s"}, {"traceloop.workflow.name": "t", "gen_ai.agent.name": "a"}, "t", 2),
        ({"service__name": "s"}, {"gen_ai.agent.name": "a"}, "a", 3),
        ({"service__name": "s"}, {}, "s", 4),
    ],
)
def test_workflow(resource: dict[str, str], attributes: dict[str, str], workflow: str, rank: int) -> None:
    """The first of five names, with its rank; a better one in a later span of the record replaces it."""
    batch = only(Request(**resource).tool().tool(more=attributes).read())

    assert (batch.workflow, batch.workflow_rank) == (workflow, rank)


def test_where_tells_how_to_find_the_process() -> None:
    """Resource attributes that enforcers need, as text."""
    where = only(Request(host__name="h", process__pid=42, k8s__pod__name="p", other="x").tool().read()).where

    assert where == {"host.name": "h", "process.pid": "42", "k8s.pod.name": "p"}


# --- actions and turns --------------------------------------------------------------------


def test_a_turn_and_its_calls() -> None:
    """A chat span gives a turn and an intent for each call; the tool's span completes it under the same id."""
    parts = [{"type": "tool_call", "id": "c1", "name": "bash", "arguments": {"command": "rm -rf /data"}}]
    request = Request().span(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.input.messages": json.dumps([{"role": "user", "parts": []}]),
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}]),
            "gen_ai.usage.prompt_tokens": 7,
            "gen_ai.usage.output_tokens": 3,
        }
    )
    request.tool(arguments={"command": "rm -rf /data"}, more={"gen_ai.tool.call.id": "c1"})
    turn, intended, done = only(request.read()).events

    assert isinstance(turn, Turn)
    assert (turn.user, turn.tokens_in, turn.tokens_out, turn.root) == (1, 7, 3, False)
    assert isinstance(intended, Action)
    assert isinstance(done, Action)
    assert (intended.phase, done.phase) == (Phase.INTENDED, Phase.DONE)
    assert intended.call == done.call != 0
    assert intended.shape == done.shape
    assert intended.signs == done.signs == ("shell.rm-recursive",)
    assert (intended.span, intended.at) == (turn.span, turn.at)
    assert (intended.outcome, done.outcome) == (Outcome.UNKNOWN, Outcome.OK)


def test_the_agents_own_span_is_a_root_and_one_within_a_call_is_not() -> None:
    """A sub-agent's span ends a part of the run, the outer one the run."""
    agent = {"gen_ai.operation.name": "invoke_agent"}
    request = Request().span(agent, own=1, parent=2).tool("research", own=2, parent=3).span(agent, own=3)
    turns = [event for event in only(request.read()).events if isinstance(event, Turn)]

    assert [turn.root for turn in turns] == [False, True]


def test_one_call_told_twice_is_one() -> None:
    """A tool's span within one of the same tool is a closer look, whatever lies between."""
    request = (
        Request().tool(own=1, parent=2).span({"x": "loop"}, own=2, parent=3).tool(own=3).tool("other", own=4, parent=3)
    )

    assert [e.inner for e in only(request.read()).events if isinstance(e, Action)] == [True, False, False]


def test_requests_to_the_model_are_no_actions() -> None:
    """HTTP below a turn, or to a model's own address, tells nothing that the turn does not; a server's span neither."""
    url = {"http.request.method": "POST", "url.full": "https://api.openai.com/v1/chat/completions?x=1"}
    other = {"http.request.method": "POST", "url.full": "https://a.b/c"}
    request = Request().span(url, kind=3).span(other, parent=9, kind=3).span({"gen_ai.operation.name": "chat"}, own=9)
    request.span(other, kind=2)

    assert [type(event) for event in only(request.read()).events] == [Turn]


def test_a_tools_place_is_read_from_what_it_did_underneath() -> None:
    """A statement's database places the tool's call that says nothing; the deployment places only a database."""
    statement = {"db.system.name": "postgresql", "db.query.text": "DROP TABLE a"}
    named = (
        Request().span(statement | {"db.namespace": "app_test"}, parent=9).tool("sql", {"query": "DROP TABLE a"}, own=9)
    )
    deployed = Request(deployment__environment__name="production").span(statement, parent=9)
    deployed.tool("sql", {"query": "DROP TABLE a"}, own=9)
    request = Request(deployment__environment="staging").span({"http.method": "GET", "http.url": "https://a.b"})

    def places(reading: Reading) -> list[int]:
        return [event.env for event in only(reading).events if isinstance(event, Action)]

    assert places(named.read()) == [Environment.TEST, Environment.TEST]
    assert places(deployed.read()) == [Environment.PRODUCTION, 0]
    assert places(request.read()) == [0]


def test_a_process_fails_by_its_exit_code() -> None:
    """Exit codes aren't HTTP statuses: 7 is a failure, 0 is none."""
    spans = [{"process.command_line": "rm -rf /data", "process.exit.code": code} for code in (0, 7)]
    request = Request().span(spans[0]).span(spans[1])
    events = [event for event in only(request.read()).events if isinstance(event, Action)]

    assert [event.outcome for event in events] == [Outcome.OK, Outcome.ERROR]
    assert all(event.signs == ("shell.rm-recursive",) and event.inner for event in events)


def test_a_secret_seen_and_then_used_has_one_hash() -> None:
    """A token in a result and in a later call's header is the same value."""
    token = "3d2c6418-0c1f-4b7a-9d35-1234567890ab"
    request = Request().tool("read_file", {"path": "a"}, f"# keys\nTOKEN={token}\n")
    request.tool("http", {"url": "https://a.b", "headers": {"Authorization": f"Bearer {token}"}})
    seen, used = (event for event in only(request.read()).events if isinstance(event, Action))

    assert seen.secrets_seen == used.secrets_used != ()
    assert seen.secrets_used == used.secrets_seen == ()


def test_what_is_blind_is_told() -> None:
    """Missing arguments and results, cut arguments, made-up ids and clocks are marked and noted."""
    missing = Request().tool(arguments=None, result=None).read()
    cut = Request().tool(arguments={"command": "rm -rf /data " + "x" * 20_000}).read()
    no_id = Request().tool()
    no_id.spans[0].span_id = b""

    assert action(missing).blind == Blind.ARGUMENTS | Blind.RESULT
    assert missing.notes == {"args_missing": 1}
    assert action(cut).blind == Blind.UNREADABLE
    assert action(cut).signs == ("shell.rm-recursive",)
    assert cut.notes == {"unreadable": 1}
    assert action(no_id.read()).blind == Blind.IDS
    assert no_id.read().notes == {"ids_missing": 1}


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    """It is read, marked and noted."""
    reading = Request().tool(own=5, parent=5).read()

    assert (action(reading).parent, action(reading).blind) == (b"", Blind.IDS)
    assert reading.notes == {"own_parent": 1}


@pytest.mark.parametrize(
    ("end", "arrived", "at", "skewed"),
    [
        (0, NOW, NOW, True),
        (12 * 365 * 86_400 * SECOND, NOW, NOW, True),
        (NOW + 2 * 86_400 * SECOND, NOW, NOW, True),
        (4_200_000_000 * SECOND, 0, NOW, True),
        (2**64 - 1, NOW, NOW, True),
        (NOW + 3600 * SECOND, NOW, NOW + 3600 * SECOND, False),
        (1_000_000_000 * SECOND, NOW, 1_000_000_000 * SECOND, False),
    ],
)
def test_implausible_clocks(end: int, arrived: int, at: int, *, skewed: bool) -> None:
    """An end before 2000 or a day after arrival gives way to the arrival; old data is read as it is."""
    reading = Request().tool(end_time_unix_nano=end).read(arrived)

    assert action(reading).at == at
    assert bool(action(reading).blind & Blind.CLOCK) is skewed
    assert reading.notes.get("clock_skewed", 0) == skewed


# --- records ----------------------------------------------------------------------------


def test_a_record_that_is_too_large_is_dropped_unread() -> None:
    """The limit stands before decoding."""
    with pytest.raises(Drop) as drop:
        Request().tool(result="x" * 4096).read(reader=Reader(max_record_bytes=1024))

    assert drop.value.reason == "too_large"


def test_a_request_without_spans_is_counted() -> None:
    """It is no fault of anyone's and gives nothing."""
    reading = READER.read(b'{"resourceSpans":[]}')

    assert (reading.batches, reading.rejects) == ([], {"no_spans": 1})


def test_no_word_of_a_call_goes_further() -> None:
    """Neither arguments, results, call ids nor secrets are found in what is written to the run log."""
    word, token = "Xylophone", "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    arguments = {"command": f"rm -rf /{word} --token {token}", word: word, "url": f"https://{word}.example.com/{word}"}
    request = Request(service__name="s").tool(
        arguments=arguments,
        result=f"{word} {token}",
        more={"gen_ai.tool.call.id": word},
        status={"code": 2, "message": word},
    )
    request.span({"http.request.method": "GET", "url.full": f"https://{word}.b/{word}"}, kind=3)
    request.span({"db.system": "x", "db.statement": f"SELECT {word} FROM {word}"}, kind=3)
    written = encode_log(only(request.read()))

    for secret in (word, word.lower(), token):
        assert secret.encode() not in written


def test_keys_make_hashes_differ() -> None:
    """The same call under another key can't be told to be the same."""
    mine = action(Request().tool(arguments={"path": "a"}).read())
    other = action(Request().tool(arguments={"path": "a"}).read(reader=Reader(b"other")))

    assert mine.shape != other.shape
    assert mine.targets != other.targets


def test_reading_is_pure() -> None:
    """The same bytes give the same events, whatever was read before them."""
    for path in SAMPLES:
        value = path.read_bytes()
        again = [encode_log(batch) for batch in Reader(b"key").read(value, NOW).batches]

        assert [encode_log(batch) for batch in Reader(b"key").read(value, NOW).batches] == again
        assert [encode_log(batch) for batch in _warm().read(value, NOW).batches] == again


def _warm() -> Reader:
    reader = Reader(b"key")
    for path in SAMPLES:
        reader.read(path.read_bytes())
    return reader


def test_a_dialect_is_one_table() -> None:
    """A third party's dialect is data; its spans are read like any other's."""
    mine = Dialect(
        name="mine",
        spec="example.com/spec v1",
        kinds={"my.kind": {"call": Kind.TOOL}},
        tool=("my.tool",),
        arguments=("my.input",),
        result=("my.output",),
    )
    reader = Reader(dialects=[mine])
    request = (
        Request().span({"my.kind": "call", "my.tool": "bash", "my.input": "rm -rf /data", "my.output": "ok"}).tool()
    )
    done = action(request.read(reader=reader))

    assert (done.tool, done.signs, done.outcome) == ("bash", ("shell.rm-recursive",), Outcome.OK)


def test_limits_come_from_settings() -> None:
    """A reader takes key and limits from the settings."""
    reader = Reader.from_settings(Settings(max_record_bytes=1024, hash_key="secret"))

    with pytest.raises(Drop):
        reader.read(b"x" * 1025)


def test_what_was_read_before_never_stands_in_for_something_else() -> None:
    """A tool's text and a process of the same words, or fields of other names, are read each as what they are."""
    text = "rm -rf /data"
    process = {"process.command_line": text}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "process", "gen_ai.tool.call.arguments": text}
    statement = {"db.system": "x", "db.statement": "drop"}
    operation = {"db.system": "x", "db.operation": "drop"}

    for first, second in ((process, tool), (tool, process), (statement, operation), (operation, statement)):
        reader = Reader(b"key")
        Request().span(first).read(reader=reader)
        after = action(Request().span(second).read(reader=reader))
        assert after == action(Request().span(second).read(reader=Reader(b"key")))


def test_arguments_as_bytes_are_read_as_text() -> None:
    """A command in an attribute of type bytes is seen like one in a string."""
    request = Request().tool(arguments=None)
    value = request.spans[0].attributes.add(key="gen_ai.tool.call.arguments").value
    value.bytes_value = b'{"command": "rm -rf /data"}'

    assert action(request.read()).signs == ("shell.rm-recursive",)


def test_memory_of_calls_is_bounded() -> None:
    """However many different calls come, only so many are remembered."""
    reader = Reader(b"key")
    for start in range(0, 9000, 1000):
        request = Request()
        for number in range(1000):
            request.tool(arguments={"n": start + number})
        request.read(reader=reader)

    assert len(reader._classifier._known) <= 4096


@given(
    st.dictionaries(
        st.sampled_from(sorted(READER._shapes.keys_read)),
        st.text(max_size=50) | st.integers(-(2**63), 2**63 - 1) | st.booleans(),
        max_size=10,
    ),
    st.integers(0, 5),
    st.integers(0, 3),
)
def test_any_attributes_are_read(attributes: dict[str, Any], kind: int, parent: int) -> None:
    """Whatever a span says, it becomes events that can be written, or none."""
    reading = Request().span(attributes, kind=kind, parent=parent).tool(own=2, parent=1).read(NOW)

    for batch in reading.batches:
        assert encode_log(batch)
        for event in batch.events:
            assert not isinstance(event, Action) or (len(event.tool) <= 64 and event.tool.isascii())


def test_a_called_service_names_nothing() -> None:
    """A database span of another service in the agent's trace comes first: run and process stay the agent's."""
    agent = json.loads(Spans("agent", "c1", k8s__pod__name="agent-1").tool("run", {"a": 1}).request())
    sql = {"db.system.name": "postgresql", "db.query.text": "DELETE FROM a"}
    called = json.loads(Spans("billing", "x", k8s__pod__name="billing-7").span("DELETE", sql).request())
    (tool,) = agent["resourceSpans"][0]["scopeSpans"][0]["spans"]
    (query,) = called["resourceSpans"][0]["scopeSpans"][0]["spans"]
    query |= {"kind": 3, "spanId": "00000000000000aa", "parentSpanId": tool["spanId"]}
    query["attributes"] = [a for a in query["attributes"] if a["key"] != "gen_ai.conversation.id"]
    both = {"resourceSpans": called["resourceSpans"] + agent["resourceSpans"]}

    (batch,) = Reader(b"").read(json.dumps(both).encode()).batches
    assert (batch.run, batch.service, batch.where) == ("agent/c1", "agent", {"k8s.pod.name": "agent-1"})
    (alone,) = Reader(b"").read(json.dumps({"resourceSpans": called["resourceSpans"]}).encode()).batches
    assert (alone.service, alone.workflow, alone.where) == ("", "", {})


@pytest.mark.parametrize(
    ("method", "url", "events"),
    [
        ("POST", "https://api.example/v1/messages?beta=1", 0),
        ("DELETE", "https://api.example/v1/volumes/1#/v1/messages", 1),
        ("DELETE", "https://api.example/v1/messages", 1),
    ],
)
def test_only_requests_to_a_model_are_passed_over(method: str, url: str, events: int) -> None:
    """A fragment or a verb that no model answers to hides no call."""
    spans = Spans("svc").span(method, {"http.request.method": method, "url.full": url}, kind=3)
    assert sum(len(batch.events) for batch in Reader(b"").read(spans.request()).batches) == events


def test_a_tool_named_like_a_secret() -> None:
    """A name that is a secret goes no further."""
    request = Spans("svc").tool("sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789", {}).request()
    assert "abcdefghijklmnop" not in str(Reader(b"").read(request).batches)
