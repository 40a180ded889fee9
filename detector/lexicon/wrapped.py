"""Commands that run another one: what of them that one is."""

from __future__ import annotations

import re

from detector.lexicon.cmdline import Called, Syntax, split
from detector.lexicon.tables.syntaxes import syntax
from detector.lexicon.tables.wrappers import MANY, QUIET, RUNNERS, SECOND, WRAPPERS, Runner, Wrapper

__all__ = ["INTERPRETERS", "LEADING", "MANY", "QUIET", "RUNNERS", "RUNS", "SHELLS", "carried", "inner", "skip"]

SHELLS = frozenset("sh bash zsh dash ksh ash fish rbash".split())
INTERPRETERS = frozenset("python python3 python2 node ruby perl deno bun php pypy3 ipython".split())
KEYWORDS = frozenset("then do else elif if while until ! { coproc".split())

_FLAG = re.compile(r"^-{1,2}([A-Za-z]|[a-z][a-z-]+)$")


def skip(words: list[str], start: int) -> int:
    """Where the command begins that the wrapper at `start` runs; `start` where it runs none."""
    name = words[start].rsplit("/", 1)[-1].lower()
    wrapper = WRAPPERS.get(name)
    index = start + 1
    if name == "command" and words[index : index + 1] in (["-v"], ["-V"]):
        return start
    if wrapper is None:
        wrapper = Wrapper()
        if index >= len(words) or words[index].lower() not in SECOND.get(name, ()):
            return start
        index += 1
    values = wrapper.values.split()
    while index < len(words):
        word = words[index]
        if word == "--":
            index += 1
            break
        if word[:1] != "-" or len(word) < 2:
            break
        flag = _FLAG.match(word)
        index += 2 if flag and flag[1] in values else 1
    return index + wrapper.operands


_NEEDED = {
    program: frozenset(word for runner in runners for word in runner.words[:1])
    if all(runner.words for runner in runners)
    else frozenset()
    for program, runners in RUNNERS.items()
}
"""Words of which one stands in every command line by which a program runs another; none: there needn't be any."""
_NOTHING: tuple[list[list[str]], list[str]] = ([], [])
_LIST = re.compile(r"""["']([^"']+)["']""")


def inner(words: list[str]) -> tuple[list[list[str]], list[str]]:
    """Commands that a command runs: as words, and as texts for a shell."""
    needed = _NEEDED[words[0]]
    if needed and needed.isdisjoint([word.lower() for word in words[1:12]]):
        return _NOTHING
    commands: list[list[str]] = []
    texts: list[str] = []
    called: Called | None = None
    for runner in RUNNERS.get(words[0], ()):
        if called is None:
            called = split(words, _syntax(words))
        if not all(word in called.path[:4] for word in runner.words):
            continue
        texts += [_unlisted(called.flags[flag]) for flag in runner.text if called.flags.get(flag)]
        behind = _behind(words, runner)
        if behind and runner.joined:
            texts.append(" ".join(behind))
        elif behind:
            commands.append(behind)
        break
    return commands, texts


def _behind(words: list[str], runner: Runner) -> list[str]:
    if runner.dashes and "--" in words:
        return words[words.index("--") + 1 :]
    if runner.operands < 0:
        return []
    if words[0] == "cmd":
        return next((words[n + 1 :] for n, word in enumerate(words) if word.lower() in ("/c", "/k")), [])
    if not runner.operands:
        return words[1:]
    places = split(words, _syntax(words), runner.operands + 1).places
    return words[places[runner.operands] :] if len(places) > runner.operands else []


def _syntax(words: list[str]) -> Syntax:
    """The program's own, and that the flags with a command take a value."""
    found = syntax(words[0], words[1] if len(words) > 1 else "")
    texts = frozenset(flag for runner in RUNNERS[words[0]] for flag in runner.text)
    return found._replace(values=found.values | texts) if texts else found


def _unlisted(text: str) -> str:
    """`commands=["a","b"]` as lines."""
    return "\n".join(_LIST.findall(text)) if text.startswith(("commands=", "{")) else text


RUNS = frozenset((*WRAPPERS, *SECOND))
LEADING = RUNS | KEYWORDS | frozenset("done fi esac } {".split())
"""Words that stand before a command."""

_CARRIED = frozenset("manage.py artisan rails rake console alembic flask wp drush prisma sequelize knex".split())


def carried(words: list[str]) -> list[str]:
    """`python manage.py flush` and `php artisan migrate` as commands of the script that they run."""
    if len(words) > 1:
        if (
            words[1] == "-m"
            and len(words) > 2
            and words[2] in ("alembic", "flask", "django", "awscli", "ansible", "mkdocs")
        ):
            name = {"django": "manage.py", "awscli": "aws"}.get(words[2], words[2])
            return [name, *words[3:]]
        name = words[1].rsplit("/", 1)[-1]
        if name in _CARRIED:
            return [name, *words[2:]]
    return words
