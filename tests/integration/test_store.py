"""`detector store` as a process, from an embedded broker into a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import psycopg
import pytest

from detector.records import Ack, Command, Label, Verdict
from tests.integration.postgres import PASSWORD, Postgres, postgres, programs
from tests.integration.server import STACK
from tests.integration.storing import TABLES, TEN_O_CLOCK, TOPICS, Scene, effects, wait


@pytest.fixture
def scene(bootstrap: str, postgres_server: Postgres) -> Scene:
    """A broker and a database of one's own."""
    return Scene(bootstrap, postgres_server)


def test_a_workers_effects_become_rows(scene: Scene) -> None:
    """Verdicts with evidence and shares, commands, acks, labels and the run with its summary, as its records say."""
    sent = effects(2)
    scene.send(*sent)
    with scene.store():
        scene.stored(len(sent))
    kinds = {kind: sum(isinstance(each, kind) for each in sent) for kind in TOPICS}
    assert [len(rows) for table, rows in scene.all().items() if table not in {"evidence", "shares"}] == [
        2, kinds[Verdict], kinds[Command], kinds[Ack], kinds[Label],
    ]  # fmt: skip
    run = scene.row("select * from detector.runs where run = 'svc/run-1'")
    assert (run["workflow"], run["desired"], run["outcome"], run["tokens_in"]) == ("testing", "running", "expired", 10)
    assert scene.row("select * from detector.run_list where run = 'svc/run-0'")["desired"] == "killed"
    verdicts = scene.rows(
        "select level, previous, cause from detector.verdicts where run = 'svc/run-1' order by sequence"
    )
    assert verdicts == [
        ("PAUSE", "ALLOW", "rule:irreversible-in-production"),
        ("ALLOW", "PAUSE", "person:ann"),
    ]
    first = next(each for each in sent if isinstance(each, Verdict) and each.run == "svc/run-1")
    step = scene.row(f"select * from detector.evidence where run = 'svc/run-1' and sequence = {first.sequence}")
    assert (step["call"], step["tool"], step["span_id"]) == (2, "api", first.evidence[0].span_id)
    assert step["words"] == first.evidence[0].text
    shares = scene.rows(
        f"select behaviour from detector.shares where run = 'svc/run-1' and sequence = {first.sequence}"
    )
    assert {name for (name,) in shares} == {share.behaviour for share in first.behaviours}


def test_records_that_come_twice_take_effect_once(scene: Scene) -> None:
    """Written again by a worker that had crashed, under new offsets: the rows stay as they are."""
    sent = effects(3)
    scene.send(*sent)
    with scene.store():
        scene.stored(len(sent))
        before = scene.all()
        scene.send(*sent)
        scene.stored(2 * len(sent))
    assert scene.all() == before


def test_a_kill_in_the_middle_leaves_the_rows_of_an_undisturbed_store(scene: Scene, postgres_server: Postgres) -> None:
    """By SIGKILL within a transaction: nothing of the batch stands, and its successor writes all of it once."""
    sent = effects(40)
    scene.send(*sent[: len(sent) // 2])
    with scene.store() as store:
        scene.stored(len(sent) // 2)
        # Labels are written last: their lock holds a batch up when the rest of it is written and not committed.
        with psycopg.connect(scene.dsn) as blocker:
            blocker.execute("lock table detector.labels in access exclusive mode")
            before = scene.rows("select count(*) from detector.verdicts")
            scene.send(*sent[len(sent) // 2 :])
            waiting = "select count(*) > 0 from pg_locks where relation = 'detector.labels'::regclass and not granted"
            scene.until(waiting, [(True,)])
            store.process.kill()
            store.process.wait()
        wait(lambda: scene.rows(waiting) == [(False,)], lambda: "its connection to end")
    assert scene.rows("select count(*) from detector.verdicts") == before
    with scene.store():
        scene.stored(len(sent))
    other = Scene.__new__(Scene)
    other.__dict__.update(scene.__dict__, dsn=postgres_server.database())
    other.env = scene.env | {"DETECTOR_STORE_DSN": other.dsn, "DETECTOR_GROUP": "undisturbed"}
    with other.store():
        other.stored(len(sent))
    assert scene.all() == other.all()


def test_two_stores_share_the_work(scene: Scene) -> None:
    """A second one joins and takes partitions over; the first one ends; each record is in the tables once."""
    sent = effects(60)
    third = len(sent) // 3
    with scene.store() as first:
        scene.send(*sent[:third])
        scene.stored(third)
        with scene.store():
            scene.send(*sent[third : 2 * third])
            scene.stored(2 * third)
            assert first.stop() == 0
            scene.send(*sent[2 * third :])
            scene.stored(len(sent))
    kinds = sum(isinstance(each, Verdict) for each in sent)
    assert scene.rows("select count(*), count(distinct (run, sequence)) from detector.verdicts") == [(kinds, kinds)]


def test_a_database_that_is_away_is_waited_for(scene: Scene, postgres_server: Postgres) -> None:
    """It says so without the password, keeps its place, and goes on when the database is back."""
    sent = effects(4)
    scene.send(*sent[:8])
    with scene.store() as store:
        scene.stored(8)
        postgres_server.stop()
        try:
            scene.send(*sent[8:])
            store.until(lambda: "trying again until it answers" in store.log.read_text())
        finally:
            postgres_server.start()
        scene.stored(len(sent))
        store.until(lambda: "PostgreSQL answers again" in store.log.read_text())
    assert f"PostgreSQL at 127.0.0.1:{postgres_server.port}, database runs_" in store.log.read_text()
    assert PASSWORD not in store.log.read_text()


def test_what_can_not_be_stored_stops_nothing(scene: Scene) -> None:
    """Rubbish, numbers that fit nowhere and values that PostgreSQL refuses are counted; what is around them stands."""
    sent = effects(1)
    wild = next(each for each in sent if isinstance(each, Verdict))
    odd = [
        ("agent-verdicts", "x", b"\xff{"),
        ("agent-verdicts", "x", None),
        msgspec.structs.replace(wild, run="too-long" * 40),
        msgspec.structs.replace(wild, run="wild", sequence=2**63),
        msgspec.structs.replace(wild, run="wild", score=1e300),
        Label("nul", "acc\0ept", "an\0n", TEN_O_CLOCK, why="\0"),
    ]
    scene.send(*sent, *odd)
    with scene.store():
        scene.stored(len(sent) + len(odd))
    assert scene.rows("select run from detector.runs order by run") == [("nul",), ("svc/run-0",)]
    assert scene.rows("select kind, who, why from detector.labels where run = 'nul'") == [("accept", "ann", "")]


def test_what_others_wrote_is_no_decision(scene: Scene) -> None:
    """Where a signing key is set, commands, acks and labels that are not signed with it are left out."""
    sent = effects(1)
    scene.send(*sent)
    with scene.store(DETECTOR_SIGNING_KEY="another"):
        scene.stored(len(sent))
    assert [len(scene.all()[table]) for table in ("commands", "acks", "labels")] == [0, 0, 0]
    assert len(scene.all()["verdicts"]) == 2


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(scene: Scene) -> None:
    """What the tables know of the old one's offsets would skip its records: there are fewer of them."""
    sent = effects(1)
    scene.send(*sent)
    with scene.store().instead([sys.executable, "-m", "detector", "store", "--init"]) as init:
        assert init.process.wait(60) == 0, init.log.read_text()
    with scene.server.ask(scene.dsn) as connection:
        connection.execute(
            "insert into detector.offsets select t, p, 9999 from unnest(%s::text[]) t, generate_series(0, 1) p",
            [list(TOPICS.values())],
        )
    with scene.store():
        scene.until("select count(*) from detector.verdicts", [(2,)])
        scene.until("select count(*) from detector.labels", [(1,)])


def test_old_runs_are_forgotten_with_all_that_is_known_of_them(scene: Scene) -> None:
    """Where a retention is set; records of this day stay."""
    sent = effects(1)
    scene.send(*sent)
    with scene.store():
        scene.stored(len(sent))
    with scene.server.ask(scene.dsn) as connection:
        connection.execute("update detector.runs set last_at = now() - interval '8 days'")
    with scene.store(DETECTOR_STORE_RETENTION_DAYS="7"):
        scene.until("select count(*) from detector.runs", [(0,)])
    assert [len(rows) for rows in scene.all().values()] == [0] * len(TABLES)


def test_least_rights_are_enough(bootstrap: str) -> None:
    """With the users of the stack: one stores and can't change tables, the other reads rows and views, and no more."""
    with postgres() as fresh:
        scene = Scene(bootstrap, fresh)
        name = scene.dsn.rpartition("/")[2]
        where = {"PGHOST": "127.0.0.1", "PGPORT": str(fresh.port), "PGPASSWORD": PASSWORD}
        users = {"POSTGRES_USER": "owner", "POSTGRES_DB": name, "STORE_PASSWORD": "w", "READER_PASSWORD": "r'$"}
        env = {"PATH": f"{programs()}:/usr/bin:/bin", **where, **users}
        subprocess.run(["sh", STACK / "postgres-users.sh"], check=True, env=env, capture_output=True, timeout=60)
        with scene.store().instead([sys.executable, "-m", "detector", "store", "--init"]) as init:
            assert init.process.wait(60) == 0, init.log.read_text()
        sent = effects(1)
        scene.send(*sent)
        writer, reader = fresh.dsn(name, "store", "w"), fresh.dsn(name, "grafana", "r'$")
        with scene.store(DETECTOR_STORE_DSN=writer):
            scene.stored(len(sent))
        with fresh.ask(writer) as store, pytest.raises(psycopg.errors.InsufficientPrivilege):
            store.execute("alter table detector.runs add column x int")
        with fresh.ask(reader) as grafana:
            assert grafana.execute("select count(*) from detector.product_daily").fetchall() == [(1,)]
            assert grafana.execute("show statement_timeout").fetchall() == [("30s",)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                grafana.execute("delete from detector.labels")


def test_no_password_stands_on_a_command_line(tmp_path: Path) -> None:
    """Others on the machine read it there: psql is given them by its environment."""
    fake = tmp_path / "psql"
    fake.write_text('#!/bin/sh\necho "$@"; env; cat\n')
    fake.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "POSTGRES_USER": "o", "POSTGRES_DB": "d"}
    env |= {"STORE_PASSWORD": "w-s3cret", "READER_PASSWORD": "r-s3cret"}
    script = str(STACK / "postgres-users.sh")
    ran = subprocess.run(["sh", script], check=True, env=env, capture_output=True, timeout=60, text=True)
    assert "s3cret" not in ran.stdout.splitlines()[0]
    assert "STORE_PASSWORD=w-s3cret" in ran.stdout


def test_a_user_who_may_not_make_tables_is_told_what_to_do(scene: Scene, postgres_server: Postgres) -> None:
    """It waits for the tables, and says who can make them how."""
    with postgres_server.ask(scene.dsn) as owner:
        owner.execute("drop role if exists guest")
        owner.execute("create role guest login password 'p'")
    with scene.store(DETECTOR_STORE_DSN=postgres_server.dsn(scene.dsn.rpartition("/")[2], "guest", "p")) as store:
        store.until(lambda: "run `detector store --init` with a DSN whose user may make them" in store.log.read_text())
        assert store.process.poll() is None
