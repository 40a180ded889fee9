"""Which rows a DELETE or an UPDATE changes: all of them where nothing bounds it, or only what always holds."""

from __future__ import annotations

import logging
from typing import Any

from sqlglot import Dialect, Parser
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

MAX_CONDITION_CHARS = 512
"""Of a longer condition only its alternatives are judged: a parse takes up to three microseconds a character."""

MAX_ALTERNATIVES = 6
SHORT = 9
"""Tokens of an alternative that is judged by itself."""

STEPS, STEPS_PER_TOKEN = 300, 4
"""Of a parse, which then gives up."""

MANY_ROWS = 1_000_000
"""A limit from here on bounds nothing."""

_ENDS = frozenset("returning order limit group on output option window qualify".split())
_CONSTANTS = frozenset(("true", "false", "null", "current_user"))
_MATCHES = dict.fromkeys(("~", "~*", "similar", "rlike", "regexp"), "ilike")
_DIALECT = Dialect()

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


class _GaveUpError(SqlglotError):
    pass


class _Parser(Parser):
    """Gives up where it goes back again and again: `array[array[…` takes a time exponential in its depth.

    Plain statements take 1.1 steps a token, and arrays in arrays in arrays 5.
    """

    steps = 0
    """That are left."""

    def _advance(self, times: int = 1) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise _GaveUpError
        super()._advance(times)


def is_all(statement: list[str], table: str, *, parses: bool = True) -> bool:
    """Whether a DELETE or UPDATE of `table` changes every row. `statement`: its tokens behind its verb."""
    condition: list[str] = []
    depth, where, bound = 0, False, False
    for position, word in enumerate(statement):
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
            if depth < 0:
                break
        elif depth == 0 and word in _ENDS and (where or word == "limit"):
            bound = bound or _limits(statement[position:])
            where = False
            continue
        elif depth == 0 and not where:
            where = word == "where"
            bound = bound or word in ("join", "top", "using") or (word == "current" and "of" in statement)
            continue
        if where:
            condition.append(_MATCHES.get(word, word))
    if bound or not condition:
        return not bound
    if not parses:
        return condition[:3] in (["1", "=", "1"], ["true"], ["1"])
    return not _binds(condition) and _holds_for_all(condition, table)


def _holds_for_all(condition: list[str], table: str) -> bool:
    text = " ".join(condition)
    if len(text) <= MAX_CONDITION_CHARS:
        return always(text, table)
    short = [part for part in _alternatives(condition) if len(part) <= SHORT]
    half = MAX_ALTERNATIVES // 2
    return any(always(" ".join(part), table) for part in (*short[:half], *short[-half:]))


def _alternatives(condition: list[str]) -> list[list[str]]:
    """What stands between the ORs of a condition."""
    found: list[list[str]] = [[]]
    depth = 0
    for word in condition:
        depth += (word == "(") - (word == ")")
        if word == "or" and depth == 0:
            found.append([])
        else:
            found[-1].append(word)
    return found


def _binds(condition: list[str]) -> bool:
    """Whether a condition plainly holds for some rows only: a name equals a value, and nothing is an alternative."""
    if "or" in condition or "(" in condition or "not" in condition or "xor" in condition or "||" in condition:
        return False
    for place, word in enumerate(condition):
        if word == "=" and 0 < place < len(condition) - 1:
            name, value = condition[place - 1], condition[place + 1]
            named = (name[0].isalpha() or name[0] == "_") and name not in _CONSTANTS
            if named and (value[0] in "':$%@" or value.isdigit()):
                return True
    return False


def _limits(statement: list[str]) -> bool:
    if statement[0] != "limit" or len(statement) < 2:
        return False
    return not statement[1].isdigit() or int(statement[1][:12]) < MANY_ROWS


def never(condition: list[str]) -> bool:
    """Whether a condition, as tokens, begins with what holds for no row."""
    return condition[0] in ("false", "0") or condition[:3] in (
        ["1", "=", "0"],
        ["0", "=", "1"],
        ["1", "=", "2"],
        ["1", "<>", "1"],
    )


def always(condition: str, table: str = "") -> bool:
    """Whether a condition holds for every row, as far as its words tell; False where it can't be parsed."""
    if len(condition) > MAX_CONDITION_CHARS:
        return False
    try:
        text = f"select 1 where {condition}"
        tokens = _DIALECT.tokenize(text)
        parser = _Parser(dialect=_DIALECT)
        parser.steps = STEPS + STEPS_PER_TOKEN * len(tokens)
        parsed = parser.parse(tokens, text)[0]
        where = parsed.args.get("where") if parsed else None
        return where is not None and _holds(where.this, table)
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, IndexError):
        return False


def _holds(condition: Any, table: str) -> bool:
    condition = condition.unnest() if isinstance(condition, exp.Paren) else condition
    match condition:
        case exp.Boolean() | exp.Literal():
            return _is_true(condition)
        case exp.Or():
            return _holds(condition.left, table) or _holds(condition.right, table) or _halves(condition)
        case exp.And():
            return _holds(condition.left, table) and _holds(condition.right, table)
        case exp.Not():
            return _fails(condition.this)
        case exp.In() | exp.Exists():
            return _in_all(condition, table)
        case exp.Like() | exp.ILike() | exp.RegexpLike() | exp.RegexpILike() | exp.SimilarTo():
            return _text(condition.expression) in _ANYTHING
        case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE() | exp.NullSafeEQ():
            return _compares(condition)
    return False


def _is_true(condition: Any) -> bool:
    return bool(condition.this) if isinstance(condition, exp.Boolean) else str(condition.this) not in ("0", "")


_ANYTHING = frozenset(("%", "%%", "%%%", ".*", "^", "^.*", "^.*$", ".", ".+", "", "_%", "%_%"))


def _fails(condition: Any) -> bool:
    """Whether a condition holds for no row. No key is null, and nothing is in an empty list."""
    match condition:
        case exp.Paren():
            return _fails(condition.this)
        case exp.Boolean():
            return not condition.this
        case exp.Literal():
            return str(condition.this) == "0"
        case exp.Not():
            return _holds(condition.this, "")
        case exp.Is():
            return isinstance(condition.expression, exp.Null) and _is_key(condition.this)
        case exp.EQ():
            left, right = _value(condition.left), _value(condition.right)
            return (left is not None and right is not None and left != right) or (
                _is_key(condition.left) and right is not None and _is_nought(right)
            )
    return False


def _compares(condition: Any) -> bool:
    left, right = condition.left, condition.right
    if left == right:
        return not isinstance(condition, (exp.NEQ, exp.GT, exp.LT))
    one, other = _value(left), _value(right)
    if one is not None and other is not None:
        return _compared(condition, one, other)
    if one is not None:
        return isinstance(condition, (exp.LT, exp.LTE, exp.NEQ)) and _is_key(right) and _is_nought(one)
    if isinstance(condition, (exp.GT, exp.GTE, exp.NEQ)) and other is not None:
        return (_is_key(left) and _is_nought(other)) or (
            _is_date(left) and isinstance(other, str) and other[:2] in ("00", "17", "18", "19") and other[:4] < "1990"
        )
    if isinstance(condition, (exp.LT, exp.LTE)) and _is_date(left):
        return _is_now(right) or (isinstance(other, str) and other[:2].isdigit() and other[:2] > "20")
    return False


def _compared(condition: Any, one: Any, other: Any) -> bool:
    if isinstance(condition, (exp.EQ, exp.NullSafeEQ)):
        return bool(one == other)
    if isinstance(condition, exp.NEQ):
        return bool(one != other)
    if type(one) is not type(other):
        return False
    if isinstance(condition, (exp.GT, exp.GTE)):
        return bool(one > other or (one == other and isinstance(condition, exp.GTE)))
    return bool(one < other or (one == other and isinstance(condition, exp.LTE)))


def _halves(condition: Any) -> bool:
    """`a = 1 or a <> 1`, `a is null or a is not null`: one half of all, and the other."""
    left, right = condition.left.unnest(), condition.right.unnest()
    if isinstance(right, exp.Not):
        return bool(right.this.unnest() == left)
    if isinstance(left, exp.Not):
        return bool(left.this.unnest() == right)
    pair = {type(left), type(right)}
    return (
        pair in ({exp.EQ, exp.NEQ}, {exp.LT, exp.GTE}, {exp.GT, exp.LTE})
        and left.left == right.left
        and left.right == right.right
    )


def _in_all(condition: Any, table: str) -> bool:
    if isinstance(condition, exp.Exists):
        return _is_unbounded(condition.this, "")
    query = condition.args.get("query")
    if query is not None:
        return _is_unbounded(query.this if isinstance(query, exp.Subquery) else query, table)
    one = _value(condition.this)
    return one is not None and any(_value(item) == one for item in condition.expressions)


def _is_unbounded(query: Any, table: str) -> bool:
    """Whether a query gives every row of `table`; of any where it is empty."""
    query = query.unnest() if isinstance(query, exp.Subquery) else query
    if not isinstance(query, exp.Select) or query.args.get("limit") is not None or query.args.get("joins"):
        return False
    source = query.find(exp.Table)
    if table and (source is None or source.name.lower() != table.rsplit(".", 1)[-1]):
        return False
    where = query.args.get("where")
    return where is None or _holds(where.this, table)


def _value(node: Any) -> Any:
    """A literal's value: a number or a text; None for anything else."""
    if isinstance(node, exp.Paren):
        return _value(node.this)
    if isinstance(node, exp.Neg):
        inner = _value(node.this)
        return -inner if isinstance(inner, float) else None
    if isinstance(node, exp.Boolean):
        return float(bool(node.this))
    if not isinstance(node, exp.Literal):
        return None
    return str(node.this) if node.is_string else float(node.this)


def _text(node: Any) -> str | None:
    return str(node.this) if isinstance(node, exp.Literal) else None


def _is_nought(value: Any) -> bool:
    return value in ("", "0") or (isinstance(value, float) and value <= 0)


def _is_key(node: Any) -> bool:
    name = node.name.lower() if isinstance(node, exp.Column) else ""
    return name in ("id", "_id", "uuid", "pk", "rowid", "ctid", "guid", "oid", "key") or name.endswith(("_id", "_uuid"))


def _is_date(node: Any) -> bool:
    name = node.name.lower() if isinstance(node, exp.Column) else ""
    return name.startswith(("created", "inserted", "updated", "timestamp")) or name in ("date", "time", "ts", "at")


def _is_now(node: Any) -> bool:
    if isinstance(node, (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentDatetime)):
        return True
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in ("now", "getdate", "sysdate")
