"""PostgreSQL as the store needs it: one connection, tables that are made and checked, batches written as a whole.

A batch of records and the offsets up to which its partitions are then in the tables are one transaction. So a record
takes effect once, whoever reads it: a process that was thought dead finds the offset further on and skips.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, NamedTuple

import psycopg
from psycopg import conninfo

from detector.errors import ConfigError, Drop, StoreError
from detector.observe.store import budget, tables
from detector.observe.store.rows import Row
from detector.observe.store.statements import ADVANCE, FORGET, ORDER, POSITION, STATEMENTS

_OF_ROWS = frozenset({"22", "23", "54"})
"""SQLSTATE classes that say that a row can't be stored: data, constraints, program limits. Others pass with time, or
with somebody's help: connections, permissions, a server that stops."""
_NOT_PLAIN = (
    "store_dsn: expected plain names of host, port and database: what is no letter or digit of a user or a password "
    "has to be percent-encoded; not repeated, it may hold a password"
)
_LIMITS = "set local statement_timeout = '60s'; set local lock_timeout = '60s'"


class Read(NamedTuple):
    """A record as it was read: its offset, and its rows; where it's none of use, why."""

    offset: int
    rows: Sequence[Row] = ()
    drop: str = ""


Part = tuple[str, int]
"""A topic (its full name) and a partition."""
End = Callable[[Part], Awaitable[int]]


class Written(NamedTuple):
    """What a batch came to: where each partition is to be read on, and how many records were taken, by what became of
    them: `stored`, `repeated`, or why they were set aside.
    """

    positions: dict[Part, int]
    counts: Counter[str]


class Database:
    """A connection that is made when it's needed, and made anew after a fault.

    Raises StoreError where PostgreSQL is away or does not let it, ConfigError where the DSN is none.
    """

    def __init__(self, dsn: str) -> None:
        try:
            self._options = conninfo.conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            # Its text repeats what it could not read, and that holds the password.
            raise ConfigError(["store_dsn: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE"]) from None
        if not _is_plain(self._options):
            raise ConfigError([_NOT_PLAIN])
        self._connection: psycopg.AsyncConnection[Any] | None = None

    @property
    def name(self) -> str:
        """The database in words, without its password."""
        found = self._options
        where = f"{found.get('host') or 'the local socket'}:{found.get('port') or 5432}"
        return f"PostgreSQL at {where}, database {found.get('dbname') or found.get('user') or 'by default'}"

    async def close(self) -> None:
        """Closes the connection where there is one."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def prepare(self) -> list[str]:
        """Makes or migrates tables, views and roles; what it did, in words. For the tables' owner."""
        async with self._told():
            return await tables.make(await self._open(), self.name)

    async def check(self) -> None:
        """Sees to it that the tables are of this version: makes them where they are not and it may.

        Raises VersionError where a newer version made them.
        """
        async with self._told():
            connection = await self._open()
            have = await tables.version(connection, self.name)
            if have == tables.SCHEMA_VERSION:
                return
            if not await tables.may_make(connection):
                raise StoreError(
                    f"{self.name}: expected tables of version {tables.SCHEMA_VERSION}, came {have or 'none'}; run "
                    "`detector store --init` with a DSN whose user may make them"
                )
            await tables.make(connection, self.name)

    async def write(self, batches: Mapping[Part, Sequence[Read]], end: End) -> Written:
        """Writes records, each partition's in the order of their offsets. `end`: asks Kafka where one ends."""
        async with self._told():
            try:
                return await self._write(batches, end, each=False)
            except psycopg.Error as fault:
                if not _of_a_row(fault):
                    raise
                # One of many can't be stored: one at a time the others can.
                return await self._write(batches, end, each=True)

    async def _write(self, batches: Mapping[Part, Sequence[Read]], end: End, *, each: bool) -> Written:
        positions: dict[Part, int] = {}
        counts: Counter[str] = Counter()
        connection = await self._open()
        async with connection.transaction(), connection.cursor() as cursor:
            await cursor.execute(_LIMITS)
            new: list[Read] = []
            # In one order everywhere, so that two processes never wait for each other.
            for part in sorted(batches):
                records = batches[part]
                await cursor.execute(POSITION, part)
                had = (await cursor.fetchone() or [0])[0]
                if had > records[-1].offset + 1 and had > await end(part):
                    # The topic was made anew: what was read of the old one says nothing of this one.
                    had = 0
                fresh = [record for record in records if record.offset >= had]
                counts["repeated"] += len(records) - len(fresh)
                positions[part] = max(had, fresh[-1].offset + 1 if fresh else 0)
                await cursor.execute(ADVANCE, (positions[part], *part))
                new += fresh
            good = [record for record in new if not record.drop]
            counts.update(record.drop for record in new if record.drop)
            if each:
                counts.update([await _alone(connection, cursor, record) for record in good])
            else:
                await _execute(cursor, (row for record in good for row in record.rows))
                counts["stored"] += len(good)
        return Written(positions, counts)

    async def forget(self, days: float) -> int:
        """Deletes up to a thousand runs that nothing was heard of for so long, with all that is known of them."""
        async with self._told():
            connection = await self._open()
            async with connection.transaction():
                await connection.execute(_LIMITS)
                return (await connection.execute(FORGET, (days,))).rowcount

    async def false_pauses(self, idle: timedelta, kept: timedelta) -> dict[str, tuple[int, int]]:
        """Honest runs under the newest model by workflow, and how many of them it paused (budget.COUNT)."""
        async with self._told():
            connection = await self._open()
            async with connection.transaction():
                await connection.execute(_LIMITS)
                found = await connection.execute(budget.COUNT, {"idle": idle, "kept": kept})
                return {workflow or "unknown": (runs, paused) async for workflow, runs, paused in found}

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """Turns PostgreSQL's faults into a StoreError that says where and why. Any fault closes the connection."""
        try:
            yield
        except BaseException as fault:
            await self.close()
            if isinstance(fault, psycopg.Error | OSError):
                text = " ".join(str(fault).split()) or type(fault).__name__
                raise StoreError(f"{self.name}: {text}") from fault
            raise

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            options: dict[str, Any] = {"connect_timeout": 5, "application_name": "detector store", **self._options}
            # Not prepared: poolers that hand a connection on after each transaction lose what was.
            self._connection = await psycopg.AsyncConnection.connect(
                conninfo.make_conninfo(**options), autocommit=True, prepare_threshold=None
            )
            self._connection.add_notice_handler(lambda _: None)
        return self._connection


def read(offset: int, make: Callable[[], Sequence[Row]]) -> Read:
    """A record with its rows, or with why it has none; `make` may raise Drop."""
    try:
        return Read(offset, make())
    except Drop as drop:
        return Read(offset, drop=drop.reason)


def _is_plain(options: Mapping[str, Any]) -> bool:
    """Whether host, port and database are no part of a password: one with `/`, `@` or `#` moves the places of a URL."""
    hosts, ports = str(options.get("host") or "").split(","), str(options.get("port") or "").split(",")
    return (
        all(_is_host(host) for host in hosts)
        and all(not port or (port.isascii() and port.isdigit()) for port in ports)
        and not set("@/:") & set(str(options.get("dbname") or ""))
    )


def _is_host(host: str) -> bool:
    """A name, an address, or a folder of sockets."""
    if host.startswith("/") or not set("@/:") & set(host):
        return "@" not in host
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


async def _execute(cursor: psycopg.AsyncCursor[Any], found: Iterable[Row]) -> None:
    by: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in found:
        by[row.statement].append(row.values)
    for name in ORDER:
        if name in by:
            # By run, and within one as they came: two processes lock rows in the same order.
            ordered = sorted(by[name], key=_run_of)
            await cursor.executemany(STATEMENTS[name], ordered)


def _run_of(values: tuple[Any, ...]) -> str:
    return str(values[0])


async def _alone(connection: psycopg.AsyncConnection[Any], cursor: psycopg.AsyncCursor[Any], record: Read) -> str:
    """Writes one record; what became of it."""
    try:
        async with connection.transaction():
            await _execute(cursor, record.rows)
    except psycopg.Error as fault:
        if not _of_a_row(fault):
            raise
        return "not_storable"
    return "stored"


def _of_a_row(fault: psycopg.Error) -> bool:
    return (fault.sqlstate or "")[:2] in _OF_ROWS
