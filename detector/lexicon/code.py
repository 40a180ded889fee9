"""Source text that is run: the shell, SQL, requests and platform calls in it, each read as what it is."""

# ruff: noqa: E501 - a pattern is read in one piece

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from detector.lexicon import commands, files, mongo, piped, shell
from detector.lexicon.entries import PatternSet, Surface
from detector.lexicon.piped import Command
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

MAX_FOUND = 16
"""Places of one kind in a source that are looked at."""

MAX_CHARS = 6144
"""Of a source that are looked at more closely than by its patterns."""

MAX_NESTED = 2
"""Levels of source in source that are followed."""

_EXECUTE, _DELETE = int(Does.EXECUTE), int(Does.DELETE)
_IRREVERSIBLE, _BROAD, _BACKUP = int(Does.IRREVERSIBLE), int(Does.BROAD), int(Does.BACKUP)

_STRING = r"""(?:[rbuf]{0,2})(?:'''(?:[^'\\]|\\.|'(?!''))*'''|\"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`[^`]*`)"""
_LOOKS = {
    "shell": r"system|popen|subprocess|\.(?:run|call|check_\w+)\(|\bexec|spawn|check_output|shell_exec|passthru|Kernel|\bsh\.",
    "ticks": r"`",
    "sql": r"\.(?:execute|query|raw|exec|read_sql|sql|run)\w*\(|\btext\(|RawUnsafe",
    "encoded": r"b64decode|atob\(|decode64|base64_decode|\bfrom\(",
    "removed": r"rmtree|rm_rf|rm_r\b|remove_tree|remove_dir_all|rmSync|rmdirSync|removeSync|rimraf|emptyDirSync|\bos\.(?:remove|unlink|removedirs)|unlink|File\.delete|rmdir",
    "method": r"\.(?:delete|terminate|stop|purge|put|attach|update|create|deregister|disable|modify|schedule|get|describe|list|detach|reset|remove"
    r"|destroy|drop)_\w+\(",
    "mongo": r"\b(?:db|database|client)[.\[]|setProfilingLevel|setParameter",
    "request": r"\b(?:requests|httpx|session|client|axios|http)\.\w+\(|fetch\(",
    "file": r"\b(?:open|Path|readFile\w*|File\.\w+|read_csv|load_dotenv)\(|\.(?:to_\w+|parquet|save\w*|insertInto|csv|json)\(|\.Bucket\(",
}
_looks = PatternSet(_LOOKS.values()).match
_KINDS = tuple(_LOOKS)
_SHELL = re.compile(
    rf"(?:\bos\.(?:system|popen)|\b\w+\.(?:run|call|Popen|check_call|check_output|getoutput|getstatusoutput)|\bcommands\.getoutput|\b(?:child_process\.)?(?:execSync|exec|spawnSync|spawn|execFile(?:Sync)?)"
    rf"|\bsystem|\bshell_exec|\bpassthru|\bPopen|\bcheck_output|\bsh\.\w+|\bKernel\.\w+|\bRun)\(\s*(?:[\w.]{{0,20}}plain\()?({_STRING}|\[[^\]]{{0,2000}}\])"
    rf"(?:\s*,\s*(\[[^\]]{{0,1000}}\]))?|\b(?:system|exec)\s+({_STRING})"
)
_TICKS = re.compile(r"(?<![\w$])`([^`$\n]{3,300})`")
_SQL = re.compile(
    rf"(?:\.(?:execute(?:many|script)?|query|raw|exec|read_sql|sql|run|\$executeRawUnsafe|\$queryRawUnsafe)|\btext)\(\s*({_STRING})",
    re.IGNORECASE,
)
_ENCODED = re.compile(
    r"(?:b64decode|atob|Base64\.(?:strict_)?decode64|base64_decode|from)\(\s*b?['\"]([A-Za-z0-9+/=]{8,4096})['\"]"
)
_CLIENT = re.compile(r"(?:client|resource)\(\s*['\"]([a-z0-9-]{2,32})['\"]")
_METHOD = re.compile(
    r"\.((?:delete|terminate|stop|purge|put|attach|update|create|deregister|disable|modify|schedule|get|describe|list|detach|reset|remove|destroy|drop)_[a-z0-9_]{2,64})\(([^()]{0,1000})"
)
_KEYWORD = re.compile(r"(\w{2,64})\s*=\s*('[^'\n]*'|\"[^\"\n]*\"|True|False|\d+)")
_REQUEST = re.compile(
    r"\b(?:requests|httpx|session|client|axios|http)\.(get|post|put|patch|delete|request)\(\s*(?:f?['\"](?:(GET|POST|PUT|PATCH|DELETE)['\"]\s*,\s*f?['\"])?)([^'\"\s]{4,500})['\"]",
    re.IGNORECASE,
)
_FETCH = re.compile(
    r"fetch\(\s*['\"`]([^'\"`\s]{4,500})['\"`](?:[^)]{0,400}?method['\"]?\s*:\s*['\"](\w+)['\"])?", re.IGNORECASE
)
_REMOVED = re.compile(
    rf"(?:rmtree|rm_rf|rm_r|remove_tree|remove_dir_all|rmSync|rmdirSync|removeSync|rimraf(?:\.sync)?|emptyDirSync|os\.remove|os\.unlink|os\.removedirs|unlink(?:Sync)?|Path)\(\s*({_STRING})"
)
_OPENED = re.compile(rf"\b(?:open|Path|readFile(?:Sync)?|File\.(?:read|open)|read_csv|load_dotenv)\(\s*({_STRING})")
_STORED = re.compile(
    rf"\.(?:to_(?:csv|sql|parquet|json|excel|pickle|feather)|parquet|save|saveAsTable|insertInto|csv|json)\(\s*({_STRING})"
)
_BUCKET = re.compile(rf"\.Bucket\(\s*({_STRING})")
_TO_WRITE = re.compile(r"\s*,\s*(?:mode=)?['\"]w")
_TREE = re.compile(r"rmtree|rm_rf|rm_r\b|remove_tree|remove_dir_all|rmSync|rmdirSync|removeSync|rimraf|emptyDirSync")
_WALKED = re.compile(r"(?:rglob|\bglob|os\.walk|iterdir|listdir|scandir|readdir(?:Sync)?|Dir\[|Dir\.glob)")
_REMOVES = re.compile(r"\bunlink(?:Sync)?\b|os\.(?:remove|unlink)\(|File\.delete|\.rmdir\(")
_WALKED_AT = re.compile(rf"(?:\b(?:r?glob|walk|listdir|scandir|readdir(?:Sync)?|Path)|Dir\.\w+|Dir)[(\[]\s*({_STRING})")
_TEMPORARY = re.compile(r"mkdtemp|tempfile|TemporaryDirectory|tmp_path|mktmpdir|os\.tmpdir|['\"]/tmp/")
_WORD = re.compile(rf"{_STRING}")


_CARRIED = re.compile(
    r"['\"]?(?:Authorization|X-API-Key|Private-Token|X-Auth-Token|Api-Key)['\"]?\s*[:=]|\bauth\s*=|\bBearer ",
    re.IGNORECASE,
)


def read(lines: Lines, text: str) -> None:
    """Source text that is run."""
    lines.does |= _EXECUTE
    if lines.nested == MAX_NESTED:
        lines.whole = False
        return
    seen = {_KINDS[hit] for hit in _looks(text.encode("utf-8", "surrogatepass")) or ()}
    if "encoded" in seen:
        text = _decoded(text)
    # What a trial does to a database in memory is gone with it anyway.
    lines.add(Surface.CODE, text.replace(".all().delete(", ".filter().delete(") if ":memory:" in text else text)
    lines.nested += 1
    begin = text[:MAX_CHARS]
    for kind, reader in _READERS.items():
        if kind in seen:
            reader(lines, begin)
    lines.nested -= 1


def _decoded(text: str) -> str:
    """The text with its Base64 in plain words; one level."""
    for mark in _found(_ENCODED, text[:MAX_CHARS])[:4]:
        plain = piped.plain(mark[1])
        if plain:
            text = text.replace(mark[0], f"plain({plain!r}", 1)
    return text


def _found(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    return [match for match, _ in zip(pattern.finditer(text), range(MAX_FOUND), strict=False)]


def _unquoted(literal: str) -> str:
    plain = literal.lstrip("rbufRBUF")
    marks = 3 if plain[:3] in ("'''", '"""') else 1
    return plain[marks:-marks].replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'")


def _runs(lines: Lines, text: str) -> None:
    """The shell in the source."""
    for mark in _found(_SHELL, text):
        given = mark[1] or mark[3] or ""
        words = [_unquoted(word[0]) for word in _found(_WORD, given if given[:1] == "[" else mark[2] or "")]
        if given[:1] != "[":
            words = [_unquoted(given), *words]
        lines.shell(shell.quoted(words))


def _ticks(lines: Lines, text: str) -> None:
    for mark in _found(_TICKS, text):
        lines.shell(mark[1])


def _statements(lines: Lines, text: str) -> None:
    for mark in _found(_SQL, text):
        statement = _unquoted(mark[1])
        if " " in statement:
            lines.sql(statement)


def _removes(lines: Lines, text: str) -> None:
    """Files and folders that the source deletes."""
    named = [_unquoted(mark[1]) for mark in _found(_REMOVED, text)]
    removes = bool(_REMOVES.search(text))
    tree = bool(_TREE.search(text))
    if not (removes or tree):
        return
    for name in named:
        lines.target(name)
    lines.does |= _DELETE
    worths = [files.worth(name) for name in (*named, *(_unquoted(mark[1]) for mark in _found(_WALKED_AT, text)))]
    if _TEMPORARY.search(text) and (not worths or max(worths) == files.SCRATCH):
        return
    lasting = max(worths, default=files.LASTING if tree else files.PLAIN) == files.LASTING
    if lasting and (tree or _WALKED.search(text)):
        lines.does |= _IRREVERSIBLE | _BROAD
        lines.signs["code.remove-tree"] = None
    elif _WALKED.search(text):
        lines.does |= _BROAD


def _calls(lines: Lines, text: str) -> None:
    """Calls of a platform's library, as its command line would have them."""
    client = _CLIENT.search(text)
    for mark in _found(_METHOD, text):
        flags: list[str] = []
        for keyword in _found(_KEYWORD, mark[2]):
            name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", keyword[1]).lower().replace("_", "-")
            value = keyword[2].strip("'\"")
            flags += (
                [f"--{name}"] if value == "True" else [f"--no-{name}"] if value == "False" else [f"--{name}", value]
            )
        words = ["aws", client[1] if client else "sdk", mark[1].replace("_", "-"), *flags]
        found = commands.read(Command(words), usages=lines.usages)
        lines.add(Surface.CLI, " ".join(words))
        if found is not None and (client or found.signs != ("cli.delete-something",)):
            lines.found(found.does, found.signs, found.targets)


def _documents(lines: Lines, text: str) -> None:
    """What MongoDB is asked to do."""
    found = mongo.read(text)
    lines.found(found.does, found.signs, found.collections)


def _asks(lines: Lines, text: str) -> None:
    """Requests that the source makes."""
    for mark in _found(_REQUEST, text):
        lines.request({"method": mark[2] or mark[1], "url": mark[3], "credential": _carries(text, mark.end())})
    for mark in _found(_FETCH, text):
        lines.request({"method": mark[2] or "GET", "url": mark[1], "credential": _carries(text, mark.start())})


def _carries(text: str, start: int) -> bool:
    """Whether a request in source has a credential of its own among its arguments."""
    return _CARRIED.search(text, start, start + 500) is not None


def _names(lines: Lines, text: str) -> None:
    """Files and buckets that the source opens."""
    for mark in _found(_OPENED, text):
        path = _unquoted(mark[1])
        lines.target(path)
        if files.is_state(path) and _TO_WRITE.match(text, mark.end()):
            lines.does |= _DELETE | _IRREVERSIBLE
    for mark in (*_found(_STORED, text), *_found(_BUCKET, text)):
        lines.target(_unquoted(mark[1]))


_READERS: dict[str, Callable[[Lines, str], None]] = {
    "shell": _runs,
    "ticks": _ticks,
    "sql": _statements,
    "removed": _removes,
    "method": _calls,
    "mongo": _documents,
    "request": _asks,
    "file": _names,
}
