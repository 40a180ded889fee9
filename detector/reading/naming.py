"""Provenance that keeps the words of what calls are aimed at, for who looks at their own runs; never in a worker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from detector.lexicon.secrets import redact
from detector.reading.provenance import Provenance
from detector.reading.scan import HASH_BYTES
from detector.records import Values

MAX_CHARS = 8192
MAX_WORDS = 512
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")
_WORD = re.compile(r"[A-Za-z0-9.@/+_-]+")
"""What `reading.scan` reads as one word."""


class Naming(Provenance):
    """Writes into `names` what the hashes in `Values.aims` stand for; no word of a secret."""

    def __init__(self, key: bytes, names: dict[int, str]) -> None:
        super().__init__(key)
        self._names = names

    def call(self, tool: str, arguments: Mapping[str, Any] | str | None, does: int) -> Values | None:
        """The values of a call, as in Provenance."""
        values = super().call(tool, arguments, does)
        if values is not None and values.aims:
            for word in words(arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)):
                if value := self.result(word)[:HASH_BYTES]:
                    self._names.setdefault(key(value), word.strip("./+"))
        return values


def unredacted(names: Iterable[str], text: str) -> list[str]:
    """Those of `names`, which were read in `text`, that are no part of what is a secret there."""
    whole, seen = text.lower(), redact(text).lower()
    return [name for name in names if name.lower() in seen or name.lower() not in whole]


def key(value: bytes) -> int:
    """What a hash of `Values` goes by among names."""
    return int.from_bytes(value, "little")


def words(text: str) -> list[str]:
    """The words of a text, as values are made of them, without those of secrets."""
    # Redacted as a whole, since it is the place that tells most secrets; what the cut went through is left out.
    seen = _WORD.findall(_ESCAPE.sub(" ", redact(text[:MAX_CHARS])))
    return list(dict.fromkeys(seen[:-1] if len(text) > MAX_CHARS else seen))[:MAX_WORDS]
