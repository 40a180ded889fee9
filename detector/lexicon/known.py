"""All tables of the lexicon, compiled: what lines match in one pass, and what programs are called for."""

from __future__ import annotations

from collections.abc import Iterable

from detector.lexicon import deeds, mongo, places, settings, shell_table, sql
from detector.lexicon.entries import Entry, PatternSet, Place, Surface, line_pattern
from detector.lexicon.tables import ALL
from detector.lexicon.tables.kinds import KINDS
from detector.lexicon.usage import Usage, Usages

_SURFACES = {"tool": "", "graphql": " through GraphQL", "http": " by an HTTP request", "cli": " by a command"}
_SHELL_LINES = (Surface.SHELL, Surface.SAYING)

WORDS: dict[str, str] = (
    {f"sql.{name}": text for name, text in sql.WORDS.items()}
    | {
        f"{surface}.{deed.name}": deed.words + where
        for surface, where in _SURFACES.items()
        for deed in (*deeds.DEEDS, deeds.SOMETHING_DELETED)
    }
    | {row.sign: row.words for row in (*shell_table.ENTRIES, *settings.SETTINGS, *KINDS, *ALL)}
    | mongo.WORDS
)
"""Every sign that a call can carry, in words. Those of tables that users add join them."""


class Known:
    """The tables of this package and those that users add. Nothing but compiled tables; safe to share."""

    def __init__(
        self, entries: Iterable[Entry] = (), spots: Iterable[Place] = (), usages: Iterable[Usage] = ()
    ) -> None:
        own, added = (*shell_table.ENTRIES, *entries), tuple(usages)
        everywhere = (*places.PLACES, *spots)
        self.match = PatternSet(
            [
                *(line_pattern(_SHELL_LINES if e.surface is Surface.SHELL else (e.surface,), e.pattern) for e in own),
                *(line_pattern(place.surfaces, place.pattern, anywhere=True) for place in everywhere),
            ]
        ).match
        self.hits = (
            *((int(entry.does), entry.sign) for entry in own),
            *((int(place.environment), "") for place in everywhere),
        )
        """Flags and sign of each pattern; behind the entries environments, without one."""
        self.first_place = len(own)
        self.usages = Usages((*ALL, *added))
        WORDS.update({entry.sign: entry.words for entry in own} | {usage.sign: usage.words for usage in added})


DEFAULT = Known()
"""What the package knows by itself."""
