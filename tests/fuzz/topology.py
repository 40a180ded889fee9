"""Mutations of how spans stand to each other: ids, parents, runs, clocks, and lists that are none."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

from tests.fuzz import hostile, tree
from tests.fuzz.wire import Tree

RUNS = 400
SERVICE = "fuzzed"
TRACE, SPAN = 32, 16


def hexes(rng: Random, digits: int) -> str:
    """An id in hex."""
    return f"{rng.getrandbits(4 * digits) | 1:0{digits}x}"


def renew(rng: Random, request: Tree) -> None:
    """The spans become those of one of a few hundred runs, with new ids, so that runs grow long."""
    number = rng.randrange(RUNS)
    for span in tree.spans(request):
        span["traceId"] = f"{number + 1:032x}"
        span["spanId"] = hexes(rng, SPAN)
        span["endTimeUnixNano"] = str(1_780_000_000_000_000_000 + rng.randrange(10**13))
        tree.put(span, "gen_ai.conversation.id", f"run-{number}")
    tree.put(tree.resource(rng, request), "service.name", SERVICE)


def ids(rng: Random, request: Tree) -> None:
    """Ids of other lengths, cases and encodings."""
    span = tree.span(rng, request)
    for name in rng.sample(["traceId", "spanId", "parentSpanId"], rng.choice([1, 1, 2, 3])):
        span[name] = rng.choice(hostile.IDS)


def parents(rng: Random, request: Tree) -> None:
    """Circles, spans that are their own parents, chains, and parents of other traces."""
    found = tree.spans(request)
    own = [span.get("spanId") for span in found]
    kind = rng.randrange(4)
    for n, span in enumerate(found):
        span["parentSpanId"] = (own[n], own[n - 1], rng.choice(own), own[max(0, n - 1)])[kind]
        if rng.random() < 0.1:
            span["traceId"] = hexes(rng, TRACE)


def twins(rng: Random, request: Tree) -> None:
    """Spans that are there twice, or under one id with other content."""
    for scope in tree.scopes(request):
        held = scope.get("spans")
        if isinstance(held, list):
            held += pickle.loads(pickle.dumps(held)) * rng.choice([1, 1, 3])
            del held[24:]
    if rng.random() < 0.5:
        own = hexes(rng, SPAN)
        for span in tree.spans(request):
            span["spanId"] = own


def crowd(rng: Random, request: Tree) -> None:
    """One small span for each of many runs."""
    scopes = tree.scopes(request)
    if not scopes:
        return
    count = rng.choice([150, 150, 300, 3000])
    shared = rng.random() < 0.3
    trace = hexes(rng, TRACE)
    scopes[0]["spans"] = [
        {
            "traceId": trace if shared else hexes(rng, TRACE),
            "spanId": hexes(rng, SPAN),
            "name": "execute_tool x",
            "endTimeUnixNano": "1780000000000000000",
            "attributes": [
                {"key": "gen_ai.tool.name", "value": {"stringValue": "bash"}},
                {"key": "session.id", "value": {"stringValue": f"crowd-{rng.randrange(10**9)}"}},
            ][: 1 + (n % 3 > 0)],
        }
        for n in range(count)
    ]


def clocks(rng: Random, request: Tree) -> None:
    """Times of 1970 and 2100, before the start, negative, and no numbers."""
    for span in tree.spans(request):
        if rng.random() < 0.7:
            span["endTimeUnixNano"] = rng.choice(hostile.TIMES)
        if rng.random() < 0.4:
            span["startTimeUnixNano"] = rng.choice(hostile.TIMES)


def kinds(rng: Random, request: Tree) -> None:
    """Kinds and states that nobody has defined."""
    span = tree.span(rng, request)
    odd: list[Any] = [
        0,
        1,
        2,
        3,
        5,
        6,
        -1,
        2**31,
        2**63,
        10**30,
        "SPAN_KIND_CLIENT",
        "SPAN_KIND_X",
        "3",
        2.0,
        None,
        [],
        {},
        True,
    ]
    span["kind"] = rng.choice(odd)
    status = {"code": rng.choice([*odd, "STATUS_CODE_ERROR"]), "message": rng.choice([None, 7, "", "m" * 5000])}
    span["status"] = rng.choice([None, [], "x", status, status])


def shapes(rng: Random, request: Tree) -> None:
    """Lists that are no lists and messages that are none, anywhere."""
    odd: list[Any] = [None, {}, [], "x", 7, True, [None], [[]], [7], {"0": {}}]
    holders = [request, *tree.dicts(request, "resourceSpans"), *tree.scopes(request), *tree.spans(request)]
    holder = rng.choice(holders)
    if isinstance(holder, dict) and holder:
        name = rng.choice(sorted(holder))
        held = holder[name]
        if isinstance(held, list) and held and rng.random() < 0.5:
            held.insert(rng.randrange(len(held)), rng.choice(odd))
        else:
            holder[name] = rng.choice(odd)
    if rng.random() < 0.1:
        request["unknownField"] = request.get("resourceSpans")


def groups(rng: Random, request: Tree) -> None:
    """Groups without spans, spans without groups, and groups again and again."""
    held = request.get("resourceSpans")
    if not isinstance(held, list):
        return
    empty: list[Tree] = [{}, {"scopeSpans": []}, {"scopeSpans": [{}]}, {"scopeSpans": [{"spans": [{}]}]}]
    held += rng.choice([*([one] for one in empty), held[:1] * 3, [{}] * 60])
    if rng.random() < 0.1:
        held.clear()
