"""What a name says that a call does: tool names, GraphQL fields, routes, subcommands.

A name in any style is split into words. One of them is the verb, and what stands behind or before it
is what it is done to; the last noun of that counts: `delete_volume`, `volumeDelete`,
`storage.volumes.delete` and `DELETE /volumes/7` are the same deed, `remove_volume_tag` is another.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from detector.lexicon import verbs
from detector.lexicon.deed_table import DEEDS, SOMETHING_DELETED, Deed
from detector.lexicon.verbs import DELETING, VERBS
from detector.records import Does

__all__ = [
    "DEEDS",
    "DELETING",
    "MAX_NAME_CHARS",
    "SOMETHING_DELETED",
    "VERBS",
    "Deed",
    "Name",
    "classify",
    "parse",
    "split",
]

MAX_WORDS = 16

MAX_NAME_CHARS = 256
"""Of a name that are read."""

MAX_KNOWN_CHARS = 64
"""Of a name that is remembered."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SEGMENT = re.compile(r"__+|[.:/ ]+")


class Name(NamedTuple):
    """A name as read."""

    does: int = 0
    deed: Deed | None = None
    verb: str = ""
    noun: str = ""
    """The last noun of what the verb is done to."""
    wide: bool = False
    """Of all, by its words."""
    many: bool = False
    """Of several at once."""
    words: frozenset[str] = frozenset()


_NOTHING = Name()


def split(name: str) -> tuple[str, ...]:
    """The words of a name in camelCase, snake_case, kebab-case, dots or slashes, in lower case."""
    return _known(name) if len(name) <= MAX_KNOWN_CHARS else _split(name[:MAX_NAME_CHARS])


def _split(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name)[:MAX_WORDS])


_known = lru_cache(maxsize=8192)(_split)


def parse(name: str) -> Name:
    """A name with its namespaces: those before the last part count only where that has no verb, or no noun."""
    return _known_name(name) if len(name) <= MAX_KNOWN_CHARS else _parse(name[:MAX_NAME_CHARS])


def _parse(name: str) -> Name:
    parts = [words for part in _SEGMENT.split(name) if (words := _split(part))][-8:]
    known = frozenset(word for part in parts for word in (*part, *_joined(part)))
    for place in range(len(parts) - 1, -1, -1):
        around = tuple(word for part in (*parts[:place], *parts[place + 1 :]) for word in part)
        found = _read(parts[place], around)
        if found.verb:
            return found._replace(words=known)
    return _NOTHING._replace(words=known)


_known_name = lru_cache(maxsize=8192)(_parse)


def classify(words: tuple[str, ...]) -> tuple[int, Deed | None]:
    """What the words of a name do: flags of the governing verb, and the deed that it makes with a noun."""
    found = read(words)
    return found.does, found.deed


@lru_cache(maxsize=8192)
def read(words: tuple[str, ...], around: tuple[str, ...] = ()) -> Name:
    """A name as words. `around`: those of what it stands in, which count where it names nothing itself."""
    return _read(words, around)._replace(words=frozenset(words + around))


def _read(words: tuple[str, ...], around: tuple[str, ...]) -> Name:
    """Words in their order; `around`: those of the namespaces."""
    words = _joined(words)
    place = _governs(words)
    if place < 0:
        return _asks(words)
    verb = words[place]
    behind, before = words[place + 1 :], words[:place]
    all_words = {*words, *around}
    wide = not verbs.ALL.isdisjoint(words) or (verb in DELETING and behind[-1:] == ("all",))
    named = _phrase(behind) or _phrase(before)
    phrases = [phrase for phrase in (named, _phrase(before) if behind else ()) if phrase]
    if not named:
        phrases = [tuple(word for word in around if word not in verbs.PRODUCTS)]
    does, deed, noun = _done(verb, phrases, frozenset(all_words))
    if place + 2 < len(words) and words[place + 1] in ("and", "or", "then") and words[place + 2] in VERBS:
        second = _read(words[place + 2 :], (*before, *around))
        does, deed = does | second.does, deed or second.deed
        noun = noun or second.noun
    if verb in verbs.EMPTYING and does & Does.IRREVERSIBLE:
        does |= Does.BROAD
    if wide and does & Does.DELETE:
        does |= Does.BROAD | Does.IRREVERSIBLE
    elif wide and does & (Does.WRITE | Does.GRANT | Does.ROTATE | Does.OPEN_CREDENTIAL):
        does |= Does.BROAD
    return Name(int(does), deed, verb, noun, wide, not verbs.MANY.isdisjoint(words))


def _joined(words: tuple[str, ...]) -> tuple[str, ...]:
    """With two words that mean one thing as one."""
    if len(words) < 2:
        return words
    found: list[str] = []
    index = 0
    while index < len(words):
        pair = verbs.COMPOUNDS.get(words[index : index + 2])
        found += pair or words[index : index + 1]
        index += 2 if pair else 1
    return tuple(found)


def _governs(words: tuple[str, ...]) -> int:
    """Where the verb stands; -1 where none does.

    The first word most often; the last one where the thing comes first. `do`, `run` and `schedule` leave it to a
    verb behind them, and a word that is a noun as well to one that is none.
    """
    found = [place for place, word in enumerate(words) if word in VERBS and word not in verbs.MODIFIERS]
    if not found:
        return next((place for place, word in enumerate(words) if word in VERBS), -1)
    first, last = found[0], found[-1]
    ends = last == len(words) - 1 and words[last - 1] not in verbs.PREPOSITIONS
    if len(found) > 1 and ends and words[last] in verbs.STRONG and words[first] not in verbs.STRONG | verbs.BARRING:
        return last
    if len(found) > 1 and words[first] in _LEAVING and found[1] == first + 1 and words[found[1]] in DELETING:
        return found[1]
    if (
        len(found) > 1
        and first == 0
        and words[0] in verbs.OFTEN_NOUNS
        and words[found[1]] in verbs.STRONG
        and found[1] == 1
    ):
        return found[1]
    return first


_LEAVING = frozenset("run execute exec do perform process handle manage invoke call trigger start force".split())


def _phrase(words: tuple[str, ...]) -> tuple[str, ...]:
    """What a verb is done to: the words up to the first preposition, without those that only count or colour it."""
    found: list[str] = []
    for word in words:
        if word in verbs.PREPOSITIONS:
            if word in ("of", "for") and not found:
                continue
            break
        if word not in _COLOURS:
            found.append(word)
    return tuple(found)


_COLOURS = verbs.ALL | verbs.MANY | verbs.LOOSE | verbs.MODIFIERS - {"admin"}


def _noun(phrase: tuple[str, ...]) -> str:
    """The last noun, or the one before it where it leaves that to it."""
    for word in reversed(phrase):
        if word not in verbs.TRANSPARENT and not word.isdigit():
            return word
    return phrase[-1] if phrase else ""


def _done(verb: str, phrases: list[tuple[str, ...]], words: frozenset[str]) -> tuple[Does, Deed | None, str]:
    """What a verb does to what is named: its flags, the deed, the noun."""
    does = VERBS[verb]
    first = phrases[0] if phrases else ()
    noun, spared = _noun(first), False
    if verb in DELETING or verb == "reset":
        does = _deletes(verb, first, words)
        spared = not does & Does.DELETE
    for phrase in phrases or [()]:
        for deed in _BY_VERB.get(verb, ()):
            if deed.fits(phrase, _noun(phrase), words) and not (spared and deed.does & Does.DELETE):
                return (does | deed.does) & ~deed.without, deed, _noun(phrase)
        if phrase and not _KNOWN.isdisjoint(phrase):
            break
    return does, SOMETHING_DELETED if does & Does.DELETE else None, noun


def _deletes(verb: str, phrase: tuple[str, ...], words: frozenset[str]) -> Does:
    """DELETE, or WRITE where a verb that sounds so takes nothing away that is kept."""
    if verb in ("flushall", "flushdb", "dropdb"):
        return Does.DELETE | Does.IRREVERSIBLE | Does.BROAD
    only = verbs.WHAT_ONLY.get(verb)
    if (
        only is not None
        and only.isdisjoint(phrase)
        and not only & words & {"all", "everything"}
        and not ("parent" in words and verb == "reset")
    ):
        return Does.WRITE
    last = _noun(phrase)
    if last in verbs.SCRATCH or not verbs.ON_SCREEN.isdisjoint((last, *phrase[-1:])):
        return Does.WRITE
    if not verbs.PICTURED.isdisjoint(phrase):
        return Does.WRITE
    if verb == "drop" and not verbs.NOT_DROPPED.isdisjoint(phrase):
        return Does.WRITE
    if verb == "reset":
        return Does.WRITE | Does.DELETE
    if verb in ("wipe", "erase", "shred", "nuke", "obliterate", "annihilate", "zeroize"):
        return Does.DELETE | Does.IRREVERSIBLE
    return Does.DELETE


def _asks(words: tuple[str, ...]) -> Name:
    """A name without a verb: `human_input`, `user_approval`."""
    asks = "human" in words or (
        "user" in words and not {"input", "approval", "confirmation", "question"}.isdisjoint(words)
    )
    return Name(int(Does.ASK), verb="ask") if asks and len(words) < 5 else _NOTHING


_BY_VERB: dict[str, tuple[Deed, ...]] = {
    verb: tuple(deed for deed in DEEDS if verb in deed.verbs) for verb in {v for deed in DEEDS for v in deed.verbs}
}
_KNOWN = frozenset(noun for deed in DEEDS for noun in deed.nouns)
