"""A call as classified: what its name and arguments say, and keyed hashes of their words.

The one place where argument text is held, in memory and bounded. Nothing that it gives back has a
word of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import msgspec

from detector.dialects import _arguments
from detector.dialects.base import Kind
from detector.lexicon import Call, Lexicon, outcomes, secrets
from detector.reading import modes, principals
from detector.reading.bounds import bounded
from detector.reading.globs import Globs
from detector.reading.names import tool_name
from detector.reading.naming import Naming, unredacted
from detector.reading.provenance import Provenance
from detector.records import Blind, Values

MAX_KNOWN = 4096
"""Calls that are remembered as read, so that a call asked for and then made is read once."""

MAX_KNOWN_CHARS = 2048
"""Longer arguments aren't remembered."""

MAX_KNOWN_NAME_CHARS = 256
"""Nor are longer names of tools and ids of calls."""

MAX_SHORT_CHARS = 64
"""Results of this length often come again (`ok`, `[]`, an exit code), and are remembered."""

_UNREADABLE = int(Blind.UNREADABLE)
_SURFACES = {Kind.HTTP: "http", Kind.DATABASE: "sql", Kind.PROCESS: "process"}


class Read(msgspec.Struct, gc=False):
    """All of a call that may go on: fields as in records.Action."""

    tool: str
    does: int
    environment: int
    targets: tuple[int, ...]
    signs: tuple[str, ...]
    shape: int
    secrets: tuple[int, ...]
    blind: int
    assets: tuple[int, ...] = ()
    principals: tuple[int, ...] = ()
    mode: str = ""
    values: Values | None = None


class Classifier:
    """Classifies calls and hashes words."""

    def __init__(
        self,
        key: bytes,
        max_chars: int,
        lexicon: Lexicon | None = None,
        globs: Globs | None = None,
        names: dict[int, str] | None = None,
    ) -> None:
        # blake2b takes keys of at most 64 bytes.
        self.key = key[:64]
        self.max_chars = max_chars
        self.provenance = Provenance(self.key) if names is None else Naming(self.key, names)
        self._lexicon = lexicon or Lexicon()
        self._globs = globs
        self._names = names
        """Takes targets and principals by their hash, for who shows people their own runs; never in a worker."""
        self._known: dict[tuple[Any, ...], Read] = {}
        """By tool and all that a reading rests on: the text, the order of names, and whether it is text or values."""
        self._short_hash = lru_cache(maxsize=MAX_KNOWN)(self.hash)
        self._short_result = lru_cache(maxsize=MAX_KNOWN)(partial(outcomes.look, key=self.key))

    def hash(self, text: str) -> int:
        """A keyed 64-bit hash of `text`."""
        return secrets.keyed(text.encode("utf-8", "surrogatepass"), self.key)

    def short_hash(self, text: str) -> int:
        """The same for call ids and targets: mostly short, and each comes at least twice."""
        return self._short_hash(text) if len(text) <= MAX_KNOWN_NAME_CHARS else self.hash(text)

    def result(self, result: Any) -> outcomes.Result:
        """A result as looked at, its text cut."""
        text = result if isinstance(result, str) else encoded(bounded(result, 2 * self.max_chars))
        if len(text) <= MAX_SHORT_CHARS:
            return self._short_result(text)
        return outcomes.look(text if len(text) <= self.max_chars else text[: self.max_chars], self.key)

    def call(self, tool: str, arguments: Any) -> Read:
        """A tool's call. What was asked for and then done is read once."""
        if isinstance(arguments, bytes):
            arguments = arguments.decode("utf-8", "replace")
        is_text = isinstance(arguments, str)
        # A value of so many characters as text has no more than twice as many as `bounded` counts them.
        values = arguments if is_text else bounded(arguments, 2 * self.max_chars)
        raw = values if is_text else written(values)
        key = (tool, raw, is_text, True)
        # What is too long to be remembered isn't looked for: its hash alone takes milliseconds for 10 MB.
        known = self._known.get(key) if len(raw) <= MAX_KNOWN_CHARS else None
        if known is not None:
            return known
        cut = values is not arguments or len(raw) > self.max_chars
        text = raw[: self.max_chars] if cut else raw
        parsed = _arguments.parse(text if cut or is_text else arguments)
        plain = parsed if isinstance(parsed, str) else written(parsed)
        plain_key = (tool, plain, isinstance(parsed, str), False)
        known = self._known.get(plain_key) if len(plain) <= MAX_KNOWN_CHARS else None
        if known is None or cut:
            call = self._lexicon.read(tool, parsed)
            known = self._read(call, tool, _shape(parsed, plain), text if cut else plain, cut=cut)
            known.values = self.provenance.call(tool, parsed, call.does)
            self._remember(plain_key, known)
        self._remember(key, known)
        return known

    def infra(self, tool: str, kind: Kind, fields: Mapping[str, Any]) -> Read:
        """What an HTTP, database or process span did."""
        whole, fields = fields, bounded(fields, 2 * self.max_chars)
        raw = "\0".join(map(str, fields.values()))
        key = (tool, written(fields), False, None)
        known = self._known.get(key) if len(raw) <= MAX_KNOWN_CHARS else None
        if known is None:
            cut = fields is not whole or len(raw) > self.max_chars
            if cut:
                fields = {name: str(value)[: self.max_chars] for name, value in fields.items()}
            call = self._lexicon.infra(_SURFACES[kind], fields)
            known = self._read(call, tool, raw, raw[: self.max_chars], cut=cut)
            self._remember(key, known)
        return known

    def _read(self, call: Call, tool: str, shape: str, text: str, *, cut: bool) -> Read:
        data = secrets.plain(text)
        actors = principals.find(data)
        if self._names is not None:
            self._names |= {self.short_hash(name): name for name in unredacted(call.targets, text)}
            self._names |= {self._principal(name, kind): name for name, kind in actors.items()}
        return Read(
            tool_name(tool),
            call.does,
            call.environment,
            tuple(self.short_hash(target) for target in call.targets),
            call.signs,
            self.hash(f"{tool}\0{shape}"),
            secrets.hashes(data, self.key),
            _UNREADABLE if cut or not call.whole else 0,
            tuple(map(self.short_hash, self._globs.matched(call.targets))) if self._globs else (),
            tuple(self._principal(name, kind) for name, kind in actors.items()) if actors else (),
            modes.find(data),
        )

    def _principal(self, name: str, kind: int) -> int:
        return self.hash(name) & ~principals.KINDS | kind

    def _remember(self, key: tuple[Any, ...], read: Read) -> None:
        if len(key[1]) <= MAX_KNOWN_CHARS and len(key[0]) <= MAX_KNOWN_NAME_CHARS and not read.blind:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = read


def _shape(parsed: Any, plain: str) -> str:
    """What is equal where a call is repeated: a framework that gives a tool's one argument bare, and one that
    names it, mean the same call.
    """
    if isinstance(parsed, Mapping) and len(parsed) == 1:
        only = next(iter(parsed.values()))
        if isinstance(only, str):
            return only
    return plain if isinstance(parsed, str) else encoded(parsed)


_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_encode = msgspec.json.encode


def encoded(value: Any) -> str:
    """Any value as one text, the same for equal values; empty for None."""
    return written(value, _encode_sorted)


def written(value: Any, encode: Callable[[Any], bytes] = _encode) -> str:
    """Any value as one text, its names in their order; empty for None."""
    if value is None:
        return ""
    try:
        return encode(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        return repr(value)
