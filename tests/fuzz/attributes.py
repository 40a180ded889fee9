"""Mutations of what spans say: their attributes, messages, events, resources."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from tests.fuzz import hostile, tree
from tests.fuzz.tree import attributes, corpus, put
from tests.fuzz.wire import Nested, Tree

ARGUMENTS = (
    *("gen_ai.tool.call.arguments", "input.value", "tool_arguments", "gen_ai.tool.input"),
    "gcp.vertex.agent.tool_call_args",
)
RESULTS = ("gen_ai.tool.call.result", "output.value", "tool_response", "gen_ai.tool.output", "gen_ai.completion")
MESSAGES = ("gen_ai.output.messages", "gen_ai.input.messages", "gen_ai.completion", "gen_ai.prompt")
NAMES = (
    *("gen_ai.tool.name", "tool.name", "gen_ai.conversation.id", "session.id", "gen_ai.agent.name"),
    *("gen_ai.workflow.name", "gen_ai.tool.call.id"),
)
CALLED = "bash run_shell sql_query python graphql grep http_request read_file delete_volume db mcp__fs__write".split()
ODD_VALUES: list[Tree] = [
    *(None, {}, [], "text", {"stringValue": None}),
    *({"arrayValue": {}}, {"kvlistValue": None}, {"unknownValue": 1}),
]
FIELDS = {
    "http.request.method": ("GET", "POST", "DELETE", "_OTHER", "post"),
    "http.method": ("GET", "PATCH"),
    "url.full": (*hostile.OTHER, "https://api.prod.example.com/v1/chat/completions#x"),
    "db.system": ("postgresql", "sqlite"),
    "db.statement": hostile.SQL,
    "db.query.text": hostile.SQL,
    "process.command_line": hostile.SHELL,
    "http.request.body.text": (*hostile.GRAPHQL, *hostile.OTHER),
}


def value(rng: Random) -> Tree:
    """An AnyValue of any kind."""
    made: Callable[[], Tree] = rng.choice(
        [
            lambda: {"stringValue": hostile.text(rng)},
            lambda: {"stringValue": hostile.arguments(rng)},
            lambda: rng.choice(hostile.NUMBERS),
            lambda: {"boolValue": rng.choice([True, False, "true", 1])},
            lambda: {"arrayValue": {"values": [value(rng) for _ in range(rng.randrange(4))]}},
            lambda: {"kvlistValue": {"values": [_member(rng) for _ in range(rng.randrange(4))]}},
            lambda: {"bytesValue": rng.choice(["", "AAAA", "//79", "not base64", "ff00"])},
            lambda: rng.choice(ODD_VALUES),
            lambda: {"stringValue": "a", "intValue": 1, "arrayValue": {"values": [{}]}},
            lambda: rng.choice(corpus().values),
            lambda: Nested(rng.choice([1, 5, 31, 32, 33, 48, 99, 100, 500, 1500]), maps=rng.random() < 0.5),
        ]
    )
    return made()


def _member(rng: Random) -> Tree:
    return {"key": rng.choice(hostile.JSON_KEYS), "value": value(rng)}


def swap_keys(rng: Random, request: Tree) -> None:
    """Attributes under the keys of other dialects."""
    for attribute in tree.dicts(tree.span(rng, request), "attributes"):
        if rng.random() < 0.3:
            attribute["key"] = rng.choice(corpus().keys)


def graft(rng: Random, request: Tree) -> None:
    """Known keys with values of any kind."""
    for _ in range(rng.choice([1, 1, 2, 5])):
        put(tree.span(rng, request), rng.choice(corpus().keys), value(rng))


def retype(rng: Random, request: Tree) -> None:
    """Values of other types than the key has."""
    for attribute in tree.dicts(tree.span(rng, request), "attributes"):
        if rng.random() < 0.3:
            attribute["value"] = value(rng)


def call(rng: Random, request: Tree) -> None:
    """A tool's span with hostile arguments and result."""
    span = tree.span(rng, request)
    put(span, "gen_ai.operation.name", "execute_tool")
    put(span, "gen_ai.tool.name", rng.choice(CALLED) if rng.random() < 0.8 else hostile.text(rng))
    put(span, rng.choice(ARGUMENTS), hostile.arguments(rng) if rng.random() < 0.6 else hostile.text(rng))
    if rng.random() < 0.5:
        put(span, rng.choice(RESULTS), hostile.text(rng) if rng.random() < 0.7 else hostile.arguments(rng))


def infra(rng: Random, request: Tree) -> None:
    """A request, a statement or a command below a tool's span."""
    span = tree.span(rng, request)
    span["kind"] = rng.choice([0, 1, 3])
    for key in rng.sample(sorted(FIELDS), rng.choice([1, 2, 3])):
        put(span, key, rng.choice(FIELDS[key]) if rng.random() < 0.7 else hostile.text(rng))
    put(span, "http.response.status_code", rng.choice([{"intValue": "403"}, *hostile.NUMBERS]))


def break_json(rng: Random, request: Tree) -> None:
    """JSON in attributes cut, nested, encoded again, or with a piece of another."""
    for attribute in tree.dicts(tree.span(rng, request), "attributes"):
        held = attribute.get("value")
        if not isinstance(held, dict):
            continue
        text = held.get("stringValue")
        if isinstance(text, str) and text[:1] in "[{" and rng.random() < 0.7:
            held["stringValue"] = _broken(rng, text)


def _broken(rng: Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    made: Callable[[], str] = rng.choice(
        [
            lambda: text[:at],
            lambda: text[at:],
            lambda: text[:at] + hostile.text(rng, 64) + text[at:],
            lambda: json.dumps(text),
            lambda: text.replace('"', "'"),
            lambda: text + text,
            lambda: text.replace("null", hostile.nested(rng)),
            lambda: repr(text),
            lambda: text.replace(":", ": " * rng.choice([1, 50])),
            lambda: text.replace('"', '\\"'),
            lambda: hostile.nested(rng),
            lambda: text.replace("tool_call", rng.choice(["tool_use", "function", ""])),
            lambda: "[" + text + "," + text + "]",
        ]
    )
    return made()


def secret(rng: Random, request: Tree) -> None:
    """A secret anywhere: in names, ids and resources too."""
    planted = rng.choice(hostile.SECRETS)
    before = rng.choice(["", "x ", hostile.text(rng, 32) + " ", "a" * rng.choice([10, 60, 190, 250]) + " "])
    said = before + planted + rng.choice(["", " y"])
    where = rng.random()
    if where < 0.35:
        put(tree.span(rng, request), rng.choice(NAMES), said)
    elif where < 0.6:
        put(tree.resource(rng, request), rng.choice(tree.OF_RESOURCES), said)
    elif where < 0.7:
        tree.span(rng, request)[rng.choice(["name", "traceState", "traceId", "spanId"])] = said
    elif where < 0.8:
        tree.span(rng, request)["status"] = {"code": 2, "message": said}
    elif where < 0.9:
        key = rng.choice((*ARGUMENTS, *RESULTS, *MESSAGES))
        put(tree.span(rng, request), key, json.dumps({"command": said, said: [said]}))
    else:
        put(tree.span(rng, request), rng.choice(corpus().keys), said)


def about_resource(rng: Random, request: Tree) -> None:
    """Resources that say odd things of the service and the run, or nothing."""
    resource = tree.resource(rng, request)
    for key in rng.sample(tree.OF_RESOURCES, 3):
        said = [
            value(rng),
            hostile.text(rng),
            "production",
            "x" * 300,
            "",
            f"run-{rng.randrange(50)}",
            "\u202e\ud800\0\n",
        ]
        put(resource, key, rng.choice(said))
    if rng.random() < 0.2:
        for group in tree.dicts(request, "resourceSpans"):
            group["resource"] = rng.choice([None, {}, [], 7, "x", {"attributes": None}, {"attributes": [None]}])


def prune(rng: Random, request: Tree) -> None:
    """Fields and attributes that are gone."""
    span = tree.span(rng, request)
    for name in rng.sample(sorted(span), min(len(span), rng.choice([1, 2, 6]))):
        del span[name]
    held = span.get("attributes")
    if isinstance(held, list):
        span["attributes"] = [attribute for attribute in held if rng.random() < 0.6]


def many(rng: Random, request: Tree) -> None:
    """Hundreds of attributes, keys twice, empty keys, and attributes that are none."""
    held = attributes(tree.span(rng, request))
    again = [a for a in held[:40] if isinstance(a, dict)]
    held += [{**a, "value": value(rng)} for a in again[:5]] + again
    if rng.random() < 0.3:
        held += [{"key": f"k{n}", "value": {"intValue": str(n)}} for n in range(rng.choice([20, 20, 20, 600]))]
    held += rng.sample(
        [None, {}, [], {"key": ""}, {"value": {"stringValue": "x"}}, {"key": None}, {"key": 7, "value": 7}, "x"], 3
    )


def large(rng: Random, request: Tree) -> None:
    """A text of up to megabytes where texts stand."""
    size = rng.choice([17_000, 17_000, 40_000, 40_000, 200_000, 2_000_000])
    text = hostile.repeated(rng, size)
    key = rng.choice([*ARGUMENTS, *RESULTS, *MESSAGES, *NAMES, *FIELDS])
    span = tree.span(rng, request)
    if rng.random() < 0.4:
        put(span, "gen_ai.operation.name", rng.choice(["chat", "execute_tool"]))
        put(span, key, json.dumps({"command": text}) if key in ARGUMENTS and rng.random() < 0.6 else text)
    elif rng.random() < 0.5:
        put(tree.resource(rng, request), rng.choice(tree.OF_RESOURCES), text)
    else:
        span[rng.choice(["name", "traceState", "traceId", "kind", "startTimeUnixNano"])] = text
        span["status"] = {"code": 2, "message": text[:200_000]}
