"""What can be said of the store without a server: its database's name, its faults, what it shows of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detector.config import load
from detector.errors import ConfigError, Drop, StoreError
from detector.observe.store import tables
from detector.observe.store.database import Database, Read, read
from detector.observe.store.rows import Row
from detector.observe.store.service import Keeper, open_database
from detector.observe.store.status import Status
from tests.integration.server import free_port

DSN = "postgresql://keeper:s3cret@db.example:6432/runs"


def test_a_database_is_named_without_its_password() -> None:
    """Host, port and database, in either form of a DSN."""
    assert Database(DSN).name == "PostgreSQL at db.example:6432, database runs"
    assert Database("dbname=runs password=s3cret").name == "PostgreSQL at the local socket:5432, database runs"


def test_a_dsn_that_is_none_is_not_repeated() -> None:
    """What could not be read of it may hold the password."""
    with pytest.raises(ConfigError, match="store_dsn: expected postgresql://") as fault:
        Database("postgresql://keeper:s3cret@/x?a b")
    assert "s3cret" not in str(fault.value)
    assert "s3cret" not in repr(load(store_dsn=DSN))


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://keeper:s3/cret@db:5432/runs",
        "postgresql://keeper:12/s3cret@db:5432/runs",
        "postgresql://keeper:s3c@ret@db:5432/runs",
        "postgresql://keeper:s3cret@@db/runs",
        "postgresql://keeper:x@db/s3cret:x",
        "host=db port=s3cret",
    ],
)
def test_a_password_that_moves_the_places_of_a_dsn_is_refused(dsn: str) -> None:
    """Part of it would be taken for the host or the database, and stand in every line of the log."""
    with pytest.raises(ConfigError, match="store_dsn: expected plain names") as fault:
        Database(dsn)
    assert "s3c" not in str(fault.value)


@pytest.mark.parametrize(
    ("dsn", "named"),
    [
        ("postgresql://u:s3%2Fcret@[fd00::1]:6432/runs", "fd00::1:6432, database runs"),
        ("postgresql://u@a.example:1,b.example:2/runs", "a.example,b.example:1,2, database runs"),
        ("host=/run/postgresql dbname=runs", "/run/postgresql:5432, database runs"),
    ],
)
def test_addresses_folders_and_lists_are_no_passwords(dsn: str, named: str) -> None:
    """What libpq takes for a host is still taken."""
    assert Database(dsn).name == f"PostgreSQL at {named}"


def test_without_a_dsn_it_says_what_it_needs() -> None:
    """Before anything is asked of Kafka."""
    with pytest.raises(ConfigError, match=r"store_dsn: expected .* came none"):
        open_database(load())


async def test_a_database_that_is_away_is_a_fault_with_its_name() -> None:
    """And its reason, without the password."""
    port = free_port()
    with pytest.raises(StoreError, match=rf"PostgreSQL at 127\.0\.0\.1:{port}, database x: .*refused") as fault:
        await Database(f"postgresql://u:s3cret@127.0.0.1:{port}/x").check()
    assert "s3cret" not in str(fault.value)


def test_a_record_of_no_use_is_read_as_why() -> None:
    """So that its offset is passed, and it's counted."""

    def unreadable() -> list[Row]:
        raise Drop("unreadable")

    assert read(7, unreadable) == Read(7, drop="unreadable")
    assert read(8, lambda: [Row("run", ("r",))]) == Read(8, [Row("run", ("r",))])


def test_every_view_is_dropped_before_it_is_made_again() -> None:
    """So that a newer version may change its columns; what holds data is in the migrations alone."""
    views = "".join((Path(tables.__file__).parent / name).read_text() for name in tables.VIEWS)
    dropped = views[: views.index(";")]
    made = re.findall(r"create view (detector\.\w+)", views)
    assert made
    assert [name for name in made if not re.search(rf"{name}\b", dropped)] == []
    assert "create table" not in views


def test_it_shows_what_became_of_records() -> None:
    """Counts by outcome; not ready while either side is away, and alive all the same."""
    keeper = Keeper(load(), Database(DSN))
    keeper.counts.update({"stored": 5, "unreadable": 2, "forgotten": 3})
    status = Status(keeper)
    sample = status.registry.get_sample_value
    assert sample("detector_store_records_total", {"outcome": "stored"}) == 5
    assert sample("detector_store_records_total", {"outcome": "unreadable"}) == 2
    assert sample("detector_store_runs_forgotten_total") == 3
    assert (sample("detector_store_ready"), status.ready()) == (0, "the topics are not followed yet")
    keeper.following.set()
    assert (sample("detector_store_ready"), status.ready()) == (1, "")
    keeper.postgres.note("away")
    assert (status.ready(), status.alive()) == ("PostgreSQL does not take them", "")


def test_one_that_asks_for_nothing_is_dead() -> None:
    """While Kafka and PostgreSQL answer, only a restart mends that."""
    keeper = Keeper(load(), Database(DSN))
    keeper.following.set()
    keeper.polled -= 100
    assert "no record was asked for in 100 s" in Status(keeper).alive()
