"""Trees as OTLP/JSON, with the faults that JSON can have."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii
from random import Random
from typing import Any

from tests.fuzz.wire import Nested, Tree


class Faults:
    """Breaks JSON here and there: with `rate`, a value or a member is not written as it should be."""

    def __init__(self, rng: Random, rate: float = 0.0) -> None:
        self._rng = rng
        self._rate = rate
        self._ascii = rng.random() < 0.5

    def member(self, key: str, written: str) -> str:
        """A member of an object."""
        name = _name(key)
        if not self._rate or self._rng.random() >= self._rate:
            return f"{name}:{written}"
        return self._rng.choice([
            f"{name}:{written},{name}:{written}",
            f"{name}:null,{name}:{written}",
            f"{name}:{written},{name}:null",
            f"{name}:[],{name}:{written}",
            f"{_escaped(key)}:{written}",
            f'"{key[:1].upper()}{key[1:40]}":{written}' if key.isidentifier() else f"{name}:{written}",
            f"\r\n\t {name} \n:\t{written} ",
            f'{name}:{written},"":{{}},"\\u0000":[[]]',
            f"{name}:null",
            f"{name}",
            f"{name}:{written},",
            f"{name}:[{written}]",
            f'{name}:{{"0":{written}}}',
        ])  # fmt: skip

    def scalar(self, value: Any) -> str:
        """A number, text, boolean or null."""
        if self._rate and self._rng.random() < self._rate:
            return self._rng.choice(_BROKEN) if self._rng.random() < 0.6 else self._text(str(value))
        if isinstance(value, str):
            return encode_basestring_ascii(value) if self._ascii else encode_basestring(value)
        return json.dumps(value.decode("latin-1") if isinstance(value, bytes) else value)

    def _text(self, text: str) -> str:
        at = self._rng.randrange(len(text) + 1)
        inserted = self._rng.choice(_INSERTED)
        return json.dumps(text[:at])[:-1] + inserted + json.dumps(text[at:])[1:]


@lru_cache(maxsize=4096)
def _name(key: str) -> str:
    return json.dumps(key)


def _escaped(key: str) -> str:
    """A key of which every character is written as an escape."""
    return '"' + "".join(f"\\u{ord(c):04x}" for c in key if ord(c) < 0x10000) + '"'


_BROKEN = [
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "-0",
        "1e400",
        "-1e400",
        "1e-400",
        "1.5",
        "0.1e1",
        "1E2",
        "0x10",
        "01",
        "+1",
        "-1",
    ),
    *("9" * 25, "-" + "9" * 25, "9" * 5000, "9223372036854775807", "-9223372036854775808", "18446744073709551615"),
    *("null", "true", "false", '""', "[]", "{}", "[[]]", "'a'", "undefined", "tru", '"a', '"AAAA"', '"\\u0663"'),
    *('"9223372036854775807"', '"1e3"', '"NaN"', '" 7 "', '"\\ud800"', '"\\udfff\\ud800"'),
    *('"SPAN_KIND_CLIENT"', '"STATUS_CODE_ERROR"'),
]
_INSERTED = ["\\ud800", "\\u0000", "\t", "\n", "\0", "\\q", "\x7f", "\\", '"', "\\u12", "\ud83d", "\\/", "\u2028"]


def encode(tree: Tree, faults: Faults) -> bytes:
    """The tree as JSON."""
    return _write(tree, faults).encode("utf-8", "surrogatepass")


def _write(tree: Tree, faults: Faults) -> str:
    if isinstance(tree, dict):
        return "{" + ",".join([faults.member(key, _write(item, faults)) for key, item in tree.items()]) + "}"
    if isinstance(tree, list):
        return "[" + ",".join([_write(item, faults) for item in tree]) + "]"
    return tree.json() if isinstance(tree, Nested) else faults.scalar(tree)


def wrapped(rng: Random, value: bytes) -> bytes:
    """The bytes of a whole request as something between the agent and Kafka may have changed them."""
    wrap: Callable[[bytes], bytes] = rng.choice(_WRAPPINGS)
    return wrap(value)


def _as(encoding: str) -> Any:
    return lambda value: value.decode("utf-8", "replace").encode(encoding, "replace")


_WRAPPINGS: list[Any] = [
    lambda value: b"\xef\xbb\xbf" + value,
    lambda value: b"\xef\xbb\xbf\n " + value,
    lambda value: b" \r\n\t" * 20 + value,
    lambda value: value + b"\n",
    lambda value: value + b"\0",
    lambda value: value + value,
    lambda value: b"[" + value + b"]",
    lambda value: value + b",",
    lambda value: b"0" + value,
    lambda value: b'"' + value + b'"',
    _as("utf-16"),
    _as("utf-16-be"),
    _as("utf-32"),
    _as("latin-1"),
    lambda value: gzip.compress(value, 1, mtime=0),
    lambda value: len(value).to_bytes(5, "big") + value,
    lambda _: b"",
    lambda value: value[:1],
]
