"""The store's views: the numbers that they give of hand-made records, in a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from detector.control.false_pauses import Tally
from detector.control.people import Entry
from detector.observe.store.database import Database
from detector.records import Command, Desired, Label, Summary, Verdict
from detector.testing import EPOCH_NS
from tests.integration.postgres import Postgres
from tests.integration.storing import SECOND, TEN_O_CLOCK, Scene, effects

PERIOD = timedelta(days=90)


@pytest.fixture
def scene(bootstrap: str, postgres_server: Postgres) -> Scene:
    """A broker and a database of one's own."""
    return Scene(bootstrap, postgres_server)


def summary(run: str, start: int, **fields: Any) -> Summary:
    """A run of ten minutes that began `start` seconds past ten."""
    at = TEN_O_CLOCK + start * SECOND
    told: dict[str, Any] = {"outcome": "finished", "level": "ALLOW", "calls": 4, "turns": 5} | fields
    return Summary(
        **told, run=run, workflow="orders", service="shop", started=at, ended=at + 600 * SECOND, peak=0.4,
        peak_position=1, features=[], peak_features=[], model="m", policy="p", traces=["ab" * 16],
    )  # fmt: skip


def label(run: str, kind: str, seconds: float) -> Label:
    """What a person says so many seconds past ten."""
    return Label(run, kind, "ann", TEN_O_CLOCK + int(seconds * SECOND))


def gate(run: str, answer: str = "", after: float = 0.0) -> Iterable[Any]:
    """A pause at a minute past ten, and how it ended so many seconds later."""
    at = TEN_O_CLOCK + 60 * SECOND
    yield Command(run, Desired.PAUSED, 1, "rule:credential-chain", at, "orders", "shop")
    if answer:
        desired = Desired.RUNNING if answer == "approve" else Desired.KILLED
        cause = "deadline" if answer == "deadline" else "person:ann"
        yield Command(run, desired, 2, cause, at + int(after * SECOND), "orders", "shop")
        if answer != "deadline":
            yield label(run, answer, 60 + after)


def orders() -> list[Any]:
    """Nine runs of one workflow on one day; each test below says what follows of them."""
    return [
        summary("accepted", 0, tokens_in=100, tokens_out=10), label("accepted", "complete", 700),
        label("accepted", "accept", 720),
        summary("corrected", 1, tokens_in=50, tokens_out=5), label("corrected", "correct", 300),
        *gate("waved", "approve", 3), summary("waved", 2, level="PAUSE"),
        *gate("denied", "deny", 120), summary("denied", 3, level="KILL", outcome="killed"),
        *gate("expired", "deadline", 600), summary("expired", 4, level="KILL", outcome="killed"),
        *gate("wrongly", "approve", 300), summary("wrongly", 5, level="PAUSE"), label("wrongly", "destructive", 4000),
        summary("reopened", 6), label("reopened", "reopen", 3000),
        *gate("waiting"),
        summary("asking", 7, asked=2, refused=1), label("asking", "clarify", 100),
        label("asking", "approve", 50), label("asking", "deny", 55),
        label("nobody-knows-it", "accept", 1),
    ]  # fmt: skip


def test_the_product_view_counts_runs_approvals_and_tokens(scene: Scene) -> None:
    """By workflow and day, of runs that the detector saw; a reopened run is not completed."""
    sent = orders()
    scene.send(*sent)
    with scene.store():
        scene.stored(len(sent))
    day = scene.row("select * from detector.product_daily")
    assert (day["workflow"], str(day["day"])) == ("orders", "2026-11-02")
    counted = {"runs_started": 9, "runs_ended": 8, "runs_killed": 2, "tasks_completed": 5, "accepted": 1,
               "corrected": 1, "clarified": 1, "reopened": 1, "judged": 3, "approvals_asked": 5,
               "approvals_granted": 2, "approvals_denied": 1, "approvals_expired": 1, "agent_asked": 2,
               "agent_granted": 1, "agent_denied": 1,
               "agent_refused": 1, "runs_with_tokens": 2, "tokens_in": 150, "tokens_out": 15}  # fmt: skip
    assert {name: day[name] for name in counted} == counted
    rates = [round(day[rate], 3) for rate in ("completion_rate", "acceptance_rate", "correction_rate")]
    assert rates == [0.556, 0.2, 0.111]
    waits = [float(day[f"approval_wait_{what}"]) for what in ("seconds", "p50_seconds", "max_seconds")]
    assert waits == [423.0, 120.0, 300.0]


def test_a_gate_is_told_by_what_it_catches(scene: Scene) -> None:
    """Denied, or found destructive later: caught. Let pass within seconds with nothing wrong since: waved through."""
    sent = orders()
    scene.send(*sent)
    with scene.store():
        scene.stored(len(sent))
    decisions = dict(scene.rows("select run, decision from detector.gates"))
    assert decisions == {
        "waved": "granted", "denied": "denied", "expired": "expired", "wrongly": "granted", "waiting": "waiting",
    }  # fmt: skip
    value = scene.row("select * from detector.gate_value")
    counted = {"asked": 5, "answered": 3, "caught": 2, "waved_through": 1, "let_pass_wrongly": 1, "false_pauses": 0}
    assert {name: value[name] for name in counted} == counted
    assert (value["caught_share"], round(value["waved_through_share"], 3)) == (0.5, 0.333)
    assert value["finding"] == "catches"


def test_a_late_label_changes_the_view(scene: Scene) -> None:
    """A person who finds out later that a run was honest, or that it is done after all, is believed."""
    sent = orders()
    late = [label("reopened", "complete", 9000), label("wrongly", "honest", 9000)]
    scene.send(*sent)
    with scene.store():
        scene.stored(len(sent))
        scene.send(*late)
        scene.stored(len(sent) + len(late))
    assert scene.row("select tasks_completed from detector.product_daily") == {"tasks_completed": 6}
    value = scene.row("select caught, false_pauses from detector.gate_value")
    assert value == {"caught": 1, "false_pauses": 1}


def test_a_run_is_told_in_order(scene: Scene) -> None:
    """Its start, steps, verdicts, commands, acks, decisions and end, with trace and span for links."""
    sent = effects(1)
    scene.send(*sent)
    with scene.store():
        scene.stored(len(sent))
    told = scene.rows("select kind, what, who from detector.run_timeline where run = 'svc/run-0' order by at, n")
    assert [(kind, what) for kind, what, _ in told if kind != "end"] == [
        ("start", "started"), ("evidence", "api"), ("verdict", "PAUSE"), ("command", "paused"), ("ack", "done"),
        ("verdict", "KILL"), ("command", "killed"), ("label", "deny"), ("ack", "done"),
    ]  # fmt: skip
    (step,) = scene.rows("select trace_id, span_id from detector.run_timeline where kind = 'evidence'")
    assert [len(part) for part in step] == [32, 16]


def test_a_run_that_was_part_of_another_is_told_with_it(scene: Scene) -> None:
    """A command names it as an alias and its summary becomes void: it's no run of its own, and its past stays."""
    sent = effects(1)
    whole = Command("svc/whole", Desired.PAUSED, 7, "adopted:model", EPOCH_NS, aliases=["svc/run-0"])
    scene.send(*sent, whole, ("agent-summaries", "svc/run-0", None))
    with scene.store():
        scene.stored(len(sent) + 2)
    assert scene.rows("select run from detector.run_list") == [("svc/whole",)]
    told = scene.rows("select distinct run, part from detector.run_timeline order by part")
    assert told == [("svc/whole", "svc/run-0"), ("svc/whole", "svc/whole")]


def test_a_condition_on_the_day_reaches_the_tables(scene: Scene) -> None:
    """A dashboard of one day reads the runs of one day, by their index."""
    scene.send(*orders())
    with scene.store():
        scene.stored(len(orders()))
    query = "select sum(runs_started) from detector.product_daily where day between '2026-11-02' and '2026-11-02'"
    with scene.server.ask(scene.dsn) as connection:
        connection.execute("set enable_seqscan = off")
        plan = "\n".join(line for (line,) in connection.execute(f"explain {query}").fetchall())
        assert connection.execute(query).fetchone() == (9,)
    assert "runs_by_day" in plan


async def test_the_budget_is_of_the_model_that_kafka_told_of_last(scene: Scene) -> None:
    """Whatever an agent's clock says of a verdict, and whatever run a late label speaks of."""
    with scene.store():
        scene.send(replace(summary("old", 1), workflow="gone"), replace(summary("new", 0), model="new"))
        scene.stored(2)
    with scene.server.ask(scene.dsn) as connection:
        connection.execute("update detector.runs set last_at = now() + interval '1 hour' where run = 'old'")
        connection.execute(
            "insert into detector.verdicts select run, 1, now() + interval '50 years', 'ALERT', 'ALLOW', 'model', 0.5, "
            "0.4, 5, '', '', workflow, service, 'enforce', model, 'p' from detector.runs where run = 'old'"
        )
        connection.execute("update detector.runs set ended = now()")
    database = Database(scene.dsn)
    assert set(await database.false_pauses(timedelta(), PERIOD)) == {"orders"}
    await database.close()


def pauses() -> list[Any]:
    """Runs that the model paused, or would have, and quiet ones; each name says what a person said, and when."""
    later = TEN_O_CLOCK + 60 * SECOND
    stopped = {"granted": "model", "found_honest": "shadow", "denied": "model", "pending": "model", "braked": "brake"}
    made: list[Any] = [summary(f"quiet-{n}", 20 + n) for n in range(30)]
    made += [summary("destructive", 3), label("destructive", "destructive", 5000)]
    for n, (run, cause) in enumerate({**stopped, "before": "model", "ruled": "rule:credential-chain"}.items()):
        level = "ALERT" if cause in {"shadow", "brake"} else "PAUSE"
        made.append(verdict(run, cause, level, later))
        made.append(summary(run, 4 + n, level=level))
    made += [label("granted", "approve", 90), label("found_honest", "honest", 4000), label("denied", "deny", 90)]
    # Of a prompt of the agent's own, before the pause.
    made += [label("braked", "resume", 90), label("before", "approve", 30)]
    return made


def verdict(run: str, cause: str, level: str, at: int) -> Verdict:
    """A verdict of the model `m`, told of in the second in which the run began."""
    return Verdict(
        run=run, workflow="orders", sequence=TEN_O_CLOCK // SECOND, level=level, previous="ALLOW", cause=cause, at=at,
        span_id="", score=0.5, threshold=0.4, evidence=[], behaviours=[], model="m", policy="p", mode="enforce",
        service="shop",
    )  # fmt: skip


async def test_false_pauses_are_counted_as_from_the_topics(scene: Scene) -> None:
    """The alert goes by the numbers that `detector check --labels` prints: 3 of 33 honest runs, each once."""
    told = [*pauses(), summary("newest", 86_400)]
    with scene.store():
        scene.send(*told)
        scene.stored(len(told))
    with scene.server.ask(scene.dsn) as connection:
        # By Kafka's clock, which here stands at ten, all came at once.
        connection.execute("update detector.runs set last_at = ended")
    tally = Tally("m", idle=60 * SECOND, kept=90 * 86_400 * SECOND)
    for record in told:
        tally.take(Entry(0, "", record))
    (monitor,) = tally.monitors(TEN_O_CLOCK + 86_400 * SECOND)
    database = Database(scene.dsn)
    found = await database.false_pauses(timedelta(seconds=60), PERIOD)
    await database.close()
    assert found == {"orders": (33, 3)} == {monitor.workflow: (monitor.runs, monitor.paused)}


async def test_runs_that_may_not_have_ended_yet_are_not_counted(scene: Scene) -> None:
    """A pause is known in minutes, a quiet run after its end: whoever counted what is known would see pauses first."""
    with scene.store():
        scene.send(*pauses())
        scene.stored(len(pauses()))
    with scene.server.ask(scene.dsn) as connection:
        connection.execute("update detector.runs set started = now() - interval '5 minutes', ended = now()")
    database = Database(scene.dsn)
    assert await database.false_pauses(timedelta(), PERIOD) == {}
    await database.close()
