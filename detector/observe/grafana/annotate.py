"""`detector grafana annotate`: marks pauses, kills, their ends, leaks and changes of the model in Grafana's graphs.

At least once by Kafka, once in Grafana: every annotation bears a tag that says which verdict it is of, and that tag
is looked up before it is made. Tags and text hold the detector's words and the run's name, no more.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from detector.config import Settings
from detector.control.enforcers.webhook import Retries
from detector.errors import ConfigError
from detector.observe.grafana.api import Grafana, GrafanaError, token_of
from detector.observe.grafana.content import PREFIX
from detector.observe.news.follow import RETRIES, Follower
from detector.observe.news.notify import follow
from detector.observe.news.story import Links, name, tell, worth_telling
from detector.records import Verdict

log = logging.getLogger(__name__)

_PASSING = frozenset({0, 401, 408, 429, 500, 502, 503, 504})
"""Of no answer, and of a token that somebody will renew."""
_BATCH = 10
"""Verdicts: 20 marks of two requests at 10 s each are far from what Kafka allows between two polls."""
_NEEDS = "annotations:read and annotations:create on annotations:type:organization"
_LONGEST_TAG = 60
"""Grafana keeps 100 characters of a tag."""


class Mark(NamedTuple):
    """One annotation; `key` is the tag by which it is known."""

    key: str
    at: int
    """Milliseconds since 1970."""
    tags: list[str]
    text: str


def marks(verdict: Verdict, links: Links) -> list[Mark]:
    """The annotations of a verdict: what it did to the run, and the model that judged it, known by its version."""
    at = verdict.at // 1_000_000
    model = Mark(
        _key("model", verdict.model),
        at,
        [PREFIX, "model", f"model:{_tag(verdict.model)}"],
        f"The model {name(verdict.model)} gave its first verdict",
    )
    if not worth_telling(verdict, "PAUSE"):
        return [model]
    story = tell(verdict, links)
    lines = [story.headline, story.why, *(f'<a href="{url}">{words}</a>' for words, url in story.links)]
    what = "leak" if verdict.cause == "leak" else {"PAUSE": "pause", "KILL": "kill"}.get(verdict.level, "end")
    tags = [PREFIX, what, f"workflow:{_tag(verdict.workflow)}", f"cause:{_tag(verdict.cause.partition(':')[0])}"]
    escaped = [_text(lines[0]), _text(lines[1]), *lines[2:]]
    return [model, Mark(_key(verdict.run, str(verdict.sequence)), at, tags, "\n".join(escaped))]


class Annotator:
    """Makes annotations that are not there yet."""

    def __init__(self, grafana: Grafana, links: Links) -> None:
        self._grafana = grafana
        self._links = links
        self._known: set[str] = set()
        """Of models, which every verdict names."""

    async def take(self, verdicts: Sequence[Verdict]) -> list[bool]:
        """Whether each annotation of the verdicts is there now; those that Grafana refuses are not.

        Raises GrafanaError at the first that Grafana does not answer to: all can be asked for again.
        """
        wanted = {mark.key: mark for verdict in verdicts for mark in marks(verdict, self._links)}
        return [await self._make(mark) for mark in wanted.values() if mark.key not in self._known]

    async def _make(self, mark: Mark) -> bool:
        try:
            await asyncio.to_thread(self._once, mark)
        except GrafanaError as fault:
            if fault.status in _PASSING:
                raise
            log.warning("annotate: %s", fault)
            return False
        if "model" in mark.tags:
            self._known.add(mark.key)
        return True

    def _once(self, mark: Mark) -> None:
        def find(api: Any) -> Any:
            return api.annotations.find_annotations(tags=[quote(mark.key, safe="")], limit=1)

        def add(api: Any) -> Any:
            return api.client.POST(
                "/annotations", json={"time": mark.at, "tags": [*mark.tags, mark.key], "text": mark.text}
            )

        if not self._grafana.read(list, "look for an annotation", _NEEDS, find):
            self._grafana.write("make an annotation", _NEEDS, add)


async def annotate(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Annotates until `stop` is set or, where there's none, until SIGTERM or SIGINT.

    Raises ConfigError, also where there is no token, RefusedError where a broker is there at the start that does not
    take the settings, TransportError where the port of its metrics can't be had.
    """
    if not token_of(settings):
        raise ConfigError(["grafana_token or grafana_token_file: expected the token of a service account, came none"])
    grafana = Grafana.from_settings(settings)
    try:
        await follow(settings, [follower(settings, grafana)], settings.annotate_metrics_port, stop)
    finally:
        grafana.close()


def follower(settings: Settings, grafana: Grafana, retries: Retries = RETRIES) -> Follower:
    """What reads the verdicts for it; where Grafana is away, none is passed over."""
    annotator = Annotator(grafana, Links.from_settings(settings))

    async def take(verdicts: Sequence[Verdict]) -> None:
        for done in await annotator.take(verdicts):
            made.counts["done" if done else "failed"] += 1

    made = Follower(settings, "annotate", take, batch=_BATCH, retries=retries)
    return made


def _key(*parts: str) -> str:
    """A tag of one verdict, or one model: short, whatever its name holds."""
    return f"{PREFIX}:{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:24]}"


def _tag(text: str) -> str:
    return name(text, _LONGEST_TAG)


def _text(text: str) -> str:
    """Grafana shows an annotation as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
