"""What a secret looks like: by the form that its maker gave it, or by the place where it stands.

Values leave this module only as keyed 64-bit hashes, or not at all (`redact`). The same token
gives the same hash in quotes, in JSON, behind `Bearer`, or bare.
"""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any

import re2

from detector.lexicon.entries import PatternSet
from detector.lexicon.secret_forms import BEFORE, FORMS, MORE_FORMS, STUCK, Form

MAX_SECRETS = 8
"""Values of one text that are kept."""

MAX_VALUE_BYTES = 512
"""Of one value that are looked at."""

MAX_NAME_BYTES = 24
"""Of a credential's place."""

MAX_CANDIDATES = 256
"""Places of one text that are looked at."""


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

_Forms = tuple[tuple[str, Any], ...]


def _compiled(forms: Iterable[Form], any_case: Callable[[str], bool]) -> _Forms:
    """`any_case`: of the name of a form, whether its case doesn't count."""
    return tuple(
        (form.name, re2.compile(form.pattern.encode(), _options if any_case(form.name) else _case)) for form in forms
    )


# What is redacted may also be stuck to a word, as in `run-ghp_...`, and in lower case, as targets of calls are: a word
# too many does no harm there.
_REDACTED = tuple(replace(form, pattern=form.pattern.replace(BEFORE, STUCK)) for form in (*FORMS, *MORE_FORMS))
_forms = _compiled(FORMS, lambda name: name == "password-in-url")
_redacted = _compiled(_REDACTED, lambda name: name != "aws-access-key")
_place = re2.compile(PLACE.encode(), _options)
_ends_in_name = re2.compile(_PLACE.encode() + rb"$", _options)

FIRST_PASS = (*(form.pattern for form in FORMS), _PLACE)
"""What a set may look for beside other patterns to know which of the above are worth a closer look."""

_first = PatternSet(FIRST_PASS).match
_first_redacted = PatternSet((*(form.pattern for form in _REDACTED), _PLACE)).match

_KEY_BODY = re.compile(rb"[A-Za-z0-9+/=\s]*")
_ESCAPE = re.compile(rb"\\[n\"'/]")
_NO_PASSWORDS = frozenset(b"pass password passwd pwd secret user username test example changeme xxx".split())
_NONE: dict[str, Callable[[bytes], bool]] = {
    "password-in-url": lambda value: value.lower() in _NO_PASSWORDS,
    "aws-key-in-lower-case": bytes.isalpha,
    "named-key": lambda value: not looks_secret(value),
}
"""Values of a form that are no secret."""
_MIXED = bytes(code for code in range(256) if chr(code).isdigit() or code in b"!@#%^&*")
_LETTERS = bytes(code for code in range(256) if chr(code).isalpha())
"""In Latin-1."""
_UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_NO_VALUE = re.compile(
    rb"(?:x{4,}|\*{3,}|\.{3,}|<.*|\$.*|%.*|your[_-].*|my[_-]?.*|.*example.*|change[_-]?me.*|placeholder.*|redacted.*|dummy.*"
    rb"|.*(?:environ|getenv|process\.env|secrets?\.|config\.|settings\.|self\.|request\.|\.get).*|https?:.*|[\d.,:/-]+"
    rb"|[\w.-]+/[\w./-]*\.\w{1,5}|[a-z]+\d?(?:_[a-z]+)+\d{0,4})",
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


def _matched(text: bytes, hit: int, forms: _Forms = _forms) -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Form, value and place of what the pattern `hit` finds: one of `forms`, behind them a credential's place.

    An empty value where it is no secret.
    """
    if hit >= len(forms):
        for match in _place.finditer(text) if forms is _forms else _places(text):
            value = match.group(1)[:MAX_VALUE_BYTES].rstrip(b".,;:")
            yield "credential", value if looks_secret(value) else b"", match.span(1)
        return
    form, pattern = forms[hit]
    for match in pattern.finditer(text):
        value, place = match.group(1), match.span(1)
        if form == "private-key":
            value, place = b"".join(value.split())[:64], _KEY_BODY.match(text, place[0]).span()  # type: ignore[union-attr]
        elif (none := _NONE.get(form)) is not None and none(value):
            value = b""
        yield form, value, place


def _places(text: bytes) -> Iterator[Any]:
    """Matches of PLACE, also where a value runs into the name of the next one: `key=.../key=...`."""
    at = 0
    while (match := _place.search(text, at)) is not None:
        yield match
        begin, at = match.span(1)
        tail = max(begin, at - MAX_NAME_BYTES)
        if name := _ends_in_name.search(text[tail:at]):
            at = tail + name.start()


def looks_secret(value: bytes) -> bool:
    """Whether a value in a credential's place is one, and no placeholder, name or number."""
    if _UUID.fullmatch(value):
        return True
    mixed = len(value) - len(value.translate(None, _MIXED))
    # A name such as token_v2 or sha256 has its one digit at the end; a secret mixes.
    if len(value) < 8 or mixed < (2 if len(value) < 20 else 1) or value.translate(None, _LETTERS) == value:
        return False
    return not _NO_VALUE.fullmatch(value)


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
    hits = _first_redacted(data)
    if not hits:
        return text
    found = sorted((place, form) for hit in hits for form, value, place in _matched(data, hit, _redacted) if value)
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
