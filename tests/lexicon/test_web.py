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
    ("command", "expected"),
    [
        ("curl -X DELETE https://a.b/c", ("DELETE", "https://a.b/c", None)),
        ("curl -XPUT a.b/c --data=x", ("PUT", "a.b/c", "x")),
        ("curl -s -o out https://a.b -d x", ("POST", "https://a.b", "x")),
        ("http DELETE a.b/c", ("DELETE", "a.b/c", None)),
        ("wget --post-data x https://a.b", ("POST", "https://a.b", "x")),
        ("curl", ("GET", None, None)),
        ("curl -sXDELETE https://a.b/c", ("DELETE", "https://a.b/c", None)),
        ("curl -fsSLo out https://a.b/c", ("GET", "https://a.b/c", None)),
        ("curl -sI https://a.b/c", ("HEAD", "https://a.b/c", None)),
        ("curl -G -d q=1 https://a.b", ("GET", "https://a.b", "q=1")),
        ("curl -d a=1 -d b=2 https://a.b", ("POST", "https://a.b", "a=1&b=2")),
        ("curl -T db.sql https://a.b/up", ("PUT", "https://a.b/up", None)),
        ("wget --method=DELETE -qO- https://a.b/c", ("DELETE", "https://a.b/c", None)),
        ("http POST a.b/c name=x", ("POST", "a.b/c", "name=x")),
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
    assert web.document({"query": "truncate table a"}) == ("", {})
    assert web.document(None) == ("", {})


@pytest.mark.parametrize(
    ("command", "credential", "upload"),
    [
        ("curl -u admin:x https://a.b", True, False),
        ("curl -suadmin:x https://a.b", True, False),
        ("curl --oauth2-bearer x https://a.b", True, False),
        ("http -a u:p a.b", True, False),
        ("wget --user=u --password=p https://a.b", True, False),
        ("curl --data-binary @db.sql https://a.b", False, True),
        ("curl -F file=@db.sql https://a.b", False, True),
        ("curl -F name=x https://a.b", False, False),
        ("wget --post-file=db.sql https://a.b", False, True),
        ("curl https://a.b", False, False),
        ("curl -A x -e y https://a.b", False, False),
    ],
)
def test_what_a_command_carries(command: str, credential: bool, upload: bool) -> None:
    """A credential of its own, and a file that leaves."""
    found = web.curl(command.split())

    assert bool(found.get("credential")) is credential
    assert bool(found.get("upload")) is upload
    assert found["url"].endswith("a.b")


def test_requests_by_gh() -> None:
    """Method, route and fields; GraphQL with its variables."""
    deleted = web.gh("gh api -X DELETE repos/acme/shop".split())
    asked = web.gh(["gh", "api", "graphql", "-f", "query=query { viewer { login } }", "-F", "id=7"])

    assert (deleted["method"], deleted["url"]) == ("DELETE", "https://api.github.com/repos/acme/shop")
    assert asked["body"] == {"query": "query { viewer { login } }", "variables": {"id": "7"}}


@given(
    st.lists(
        st.sampled_from("-X -H --data -d -u -F -sXGET --url= http://a.b a:b c=d @e -- - -I --json POST".split()),
        max_size=12,
    )
)
def test_any_command_line_is_read(words: list[str]) -> None:
    """Nothing is raised, and a method is always there."""
    for program in ("curl", "wget", "http"):
        assert "method" in web.curl([program, *words])
    assert "method" in web.gh(["gh", "api", *words])
