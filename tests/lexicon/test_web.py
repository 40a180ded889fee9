"""HTTP requests and GraphQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.lexicon import web


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/v1/a?b=c", ("api.example.com", "/v1/a?b=c")),
        ("http://u:p@h:8080", ("u:p@h:8080", "/")),
        ("api.example.com/v1", ("api.example.com", "/v1")),
        ("/v1/a", ("", "/v1/a")),
        ("https://h?x=1", ("h", "/?x=1")),
    ],
)
def test_address(url: str, expected: tuple[str, str]) -> None:
    """Host and path, with or without a scheme."""
    assert web.address(url) == expected


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ('mutation { volumeDelete(volumeId: "a{b}") }', ["volumeDelete"]),
        ("mutation D($id: String!) { gone: volumeDelete(id: $id) { id name } other }", ["volumeDelete", "other"]),
        ("mutation D @live { a { deleteB } }", ["a"]),
        ("query { volumes { deletedAt } }", []),
        ("{ volumes { id } }", []),
        ("mutation", []),
    ],
)
def test_mutated_fields(document: str, fields: list[str]) -> None:
    """Root fields of a mutation: not aliases, arguments or what is selected of the answer."""
    assert web.mutated(document) == fields


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl -X DELETE https://a.b/c", ("DELETE", "https://a.b/c", None)),
        ("curl -XPUT a.b/c --data=x", ("PUT", "a.b/c", "x")),
        ("curl -s -o out https://a.b -d x", ("POST", "https://a.b", "x")),
        ("http DELETE a.b/c", ("DELETE", "a.b/c", None)),
        ("wget --post-data x https://a.b", ("POST", "https://a.b", "x")),
        ("curl", ("GET", None, None)),
    ],
)
def test_curl(command: str, expected: tuple[str, str | None, str | None]) -> None:
    """Method, address and body of command lines."""
    found = web.curl(command.split())

    assert (found["method"], found.get("url"), found.get("body")) == expected


def test_document_in_a_body() -> None:
    """A GraphQL document is found in JSON, as text or decoded, with its variables, or bare."""
    body = '{"query": "mutation { a }", "variables": {"id": "x"}}'

    assert web.document(body) == ("mutation { a }", {"id": "x"})
    assert web.document({"query": "{ a }"}) == ("{ a }", {})
    assert web.document("mutation { a }") == ("mutation { a }", {})
    assert web.document('{"query": ') == ('{"query":', {})
    assert web.document('{"a": 1}') == ("", {})
    assert web.document(None) == ("", {})


@given(st.text(alphabet='mutation{}()":$@#a ', max_size=300))
def test_any_document_is_read(text: str) -> None:
    """Nothing is raised, and at most eight fields come out."""
    assert len(web.mutated("mutation" + text)) <= web.MAX_FIELDS
