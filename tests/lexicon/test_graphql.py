"""GraphQL documents: root fields with their arguments."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.lexicon import Lexicon, graphql
from detector.records import Does

LEXICON = Lexicon()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('mutation { volumeDelete(volumeId: "a{b}") }', [("mutation", "volumeDelete", {"volumeId": "a{b}"})]),
        (
            "mutation D($id: String!) { gone: a(id: $id) { id } b }",
            [("mutation", "a", {"id": "x"}), ("mutation", "b", {})],
        ),
        (
            "mutation { ...F }\nfragment F on Mutation { a(n: 7, f: 0.5, t: true, e: ADMIN) }",
            [("mutation", "a", {"n": 7, "f": 0.5, "t": True, "e": "ADMIN"})],
        ),
        ("mutation { ... on Mutation { a } }", [("mutation", "a", {})]),
        ("mutation M @live { a @skip(if: false) { deleteB } }", [("mutation", "a", {})]),
        ("# mutation { b }\nquery { a }", [("query", "a", {})]),
        ("{ a(where: {id: {_eq: [1, 2]}}) { id } }", [("query", "a", {"where": {"id": {"_eq": [1, 2]}}})]),
        ("subscription { a }", [("subscription", "a", {})]),
        ("query A { a } mutation B { b }", [("query", "a", {}), ("mutation", "b", {})]),
        ("mutation", []),
        ("mutation {", []),
    ],
)
def test_root_fields(document: str, expected: list[Any]) -> None:
    """Not aliases, comments, directives or what is asked back; variables and fragments are filled in."""
    assert [tuple(field[:3]) for field in graphql.fields(document, {"id": "x"})] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mutation { a }", True),
        ("query Q { a }", True),
        ("{ a }", True),
        ("# x\n{ a }", True),
        ("fragment F on M { a }", True),
        ('{"a": 1}', False),
        ("{}", False),
        ("DROP TABLE a", False),
        ("query the docs", False),
        ("", False),
    ],
)
def test_what_is_a_document(text: str, expected: bool) -> None:
    """JSON, SQL and prose are none."""
    assert graphql.is_document(text) is expected


@pytest.mark.parametrize(
    ("document", "variables", "does"),
    [
        ("mutation { delete_users(where: {}) { affected_rows } }", None, Does.DELETE | Does.IRREVERSIBLE | Does.BROAD),
        (
            "mutation ($w: W!) { delete_users(where: $w) { affected_rows } }",
            {"w": {}},
            Does.DELETE | Does.IRREVERSIBLE | Does.BROAD,
        ),
        ("mutation { delete_users_by_pk(id: 5) { id } }", None, Does.DELETE),
        ("mutation { updateRule(requiresApprovingReviews: false) { id } }", None, Does.SAFEGUARD),
        ('mutation { inviteAdmin(login: "x", role: OWNER) { id } }', None, Does.GRANT),
        ('mutation { addComment(body: "mutation { volumeDelete }") { id } }', None, Does(0)),
        ('mutation { bulkRun(mutation: "mutation { itemDelete(id: 1) }") { id } }', None, Does.DELETE | Does.BROAD),
        ("query { deletedVolumes { id } }", None, Does(0)),
    ],
)
def test_what_mutations_do(document: str, variables: Any, does: Does) -> None:
    """By their names and their arguments."""
    judged = Does.DELETE | Does.IRREVERSIBLE | Does.BROAD | Does.SAFEGUARD | Does.GRANT

    assert Does(LEXICON.read("graphql", {"query": document, "variables": variables}).does) & judged == does


@given(st.text(alphabet='mutation{}()[]":$@#.a \\\n', max_size=300))
def test_any_document_is_read(text: str) -> None:
    """Nothing is raised, and at most eight fields come out."""
    assert len(graphql.fields("mutation" + text)) <= graphql.MAX_FIELDS
