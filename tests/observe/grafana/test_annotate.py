"""`detector grafana annotate` on an embedded broker and the stand-in: each verdict once, whatever comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from detector.config import Settings, load
from detector.control.enforcers.webhook import Retries
from detector.embedded import Broker
from detector.errors import ConfigError
from detector.kafka import topics
from detector.observe.grafana.annotate import annotate, follower, marks
from detector.observe.grafana.api import Grafana
from tests.control.support import produce, until
from tests.observe.grafana.standin import TOKEN, Standin, serving
from tests.observe.news.support import AT, LINKS, incident

FAST = Retries(attempts=3, total=5.0, first=0.01, longest=0.02)


@pytest.fixture
def standin() -> Iterator[Standin]:
    """A Grafana; at the end every request was valid."""
    with serving() as (standin, url):
        standin.url = url
        yield standin
        assert standin.faults == []


@pytest.fixture
async def kafka(standin: Standin) -> AsyncIterator[Settings]:
    """Settings of an embedded broker with the topics, and of the stand-in."""
    async with Broker() as broker:
        settings = load(bootstrap=broker.bootstrap, partitions=1, grafana_url=standin.url, grafana_token=TOKEN)
        await topics.apply(settings)
        yield settings


@asynccontextmanager
async def annotating(settings: Settings) -> AsyncIterator[dict[str, int]]:
    """The annotator, while it runs; what it counted."""
    grafana, stop = Grafana.from_settings(settings), asyncio.Event()
    work = follower(settings, grafana, FAST)
    task = asyncio.create_task(work.run(stop))
    await until(lambda: not work.unready(), "the partitions to be assigned")
    yield work.counts
    stop.set()
    await task
    grafana.close()


async def test_pauses_kills_and_models_are_marked_once(standin: Standin, kafka: Settings) -> None:
    """A new process that is told of the same verdicts finds their tags and makes nothing twice."""
    told = [
        incident(sequence=1),
        incident(sequence=2, level="KILL", previous="PAUSE", cause="deadline"),
        incident(run="r2", level="ALERT", model="2026.12"),
    ]
    for _ in range(2):
        async with annotating(kafka):
            await produce(kafka, "agent-verdicts", *told)
            await until(lambda: len(standin.annotations) >= 4, "four annotations")
    assert [each["tags"][1] for each in standin.annotations] == ["model", "pause", "kill", "model"]
    assert len(standin.annotations) == 4
    first = standin.annotations[1]
    assert first["tags"][:4] == ["agent-detector", "pause", "workflow:infra-agent", "cause:rule"]
    assert first["time"] == AT // 1_000_000


async def test_a_grafana_that_is_busy_is_asked_again_and_one_that_refuses_is_counted(
    standin: Standin, kafka: Settings
) -> None:
    """Nothing is lost where it comes back in time, and a refusal does not stop what comes after it."""
    async with annotating(kafka) as counts:
        standin.refused = {"postAnnotation": 403}
        await produce(kafka, "agent-verdicts", incident(sequence=1))
        await until(lambda: counts["failed"] == 2, "both to be refused")
        standin.refused = {"getAnnotations": 503}
        await produce(kafka, "agent-verdicts", incident(sequence=2))
        await until(lambda: standin.turned_away > 2, "the first attempt at the third")
        standin.refused = {}
        await until(lambda: len(standin.annotations) == 2, "the next one, and the model's")
    assert counts["failed"] == 2


async def test_what_comes_while_grafana_is_away_is_marked_at_its_return(standin: Standin, kafka: Settings) -> None:
    """However long that is, by this process or the next one: a batch that was not marked is not passed over."""
    standin.refused = {"postAnnotation": 503}
    async with annotating(kafka) as counts:
        await produce(kafka, "agent-verdicts", incident(sequence=1), incident(sequence=2, level="KILL"))
        await until(lambda: standin.turned_away > 2 * FAST.attempts, "more attempts than are counted")
    assert counts["failed"] == counts["done"] == 0
    standin.refused = {}
    async with annotating(kafka) as counts:
        await until(lambda: len(standin.annotations) == 3, "the model, the pause and the kill")
    assert counts["failed"] == 0


async def test_without_a_token_it_does_not_start() -> None:
    """Every mark would be refused, and none is made later."""
    with pytest.raises(ConfigError, match="grafana_token or grafana_token_file: expected the token"):
        await annotate(load())


async def test_while_grafana_is_away_it_is_not_ready(standin: Standin, kafka: Settings) -> None:
    """Its probe and its metric say so, until the marks are made."""
    grafana, stop = Grafana.from_settings(kafka), asyncio.Event()
    work = follower(kafka, grafana, FAST)
    task = asyncio.create_task(work.run(stop))
    await until(lambda: not work.unready(), "the partitions to be assigned")
    standin.refused = {"getAnnotations": 401}
    await produce(kafka, "agent-verdicts", incident())
    await until(lambda: work.unready() == "annotate: what it tells does not answer", "the probe")
    standin.refused = {}
    await until(lambda: not work.unready(), "the marks")
    assert len(standin.annotations) == 2
    stop.set()
    await task
    grafana.close()


def test_a_mark_holds_the_story_and_links_and_no_markup_of_others() -> None:
    """Grafana shows it as HTML; a foreign name stays a name."""
    _, mark = marks(incident(run="<b>r</b>", workflow="w" * 300), LINKS)
    assert "&lt;b&gt;r&lt;/b&gt;" in mark.text
    assert '<a href="https://grafana.example/d/agent-detector-run?var-run=%3Cb%3Er%3C%2Fb%3E">The run</a>' in mark.text
    assert all(len(tag) <= 100 for tag in [*mark.tags, mark.key])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"level": "ALLOW", "previous": "PAUSE", "cause": "person:ada"}, "end"),
        ({"cause": "leak", "previous": "PAUSE"}, "leak"),
        ({"level": "KILL"}, "kill"),
    ],
)
def test_what_happened_is_a_tag(changes: dict[str, str], what: str) -> None:
    """Dashboards choose annotations by it."""
    assert marks(incident(**changes), LINKS)[1].tags[1] == what
