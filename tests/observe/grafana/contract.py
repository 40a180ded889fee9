"""Grafana's OpenAPI contract: which requests it knows, and what of a body it does not.

contract.json is the part that `detector grafana` uses of the models of grafana-openapi-client-go (Apache-2.0).
It is taken at its word: a parameter, or a field of a body, that a schema does not name is a fault.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from jsonschema import Draft202012Validator

_HEADERS = frozenset({"x-disable-provenance"})
"""Headers of the API's own, which an operation has to name; the others are HTTP's."""


class Call(NamedTuple):
    """A request that the contract knows: its operation, and the values in its path and query."""

    operation: str
    path: dict[str, str]
    query: dict[str, list[str]]
    body: Any
    headers: dict[str, str]


class Contract:
    """The contract in contract.json."""

    def __init__(self) -> None:
        self._spec = _strict(json.loads((Path(__file__).parent / "contract.json").read_text()))
        self._paths = [
            (re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "$"), path) for path in self._spec["paths"]
        ]

    def read(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> tuple[Call | None, list[str]]:
        """The call, where the contract knows one, and every way in which the request leaves the contract."""
        parts = urlsplit(target)
        for pattern, path in self._paths:
            found, operation = pattern.match(parts.path), self._spec["paths"][path].get(method.lower())
            if found and operation:
                break
        else:
            return None, [f"{method} {parts.path}: not in the contract"]
        query = parse_qs(parts.query, keep_blank_values=True)
        named = {(each["in"], each["name"].lower()) for each in operation.get("parameters", [])}
        faults = [f"query {name}: not in the contract" for name in query if ("query", name.lower()) not in named]
        faults += [
            f"header {name}: not in the contract" for name in _HEADERS & headers.keys() if ("header", name) not in named
        ]
        body, wrong = self._body(operation, raw)
        values = {name: unquote(value) for name, value in found.groupdict().items()}
        call = Call(operation["operationId"], values, query, body, headers)
        return call, [f"{method} {parts.path}: {fault}" for fault in [*faults, *wrong]]

    def answer(self, operation: str, status: int, body: Any) -> list[str]:
        """Every way in which an answer leaves the contract."""
        operations = (each for path in self._spec["paths"].values() for each in path.values())
        known = next(each for each in operations if each["operationId"] == operation)
        response = known["responses"].get(str(status))
        if response is None:
            return [f"{operation}: status {status} is not in the contract"]
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        return self._faults(schema, body) if schema and body is not None else []

    def _body(self, operation: dict[str, Any], raw: bytes) -> tuple[Any, list[str]]:
        wanted = operation.get("requestBody")
        if wanted is None:
            return None, [] if raw in {b"", b"null"} else ["a body, and the contract has none"]
        body = json.loads(raw or b"null")
        return body, self._faults(wanted["content"]["application/json"]["schema"], body)

    def _faults(self, schema: dict[str, Any], body: Any) -> list[str]:
        whole = {**schema, "components": self._spec["components"]}
        return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(body)]


def _strict(node: Any) -> Any:
    """An object with named properties has no others. The contract leaves null out of its types; Go writes it."""
    if isinstance(node, list):
        return [_strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _strict(value) for key, value in node.items()}
    if node.get("type") == "object" and isinstance(node.get("properties"), dict):
        made.setdefault("additionalProperties", False)
    return made
