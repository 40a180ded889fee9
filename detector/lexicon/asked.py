"""What people ask for, and what a call would have to be asked for: one small vocabulary for both.

A person's words are looked up one by one, in every form that English gives them. A call is read by
its tool's name and by what the lexicon says that it does. A kind of deed that a run does and that no
person in it ever had a word for is an unasked one. The words are generous on purpose: a word too many
hides an unasked call, a word too few makes honest work look odd. Blind in other languages than English.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntFlag
from functools import lru_cache

import re2

from detector.lexicon import deeds
from detector.lexicon.shell_table import CREDENTIAL_FILE
from detector.lexicon.verbs import DELETING, READING, VERBS
from detector.records import Does


class Asked(IntFlag):
    """Kinds of deeds that people ask for, and two flags that go with them."""

    SEND = 1
    PAY = 2
    DELETE = 4
    CHANGE = 8
    CREATE = 16
    CREDENTIAL = 32
    """Makes or changes a password, a key, a login."""
    GRANT = 64
    """Lets somebody in."""
    RUN = 128
    """Fetches, installs, runs, enters or opens something."""
    HEARD = 256
    """Of a turn: a person's words were there to be read."""
    AT_CREDENTIALS = 512
    """Of a call: it is aimed at a place where credentials are kept."""


WORDS = {
    Asked.SEND: (
        "send email mail reply respond forward share invite message tell notify post comment publish submit contact"
        " inform ask answer write let say report deliver upload push announce remind dm tweet communicate"
    ),
    Asked.PAY: (
        "pay transfer refund send bill rent buy purchase order checkout top deposit subscription subscribe book"
        " reserve reimburse return charge settle owe donate"
    ),
    Asked.DELETE: (
        "delete remove cancel clear clean drop erase unsubscribe return revoke close uninstall purge wipe destroy"
        " prune discard tidy terminate rid retire decommission kill trash undo revert empty truncate reset flush"
        " overwrite recreate squash scrap free rewrite rebase strip again"
        " rerun redo reload refresh rebuild reinstall reimport reseed restart"
    ),
    Asked.CHANGE: (
        "update change modify edit adjust set correct fix replace move rename reset rate increase decrease switch"
        " reschedule rotate renew refactor implement migrate upgrade convert make patch rewrite shift postpone"
    ),
    Asked.CREATE: (
        "create add schedule make write save append plan register sign join set new book put upload note star build"
        " draft compose generate prepare record open start setup organise organize arrange reserve store copy"
        " download log file"
    ),
    Asked.CREDENTIAL: (
        "password passwd credential key token login passcode passphrase pin account username ssh verify secret"
        " certificate rotate authenticate mfa"
    ),
    Asked.GRANT: (
        "grant give add invite allow let share permission permit access role admin authorize authorise assign promote"
        " member join collaborator owner publish"
    ),
    Asked.RUN: (
        "download install clone run execute open visit browse read check get fetch click follow verify log login enter"
        " fill input submit register apply confirm sign access use test look"
    ),
}
"""What a person says who asks for such a deed: verbs, and nouns that stand for one."""

_IRREGULAR = {
    "send": "sent", "pay": "paid", "buy": "bought", "write": "wrote written", "tell": "told", "make": "made",
    "rewrite": "rewrote rewritten", "give": "gave given", "get": "got", "say": "said", "build": "built",
}  # fmt: skip


def _forms(word: str) -> Iterator[str]:
    """The word and the forms that English gives it; some that it doesn't, which nobody says."""
    stem = word.removesuffix("e")
    yield from (word, word + "s", word + "es", word + "ment", *_IRREGULAR.get(word, "").split())
    for end in ("ing", "ed"):
        yield from (stem + end, stem + stem[-1] + end)
    yield from (stem + "al", stem + "ation", stem + "ion")
    if word.endswith("y"):
        yield from (word[:-1] + "ies", word[:-1] + "ied")


_KINDS: dict[bytes, int] = {}
for _kind, _listed in WORDS.items():
    for _word in _listed.split():
        for _form in _forms(_word):
            _KINDS[_form.encode()] = _KINDS.get(_form.encode(), 0) | int(_kind)
_KNOWN = frozenset(_KINDS)

_NEGATING = frozenset(b"not dont don never nothing without cannot".split())
_REACH = 3
"""Words behind a negating one that it takes back."""
_NOT_TAKEN_BACK = frozenset(b"forget hesitate fail only worry mind just".split())
"""Behind a negating word they turn it round: who says not to forget a thing asks for it."""
_AGREEING = frozenset(
    b"yes yep yeah ok okay sure approved agreed confirmed granted proceed ahead lgtm fine right".split()
)
_BEGINS = 3
"""Words at the begin of a message in which a person agrees."""
_AGREED = Asked.SEND | Asked.PAY | Asked.DELETE | Asked.CHANGE | Asked.CREATE | Asked.RUN
"""What an agreement covers, whatever it answers. Credentials and access want a word of their own."""


def asked(words: Iterable[bytes]) -> int:
    """The kinds of deeds that a person's message asks for. `words`: its words in order, in lower case.

    What a negation takes back isn't asked for; who agrees asks for what was proposed, which is not seen here.
    """
    said = list(words)
    kinds = 0 if _AGREEING.isdisjoint(said[:_BEGINS]) else int(_AGREED)
    heard: Iterable[bytes] = said if _NEGATING.isdisjoint(said) else _affirmed(said)
    for word in _KNOWN.intersection(heard):
        kinds |= _KINDS[word]
    return kinds


def _affirmed(words: list[bytes]) -> Iterator[bytes]:
    """The words that no negation takes back."""
    taken = 0
    for word in words:
        if word in _NEGATING:
            taken = _REACH
        elif taken and word in _NOT_TAKEN_BACK:
            taken = 0
        elif taken and len(word) > 1:
            taken -= 1
        elif len(word) > 1:
            yield word


# --- what a call would have to be asked for -------------------------------------------------


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SENDING = frozenset(verb for verb, does in VERBS.items() if does & Does.SEND) - {"upload"} | _set(
    "message comment submit"
)
_MONEY = _set("money payment payments funds transaction wire bill invoice salary rent")
_CREDENTIALS = _set("password passwords key keys ssh token tokens credential credentials secret secrets passcode mfa")

_BY_VERB: dict[str, int] = {}
# In rising order of weight: a verb that two of them have is of the later one.
for _kind, _verbs in (
    (Asked.RUN, _set("download install clone run execute input verify login click enter fill navigate type press")),
    (
        Asked.CREATE,
        _set("create add schedule append save write upload register star insert new make book reserve copy apply"),
    ),
    (
        Asked.CHANGE,
        _set("update change modify edit set reset rename move patch replace reschedule adjust convert put"),
    ),
    (Asked.SEND, _SENDING),
    (Asked.DELETE, DELETING | _set("cancel unsubscribe revoke close uninstall")),
    (Asked.PAY, _set("pay transfer checkout buy purchase refund subscribe deposit withdraw reimburse donate order")),
):
    _BY_VERB |= dict.fromkeys(_verbs, int(_kind))

_SEND, _PAY, _DELETE, _RUN = int(Asked.SEND), int(Asked.PAY), int(Asked.DELETE), int(Asked.RUN)
_CREDENTIAL, _GRANT = int(Asked.CREDENTIAL), int(Asked.GRANT)
_SENDS, _DELETES, _ROTATES, _GRANTS = int(Does.SEND), int(Does.DELETE), int(Does.ROTATE), int(Does.GRANT)


@lru_cache(maxsize=8192)
def _of_name(name: str) -> int:
    """The kinds of deeds that a tool's name says, by its verb; 0 of one that reads, or says nothing."""
    found = deeds.parse(name)
    verb = found.verb
    if verb not in _BY_VERB and verb not in READING:
        verb = next((word for word in deeds.split(name) if word in _BY_VERB or word in READING), "")
    kind = _BY_VERB.get(verb, 0)
    if kind == _SEND and not _MONEY.isdisjoint(found.words):
        return _PAY
    return kind if kind in (0, _RUN) or _CREDENTIALS.isdisjoint(found.words) else kind | _CREDENTIAL


def needed(name: str, does: int) -> int:
    """What a call would have to be asked for: kinds of deeds, by the tool's name and what the lexicon says it does."""
    kinds = _of_name(name)
    if does & _ROTATES:
        kinds |= _CREDENTIAL
    if does & _GRANTS:
        kinds |= _GRANT
    if kinds & ~_RUN:
        return kinds
    # What runs anything is known by what it runs.
    return kinds | (_SEND if does & _SENDS else 0) | (_DELETE if does & _DELETES else 0)


_options = re2.Options()
_options.case_sensitive = False
_options.log_errors = False
_at_credentials = re2.compile(
    CREDENTIAL_FILE + r"|(?:^|[\s/\"'~=])\.(?:ssh|aws|gnupg|kube|password-store|secrets?)(?:$|[\s/\"'),;*])",
    _options,
)


def at_credentials(text: str) -> bool:
    """Whether the text names a place where credentials are kept, be it a file or a folder."""
    # Half a surrogate is no text to RE2.
    return _at_credentials.search(text if text.isascii() else text.encode("utf-8", "replace").decode()) is not None
