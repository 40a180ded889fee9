"""What rm and find delete: scratch that the next build makes again, folders of the work at hand, or what lasts."""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

from detector.lexicon import deeds, vocabulary
from detector.lexicon.cmdline import OUTPUTS
from detector.lexicon.piped import MANY, SINGLE, Command
from detector.lexicon.script import joined

SCRATCH, PLAIN, LASTING = range(3)

MAX_PATH = 512
"""Characters of a path that is looked at; a longer one counts as lasting."""

MAX_OPERANDS = 32
"""Operands of one command that are looked at."""

_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/shm/", "/private/tmp/", "$RUNNER_TEMP/", "$WORK/", "%TEMP%")  # noqa: S108 - read, not written
_ROOTS = frozenset(
    "var srv data etc usr opt lib lib64 boot mnt media bin sbin sys proc dev backup backups storage volumes".split()
)
_HIDDEN = frozenset(
    ".git .ssh .aws .kube .gnupg .config .docker .terraform.d .env .svn .hg .snapshots .railway .fly".split()
)
_REMADE = (
    *(word for word in vocabulary.SCRATCH if "*" in word),
    "*.pyo",
    "*.swp",
    "*.orig",
    "*.rej",
    ".DS_Store",
    "*.class",
    "*~",
    "*.pid",
)
_IS_REMADE = re.compile("|".join(map(translate, _REMADE))).match
_STATES = re.compile(
    r"\.tfstate$|^[/~][^\s]*\.(?:db|sqlite3?|rdb|aof|mdf|ldf|ibd|qcow2|vmdk|vhdx?)$|^/dev/(?:sd|nvme|xvd|vd|hd|mapper/|disk)",
    re.IGNORECASE,
)
_KEPT_FILES = re.compile(rf"{_STATES.pattern}|\.tfstate\.backup$|^[/~][^\s]*\.(?:sql|dump|bak|sql\.gz)$", re.IGNORECASE)
_DATA = re.compile(r"\.(?:db|sqlite3?|sql|dump|rdb|tar|t?gz|zip|parquet|csv|bak)$")
_BACKUP = re.compile(r"^/.*(?:^|[/._-])(?:backups?|snapshots?)(?:[/._-]|$)", re.IGNORECASE)
_LAST = re.compile(r"^.*[/\\]")
_TESTS = frozenset(("-name", "-iname", "-path", "-ipath", "-wholename", "-regex", "-iregex", "-newer", "-size"))


def worth(path: str, cwd: str = "") -> int:
    """How lasting what is at a path is, as far as its name tells."""
    return _worth(path, cwd) if len(path) + len(cwd) < MAX_PATH else LASTING


@lru_cache(maxsize=4096)
def _worth(path: str, cwd: str) -> int:
    path = path.replace("\\", "/")
    target = joined(cwd, path).removeprefix("./").rstrip("/") if path.strip("/") else path[:1]
    if not target or target in ("/", "~", ".", "*", "..", "./*"):
        return LASTING
    if target.startswith(_TEMPORARY) and ".." not in target:
        return SCRATCH
    parts = target.split("/")
    last = parts[-1] if parts[-1] not in ("*", "**") or len(parts) < 2 else parts[-2]
    if last in vocabulary.SCRATCH or _IS_REMADE(last):
        return SCRATCH
    if target[0] in "/~$*" or MANY in target or SINGLE in target or ".." in target or target[1:2] == ":":
        # A folder of the work at hand, named from above, is no more than one named from within.
        rooted = target.split("/", 2)[1:2] if target[0] == "/" else [""]
        within = path[:1] not in "/~$*" and ".." not in path and rooted[0] not in _ROOTS and len(parts) > 2
        if not within or target[0] != "/":
            return LASTING
        target = path
    if parts[0] in _HIDDEN or parts[-1] in _HIDDEN:
        return LASTING
    # A file of code may lie in a folder called db.
    telling = (
        f"{parts[0]}/{parts[-1]}"
        if "." not in parts[-1][1:] or _DATA.search(parts[-1])
        else parts[0]
        if len(parts) > 1
        else ""
    )
    return PLAIN if vocabulary.ASSETS.isdisjoint(deeds.split(telling)) else LASTING


_OF_WINDOWS = frozenset({"rmdir", "rd", "del", "erase"})
"""Their switches begin with a slash: `rmdir /s /q dist`."""


def operands(command: Command) -> list[str]:
    """What a command names, without flags and redirections."""
    found: list[str] = []
    skip = False
    for word in command.words[1 : 2 * MAX_OPERANDS]:
        if skip or word in OUTPUTS or word == "<":
            skip = not skip
        elif word and (word[0] != "-" or word == "-"):
            found.append(word)
    if command.words[0] in _OF_WINDOWS:
        return [word for word in found if word[0] != "/" or len(word) > 2]
    return found


def removal(command: Command) -> str:
    """`rm` by what it deletes: rm-made, rm-folder, or rm for what lasts; with `-many` where a listing tells."""
    named = operands(command)
    known = [word for word in named[:MAX_OPERANDS] if word.strip("{}'\"") and MANY not in word]
    many = command.many or any(MANY in word or word == "{}" for word in named)
    worths = [worth(word.replace("{}", "*"), command.cwd) for word in known]
    if command.source is not None and not known:
        worths.append(_listed(command.source))
    elif many and not known:
        worths.append(PLAIN)
    if not worths:
        return "rm"
    kind = max(worths)
    if kind == SCRATCH:
        return "rm-made"
    globbed = [
        word for word, found in zip(known, worths, strict=False) if found == kind and ("*" in word or "?" in word)
    ]
    if kind == LASTING and (many or any(_LAST.sub("", word) in ("*", "**", "*.*") for word in globbed)):
        return "rm-many"
    recursive = any((word[:1] == "-" and "r" in word.lower()) or word.lower() == "/s" for word in command.words[1:])
    if many or (globbed and not recursive):
        return "rm-folder-many"
    return "rm-folder" if kind == PLAIN else "rm"


def _listed(source: Command) -> int:
    """How lasting what a listing names is."""
    if source.words[0] == "find":
        return {"find-made": SCRATCH, "find-folder": PLAIN}.get(search(source), LASTING)
    if source.words[0] == "ls":
        return max((worth(word, source.cwd) for word in operands(source)), default=PLAIN)
    if source.source is not None and source.words[0] in ("grep", "head", "tail", "sort", "uniq", "sed", "awk"):
        return _listed(source.source)
    return PLAIN


def search(command: Command) -> str:
    """`find` by where it looks: find-made, find-folder, or find for what lasts."""
    words = command.words
    first = next((n for n, word in enumerate(words) if n and word[:1] in "-(!"), len(words))
    roots = [word for word in words[1:first] if word] or ["."]
    names = [words[n + 1] for n, word in enumerate(words[:-1]) if word in _TESTS]
    if "-empty" in words:
        names.append("-empty")
    if names and all(_is_remade(name) for name in names):
        return "find-made"
    below = [command.cwd or "." if root in (".", "./") else root for root in roots]
    worths = [(PLAIN if names else LASTING) if root == "." else worth(root, command.cwd) for root in below]
    return {SCRATCH: "find-made", PLAIN: "find-folder"}.get(max(worths), "find")


def _is_remade(name: str) -> bool:
    return "__pycache__" in name or name.strip("*/") in vocabulary.SCRATCH or name in _REMADE


def keeps(paths: list[str]) -> bool:
    """Whether a path is of a file that can't be made again: a state, a dump, a database's own."""
    return any(_KEPT_FILES.search(path) for path in paths)


def is_log(paths: list[str]) -> bool:
    """Whether a path is of the system's logs or of a shell's history."""
    return any("_history" in path or "/var/log" in path for path in paths)


def is_check(paths: list[str]) -> bool:
    """Whether a path is of the checks before a commit."""
    return any(".git/hooks" in path or ".husky" in path for path in paths)


def is_state(path: str) -> bool:
    """Whether a path is of a file or device that holds what can't be made again, so that writing it anew destroys that."""
    return bool(_STATES.search(path)) and not path.startswith(_TEMPORARY)


def holds_backups(paths: list[str]) -> bool:
    """Whether a path is of backups, by its folders."""
    return any(_BACKUP.search(path) for path in paths)
