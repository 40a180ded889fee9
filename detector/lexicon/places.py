"""Where a call acts: by whole words in names of hosts, databases, projects, profiles, namespaces.

`prod-db` is production, `product` and `latest` say nothing. Words that mean something else as well (live,
test, dev, stage, ci) count only where they name a place: after a key such as `env=`, in a host, beside a
kind of asset, or at the end of a database's or cluster's name.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re

from detector.lexicon.entries import Place, Surface
from detector.records import Environment

_L = r"(?:^|[^a-z0-9])"
_R = r"(?:[^a-z0-9]|$)"
_KEY = (
    r"\b(?:[a-z]+[_-])?(?:env|environment|namespace|ns|db|dbname|database|stage|target|profile|context|cluster|workspace"
    r"|schema|branch|tier|site|host|project|service|app|account|keyspace|stack|deployment)(?:[_-]?(?:name|id))?[^a-z0-9\n]{1,3}(?:[a-z0-9]+[._-])*"
)
_ASSETS = r"(?:db|database|env|environment|cluster|server|api|bucket|tenant|account|schema|postgres|mysql|redis|site|vol|volume|namespace|project|stack|data)"
_NAMED = r"database=(?:[a-z0-9]+[._-])*"


def _ambiguous(words: str) -> str:
    """`words` in a place's name: after a key, as a host's label, or joined with a kind of asset."""
    return (
        rf"(?:{_KEY}(?:{words})\d*(?:[^a-z0-9/.]|\.[a-z0-9-]+\.|$)"
        rf"|{_NAMED}(?:{words})(?:[_-][a-z0-9_]+)?$"
        rf"|//(?:[\w.-]+[.-])?(?:{words})\d*(?:\.[\w-]+[.:/]|-(?:{_ASSETS}|[a-z]{{1,4}}\d{{0,2}})[.:-])"
        rf"|{_L}(?:{words})[_-]{_ASSETS}{_R}"
        rf"|{_L}{_ASSETS}[_-](?:{words})(?:[^a-z0-9./]|$)"
        rf"|[a-z0-9][_-](?:{words})(?:[\s\"',;)@:]|$))"
    )


_PLAIN = (Surface.SHELL, Surface.SET, Surface.HTTP, Surface.GRAPHQL, Surface.PATH, Surface.ARGUMENT, Surface.CLI)
_WITH_SQL = (*_PLAIN, Surface.SQL)

PLACES = (
    Place(
        Environment.PRODUCTION, rf"{_L}(?:prod|production|prd)\d*{_R}",
        ("sh: psql -h prod-db.internal", "arg: environment=production", "http: GET prod.example.com /", "sql: drop table db_production.a"),
        ("sh: ls product", "arg: reproduction=1", "sql: select * from products"), _WITH_SQL,
    ),
    Place(
        Environment.PRODUCTION, _ambiguous("live"),
        ("arg: env=live", "sh: deploy --env live", "http: GET //live.example.com /", "arg: database=shop_live"),
        ("sh: ls delivery", "arg: alive=1", "sh: vite --live-reload"), _PLAIN,
    ),
    Place(
        Environment.PRODUCTION, r"git (?:\S+ )*push .*[ :/](?:prod|production|prd)(?: |$)",
        ("say: git push origin production",), ("say: git commit production", "say: git push origin fix-production"), (Surface.SAYING,),
    ),
    Place(
        Environment.STAGING, r"git (?:\S+ )*push .*[ :/](?:staging|stg)(?: |$)",
        ("say: git push origin staging",), ("say: git log staging",), (Surface.SAYING,),
    ),
    Place(
        Environment.STAGING, rf"(?:{_L}(?:staging|stg|preprod|pre-prod)\d*{_R}|{_ambiguous('stage')})",
        ("sh: psql -h staging-db", "arg: env=stage", "http: GET //api.staging.example.com /", "sql: drop table staging.a"),
        ("sh: git stage a.py", "arg: backstage=1"), _WITH_SQL,
    ),
    Place(
        Environment.PREVIEW, rf"(?:{_L}(?:pr[-_]?\d+|preview(?:[-_]\d+)?|review-app\w*|review-\d+|ephemeral){_R}|{_ambiguous('review')})",
        ("sh: terraform destroy -var env=pr-123", "arg: environment=preview", "http: GET //pr-7.example.com /"),
        ("sh: gh pr view 7", "arg: reviewer=ann"), _PLAIN,
    ),
    Place(
        Environment.TEST, rf"(?:{_ambiguous('test|tests|testing|ci|sandbox|qa|uat|e2e')}|//[^\s/]*\.test(?:[:/\s]|$)|@[\w.-]+\.test\b)",
        ("arg: database=app_test", "sh: psql -d orders_test -c x", "sh: createdb test_db", "http: GET //api.example.test /", "arg: database=test_shop"),
        ("sh: pytest tests/test_a.py", "arg: contest=1", "path: /repo/src/test/a.py", "sh: cat latest.log", "sh: python -m django.test a"), _PLAIN,
    ),
    Place(
        Environment.LOCAL,
        rf"(?:{_L}(?:localhost|127\.0\.0\.1|0\.0\.0\.0(?::\d|\s|$)|\[?::1\]?(?:[^a-z0-9/]|$)|host\.docker\.internal){_R}?|{_ambiguous('dev|development|local')}|{_L}(?:minikube|docker-desktop|rancher-desktop|orbstack|microk8s|(?:kind|k3d)-[a-z0-9-]+){_R}|\s--local(?:\s|$))",
        ("http: GET //localhost:8000 /", "arg: env=dev", "sh: psql -h 127.0.0.1", "sh: minikube stop", "sh: supabase db reset --local"),
        ("sh: ls /dev/null", "sh: ls /usr/local/bin", "arg: developer=ann", "arg: cidr=0.0.0.0/0"), _PLAIN,
    ),
)  # fmt: skip


_BUILT = re.compile(
    r"\b(?:NODE|BABEL|VITE|APP|NEXT|RAILS|MIX)_ENV=\S+\s+(?=(?:\w+=\S+\s+)*(?:npx |yarn |pnpm |npm |bun )?(?:run )?"
    r"(?:build|lint|tsc|webpack|vite|rollup|esbuild|gulp|next build|assets:precompile|bin/rails assets|rails assets)\b)"
)


def without_builds(text: str) -> str:
    """A shell text without the modes in which something is built: a build for production is made where it is built."""
    return _BUILT.sub("", text) if "_ENV=" in text else text
