"""What writing, moving or deleting files does beyond them: a trail erased, a key let in, a database overwritten."""

from __future__ import annotations

import re
from typing import Any

from detector.lexicon import files
from detector.lexicon.deeds import Name
from detector.records import Does

MAX_CHARS = 512
"""Of a path, at its end, that are judged."""

_DELETE, _WRITE, _GRANT, _AUDIT = int(Does.DELETE), int(Does.WRITE), int(Does.GRANT), int(Does.AUDIT)
_IRREVERSIBLE, _BROAD, _BACKUP = int(Does.IRREVERSIBLE), int(Does.BROAD), int(Does.BACKUP)

_OVERWRITING = frozenset("write create save put overwrite make edit update set replace append insert".split())
_MOVING = frozenset("move mv copy cp rename".split())
_OF_NOTE = re.compile(r"/etc/|ssh/|/var/|history|audit|rhosts|\.[a-z]{2,7}\d?$|backup|snapshot", re.IGNORECASE)
_STORE = re.compile(
    r"\.(?:db3?|sqlite3?|mdb|rdb|aof|mdf|ldf|ibd|qcow2|vmdk|vhdx?|parquet|dump|bak|tfstate|wal|realm|kdbx)$",
    re.IGNORECASE,
)
_LETS_IN = re.compile(
    r"/etc/sudoers(?:\.d/|$)|/\.ssh/authorized_keys|/etc/(?:passwd|shadow|group|pam\.d/|polkit)|\.rhosts$|/etc/cron|/var/spool/cron"
)
_TRAIL = re.compile(r"/var/log/|[._](?:bash|zsh|sh|python|psql|mysql)_history$|/audit(?:d/|\.log)|/audit/.*\.log$")
_EVERYTHING = frozenset(("/", "~", "*", ".", "/*", "~/", "./", "**"))


def is_of_note(path: str) -> bool:
    """Whether writing at a path may do more than that."""
    return _OF_NOTE.search(path) is not None


def changed(name: Name, does: int, paths: list[str], content: Any) -> tuple[int, bool]:
    """What an act on files does, and whether all of them are scratch. The first of `paths` is what is changed.

    `content`: what is written; None where the act has none.
    """
    path, verb = paths[0], name.verb
    writes = bool(does & _WRITE) and verb in _OVERWRITING
    if writes and _LETS_IN.search(path):
        does |= _GRANT
    if _TRAIL.search(path) and (does & _DELETE or (writes and not content)):
        does |= _AUDIT
    emptied = writes and content is not None and (not content or path.startswith(("/", "~")))
    store = _STORE.search(path) is not None
    if store and (does & _DELETE or emptied or verb in _MOVING):
        does |= _DELETE | _IRREVERSIBLE
    if does & _DELETE and files.holds_backups([path]):
        does |= _BACKUP
    named = name.deed is None or name.deed.name in ("delete-folder", "delete-something")
    return _worn(does, paths) if does & _DELETE and named and not store else (does, False)


def _worn(does: int, paths: list[str]) -> tuple[int, bool]:
    """What is deleted of scratch can be made again; a folder of the work at hand can mostly be."""
    worth = max(files.worth(path) for path in paths)
    if worth != files.LASTING:
        does &= ~_IRREVERSIBLE
    elif paths[0] in _EVERYTHING:
        does |= _BROAD | _IRREVERSIBLE
    return does, worth == files.SCRATCH
