"""Environments by whole words: `prod-db` is production, `product` and `latest` say nothing.

Words that also mean something else (live, test, dev, stage, ci) count only where they name a
place: after a key such as `env=`, in a host, or at the end of a database's or cluster's name.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

from detector.lexicon.entries import Place, Surface
from detector.records import Environment

_L = r"(?:^|[^a-z0-9])"
_R = r"(?:[^a-z0-9]|$)"
_KEY = (
    r"\b(?:[a-z]+[_-])?(?:env|environment|namespace|ns|db|dbname|database|stage|target|profile|context|cluster|workspace"
    r"|schema|branch|tier|site|host|project|service|app)(?:[_-]?name)?[^a-z0-9\n]{1,3}(?:[a-z0-9]+[._-])*"
)
_ASSETS = r"(?:db|database|env|environment|cluster|server|api|bucket|tenant|account|schema|postgres|mysql|redis|site|vol|volume)"


def _ambiguous(words: str) -> str:
    """`words` in a place's name: after a key, as a host's label, or joined with a kind of asset."""
    return (
        rf"(?:{_KEY}(?:{words})(?:[^a-z0-9/.]|\.[a-z0-9-]+\.|$)"
        rf"|//(?:[\w-]+[.-])?(?:{words})[.-][\w-]+\."
        rf"|{_L}(?:{words})[_-]{_ASSETS}{_R}"
        rf"|{_L}{_ASSETS}[_-](?:{words})(?:[^a-z0-9./]|$)"
        rf"|[a-z0-9][_-](?:{words})(?:[\s\"',;)@:]|$))"
    )


_HOST = (Surface.HTTP,)

PLACES = (
    Place(
        Environment.PRODUCTION, rf"{_L}(?:prod|production|prd)\d*{_R}",
        ("sh: psql -h prod-db.internal", "arg: environment=production", "http: GET prod.example.com /", "sql: DROP TABLE db_production.a"),
        ("sh: ls product", "arg: reproduction=1", "sql: SELECT * FROM products"),
    ),
    Place(
        Environment.PRODUCTION, _ambiguous("live"),
        ("arg: env=live", "sh: deploy --env live", "http: GET //live.example.com /"),
        ("sh: ls delivery", "arg: alive=1", "sh: vite --live-reload"),
    ),
    Place(
        Environment.STAGING, rf"(?:{_L}(?:staging|stg)\d*{_R}|{_ambiguous('stage')})",
        ("sh: psql -h staging-db", "arg: env=stage", "http: GET //api.staging.example.com /"),
        ("sh: git stage a.py", "arg: backstage=1"),
    ),
    Place(
        Environment.PREVIEW, rf"(?:{_L}(?:pr[-_]?\d+|preview|review-app\w*|ephemeral){_R}|{_ambiguous('review')})",
        ("sh: terraform destroy -var env=pr-123", "arg: environment=preview", "http: GET //pr-7.example.com /"),
        ("sh: gh pr view 7", "arg: reviewer=ann"),
    ),
    Place(
        Environment.TEST, rf"(?:{_ambiguous('test|testing|ci|sandbox|qa|uat|scratch')}|//[^\s/]*\.test(?:[:/\s]|$)|@[\w.-]+\.test\b)",
        ("arg: database=app_test", "sh: psql -d orders_test -c x", "sh: createdb test_db", "http: GET //api.example.test /"),
        ("sh: pytest tests/test_a.py", "arg: contest=1", "path: /repo/src/test/a.py", "sh: cat latest.log", "sh: python -m django.test a"),
    ),
    Place(
        Environment.LOCAL, rf"(?:{_L}(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?|host\.docker\.internal){_R}|{_ambiguous('dev|development|local')})",
        ("http: GET //localhost:8000 /", "arg: env=dev", "sh: psql -h 127.0.0.1"),
        ("sh: ls /dev/null", "sh: ls /usr/local/bin", "arg: developer=ann"),
    ),
)  # fmt: skip
