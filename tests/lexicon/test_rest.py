"""Requests by method and path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.lexicon import Lexicon, rest
from detector.records import Does

LEXICON = Lexicon()
GONE = Does.DELETE | Does.IRREVERSIBLE
JUDGED = (
    GONE
    | Does.BROAD
    | Does.SAFEGUARD
    | Does.AUDIT
    | Does.BACKUP
    | Does.GRANT
    | Does.ROTATE
    | Does.OPEN_CREDENTIAL
    | Does.WRITE
    | Does.READ
)


def does(method: str, url: str, body: Any = None) -> Does:
    """What the lexicon says of a request."""
    return Does(LEXICON.read("http_request", {"method": method, "url": url, "body": body}).does) & JUDGED


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("DELETE", "https://a.b/v1/volumes/7", GONE),
        ("DELETE", "https://a.b/v1/volumes/7/tags/x", Does.DELETE),
        ("DELETE", "https://a.b/v1/carts/5/items/2", Does.DELETE),
        ("DELETE", "https://a.b/v1/users", Does.DELETE | Does.BROAD),
        ("DELETE", "https://a.b/v1/users/7", Does.DELETE),
        ("DELETE", "https://a.b/api/v1/namespaces/payments", GONE | Does.BROAD),
        ("DELETE", "https://a.b/api/v1/namespaces/shop/pods/web-1", Does.DELETE),
        ("DELETE", "https://a.b/repos/acme/shop", GONE),
        ("DELETE", "https://a.b/repos/acme/shop/issues/1/labels/x", Does.DELETE),
        ("DELETE", "https://a.b/repos/acme/shop/branches/main/protection", Does.DELETE | Does.SAFEGUARD | Does.WRITE),
        ("DELETE", "https://a.b/v1/snapshots/s-1", GONE | Does.BACKUP),
        ("DELETE", "https://a.b/v1/backups/all", GONE | Does.BROAD | Does.BACKUP),
        ("DELETE", "https://a.b/v1/orders/7?dry_run=true", Does(0)),
        ("DELETE", "https://es.internal:9200/orders-*", GONE | Does.BROAD),
        ("DELETE", "https://es.internal:9200/orders/_doc/7", Does.DELETE),
        ("DELETE", "https://media.s3.amazonaws.com/", GONE),
        ("DELETE", "https://media.s3.amazonaws.com/a.txt", Does.DELETE),
        ("POST", "https://a.b/v1/volumes/7/delete", GONE),
        ("POST", "https://a.b/v1/volumes/7/detach", Does.WRITE),
        ("POST", "https://a.b/v1/key/versions/1:destroy", Does.DELETE),
        ("POST", "https://a.b/v1/projects/p:setIamPolicy", Does.WRITE | Does.GRANT),
        ("POST", "https://a.b/v1/tokens", Does.WRITE | Does.ROTATE),
        ("POST", "https://a.b/v1/search", Does.READ),
        ("POST", "https://api.openai.com/v1/chat/completions", Does.READ),
        ("PUT", "https://a.b/orgs/acme/memberships/x", Does.WRITE | Does.GRANT),
        ("GET", "https://a.b/v1/secrets/db", Does.READ | Does.OPEN_CREDENTIAL),
        ("GET", "https://a.b/v1/secrets/db/versions/latest:access", Does.READ | Does.OPEN_CREDENTIAL),
        ("GET", "https://a.b/.well-known/jwks.json", Does.READ),
        ("GET", "https://docs.a.b/docs/secrets", Does.READ),
        (
            "GET",
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/web",
            Does.READ | Does.OPEN_CREDENTIAL,
        ),
        ("GET", "http://169.254.169.254/latest/meta-data/placement/region", Does.READ),
        ("HEAD", "https://a.b/v1/secrets/db", Does.READ),
    ],
)
def test_requests_by_path(method: str, url: str, expected: Does) -> None:
    """The last thing that a path names, and the verb at its end; just these flags."""
    assert does(method, url) == expected


@pytest.mark.parametrize(
    ("method", "url", "body", "expected"),
    [
        ("PATCH", "https://a.b/v1/databases/7", {"deletion_protection": False}, Does.SAFEGUARD),
        ("PATCH", "https://a.b/v1/databases/7", '{"deletionProtection": "off"}', Does.SAFEGUARD),
        ("PATCH", "https://a.b/repos/acme/shop", {"visibility": "public"}, Does.GRANT),
        ("POST", "https://a.b/orders/_delete_by_query", {"query": {"match_all": {}}}, GONE | Does.BROAD),
        ("POST", "https://a.b/orders/_delete_by_query", {"query": {"term": {"id": 7}}}, Does.DELETE),
        ("POST", "https://a.b/v1/database/query", {"query": "truncate table a"}, GONE | Does.BROAD),
        ("POST", "https://a.b/v1/query", {"type": "run_sql", "args": {"sql": "DROP TABLE a"}}, GONE | Does.BROAD),
        ("POST", "https://a.b/repos/acme/shop/issues", {"title": "DELETE /account fails"}, Does(0)),
        ("POST", "https://a.b/graphql", [{"query": "mutation { volumeDelete(id: 1) }"}], GONE),
        ("PATCH", "https://a.b/git/refs/heads/main", {"sha": "x", "force": True}, Does.DELETE | Does.BROAD),
    ],
)
def test_requests_by_body(method: str, url: str, body: Any, expected: Does) -> None:
    """What stands in a body: settings, filters, statements, documents; texts say nothing."""
    assert does(method, url, body) & ~(Does.WRITE | Does.READ) == expected


@given(st.sampled_from(("GET", "POST", "DELETE", "X")), st.text(alphabet="ab/:?=&%._*@[]-\ud800", max_size=80))
def test_any_address_is_read(method: str, path: str) -> None:
    """Nothing is raised."""
    assert rest.read(method, path[:10], "/" + path).does >= 0
    assert LEXICON.read("fetch", {"method": method, "url": f"https://{path}"}).whole
