"""Tables, views and roles of the store: made, migrated and granted, in one transaction, by their owner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql

from detector.errors import VersionError

SCHEMA_VERSION = 1
ROLES = ("detector_writer", "detector_reader")
_HERE = Path(__file__).parent
VIEWS = ("views.sql", "product.sql")
_MIGRATIONS = ("schema.sql",)
"""What brings the tables from each version to the next; the first one from nothing to 1."""
_ONE_AT_A_TIME = 7_231_911_603
"""Key of the advisory lock under which tables are made."""

Connection = psycopg.AsyncConnection[Any]


async def version(connection: Connection, name: str) -> int:
    """Of the tables; 0: there are none. Raises VersionError, which names the database, where they are newer."""
    there = await (await connection.execute("select to_regclass('detector.schema_version')")).fetchone()
    if there is None or there[0] is None:
        return 0
    found = await (await connection.execute("select max(version) from detector.schema_version")).fetchone()
    have = int(found[0] or 0) if found else 0
    if have > SCHEMA_VERSION:
        raise VersionError(f"tables of {name}", SCHEMA_VERSION, have)
    return have


async def may_make(connection: Connection) -> bool:
    """Whether this user may make the tables."""
    may = await (await connection.execute("select has_database_privilege(current_database(), 'create')")).fetchone()
    return bool(may and may[0])


async def make(connection: Connection, name: str) -> list[str]:
    """Makes or migrates tables, makes the views anew, grants the roles; what it did, in words."""
    did = []
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
        for n in range(await version(connection, name), SCHEMA_VERSION):
            await _run_file(connection, _MIGRATIONS[n])
            await connection.execute("insert into detector.schema_version (version) values (%s)", (n + 1,))
            did.append(f"tables of version {n + 1}: made")
        for file in VIEWS:
            await _run_file(connection, file)
        did.append("views: made")
        missing = [role for role in ROLES if not await _has_role(connection, role)]
        if missing:
            did.append(f"roles {', '.join(missing)}: not there, and this user may not make them; see docs/store.md")
        else:
            await _run_file(connection, "roles.sql")
            did.append(f"roles {', '.join(ROLES)}: granted")
    return did


async def _run_file(connection: Connection, name: str) -> None:
    await connection.execute((_HERE / name).read_bytes())


async def _has_role(connection: Connection, role: str) -> bool:
    """Whether the role is there, made here where it's missing and this user may."""
    if await (await connection.execute("select 1 from pg_roles where rolname = %s", (role,))).fetchone():
        return True
    try:
        async with connection.transaction():
            await connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    except errors.InsufficientPrivilege:
        return False
    return True
