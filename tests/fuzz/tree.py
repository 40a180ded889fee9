"""What mutations start from: single spans of the samples with their resources, and what is in them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from detector import plugins
from detector.dialects.base import RUN_KEYS, Dialect
from detector.reading.services import RESOURCE_WORKFLOW, WHERE
from detector.reading.shapes import WORKFLOW_KEYS
from tests.fuzz import wire
from tests.fuzz.wire import Tree

SAMPLES = Path(__file__).parent.parent / "samples"
MAX_SPAN_CHARS = 6_000
"""Longer spans are left out: an input should take a millisecond."""
OF_RESOURCES = (
    *("agent.run.id", "service.name", "service.namespace", RESOURCE_WORKFLOW, *WHERE),
    *("deployment.environment", "deployment.environment.name"),
)


class Group(NamedTuple):
    """A span as a library sent it, with what it stood under."""

    resource: Tree
    scope: Tree
    span: Tree


class Corpus(NamedTuple):
    """Spans by library, in the order in which they were sent, and all keys and values in them."""

    libraries: list[list[bytes]]
    """Groups, pickled: loading one is the fastest deep copy."""
    keys: list[str]
    values: list[Tree]

    def request(self, rng: Random) -> Tree:
        """A request of one to a few spans of a library, in trees that are free to be changed."""
        library = rng.choice(self.libraries)
        first = rng.randrange(len(library))
        count = rng.choice([1, 1, 1, 2, 2, 3, 4, 6])
        groups: list[Tree] = []
        for resource, scope, span in map(pickle.loads, library[first : first + count]):
            if not groups or groups[-1]["resource"] != resource:
                groups.append({"resource": resource, "scopeSpans": []})
            scopes = groups[-1]["scopeSpans"]
            if not scopes or scopes[-1]["scope"] != scope:
                scopes.append({"scope": scope, "spans": []})
            scopes[-1]["spans"].append(span)
        return {"resourceSpans": groups}


@cache
def corpus() -> Corpus:
    """All of tests/samples."""
    libraries: list[list[bytes]] = []
    keys = set(RUN_KEYS) | {key for key, _ in WORKFLOW_KEYS}
    dialects: tuple[Dialect, ...] = plugins.find("detector.dialects")
    keys |= set().union(*(dialect.keys() for dialect in dialects))
    values: list[Tree] = []
    for folder in sorted(path for path in SAMPLES.iterdir() if path.is_dir()):
        groups = [g for path in sorted(folder.iterdir()) for g in _groups(path) if len(repr(g.span)) <= MAX_SPAN_CHARS]
        libraries.append([pickle.dumps(tuple(group), pickle.HIGHEST_PROTOCOL) for group in groups])
        for group in groups:
            for attribute in group.span.get("attributes", ()):
                keys.add(attribute["key"])
                values.append(attribute.get("value"))
    return Corpus(libraries, sorted(keys), values)


def _groups(path: Path) -> Iterator[Group]:
    data = path.read_bytes()
    request = json.loads(data) if path.suffix == ".json" else wire.decode(data)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield Group(resource.get("resource", {}), scope.get("scope", {}), span)


# --- looking into a request that earlier mutations may have broken ------------------------


def dicts(tree: Tree, name: str) -> list[dict[str, Tree]]:
    """The objects in the list `name` of an object; none where it is something else by now."""
    found = tree.get(name) if isinstance(tree, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def scopes(request: Tree) -> list[dict[str, Tree]]:
    """All ScopeSpans."""
    return [scope for group in dicts(request, "resourceSpans") for scope in dicts(group, "scopeSpans")]


def spans(request: Tree) -> list[dict[str, Tree]]:
    """All spans."""
    return [span for scope in scopes(request) for span in dicts(scope, "spans")]


def span(rng: Random, request: Tree) -> dict[str, Tree]:
    """One of the spans; one of nobody's where there is none."""
    found = spans(request)
    return rng.choice(found) if found else {}


def attributes(holder: dict[str, Tree]) -> list[Tree]:
    """The attributes of a span, resource or event, to be changed in place."""
    found = holder.get("attributes")
    if not isinstance(found, list):
        found = holder["attributes"] = []
    return found


def put(holder: dict[str, Tree], key: str, value: Tree) -> None:
    """Sets an attribute, in place of one with this key where there is one. A str stands for its AnyValue."""
    value = {"stringValue": value} if isinstance(value, str) else value
    for attribute in dicts(holder, "attributes"):
        if attribute.get("key") == key:
            attribute["value"] = value
            return
    attributes(holder).append({"key": key, "value": value})


def resource(rng: Random, request: Tree) -> dict[str, Tree]:
    """One of the resources."""
    groups = dicts(request, "resourceSpans")
    if not groups:
        return {}
    group = rng.choice(groups)
    if not isinstance(group.get("resource"), dict):
        group["resource"] = {}
    return group["resource"]  # type: ignore[no-any-return]
