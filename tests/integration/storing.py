"""A broker, an empty database, and `detector store` between them; records as a worker writes them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec
import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from detector.policy.policy import Policy
from detector.records import (
    Ack,
    Command,
    Does,
    Environment,
    Label,
    Labelled,
    Summary,
    Tick,
    Turn,
    Verdict,
)
from detector.runs.judge import Judge
from detector.step import apply
from detector.testing import EPOCH_NS, act, record
from detector.training.matrix import blank
from tests.integration.postgres import Postgres
from tests.integration.server import Server

SECOND = 1_000_000_000
TEN_O_CLOCK = 1_793_613_600 * SECOND
"""2 November 2026, UTC."""
TOPICS: dict[type[Any], str] = {
    Verdict: "agent-verdicts",
    Command: "agent-commands",
    Ack: "agent-acks",
    Label: "agent-labels",
    Summary: "agent-summaries",
}
TABLES = ("runs", "verdicts", "evidence", "shares", "commands", "acks", "labels")
PATIENCE = 60.0


class Scene:
    """A broker, an empty database, and stores that read the one into the other."""

    def __init__(self, bootstrap: str, server: Postgres) -> None:
        self.server = server
        self.dsn = server.database()
        self.env = {"DETECTOR_BOOTSTRAP": bootstrap, "DETECTOR_STORE_DSN": self.dsn}
        topics = [NewTopic(name, 2, 1) for name in TOPICS.values()]
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for made in admin.create_topics(topics).values():
            made.result(10)
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
        self.starts = 0

    def send(self, *records: Any) -> None:
        """Writes public records, and raw (topic, key, value), a millisecond apart; confirmed."""
        for n, sent in enumerate(records):
            raw = isinstance(sent, tuple)
            topic, run, value = sent if raw else (TOPICS[type(sent)], sent.run, msgspec.json.encode(sent))
            self._producer.produce(topic, value, run.encode(), timestamp=TEN_O_CLOCK // 10**6 + n)
        assert self._producer.flush(30) == 0

    def store(self, **env: str) -> Server:
        """`detector store`; use it as a context."""
        self.starts += 1
        name = f"store-{self.server.port}-{self.starts}"
        return Server(name, [sys.executable, "-m", "detector", "store"], self.env | env)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds; nothing where its tables are not there yet."""
        with self.server.ask(self.dsn) as connection:
            try:
                return connection.execute(query).fetchall()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                return []

    def row(self, query: str) -> dict[str, Any]:
        """The one row that a query finds, by column."""
        with self.server.ask(self.dsn) as connection:
            cursor = connection.execute(query)
            (found,) = cursor.fetchall()
            return dict(zip([column.name for column in cursor.description or ()], found, strict=True))

    def until(self, query: str, wanted: list[tuple[Any, ...]]) -> None:
        """Waits until a query finds just this."""
        wait(lambda: self.rows(query) == wanted, lambda: f"{query}: expected {wanted}, came {self.rows(query)}")

    def stored(self, count: int) -> None:
        """Waits until so many records, of all topics together, are in the tables."""
        self.until("select sum(next)::int from detector.offsets", [(count,)])

    def all(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, in order."""
        return {table: self.rows(f"select * from detector.{table} order by {table}::text") for table in TABLES}


def wait(holds: Callable[[], bool], what: Callable[[], str]) -> None:
    """Waits until something holds; fails with what it is where it never does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def effects(runs: int) -> list[Any]:
    """What a worker writes of runs that delete for good in production, with an enforcer's acks and people's labels."""
    judge, sent = Judge(blank(), Policy()), []
    for number in range(runs):
        run = f"svc/run-{number}"
        # The least of a run: a turn with tokens, a look around, the deed, a decision; then it falls silent.
        turn = Turn(number.to_bytes(8, "big"), bytes(15) + b"\1", EPOCH_NS, tokens_in=10, tokens_out=2)
        deed = act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)
        kind = "approve" if number % 2 else "deny"
        label = Label(run, kind, "ann", deed.at + 5 * SECOND)
        said = Labelled(label.at, label.kind, label.who)
        state, came = apply(None, record(turn, act(), deed, said, run=run, written=EPOCH_NS), judge)
        _, ended = apply(state, record(Tick(EPOCH_NS * 2), run=run), judge)
        commands = [effect for effect in came if isinstance(effect, Command)]
        acks = [Ack(run, c.sequence, "process", "done", c.at + SECOND, c.desired.value) for c in commands]
        sent += [effect for effect in (*came, *ended) if type(effect) in TOPICS] + acks + [label]
    return sent
