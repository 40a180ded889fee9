"""Who acts: the users, service accounts, profiles and kinds of token that a call names itself by.

A principal leaves this module as a name only to who asks for names (`detector manifest propose`); an
action carries its keyed hash, with what its form tells in the lowest three bits: PERSON, BROAD, FORM.

What a form can't tell is not guessed. An opaque token has no principal; AKIA may be the key of a user
or of the account's root, `glpat-` a person's, a project's or a group's, `ya29.` anybody's: they are
named and carry neither bit.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import re2

PERSON, BROAD, FORM = 1, 2, 4
"""FORM: a kind of token, of which there may be many."""
KINDS = PERSON | BROAD | FORM
"""The bits of a principal's hash that tell its kind; all others are the hash."""

MAX_PRINCIPALS = 8
"""Of one call."""

MAX_CANDIDATES = 64
"""Places of one text that are looked at, for each pattern."""

MAX_JWT_BYTES = 4096

_NAME = r"([a-z0-9_][a-z0-9_.@+-]*)"
_VALUE = rf"[=\s]\s{{0,4}}[\"']?{_NAME}"
_SAME = r"[^|;&\n]*?\s"
"""Up to an option of the same command."""


class Token(NamedTuple):
    """A kind of token that its maker's form gives away, with an example that fires and a near one that doesn't."""

    name: str
    pattern: str
    kind: int
    fires: str
    quiet: str


_B = r"(?:^|[^A-Za-z0-9_-])"

TOKENS = (
    Token("github-person", r"(?:gh[po]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})", PERSON, "ghp_" + "a1" * 18, "ghs_" + "a1" * 18),
    Token("github-app", r"gh[sru]_[A-Za-z0-9]{30,}", 0, "ghs_" + "a1" * 18, "ghs_a"),
    Token("gitlab", r"glpat-[A-Za-z0-9_-]{20,}", 0, "glpat-" + "a1" * 10, "glpat-a"),
    Token("gitlab-job", r"gl(?:dt|cbt|rt)-[A-Za-z0-9_-]{20,}", 0, "gldt-" + "a1" * 10, "glpat-" + "a1" * 10),
    Token("slack-person", r"xox[pcde]-[A-Za-z0-9-]{10,}", PERSON, "xoxp-" + "1234567890-a", "xoxb-" + "1234567890-a"),
    Token("slack-bot", r"xox[ab]-[A-Za-z0-9-]{10,}", 0, "xoxb-" + "1234567890-a", "xoxb-1"),
    Token("linear-person", r"lin_api_[A-Za-z0-9]{20,}", PERSON, "lin_api_" + "a1" * 16, "lin_oauth_" + "a1" * 16),
    Token("doppler-person", r"dp\.(?:pt|ct)\.[A-Za-z0-9]{20,}", PERSON, "dp.pt." + "a1" * 16, "dp.st." + "a1" * 16),
    Token("doppler-service", r"dp\.(?:st|sa)\.(?:[a-z0-9_-]+\.)?[A-Za-z0-9]{20,}", 0, "dp.st.prd." + "a1" * 16, "dp.pt." + "a1" * 16),
    Token("sentry-person", r"sntryu_[a-f0-9]{32,}", PERSON, "sntryu_" + "a1" * 32, "sntrys_" + "a1" * 32),
    Token("digitalocean-person", r"dop_v1_[a-f0-9]{32,}", PERSON, "dop_v1_" + "a1" * 32, "doo_v1_" + "a1" * 32),
    Token("supabase-person", r"sbp_[a-f0-9]{32,}", PERSON, "sbp_" + "a1" * 20, "sbp_a1"),
    Token("supabase-secret", r"sb_secret_[A-Za-z0-9_-]{16,}", BROAD, "sb_secret_" + "a1" * 12, "sb_publishable_" + "a1" * 12),
    Token("figma-person", r"figd_[A-Za-z0-9_-]{20,}", PERSON, "figd_" + "a1" * 12, "figd_a"),
    Token("postman-person", r"PMAK-[a-f0-9]{24}-[a-f0-9]{20,}", PERSON, "PMAK-" + "a1" * 12 + "-" + "a1" * 17, "PMAK-a1"),
    Token("atlassian-person", r"ATATT3[A-Za-z0-9_=-]{20,}", PERSON, "ATATT3" + "a1" * 12, "ATATT3a"),
    Token("anthropic-person", r"sk-ant-oat\d\d-[A-Za-z0-9_-]{20,}", PERSON, "sk-ant-oat01-" + "a1" * 12, "sk-ant-api03-" + "a1" * 12),
    Token("anthropic-admin", r"sk-ant-admin\d\d-[A-Za-z0-9_-]{20,}", BROAD, "sk-ant-admin01-" + "a1" * 12, "sk-ant-api03-" + "a1" * 12),
    Token("openai-admin", r"sk-admin-[A-Za-z0-9_-]{20,}", BROAD, "sk-admin-" + "a1" * 12, "sk-proj-" + "a1" * 12),
    Token("stripe-secret", r"sk_live_[A-Za-z0-9]{20,}", BROAD, "sk_live_" + "a1" * 12, "rk_live_" + "a1" * 12),
    Token("stripe-restricted", r"rk_live_[A-Za-z0-9]{20,}", 0, "rk_live_" + "a1" * 12, "sk_live_" + "a1" * 12),
    Token("aws-key", r"AKIA[A-Z0-9]{16}\b", 0, "AKIA" + "IOSFODNN7EXAMPLE", "AKIAIO"),
    Token("aws-session", r"ASIA[A-Z0-9]{16}\b", 0, "ASIA" + "IOSFODNN7EXAMPLE", "ASIAIO"),
    Token("google-oauth", r"ya29\.[A-Za-z0-9_-]{20,}", 0, "ya29." + "a1" * 12, "ya29.a"),
)  # fmt: skip
"""Sources: each maker's documentation of its tokens' prefixes. A Stripe secret key, a Supabase secret key and the admin keys
may do everything in their account; the person's kinds have the authority of who made them."""


class Seat(NamedTuple):
    """A place of a name by which a call says who acts, with an example that fires and a near one that doesn't."""

    pattern: str
    """RE2, case ignored, over one command or text; one group: the name."""
    fires: str
    quiet: str
    hint: str
    """Literals of which one stands in every text that `pattern` matches: what all texts are looked through for."""
    account: bool = False
    """The name is an account of a cloud: an e-mail address there is a person's, or a service account's."""


SEATS = (
    Seat(r"[a-z]://([^/\s:@\"'<>{}$%?#]+)(?::[^/\s@\"']*)?@[a-z0-9\[]",
         "postgres://app_rw:x@db/orders", "postgres://db/orders", "://"),
    Seat(r"\b(?:mysql[a-z]*|mariadb[a-z-]*|mongo[a-z]*|curl|sudo|influx|cqlsh|snowsql|clickhouse-client|gh\s+auth|az\s+login|redis-cli|runuser|ldapsearch)\b"
         rf"{_SAME}(?:-u[=\s]{{0,3}}[\"']?|--user(?:name)?[=\s]\s{{0,4}}[\"']?){_NAME}",
         "mysql -h db -uroot orders", "curl --user-agent x http://a", r"mysql|mariadb|mongo|curl|sudo|influx|cqlsh|snowsql|clickhouse|gh\s+auth|az\s+login|redis-cli|runuser|ldapsearch"),
    Seat(rf"\b(?:psql|pg_[a-z]+|createdb|dropdb|sqlcmd|pgcli)\b{_SAME}(?:-U[=\s]{{0,3}}[\"']?|--username[=\s]\s{{0,4}}[\"']?){_NAME}",
         "psql -h db -U app_rw orders", "psql -h db orders", r"psql|pg_|createdb|dropdb|sqlcmd|pgcli"),
    Seat(rf"\b(?:ssh|scp|sftp|rsync|mosh|autossh)\s(?:[^|;&\n]*?\s)?[\"']?{_NAME}@[a-z0-9][\w.-]*",
         "ssh -i k deploy@web-1", "ssh web-1", r"(?:ssh|scp|sftp|rsync|mosh)\s"),
    Seat(rf"\b(?:aws|sam|cdk|eksctl|databricks|oci|aliyun)\b{_SAME}--profile{_VALUE}",
         "aws s3 ls --profile ops-admin", "cargo build --profile release", r"--profile"),
    Seat(rf"\b(?:gcloud|bq|gsutil)\b{_SAME}(?:--account|--impersonate-service-account){_VALUE}",
         "gcloud --account ann@example.com projects list", "az storage --account-name x", r"--account|--impersonate", account=True),
    Seat(rf"\bgcloud\s+(?:config\s+set\s+(?:core/)?account|auth\s+(?:login|activate-service-account))\s+[\"']?{_NAME}",
         "gcloud config set account ann@example.com", "gcloud config set project shop", r"gcloud\s+(?:config|auth)", account=True),
    Seat(rf"\b(?:kubectl|oc|helm)\b{_SAME}(?:--as|--kube-as-user){_VALUE}",
         "kubectl get pods --as ops-admin", "kubectl get pods --as-group x", r"--as[=\s]|--kube-as"),
    Seat(r"(?:--role-arn|\brole_?arn)[\"']?\s{0,4}[=:\s]\s{0,4}[\"']?arn:aws[a-z-]*:iam::\d*:((?:role|user)/[a-z0-9_+=,.@/-]+|root)",
         "aws sts assume-role --role-arn arn:aws:iam::1:role/deploy", "aws iam get-role --role-name deploy", r"role-?_?arn"),
    Seat(r"\b(?:PGUSER|MYSQL_USER|DB_USER|DATABASE_USER|REDIS_USER|MONGO_USER|SNOWSQL_USER|CLOUDSDK_CORE_ACCOUNT"
         rf"|GOOGLE_IMPERSONATE_SERVICE_ACCOUNT|AWS_PROFILE|AWS_DEFAULT_PROFILE|AZURE_CLIENT_ID)=[\"']?{_NAME}",
         "PGUSER=app_rw psql orders", "PGHOST=db psql orders", r"user=|account=|_profile=|client_id=", account=True),
    Seat(rf"\"(?:run_?as(?:_?user)?|as_?user|impersonate(?:_?user)?|db_?user|login_?user|service_?account|aws_?profile)\"\s{{0,4}}:\s{{0,4}}\"{_NAME}\"",
         '{"run_as": "svc-deploy"}', '{"user": "ann"}', r"run_?as|as_?user|impersonate|db_?user|login_?user|service_?account|aws_?profile", account=True),
)  # fmt: skip

NOBODY = frozenset(
    "git x-access-token oauth2 x-token-auth gitlab-ci-token apikey api api_key token user username anonymous default"
    " _json_key none null true false me".split(),
)
"""Names that stand where a name must, and name nobody."""

_BROAD = frozenset(
    "root admin administrator superuser sa sysadmin sys sysdba system master owner postgres rdsadmin rds_superuser"
    " cloudsqlsuperuser doadmin avnadmin neon_superuser kubernetes-admin cluster-admin".split(),
)
"""The makers' own names of accounts that may do everything."""
_BROAD_ENDS = frozenset(
    "admin administrator administratoraccess organizationaccountaccessrole root superuser poweruser poweruseraccess"
    " owner".split(),
)
_WORDS = re.compile(r"[a-z0-9]+")
_NOT_A_PERSON = frozenset("svc service sa bot robot ci cd deploy noreply agent automation runner app system".split())

_options = re2.Options()
_options.encoding = re2.Options.Encoding.LATIN1
_options.log_errors = False
_options.max_mem = 64 << 20

_BASIC = r"basic ([A-Za-z0-9+/=]{8,})"
_JWT = r"eyJ[A-Za-z0-9_-]{10,}\.(eyJ[A-Za-z0-9_-]{5,})\."
_PLACES = (*(f"(?i:{seat.pattern})" for seat in SEATS), f"(?i:{_BASIC})", _JWT)
_places = tuple(re2.compile(pattern.encode(), _options) for pattern in _PLACES)
# Most calls name nobody: one pass tells, and which places are worth a closer look. It looks for little more than
# literals, since the automaton of all whole patterns at once would have more states than a hostile text has bytes.
_first = re2.Set.SearchSet(_options)
_HINTS = (*(f"(?i:{seat.hint})" for seat in SEATS), "(?i:basic )", r"eyJ")
for _pattern in (*_HINTS, *(f"{_B}{token.pattern}" for token in TOKENS)):
    _first.Add(_pattern.encode())
_first.Compile()


def find(text: bytes) -> dict[str, int]:
    """Names of who acts in `text`, as `lexicon.secrets.plain` gives it, with their kinds; at most 8.

    Tokens are named by their form (`token:slack-bot`), never by their value.
    """
    hits = _first.Match(text)
    if not hits:
        return {}
    found: dict[str, int] = {}
    for name, kind in _named(text, hits):
        found[name] = found.get(name, 0) | kind
        if len(found) == MAX_PRINCIPALS:
            break
    return found


def _named(text: bytes, hits: list[int]) -> Iterator[tuple[str, int]]:
    for hit in hits:
        if hit >= len(_places):
            token = TOKENS[hit - len(_places)]
            yield f"token:{token.name}", token.kind | FORM
            continue
        for match in islice(_places[hit].finditer(text), MAX_CANDIDATES):
            value = match.group(1)
            if hit == len(SEATS) + 1:
                yield from _claimed(value)
                continue
            if hit == len(SEATS):
                value = _decoded(value).partition(b":")[0]
            if name := _plain(value.decode("latin-1")):
                yield name, kind_of(name, account=hit < len(SEATS) and SEATS[hit].account)


def kind_of(name: str, *, account: bool = False) -> int:
    """What a name's form tells: BROAD for the makers' own names of all-powerful accounts and for `...-admin`;
    PERSON for an e-mail address that is no service's, in the place of a cloud's account.
    """
    local, _, domain = name.rpartition("/")[2].partition("@")
    words = _WORDS.findall(local)
    kind = BROAD if local in _BROAD or (words and words[-1] in _BROAD_ENDS) else 0
    if account and domain and not domain.endswith("gserviceaccount.com") and _NOT_A_PERSON.isdisjoint(words):
        kind |= PERSON
    return kind


def _plain(name: str) -> str:
    name = name.lower().rstrip(".-+")
    return "" if name in NOBODY or not name.isprintable() or len(name) > 160 else name


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value + b"=" * (-len(value) % 4), altchars=b"-_")
    except (ValueError, binascii.Error):
        return b""


def _claimed(payload: bytes) -> Iterator[tuple[str, int]]:
    """Whom a JSON Web Token says that it is for."""
    try:
        claims: Any = msgspec.json.decode(_decoded(payload[:MAX_JWT_BYTES]))
    except (ValueError, RecursionError):
        return
    if not isinstance(claims, dict):
        return
    subject, email, role = (str(claims.get(key) or "")[:128].lower() for key in ("sub", "email", "role"))
    if role == "service_role":
        yield "token:service_role", BROAD | FORM
    elif subject.startswith("system:serviceaccount:"):
        yield subject, 0
    elif name := _plain(email):
        yield name, kind_of(name, account=True)
