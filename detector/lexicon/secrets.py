"""What a secret looks like: by the form that its maker gave it, or by the place where it stands.

Values leave this module only as keyed 64-bit hashes, or not at all (`redact`). The same token
gives the same hash in quotes, in JSON, behind `Bearer`, or bare.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

import re2

from detector.lexicon.entries import PatternSet

MAX_SECRETS = 8
"""Values of one text that are kept."""

MAX_VALUE_BYTES = 512
"""Of one value that are looked at."""

MAX_CANDIDATES = 256
"""Places of one text that are looked at."""


@dataclass(frozen=True)
class Form:
    """A secret that is known by its form. `pattern` has one group: the value."""

    name: str
    pattern: str
    fires: str
    quiet: str


_B = r"(?:^|[^A-Za-z0-9_-]|\\[nrt])"

FORMS = (
    Form("aws-access-key", _B + r"((?:AKIA|ASIA|AROA)[A-Z0-9]{16})\b", "AKIAIOSFODNN7EXAMPLE", "AKIARA"),
    Form("github", _B + r"((?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,}))",
         "ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_short"),
    Form("gitlab", _B + r"(gl(?:pat|dt|rt|cbt)-[A-Za-z0-9_-]{20,})", "glpat-abcdefghij0123456789", "glpat-x"),
    Form("openai-anthropic", _B + r"(sk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,})", "sk-" + "proj-abcdefghij0123456789", "sk-learn"),
    Form("stripe", _B + r"((?:sk|rk|pk|whsec)_(?:live|test)?_?[A-Za-z0-9]{20,})", "sk_live_0123456789abcdefghij", "sk_id"),
    Form("slack", _B + r"(xox[abeoprs]-[A-Za-z0-9-]{10,})", "xoxb-0123456789-abcdef", "xoxo"),
    Form("google", _B + r"(AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,64})",
         "AIza0123456789abcdefghijABCDEFGHIJ01234", "AIza"),
    Form("npm-pypi", _B + r"(npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{30,})", "npm_0123456789abcdefghijABCDEFGHIJ012345", "npm_config"),
    Form("vault", _B + r"(hv[sbr]\.[A-Za-z0-9_-]{20,})", "hvs.abcdefghij0123456789AB", "hvs.1"),
    Form("digitalocean-shopify", _B + r"((?:do[opr]_v1_|shp(?:at|ca|pa|ss)_)[a-f0-9]{32,64})",
         "dop_v1_0123456789abcdef0123456789abcdef", "dop_v1"),
    Form("sendgrid", _B + r"(SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64})",
         "SG.abcdefghij0123456789AB.abcdefghij0123456789abcdefghij0123456789ABC", "SG.1"),
    Form("jwt", _B + r"(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,})",
         "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh", "eyJhbGci"),
    Form("private-key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s*([A-Za-z0-9+/=\s]{16,96})",
         "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75dd", "-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA75dd"),
    Form("password-in-url", r"[a-z][a-z0-9+.-]{1,20}://[^/\s:@\"']{1,64}:([^/\s:@\"']{3,})@", "postgres://a:s3cr3t@db/x",
         "postgres://db:5432/x"),
)  # fmt: skip

_PLACE = (
    r"(?:token|secret|passw(?:or)?d|passphrase|pwd|api[_-]?key|apikey|access[_-]?key(?:[_-]?id)?|private[_-]?key|auth[_-]?key"
    r"|credential|authorization|bearer|x-api-key)s?"
)
PLACE = (
    _PLACE
    + r"[\"']?\]?(?:\s{0,4}(?:[:=]|=>|:=)\s{0,4}|\s+(?:is|was)\s{1,4}:?|\s{1,4})[\"']?(?:(?:bearer|basic|token)\s{1,4})?[\"']?"
    r"([A-Za-z0-9_.+/=~!@#%^&*-]{8,})"
)
"""A credential's place: a name that says so, then a value."""

_options = re2.Options()
_options.encoding = re2.Options.Encoding.LATIN1
_options.case_sensitive = False
_options.log_errors = False
_case = re2.Options()
_case.encoding = re2.Options.Encoding.LATIN1
_case.log_errors = False

_forms = tuple(
    re2.compile(form.pattern.encode(), _options if form.name == "password-in-url" else _case) for form in FORMS
)
_place = re2.compile(PLACE.encode(), _options)

FIRST_PASS = (*(form.pattern for form in FORMS), _PLACE)
"""What a set may look for beside other patterns to know which of the above are worth a closer look."""

_first = PatternSet(FIRST_PASS).match

_KEY_BODY = re.compile(rb"[A-Za-z0-9+/=\s]*")
_ESCAPE = re.compile(rb"\\[n\"'/]")
_NO_PASSWORDS = frozenset(b"pass password passwd pwd secret user username test example changeme xxx".split())
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NO_VALUE = re.compile(
    r"(?:x{4,}|\*{3,}|\.{3,}|<.*|\$.*|%.*|your[_-].*|my[_-]?.*|.*example.*|change[_-]?me.*|placeholder.*|redacted.*|dummy.*"
    r"|.*(?:environ|getenv|process\.env|secrets?\.|config\.|settings\.|self\.|request\.|\.get).*|https?:.*|[\d.,:/-]+"
    r"|[\w.-]+/[\w./-]*\.\w{1,5}|[a-z]+\d?(?:_[a-z]+)+\d{0,4})",
    re.IGNORECASE,
)


def plain(text: str) -> bytes:
    """The text as bytes, with JSON's escapes undone so far that a value reads the same everywhere."""
    if "\\" in text:
        text = text.replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'").replace("\\/", "/")
    return text.encode("utf-8", "surrogatepass")


def values(text: bytes, hits: list[int] | None = None) -> Iterator[tuple[str, bytes]]:
    """Form and value of each secret in `text` as `plain` gives it. `hits`: places of FIRST_PASS that matched."""
    for hit in (_first(text) or ()) if hits is None else hits:
        for form, value, _ in islice(_matched(text, hit), MAX_CANDIDATES):
            if value:
                yield form, value


def _matched(text: bytes, hit: int) -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Form, value and place of what the pattern `hit` of FIRST_PASS finds; an empty value where it is no secret."""
    if hit >= len(_forms):
        for match in _place.finditer(text):
            value = match.group(1)[:MAX_VALUE_BYTES].rstrip(b".,;:")
            yield "credential", value if looks_secret(value.decode("latin-1")) else b"", match.span(1)
        return
    form = FORMS[hit].name
    for match in _forms[hit].finditer(text):
        value, place = match.group(1), match.span(1)
        if form == "private-key":
            value, place = b"".join(value.split())[:64], _KEY_BODY.match(text, place[0]).span()  # type: ignore[union-attr]
        elif form == "password-in-url" and value.lower() in _NO_PASSWORDS:
            value = b""
        yield form, value, place


def looks_secret(value: str) -> bool:
    """Whether a value in a credential's place is one, and no placeholder, name or number."""
    if _UUID.fullmatch(value):
        return True
    if len(value) < 8 or _NO_VALUE.fullmatch(value):
        return False
    digits = sum(c.isdigit() for c in value)
    letters = sum(c.isalpha() for c in value)
    if not letters or not (digits or any(c in "!@#%^&*" for c in value)):
        return False
    # A name such as token_v2 or sha256 has its one digit at the end; a secret mixes.
    return len(value) >= 20 or digits + sum(c in "!@#%^&*" for c in value) >= 2


def hashes(text: bytes, key: bytes, hits: list[int] | None = None) -> tuple[int, ...]:
    """Keyed hashes of the secrets in `text`, at most 8, in order of first sight. `hits` as for `values`."""
    hits = _first(text) if hits is None else hits
    if not hits:
        return ()
    found: dict[bytes, None] = {}
    for _, value in values(text, hits):
        found[value] = None
        if len(found) == MAX_SECRETS:
            break
    return tuple(keyed(value, key) for value in found)


def keyed(value: bytes, key: bytes) -> int:
    """A keyed 64-bit hash, never 0."""
    digest = _keyed(key).copy()
    digest.update(value)
    return int.from_bytes(digest.digest(), "big") or 1


@lru_cache(maxsize=16)
def _keyed(key: bytes) -> blake2b:
    # A copy of a state that has its key already costs half of what setting one up does.
    return blake2b(digest_size=8, key=key)


def redact(text: str) -> str:
    """The text with every secret in it replaced by what kind it was. For all that people see."""
    data = plain(text)
    hits = _first(data)
    if not hits:
        return text
    found = sorted((place, form) for hit in hits for form, value, place in _matched(data, hit) if value)
    if not found:
        return text
    raw = text.encode("utf-8", "surrogatepass")
    # `plain` took one byte off each escape: places move by as many as stand before them.
    escapes = [match.start() - n for n, match in enumerate(_ESCAPE.finditer(raw))]
    kept, end = [], 0
    for place, form in found:
        begin, after = (at + bisect_left(escapes, at) for at in place)
        if begin >= end:
            kept += [raw[end:begin], f"[{form} redacted]".encode()]
        end = max(end, after)
    return b"".join((*kept, raw[end:])).decode("utf-8", "surrogatepass")
