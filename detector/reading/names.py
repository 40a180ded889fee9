"""Names from outside, made fit for keys, labels and screens."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

from detector.lexicon.secrets import redact

MAX_RUN_CHARS = 200
MAX_SEEN_CHARS = 4096
"""Of a name that are looked at; far more than are kept, for a secret must be whole to be known."""
MAX_KNOWN_CHARS = 64
"""Longer names aren't remembered."""
_NOT_A_TOOL_NAME = re.compile(r"[^A-Za-z0-9_.:/-]+")


def clean(text: str, most: int = MAX_RUN_CHARS) -> str:
    """The text in at most `most` printable characters, without secrets. What had to change ends in a hash of it."""
    return _known_name(text, most) if len(text) <= MAX_KNOWN_CHARS else _clean(text, most)


def _clean(text: str, most: int) -> str:
    seen = redact(text[:MAX_SEEN_CHARS])
    if len(text) <= most and seen == text and text.isprintable():
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    kept = "".join(c if c.isprintable() else "_" for c in seen[: most - 17])
    fit = f"{kept}~{digest}"
    # What was cut may end in `token=`, and then the hash itself would look like a secret to who reads it next.
    return fit if redact(fit) == fit else f"~{digest}"


def tool_name(name: str) -> str:
    """A tool's name as actions carry it: at most 64 characters of [A-Za-z0-9_.:/-], and no secret."""
    return _known_tool(name) if len(name) <= MAX_KNOWN_CHARS else _tool(name[:MAX_SEEN_CHARS])


def _tool(name: str) -> str:
    # Redacted first: what is cut or cleaned may no longer look like the secret that it is.
    return _NOT_A_TOOL_NAME.sub("_", redact(name))[:64]


_known_name = lru_cache(maxsize=8192)(_clean)
_known_tool = lru_cache(maxsize=8192)(_tool)
