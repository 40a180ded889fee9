"""How a tool's call is read: by its name, and by what the key of each argument says that it is.

That depends on names alone, so it is worked out once for a tool and its keys.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from detector.lexicon import acts, deeds, keys, settings
from detector.lexicon.entries import Surface
from detector.records import Does

MAX_PLAN_CHARS = 1024
"""Of a tool's name and keys that are remembered."""

_SEARCH, _DELETE, _EXECUTE, _READ = map(int, (Does.SEARCH, Does.DELETE, Does.EXECUTE, Does.READ))
_CHANGES = int(~(Does.READ | Does.SEARCH | Does.WAIT | Does.ASK))
_ESCALATE = int(Does.ESCALATE)


class Tool(NamedTuple):
    """What a tool's name says."""

    name: deeds.Name
    does: int
    signs: tuple[str, ...]
    surface: Surface | None
    """What a text is that the tool is given under a name that says nothing."""
    program: str = ""
    """The program that the tool is named after."""
    words: tuple[str, ...] = ()
    place: str = ""
    """The name, where it says where its calls act."""


class Slot(NamedTuple):
    """An argument by its key."""

    key: str
    plain: str
    """In lower case, without `_` and `-`."""
    path: str
    """In plain words."""
    read: int
    """How its text is read: one of the kinds below."""
    filters: bool
    said: bool
    """Whether its value may say something of the act."""
    target: bool


ARGUMENT, SHELL, STATEMENT, QUERY, SEEK, CODE, PATH, PROSE = range(8)


class Plan(NamedTuple):
    """A tool's call by its name and its keys."""

    tool: Tool
    slots: tuple[Slot, ...]
    acts: bool
    """Whether an argument may name the act, or the call stands for a request or a command."""
    settles: bool
    """Whether the name alone leaves something to the arguments."""
    creates: bool
    groups: dict[str, tuple[Slot, ...]]
    """Arguments by what they are for, as keys.GROUPS has it; those that are there."""


_GROUPS = (
    (keys.GRAPHQL_TOOLS, Surface.GRAPHQL),
    (keys.SHELL_TOOLS, Surface.SHELL),
    (keys.SQL_TOOLS, Surface.SQL),
    (keys.CODE_TOOLS, Surface.CODE),
    (keys.SEARCH_TOOLS, Surface.SEEK),
)
REQUESTS = frozenset(("http", "https", "request", "requests", "api", "fetch", "curl", "webhook", "rest"))
_CREATING = frozenset("create add make new insert post register open".split())


def tool(name: str) -> Tool:
    """What a tool's name says, in any naming style; namespaces are words like others."""
    return _known_tool(name) if len(name) <= deeds.MAX_KNOWN_CHARS else _tool(name[: deeds.MAX_NAME_CHARS])


def _tool(name: str) -> Tool:
    words = deeds.split(name)
    known = frozenset(words)
    found = deeds.parse(name)
    does = found.does
    surface = next((surface for group, surface in _GROUPS if not known.isdisjoint(group)), None)
    if surface in (Surface.SQL, Surface.GRAPHQL) or not known.isdisjoint(REQUESTS):
        # `run_sql` and `call_api` run nothing but a statement or a request, and that says what it does.
        does &= ~_EXECUTE
    elif surface is Surface.SEEK and not does & _DELETE:
        does |= _SEARCH
    local = deeds.split(re.split(r"__|[.:/]", name)[-1]) or words
    program = next((keys.PROGRAMS[word] for word in (*local, *words[:1]) if word in keys.PROGRAMS), "")
    place = "" if known.isdisjoint(_PLACES) else name
    return Tool(found, does, (f"tool.{found.deed.name}",) if found.deed else (), surface, program, local, place)


_known_tool = lru_cache(maxsize=8192)(_tool)
_PLACES = frozenset("prod production prd staging stg preprod".split())


def plan(name: str, names: tuple[str, ...]) -> Plan:
    """How a call of a tool with such keys is read."""
    return (_known_plan if len(name) + sum(map(len, names)) <= MAX_PLAN_CHARS else _plan)(name, names)


def _plan(name: str, names: tuple[str, ...]) -> Plan:
    named = tool(name)
    plains = {_squeezed(key) for key in names}
    acts_ = bool(named.program) or not plains.isdisjoint(keys.URL | keys.ACTION | keys.KIND)
    reads = not acts_ and bool(named.does & _READ) and not named.does & _CHANGES
    slots = tuple(_slot(key, named, reads=reads) for key in names)
    groups = {group: tuple(slot for slot in slots if slot.plain in plain) for group, plain in keys.GROUPS.items()}
    return Plan(
        named,
        slots,
        acts_,
        named.name.many or (named.name.deed is not None and named.name.deed.name == "picture"),
        named.name.verb in _CREATING,
        {group: found for group, found in groups.items() if found},
    )


_known_plan = lru_cache(maxsize=4096)(_plan)


def _squeezed(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")


def _slot(key: str, named: Tool, *, reads: bool) -> Slot:
    plain = _squeezed(key)
    path = settings.plain(key)
    filters = plain in acts.FILTERS and not reads
    return Slot(
        key,
        plain,
        path,
        _kind(plain, named),
        filters,
        filters or (settings.matters(path, reads=reads) and plain not in keys.PROSE),
        path.rsplit("_", 1)[-1] in keys.TARGETS or (plain == "role" and bool(named.does & _ESCALATE)),
    )


def _kind(plain: str, named: Tool) -> int:
    if plain in keys.SHELL and (plain not in ("input", "args", "cli") or named.surface is Surface.SHELL):
        return {Surface.SQL: STATEMENT, Surface.CODE: CODE}.get(named.surface or Surface.SHELL, SHELL)
    if plain in keys.SQL:
        return STATEMENT
    if plain in keys.QUERY:
        return QUERY
    if plain in keys.SEEK:
        return SEEK
    if plain in keys.CODE and named.surface is not Surface.SEEK:
        return CODE
    if plain in keys.PATH:
        return PATH
    return PROSE if plain in keys.PROSE else ARGUMENT
