"""A manifest as `step` asks it: where a call acts by the list of assets, and what of it was not approved.

Names of assets and principals are compared by their keyed hashes, so that the run log needs no word of
them. What a call needs is told first (`needs`) and held against the manifest then (`Approved.lacks`):
`detector manifest propose` collects the same needs from honest history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from fnmatch import translate
from typing import NamedTuple

import msgspec

from detector.lexicon import secrets
from detector.policy.manifest import FLAGS, Leaving, Manifest
from detector.reading import modes
from detector.reading.globs import hashed_as, is_glob, plain
from detector.reading.principals import BROAD, KINDS, PERSON
from detector.records import HARMFUL, Action, Does, Level

UNKNOWN = 1 << 7
"""Beside the flags of Environment: nothing says where."""
LEVELS = {"alert": Level.ALERT, "pause": Level.PAUSE}
_KNOWN_TOOLS = 4096

_DELETE, _GONE = int(Does.DELETE), int(Does.DELETE | Does.IRREVERSIBLE)
_INSIDE = int(Does.BACKUP | Does.IRREVERSIBLE)
_HARMS = int(HARMFUL | Does.ROTATE)
_CHANGES = _HARMS | int(Does.WRITE)
_NOT_OF_A_TOOL = re.compile(r"[^A-Za-z0-9_.:/*?\[\]!-]+")


class Left(IntFlag):
    """What of the approved configuration a call leaves; PERSON and BROAD need no manifest."""

    TOOL = 1
    ENVIRONMENT = 2
    WRITE = 4
    PRINCIPAL = 8
    MODE = 16
    BACKUPS = 32
    """What it deletes holds its own backups."""
    PERSON = 64
    """It acts under a person's token or account, and no manifest names that."""
    BROAD = 128
    """It acts under a name or a kind of token that may do everything, and no manifest names that."""


class Needs(NamedTuple):
    """What a call needs to be approved."""

    tool: str
    """Empty for a look from the inside."""
    environments: int
    writes: int
    """Flags of Environment, or UNKNOWN, where it changes something."""
    principals: tuple[int, ...]
    mode: str
    backups: bool


def needs(action: Action, where: int | None, *, backups: bool = False) -> Needs:
    """`where`: environments that all looks at the call have shown; None: another look may still say."""
    changes = _HARMS if action.inner and action.tool.startswith("http.") else _CHANGES
    # A request that is sent by a tool is a POST for many reasons: only the tool's own name says that it writes.
    writes = 0 if where is None or not action.does & changes else where or UNKNOWN
    tool = "" if action.inner else action.tool
    return Needs(tool, action.env, writes, action.principals, action.mode, backups)


@dataclass(frozen=True)
class Approved:
    """One manifest, its names hashed under `key`, the key of the hashes in the run log."""

    manifest: Manifest
    key: bytes = field(default=b"", repr=False)
    unknown: int = field(init=False)
    levels: dict[Leaving, Level] = field(init=False)
    _tools: re.Pattern[str] | None = field(init=False, repr=False)
    _environments: int = field(init=False, repr=False)
    _writes: int = field(init=False, repr=False)
    _principals: frozenset[int] | None = field(init=False, repr=False)
    _modes: frozenset[str] | None = field(init=False, repr=False)
    _assets: dict[int, tuple[int, bool]] = field(init=False, repr=False)
    _known: dict[str, bool] = field(init=False, repr=False, compare=False)
    """Tools that were asked for before."""

    def __post_init__(self) -> None:
        manifest, put = self.manifest, object.__setattr__
        put(self, "unknown", FLAGS[manifest.unknown])
        put(self, "levels", {kind: LEVELS[answer] for kind, answer in manifest.on_leave.items()})
        put(self, "_tools", _pattern(manifest.tools) if manifest.tools is not None else None)
        put(self, "_environments", _flags(manifest.environments) if manifest.environments is not None else -1)
        put(self, "_writes", _flags(manifest.writes))
        named = manifest.principals
        put(
            self,
            "_principals",
            frozenset(self._hash(name.lower()) & ~KINDS for name in named) if named is not None else None,
        )
        put(self, "_modes", frozenset(map(modes.clean, manifest.modes)) if manifest.modes is not None else None)
        put(self, "_assets", {
            self._hash(hashed_as(asset.name) if is_glob(asset.name) else plain(asset.name)):
            (FLAGS[asset.environment], asset.backups_inside) for asset in manifest.assets
        })  # fmt: skip
        put(self, "_known", {})

    def place(self, action: Action) -> tuple[int, bool]:
        """(environments of the assets that the call names, whether one of them holds its own backups)."""
        if not self._assets:
            return 0, False
        found = [self._assets[name] for name in (*action.targets, *action.assets) if name in self._assets]
        return _joined(place for place, _ in found), any(inside for _, inside in found)

    def lacks(self, needed: Needs) -> int:
        """Flags of Left: what of the call's needs was not approved."""
        left = 0
        if needed.tool and self._tools is not None and not self._has_tool(needed.tool):
            left |= Left.TOOL
        if needed.environments & ~self._environments:
            left |= Left.ENVIRONMENT
        if needed.writes & ~self._writes:
            left |= Left.WRITE
        if self._principals is not None and any(who & ~KINDS not in self._principals for who in needed.principals):
            left |= Left.PRINCIPAL
        if needed.mode and self._modes is not None and needed.mode not in self._modes:
            left |= Left.MODE
        return int(left | Left.BACKUPS if needed.backups else left)

    def names(self, principal: int) -> bool:
        """Whether the manifest names this principal."""
        return self._principals is not None and principal & ~KINDS in self._principals

    def _has_tool(self, tool: str) -> bool:
        known = self._known.get(tool)
        if known is None:
            if len(self._known) >= _KNOWN_TOOLS:
                self._known.clear()
            known = self._known[tool] = bool(self._tools is not None and self._tools.match(tool))
        return known

    def _hash(self, name: str) -> int:
        return secrets.keyed(name.encode("utf-8", "surrogatepass"), self.key[:64])


def stand(action: Action, manifests: Sequence[Approved], known: int, *, late: bool) -> tuple[Action, int]:
    """The action where the manifests' lists put it, and flags of Left.

    `known`: environments that earlier looks at the call have shown. `late`: this is a look from the inside,
    and the tool's own span, which may say more, is yet to come. What was read is not changed but replaced.
    """
    place, inside, unknown = 0, False, 0
    for approved in manifests:
        at, holds = approved.place(action)
        place, inside, unknown = place | at, inside or holds, max(unknown, approved.unknown)
    env, does = action.env, action.does
    if place:
        # A list outranks words where it says the higher one: an id that is called `test` may be production's.
        env = place if place > env else env | place
    elif not (env or known or late) and does & _GONE == _GONE:
        env = unknown
    backups = inside and bool(does & _DELETE)
    if backups:
        does |= _INSIDE
    if env != action.env or does != action.does:
        action = msgspec.structs.replace(action, env=env, does=does)
    where = env or known or (None if late else 0)
    left = _by_form(action.principals, manifests)
    for approved in manifests:
        left |= approved.lacks(needs(action, where, backups=backups))
    return action, left


def _by_form(principals: Iterable[int], manifests: Sequence[Approved]) -> int:
    left = 0
    for who in principals:
        if who & (PERSON | BROAD) and not any(approved.names(who) for approved in manifests):
            left |= (Left.PERSON if who & PERSON else 0) | (Left.BROAD if who & BROAD else 0)
    return int(left)


def _flags(places: Iterable[str]) -> int:
    return _joined(UNKNOWN if place == "unknown" else FLAGS[place] for place in places)


def _joined(flags: Iterable[int]) -> int:
    out = 0
    for flag in flags:
        out |= flag
    return out


def _pattern(tools: Iterable[str]) -> re.Pattern[str]:
    """All names and globs in one; they are written as actions write names of tools."""
    return re.compile("|".join(translate(_NOT_OF_A_TOOL.sub("_", tool)[:64]) for tool in tools) or r"(?!)")
