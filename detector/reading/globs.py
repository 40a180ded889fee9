"""Globs over the targets of calls: the one part of a manifest that needs the words of a call.

Names of assets are compared by their keyed hash, wherever that is at hand. A glob is matched here, and
the action carries the glob's own hash; whose manifest it stands in, and what it says, is asked later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import re2

MAX_MATCHED = 8
"""Globs of one call that are kept."""


def is_glob(name: str) -> bool:
    """Whether a name has `*`, `?` or `[`."""
    return any(c in name for c in "*?[")


def plain(name: str) -> str:
    """A name of a target as the lexicon writes it: lower case, without quotes and a slash at its end."""
    return name.strip("\"' ").rstrip("/").lower()[:256]


def hashed_as(name: str) -> str:
    """What is hashed for a glob: no target is spelt so."""
    return f"glob\0{plain(name)}"


class Globs:
    """Many globs in one pass over a target. `*`: any text, slashes too; `?`: a character; `[ab]`: one of them."""

    def __init__(self, globs: Iterable[str]) -> None:
        self._globs = tuple(dict.fromkeys(plain(glob) for glob in globs))
        self._set = None
        if self._globs:
            options = re2.Options()
            options.log_errors = False
            self._set = re2.Set.FullMatchSet(options)
            for glob in self._globs:
                self._set.Add(_pattern(glob))
            self._set.Compile()

    def __bool__(self) -> bool:
        return self._set is not None

    def matched(self, targets: Iterable[str]) -> tuple[str, ...]:
        """What is to be hashed of the globs that match one of `targets`; at most 8."""
        if self._set is None:
            return ()
        hits = {hit for target in targets for hit in self._set.Match(target) or ()}
        return tuple(hashed_as(self._globs[hit]) for hit in sorted(hits)[:MAX_MATCHED])


def _pattern(glob: str) -> str:
    """The glob as RE2. A bracket without its end is itself."""
    out, at = ["(?s)"], 0
    while at < len(glob):
        char = glob[at]
        end = glob.find("]", at + 2) if char == "[" else -1
        if end > 0:
            inside = glob[at + 1 : end]
            negated, inside = (True, inside[1:]) if inside[0] == "!" and len(inside) > 1 else (False, inside)
            chars = inside.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^").replace("]", "\\]")
            out.append(f"[{'^' if negated else ''}{chars}]")
            at = end
        else:
            out.append({"*": ".*", "?": "."}.get(char) or re.escape(char))
        at += 1
    return "".join(out)
