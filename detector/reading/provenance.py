"""Where the values of a run come from: what a person named, what a result held, what a call carries, as keyed hashes.

Salient is what is no plain word: an address, a host, a path, an account number, an identifier, a date, an
amount. Case, `-`, `_` and punctuation at the ends don't count, so that a value is the same however it is
written. Texts are cut, scanned once (`reading.scan`), and go no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any

import numpy as np

from detector.lexicon import asked, keys
from detector.reading import scan
from detector.records import Does, Values

MAX_CHARS = 4096
"""Of a result, of a message, and of the arguments of a call, that are looked at."""
MAX_VALUES = 48
"""Of a result, or of what people said."""
MAX_CARRIED = 24
MAX_AIM_BYTES = 100
MAX_MESSAGES = 8
"""Of people, and of a set-up, that are looked at in one turn."""
MAX_LEAVES = 64
MAX_DEPTH = 5
MAX_LINE = 512
"""Of a command's first line."""
LONG = 120
"""An argument of more characters is content, whatever it's called."""
SHORT, MAX_KNOWN = 64, 8192
"""Texts of this length often come again, and so many are remembered."""
MAX_SET_UPS = 256
"""System prompts that are remembered: a fleet has a few, and sends them with every run."""
MAX_KEY_CHARS = 64

_CONTENT = keys.PROSE | keys.BODY
_OUT = int(asked.Asked.SEND | asked.Asked.PAY | asked.Asked.RUN)
_OPENS = int(Does.OPEN_CREDENTIAL)
_TELLING = int(Does.WRITE | Does.OPEN_CREDENTIAL)
_AT_CREDENTIALS, _HEARD = int(asked.Asked.AT_CREDENTIALS), int(asked.Asked.HEARD)
_LOWER = bytes(byte if 0x61 <= byte <= 0x7A else 0x20 for byte in bytes(range(256)).lower())


class Provenance:
    """Reads values. `key`: for their hashes."""

    def __init__(self, key: bytes) -> None:
        seed = blake2b(digest_size=16, key=key, person=b"provenance").digest()
        self._keys = np.frombuffer(seed, dtype="<u8").astype(np.uint64)
        self._short = lru_cache(maxsize=MAX_KNOWN)(self._values)
        self._set_up = lru_cache(maxsize=MAX_SET_UPS)(self._values)
        # What isn't compiled yet is compiled now, and not within the first record.
        self._values("")
        self._aims("")

    def result(self, text: str) -> bytes:
        """Hashes of the values that a result holds, joined."""
        return self._short(text) if len(text) <= SHORT else self._values(text)

    def person(self, said: Iterable[str], told: Iterable[str] = ()) -> tuple[int, bytes]:
        """The kinds of deeds that people asked for, and hashes of the values that they named, joined.

        `said`: messages of people, the newest first. `told`: the set-up; it names values too, and asks for nothing.
        """
        kinds, named = _HEARD, b""
        for text in islice(said, MAX_MESSAGES):
            kinds |= asked.asked(text[:MAX_CHARS].encode("utf-8", "replace").translate(_LOWER).split())
            named += self.result(text)
        for text in islice(told, MAX_MESSAGES):
            named += self._set_up(text[:MAX_CHARS])
        return kinds, named[: MAX_VALUES * scan.HASH_BYTES]

    def call(self, tool: str, arguments: Mapping[str, Any] | str | None, does: int) -> Values | None:
        """The values of a call by what they are for; None where none of them could tell anything."""
        kinds = asked.needed(tool, does)
        if not (kinds or does & _TELLING):
            return None
        aims, content = _sorted(arguments)
        if does & _OPENS or (kinds and asked.at_credentials(aims)):
            kinds |= _AT_CREDENTIALS
        aimed, to_somebody = self._aims(aims) if aims else (b"", False)
        goes_out = content and (kinds & _OUT or to_somebody)
        carried = self._values(content, MAX_CARRIED) if goes_out else b""
        return Values(kinds, aimed, carried) if kinds or aimed else None

    def _values(self, text: str, most: int = MAX_VALUES) -> bytes:
        found = np.empty(most, dtype=np.uint32)
        n = scan.values(_bytes(text), scan.TABLE, self._keys, found)
        return found[:n].tobytes()

    def _aims(self, text: str) -> tuple[bytes, bool]:
        found = np.empty(MAX_AIM_BYTES, dtype=np.uint8)
        n, to_somebody = scan.aims(_bytes(text), scan.TABLE, self._keys, scan.DOMAINS, found)
        return found[:n].tobytes(), to_somebody


def _bytes(text: str) -> scan.Bytes:
    return np.frombuffer(text[:MAX_CHARS].encode("utf-8", "replace"), dtype=np.uint8)


def _sorted(arguments: Mapping[str, Any] | str | None) -> tuple[str, str]:
    """The texts in arguments that say to what or whom, and those that are content."""
    aims: list[str] = []
    content: list[str] = []
    if isinstance(arguments, str):
        (content if len(arguments) > LONG else aims).append(arguments)
    elif arguments:
        _sort(arguments, "", aims, content, 0)
    return _joined(aims), _joined(content)


def _joined(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else " ".join([text[:MAX_CHARS] for text in texts])


def _sort(value: Any, key: str, aims: list[str], content: list[str], depth: int) -> None:
    if isinstance(value, str):
        plain = _plain(key) if len(key) <= MAX_KEY_CHARS else key
        if plain in keys.SHELL:
            # What follows the first line is mostly a document that the command is given.
            first, _, rest = value[:MAX_CHARS].partition("\n")
            aims.append(first[:MAX_LINE])
            if rest:
                content.append(rest)
        else:
            (content if len(value) > LONG or plain in _CONTENT else aims).append(value)
    elif isinstance(value, (Mapping, list, tuple)):
        if depth < MAX_DEPTH and len(aims) + len(content) < MAX_LEAVES:
            items = value.items() if isinstance(value, Mapping) else [(key, item) for item in value[:MAX_LEAVES]]
            for n, (name, item) in enumerate(items):
                if n == MAX_LEAVES:
                    break
                _sort(item, str(name), aims, content, depth + 1)
    elif value is not None and not isinstance(value, bool):
        _sort(str(value)[:MAX_CHARS], key, aims, content, depth)


@lru_cache(maxsize=4096)
def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")
