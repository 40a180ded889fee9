"""MongoDB's calls, in its shell and in drivers: `db.orders.deleteMany({})`, `db.users.delete_many({})`."""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re
from typing import NamedTuple

from detector.records import Does

MAX_CALLS = 16
"""Calls of one text that are looked at."""

_GONE = Does.DELETE | Does.IRREVERSIBLE
_CALL = re.compile(
    r"\b(?:db|database|client)((?:(?:\.|\[['\"]?)[\w$-]{1,64}(?:['\"]?\])?|\.getCollection\(['\"][\w$.-]{1,64}['\"]\)){1,4})\s*\(([^\n]{0,400})"
)
_NAME = re.compile(r"[\w$-]+")
_STRING = re.compile(r"['\"]([\w.@-]{1,64})['\"]")
_EMPTY = re.compile(r"\s*(?:\{\s*\}|\)|$|\{\s*['\"]?_id['\"]?\s*:\s*\{\s*['\"]?\$(?:exists|ne|gt|gte|nin)\b)")
_OUT = re.compile(r"\$(?:out|merge)['\"]?\s*:\s*(?:\{[^}]*into['\"]?\s*:\s*)?['\"]([\w.-]+)['\"]")
_EXPIRES = re.compile(r"expireAfterSeconds['\"]?\s*[:=]\s*\d{1,3}\b")
_AUDIT_OFF = re.compile(
    r"setProfilingLevel\(\s*0|audit\w*['\"]?\s*:\s*(?:false|0|null)|setParameter[^)]*logLevel", re.IGNORECASE
)

_ALIKE = {"find": Does.READ, "count": Does.READ, "aggregate": Does.READ, "distinct": Does.READ, "get": Does.READ, "stats": Does.READ,
          "list": Does.READ, "explain": Does.READ, "show": Does.READ, "print": Does.READ, "estimated": Does.READ,
          "insert": Does.WRITE, "update": Does.WRITE, "replace": Does.WRITE, "create": Does.WRITE, "bulk": Does.WRITE, "rename": Does.WRITE,
          "save": Does.WRITE, "delete": Does.DELETE, "remove": Does.DELETE, "drop": Does.DELETE, "grant": Does.WRITE | Does.GRANT}  # fmt: skip
"""By the first word of a method's name."""


class Found(NamedTuple):
    """What the calls of a text do."""

    does: int
    signs: tuple[str, ...]
    collections: tuple[str, ...]


WORDS = {
    "code.mongo-drop": "drops a collection or a database of documents",
    "code.mongo-delete-all": "deletes every document of a collection",
    "code.mongo-delete": "deletes documents",
    "code.mongo-audit": "stops an audit trail of a database",
}


def read(text: str) -> Found:
    """What MongoDB is asked to do in a text of its shell or of a program."""
    does = Does(0)
    signs: list[str] = []
    collections: list[str] = []
    for call, _ in zip(_CALL.finditer(text), range(MAX_CALLS), strict=False):
        names = [name for name in _NAME.findall(call[1]) if name != "getCollection"]
        if not names:
            continue
        found, sign = _method(names[-1].replace("_", "").lower(), call[2])
        does |= found
        signs += [sign] if sign else []
        collections += names[:-1][:1]
        if found & Does.GRANT:
            collections += _STRING.findall(call[2])[:1]
        out = _OUT.search(call[2])
        if out:
            does |= _GONE | Does.WRITE
            collections.append(out[1])
    if _AUDIT_OFF.search(text):
        does |= Does.AUDIT | Does.WRITE
        signs.append("code.mongo-audit")
    if "forEach" in text and re.search(r"\.drop\(\)", text):
        does |= _GONE | Does.BROAD
    return Found(int(does), tuple(dict.fromkeys(signs)), tuple(dict.fromkeys(collections)))


def _method(name: str, given: str) -> tuple[Does, str]:
    if name in ("drop", "dropdatabase", "dropcollection"):
        return _GONE | (Does.BROAD if name == "dropdatabase" else Does(0)), "code.mongo-drop"
    if name in ("deletemany", "remove"):
        every = bool(_EMPTY.match(given))
        return (_GONE | Does.BROAD, "code.mongo-delete-all") if every else (Does.DELETE, "code.mongo-delete")
    if name.startswith("updatemany") and _EMPTY.match(given):
        return Does.WRITE | Does.BROAD, ""
    if name.startswith(("createindex", "ensureindex")) and _EXPIRES.search(given):
        return _GONE | Does.BROAD | Does.WRITE, "code.mongo-delete-all"
    if name.startswith(("createuser", "createrole", "updateuser", "grantroles")):
        return Does.WRITE | Does.GRANT, ""
    if name.startswith("changeuserpassword"):
        return Does.WRITE | Does.ROTATE, ""
    for start, does in _ALIKE.items():
        if name.startswith(start):
            return does, "code.mongo-delete" if does is Does.DELETE else ""
    return Does(0), ""
