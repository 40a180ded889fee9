"""Names of what a statement acts on: tables, databases, roles, policies, indexes."""

from __future__ import annotations

MAX_NAMES = 8
MAX_NAME_CHARS = 200
MAX_SEEN = 320
"""Tokens of a statement among which names are looked for."""

_ALWAYS = frozenset(
    "from join into update table view database schema truncate describe desc overwrite keyspace cluster".split()
)
_IN_DEFINITIONS = frozenset(
    "index policy trigger user role login audit tablespace sequence function procedure warehouse stage"
    " stream topic task event domain publication subscription on to for authorization type catalog masking"
    " snapshot constraint use search_path".split()
)
_IN_ROWS = frozenset(("delete", "using", "merge"))
_DEFINING = frozenset(
    "create drop alter grant revoke comment reindex vacuum show set use execute deny backup restore purge"
    " refresh copy undrop".split()
)
_FILLERS = frozenset(
    "if exists not only concurrently materialized temporary temp external foreign global local unique force"
    " row access network partition verbose analyze analyse full freeze in column role session server"
    " pluggable recursive volatile unlogged ignore directory".split()
)
_NO_NAMES = frozenset(
    "all current_user tables sequences functions select values where set with default each statement as drop"
    " add alter rename modify program delete update insert outfile dumpfile do instead".split()
)


def first(tokens: list[str]) -> str:
    """The first name among `tokens`; empty where there is none."""
    for word in tokens[:12]:
        if _is_name(word) and word not in _FILLERS and word not in _ALWAYS and word not in _IN_DEFINITIONS:
            return word
    return ""


def names(statement: list[str]) -> list[str]:
    """What a statement names: at most 8, qualified names also by their last part."""
    verb, made = statement[0], _made(statement)
    naming_words = _ALWAYS | _IN_DEFINITIONS if verb in _DEFINING else _ALWAYS
    found: dict[str, None] = {}
    naming, listed = verb in _ALWAYS or verb in ("call", "reindex", "vacuum", "exec", "use"), False
    for position, word in enumerate(statement[1:MAX_SEEN], 1):
        if word == ",":
            naming = listed
        elif word in naming_words or (position < 4 and word in _IN_ROWS) or _begins(word, statement[position - 1]):
            naming, listed = True, False
        elif word in _FILLERS:
            continue
        elif naming and (_is_name(word) or (word[0] == "'" and _names_people(statement, position))):
            if word not in made and not _is_function(statement, position):
                _put(found, word.strip("'"))
            naming, listed = False, True
        elif not _is_name(word):
            naming = listed = False
        if len(found) >= MAX_NAMES:
            break
    return list(found) + _unscheduled(statement)


def _begins(word: str, before: str) -> bool:
    return word in ("by", "=") and before in ("owned", "login", "user")


def _unscheduled(statement: list[str]) -> list[str]:
    """The job that `cron.unschedule('nightly')` ends."""
    for position, word in enumerate(statement[: MAX_SEEN - 2]):
        if word.endswith("unschedule") and statement[position + 1 : position + 2] == ["("]:
            return [name.strip("'") for name in statement[position + 2 : position + 3]]
    return []


def _put(found: dict[str, None], name: str) -> None:
    if not name or len(name) > MAX_NAME_CHARS:
        return
    if "/" in name and "://" not in name:
        found[name[name.index("/") :]] = None
        return
    found[name] = None
    if "." in name and name[-1] != "*":
        found[name.rsplit(".", 1)[-1]] = None


def _is_name(word: str) -> bool:
    return (word[0].isalpha() or word[0] in "_#@/") and word not in _NO_NAMES


def _names_people(statement: list[str], position: int) -> bool:
    before = statement[position - 1]
    if " " in statement[position]:
        return False
    return (
        before in ("to", "for", "user", "role", "login", "=", "from", "directory", "overwrite", "exists")
        or before == ","
    )


def _is_function(statement: list[str], position: int) -> bool:
    """`from generate_series(…)`: nothing that is kept."""
    following = statement[position + 1] if position + 1 < len(statement) else ""
    return following == "(" and statement[position - 1] in ("from", "join", ",")


def _made(statement: list[str]) -> set[str]:
    """Names of the statement's own WITH."""
    if statement[0] != "with":
        return set()
    return {
        statement[position]
        for position in range(1, len(statement) - 2)
        if statement[position + 1] == "as" and statement[position + 2] in ("(", "materialized")
    }
