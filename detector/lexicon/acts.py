"""An act and its arguments together: what a name says, as its arguments bound, widen, soften or undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from detector.lexicon import filters, settings
from detector.lexicon.deeds import Name, split
from detector.lexicon.settings import Says, Setting
from detector.lexicon.verbs import nouns, words
from detector.records import Does

if TYPE_CHECKING:
    from detector.lexicon.lines import Lines

_REHEARSED = int(Does.READ | Does.SEARCH | Does.USE_CREDENTIAL | Does.WAIT | Does.ASK)
_CHANGING = int(
    Does.WRITE
    | Does.DELETE
    | Does.SEND
    | Does.GRANT
    | Does.ROTATE
    | Does.ESCALATE
    | Does.EXECUTE
    | Does.SAFEGUARD
    | Does.AUDIT
)
_WIDENED = int(Does.WRITE | Does.ROTATE | Does.GRANT | Does.OPEN_CREDENTIAL)
_READ = int(Does.READ)
_DELETE, _WRITE, _BROAD, _IRREVERSIBLE = int(Does.DELETE), int(Does.WRITE), int(Does.BROAD), int(Does.IRREVERSIBLE)
_BACKUP, _SAFEGUARD, _AUDIT = int(Does.BACKUP), int(Does.SAFEGUARD), int(Does.AUDIT)

FILTERS = words(
    "filter filters where query selector selectors condition conditions match criteria predicate q filterby"
    " searchcriteria"
)
BOUNDS = words("id ids key keys name names path paths uuid uuids emails messages items email number index slug arn")
_GUARDED = nouns(
    "protection guard guardrail mfa firewall lock versioning approval encryption waf rls verification restriction"
) | words("2fa security")
_AUDITED = nouns("audit trail log event") | words("logging cloudtrail monitoring")
_KEPT = nouns("backup snapshot") | words("pitr recovery")
_GIVING = words(
    "add create update set put invite share grant assign change make insert patch upsert edit modify enable"
    " authorize promote attach bind register provision allow open transfer configure apply save append import"
    " overwrite publish"
)
MAX_TEXTS = 16


class Said:
    """What the arguments of one act say."""

    __slots__ = ("bounded", "empty", "says", "settings", "texts")

    def __init__(self) -> None:
        self.says = 0
        self.settings: dict[str, Setting] = {}
        self.empty = False
        """A filter is there, and holds for all."""
        self.bounded = False
        """Single things are named, or a filter bounds."""
        self.texts: list[str] = []
        """Short values, for what they are about."""

    def leaf(self, path: str, value: Any) -> None:
        """One plain argument. `path`: its key in plain words."""
        if hits := settings.of(path, value):
            self.hit(hits)
        self.bound(path, value)
        if isinstance(value, str) and len(value) < 64 and len(self.texts) < MAX_TEXTS:
            self.texts.append(value)

    def hit(self, hits: tuple[Setting, ...]) -> None:
        """What one argument says."""
        for setting in hits:
            self.says |= setting.says
            self.settings[setting.name] = setting

    def bound(self, path: str, value: Any) -> None:
        """One argument that may name a single thing."""
        if path.rsplit("_", 1)[-1] in BOUNDS and value not in ("", "*", None, "all"):
            self.bounded = True

    def filter(self, value: Any) -> None:
        """One filter."""
        if filters.is_all(value):
            self.empty = True
        elif value is not None:
            self.bounded = True


def add(lines: Lines, name: Name, does: int, said: Said, part: str, *, creates: bool = False) -> int:
    """Adds to `lines` what an act does, and gives it back. `part`: of the signs, before their dot."""
    settled, signs = settle(name, does, said, creates=creates)
    if name.deed is not None and settled & ~_READ & int(name.deed.does):
        lines.signs[f"{part}.{name.deed.name}"] = None
    for sign in signs:
        lines.signs[sign] = None
    lines.does |= settled
    return settled


def settle(name: Name, does: int, said: Said, *, creates: bool = False) -> tuple[int, list[str]]:
    """What an act does, and the signs of its arguments. `does`: what its name says, or the surface that it is on."""
    if said.says & Says.REHEARSED:
        return does & _REHEARSED, []
    signs: list[str] = []
    if said.settings:
        changes = bool(does & _CHANGING or not does)
        for setting in said.settings.values():
            if setting.does and _holds(setting, name, does, said, changes=changes, creates=creates):
                does |= _of(setting, name, said)
                signs.append(setting.sign)
        if said.says & Says.SWITCHED and does & _WRITE:
            does |= _switched(name)
    if does & _DELETE:
        does = _deleted(name, said, does)
    elif does & _WIDENED and (said.empty or said.says & Says.WIDE):
        does |= _BROAD
    return int(does), signs


def _holds(setting: Setting, name: Name, does: int, said: Said, *, changes: bool, creates: bool) -> bool:
    """Whether what an argument says holds of such an act."""
    if setting.says & Says.ALWAYS:
        return setting.name != "keeps-value" or not changes
    if setting.says & Says.GIVEN:
        gives = changes and not does & _DELETE and (not name.verb or name.verb in _GIVING)
        return gives and not (creates and setting.name in ("to-everybody", "no-longer-private"))
    if setting.name == "guard-off" and does & _DELETE:
        return False
    return changes and not (setting.name == "expires-at-once" and "backups-off" in said.settings)


def _of(setting: Setting, name: Name, said: Said) -> int:
    """What a setting does. What expires at once is a backup, or a trail, where the act says so."""
    if setting.name == "expires-at-once":
        about = name.words.union(*(split(text) for text in said.texts))
        if not _KEPT.isdisjoint(about):
            return _WRITE | _BACKUP | _SAFEGUARD
        if not _AUDITED.isdisjoint(about):
            return _WRITE | _AUDIT
    return int(setting.does)


def _switched(name: Name) -> int:
    """`set_branch_protection(enabled=false)`: the name says what, the argument says off."""
    flags = 0 if _GUARDED.isdisjoint(name.words) else _SAFEGUARD
    flags |= 0 if _AUDITED.isdisjoint(name.words) else _AUDIT
    return flags | (0 if _KEPT.isdisjoint(name.words) else _BACKUP | _SAFEGUARD)


def _deleted(name: Name, said: Said, does: int) -> int:
    if said.empty or said.says & (Says.WIDE | Says.AGED) or (name.many and not said.bounded):
        does |= _BROAD
    if (
        said.empty
        or said.says & Says.HARD
        or (name.many and (not said.bounded or name.noun not in ("", "label", "tag")))
    ):
        does |= _IRREVERSIBLE
    if said.says & Says.SOFT and not said.says & Says.HARD:
        does &= ~(_IRREVERSIBLE | _BROAD)
    return does
