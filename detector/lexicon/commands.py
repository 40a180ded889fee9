"""What a program with subcommands does: by its verb and its noun, and by the usages in the tables."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from detector.lexicon.cmdline import Called, split
from detector.lexicon.piped import MANY, Command
from detector.lexicon.tables import USAGES
from detector.lexicon.tables.kinds import BACKUPS, BY_VERB, CHANGING, VERBS, WEAK
from detector.lexicon.tables.syntaxes import MANAGED, SAME, SUBCOMMANDS, SYNTAXES, VERB_FIRST, syntax
from detector.lexicon.usage import Hit, Usages
from detector.lexicon.wrapped import RUNNERS
from detector.records import Does

MAX_PATH = 6
"""Words in which the verb is looked for."""

MAX_KNOWN_WORDS, MAX_KNOWN_CHARS = 16, 256
"""Of a command that is remembered as read."""

_PARTS = re.compile(r"[^:._,-]+")
_DELETE, _READ, _EXECUTE = int(Does.DELETE), int(Does.READ), int(Does.EXECUTE)
_BROAD, _BACKUP, _IRREVERSIBLE = int(Does.BROAD), int(Does.BACKUP), int(Does.IRREVERSIBLE)

_WIDE = frozenset(
    ("all", "all-namespaces", "recursive", "all-collections", "all-objects", "all-versions", "include-all")
)
"""Flags by which a program does it to all."""
_WIDE_LETTERS = {"kubectl": "A", "gsutil": "rR", "gcloud": "r", "bq": "r", "supabase": "r", "ctr": "", "vault": ""}
_TRIED = frozenset(("dry-run", "dryrun", "help", "what-if", "whatif", "dry_run"))
"""Flags by which it only says what it would do."""
_TRIED_BY = {"ansible": ("check", "C"), "ansible-playbook": ("check", "C"), "az": ("h",), "make": ("n",)}
_BEFORE_VERBS = frozenset(("batch", "bulk", "admin", "force"))
"""Words of an operation's name before its verb."""
_MANAGING = ("ctl", "-cli")
"""How the names of programs end whose subcommands are read though no table has them."""
_BARE_FLAGS = frozenset(("tar", "bsdtar"))
"""Programs whose first word is their flags, without a dash."""
_HERE = frozenset(("localhost", "127.0.0.1", "::1", "0.0.0.0"))  # noqa: S104 - read, not bound
_NOT_TRIED = frozenset(("none", "false"))
_UNNAMED = frozenset(
    "region zone location output query filter format message description json template since tail timeout limit"
    " image policy-document assume-role-policy-document cli-input-json max-items page-size profile env e var"
    " set values since-time grace-period replicas role permission p patch acl pattern endpoint-url context"
    " kubeconfig api-key token password access-token time expression reason comment color log-level per-page"
    " cidr port config c-file x confirm b q jq size release-name level key-spec status body title"
    " recovery-window-in-days pending-window-in-days wait".split()
)
"""Flags whose values name no thing that is acted on."""
_VALUE = re.compile(r"[\w./:@+*=()~#,$\\-]{1,256}$")
_NUMBER = re.compile(r"\d{1,4}[a-z]?$|true$|false$", re.IGNORECASE)


class Found(NamedTuple):
    """What one command does."""

    does: int
    signs: tuple[str, ...]
    targets: tuple[str, ...]


def read(command: Command, base: int = _EXECUTE, usages: Usages = USAGES) -> Found | None:
    """What a command does; None where nothing is known of its program. `base`: what its name alone says."""
    words = command.words
    program = SAME.get(words[0], words[0])
    if program.endswith("-compose"):
        words = [program.removesuffix("-compose"), "compose", *words[1:]]
        program = SAME.get(words[0], words[0])
    managed = _is_managed(program)
    if not managed and not usages.might(program, words):
        return None
    if command.source is None and len(words) < MAX_KNOWN_WORDS and sum(map(len, words)) < MAX_KNOWN_CHARS:
        many = command.many or any(MANY in word for word in words)
        return _known(tuple(words), program, base, usages, many=many)
    return _read(words, program, base, usages, command)


@lru_cache(maxsize=4096)
def _known(words: tuple[str, ...], program: str, base: int, usages: Usages, *, many: bool) -> Found:
    """Short commands come again and again, in other company."""
    return _read(list(words), program, base, usages, Command(list(words), many=many))


def _read(words: list[str], program: str, base: int, usages: Usages, command: Command) -> Found:
    managed = _is_managed(program)
    if program in RUNNERS and "--" in words and program != "git":
        words = words[: words.index("--")]
    if program in _BARE_FLAGS and len(words) > 1 and words[1][:1] not in "-/." and words[1].isalpha():
        words = [words[0], f"-{words[1]}", *words[2:]]
    called = split(words, syntax(program, words[1] if len(words) > 1 else ""), program=program)
    if _is_many(command):
        called.flags["many"] = ""
    verb = _verb(tuple(called.path[:MAX_PATH]), program) if managed else _no_verb(program, base)
    targets = _targets(called, verb)
    if _is_tried(called):
        return Found(_READ, (), targets)
    return _judged(called, verb, command, targets, usages.find(called, anyway=managed))


def _is_managed(program: str) -> bool:
    return program in MANAGED or (program.endswith(_MANAGING) and program not in SYNTAXES)


def _judged(called: Called, verb: Verb, command: Command, targets: tuple[str, ...], hits: list[Hit]) -> Found:
    does, without, signs = 0, 0, []
    kind = _kind(verb.name, verb.nouns | _fed(called, command, verb))
    if kind is not None:
        does |= kind[1]
        signs.append(kind[0])
    if verb.name in CHANGING and not BACKUPS.isdisjoint(verb.nouns):
        does |= _BACKUP
    for hit in hits:
        does |= hit.does
        without |= hit.without
        signs.append(hit.sign)
    # That it runs something says nothing beside what it runs.
    does |= verb.does if verb.does != _EXECUTE or not does else 0
    flags = called.flags
    if "local" in flags or flags.get("h") in _HERE or flags.get("host") in _HERE:
        # A stack on this machine is made again.
        without |= _IRREVERSIBLE
    does &= ~without
    if does & _DELETE and (_is_wide(called) or "many" in called.flags):
        does |= _BROAD
    return Found(int(does), tuple(dict.fromkeys(signs)) if len(signs) > 1 else tuple(signs), targets)


def _fed(called: Called, command: Command, verb: Verb) -> frozenset[str]:
    """Nouns of the listing whose lines are deleted: `kubectl get pvc -o name | xargs kubectl delete`."""
    source = command.source
    if source is None or not verb.does & _DELETE or SAME.get(source.words[0], source.words[0]) != called.program:
        return frozenset()
    return frozenset(part for word in source.words[1:4] for part in _PARTS.findall(word.lower()))


def _is_tried(called: Called) -> bool:
    """Whether nothing is changed: a dry run, or a question for help."""
    flags, path = called.flags, called.path
    if path and "help" in (path[0], path[-1]):
        return True
    if _TRIED.isdisjoint(flags) and called.program not in _TRIED_BY:
        return False
    tried = [flag for flag in _TRIED if flag in flags and flags[flag].lower() not in _NOT_TRIED]
    return bool(tried) or any(flag in flags for flag in _TRIED_BY.get(called.program, ()))


def _is_many(command: Command) -> bool:
    return command.many or any(MANY in word for word in command.words[1:])


def _is_wide(called: Called) -> bool:
    flags = called.flags
    if not _WIDE.isdisjoint(flags) and any(flags[flag].lower() != "false" for flag in _WIDE if flag in flags):
        return True
    return any(letter in flags for letter in _WIDE_LETTERS.get(called.program, "")) or "*" in called.path


# --- verb and noun ------------------------------------------------------------------------


class Verb(NamedTuple):
    """The verb of a command line and where it stands."""

    name: str
    does: int
    nouns: frozenset[str]
    place: int
    """Operands begin behind it."""


def _no_verb(program: str, base: int) -> Verb:
    return Verb("", base, frozenset(), 0 if program in SUBCOMMANDS else -1)


@lru_cache(maxsize=4096)
def _verb(path: tuple[str, ...], program: str) -> Verb:
    weak: tuple[int, str] | None = None
    for place, word in enumerate(path):
        parts = _PARTS.findall(word)
        name = _strong(parts, word) if weak is None and "/" not in word else word if word in VERBS else ""
        if program == "aws" and place != 1:
            continue
        if name and not (name == "run" and not place and program in ("gcloud", "gh") and len(path) > 1):
            return _made(path, place, name, int(VERBS[name]), program)
        if weak is None:
            found = next((part for part in (word, *parts[::-1]) if part in WEAK), "")
            weak = (place, found) if found else None
    if weak is not None:
        return _made(path, weak[0], weak[1], int(WEAK[weak[1]]), program)
    return Verb("", _EXECUTE, frozenset(path[:3]), 0)


def _strong(parts: list[str], word: str) -> str:
    if word in VERBS:
        return word
    if not parts:
        return ""
    if ":" in word:
        return next((part for part in reversed(parts) if part in VERBS), "")
    first = parts[1] if parts[0] in _BEFORE_VERBS and len(parts) > 1 else parts[0]
    return first if first in VERBS else parts[-1] if parts[-1] in VERBS and len(parts) > 1 else ""


def _made(path: tuple[str, ...], place: int, name: str, does: int, program: str) -> Verb:
    nouns = {part for word in path[: place + 1] for part in _PARTS.findall(word)}
    nouns |= set(path[:place])
    nouns.discard(name)
    if program in VERB_FIRST and len(path) > place + 1:
        kinds = path[place + 1]
        nouns |= {part.split("/")[0].split(".")[0] for part in kinds.split(",")}
        if "/" not in kinds and len(path) > place + 2:
            place += 1
    elif program == "aws":
        nouns.add(path[0])
    else:
        nouns.add(program) if not nouns else None
    return Verb(name, does, frozenset(nouns), place)


@lru_cache(maxsize=4096)
def _kind(verb: str, nouns: frozenset[str]) -> tuple[str, int] | None:
    """Sign and flags of the row for a verb and its nouns."""
    for kind in BY_VERB.get(verb, ()):
        if not kind.nouns or (not kind.nouns.isdisjoint(nouns) and kind.unless.isdisjoint(nouns)):
            return kind.sign, int(kind.does)
    return None


# --- targets ------------------------------------------------------------------------------


def _targets(called: Called, verb: Verb) -> tuple[str, ...]:
    start = verb.place + 1
    found = [word for word in called.words[start : start + 5] if _VALUE.match(word)]
    found += [
        value
        for flag, values in called.flags.items()
        if values and flag not in _UNNAMED
        for value in values.split(" ")[:4]
        if _VALUE.match(value) and not _NUMBER.match(value)
    ]
    return tuple([name.removesuffix(".git") for name in found])
