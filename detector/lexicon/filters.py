"""Whether a filter holds for everything: an empty one, `{"match_all": {}}`, `{"_id": {"$exists": true}}`, `1=1`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from detector.lexicon import sql_rows

MAX_DEPTH = 3
MAX_ITEMS = 8
"""Of a list or a mapping: a filter of more entries is taken to bound something."""

_CONDITION = re.compile(r"[=<>]|\b(?:like|or|not)\b")
_ALL_TEXTS = frozenset(("", "*", "%", "**", ".*", "*:*", "all", "true", "1=1", "{}", "everything", "match_all", "null"))
_WRAPPING = frozenset(
    "query filter where bool must should and _and $and or _or $or criteria conditions q nested".split()
)
_OPERATORS_OF_ALL = frozenset(("gte", "ge", "gt", "greaterthan", "greaterthanorequal", "min"))
_KEYS = frozenset(("id", "_id", "uuid", "pk", "key", "rowid", "oid"))


def is_all(value: Any, depth: int = 0) -> bool:
    """Whether a filter bounds nothing, as far as its words tell."""
    if value is None or depth > MAX_DEPTH:
        return False
    if isinstance(value, str):
        text = value.strip().lower()
        return text in _ALL_TEXTS or (
            2 < len(text) < 200 and _CONDITION.search(text) is not None and sql_rows.always(text)
        )
    if isinstance(value, (list, tuple)):
        return not value or (len(value) <= MAX_ITEMS and all(is_all(item, depth + 1) for item in value))
    if isinstance(value, Mapping):
        return len(value) <= MAX_ITEMS and all(
            _entry_is_all(str(key).lower(), item, depth) for key, item in value.items()
        )
    return False


def _entry_is_all(key: str, value: Any, depth: int) -> bool:
    if key in ("match_all", "matchall", "$comment", "boost"):
        return True
    if key in ("or", "_or", "$or", "should") and isinstance(value, (list, tuple)):
        return any(is_all(item, depth + 1) for item in value[:MAX_ITEMS])
    if key in _WRAPPING:
        return is_all(value, depth + 1)
    if key in ("query_string", "wildcard", "regexp", "prefix"):
        return isinstance(value, Mapping) and all(is_all(item, depth + 1) for item in value.values())
    if key == "exists":
        return isinstance(value, Mapping) and str(value.get("field", "")).lower() in _KEYS
    if not isinstance(value, Mapping) or not value:
        return isinstance(value, Mapping) or value in ("*", "%", ".*")
    return all(_operator_is_all(str(name).lower().lstrip("_$"), operand, key) for name, operand in value.items())


def _operator_is_all(name: str, operand: Any, key: str) -> bool:
    of_key = key in _KEYS or key.endswith(("_id", "id"))
    if name in ("exists", "isnotnull", "is_not_null"):
        return operand is True and of_key
    if name in ("is_null", "isnull", "null"):
        return operand is False and of_key
    if name in ("ne", "neq", "not") and operand in (None, "", 0, -1):
        return of_key
    if name in _OPERATORS_OF_ALL:
        return of_key and (operand in (None, "") or (isinstance(operand, (int, float)) and operand <= 0))
    if name in ("like", "ilike", "regex", "regexp", "contains", "startswith", "query", "value", "matches", "similar"):
        return isinstance(operand, str) and operand in ("", "%", "*", ".*", "^", "%%", ".+", ".")
    return name in ("nin", "notin", "not_in") and not operand
