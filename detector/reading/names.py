"""Names from outside, made fit for keys, labels and screens."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

from detector.lexicon.secrets import redact

MAX_RUN_CHARS = 200
_NOT_A_TOOL_NAME = re.compile(r"[^A-Za-z0-9_.:/-]+")


def clean(text: str, most: int = MAX_RUN_CHARS) -> str:
    """The text in at most `most` printable characters; what had to change ends in a hash of the whole."""
    if len(text) <= most and text.isprintable():
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    kept = "".join(c if c.isprintable() else "_" for c in text[: most - 17])
    return f"{kept}~{digest}"


@lru_cache(maxsize=8192)
def tool_name(name: str) -> str:
    """A tool's name as actions carry it: at most 64 characters of [A-Za-z0-9_.:/-], and no secret."""
    # Redacted first: what is cut or cleaned may no longer look like the secret that it is.
    return _NOT_A_TOOL_NAME.sub("_", redact(name[:256]))[:64]
