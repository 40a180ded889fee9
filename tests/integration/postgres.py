"""A real PostgreSQL on loopback, in a folder of its own, with passwords as anywhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from tests.integration.server import Server, free_port, listens

PASSWORD = "owner-s3cret"
_DEBIAN = Path("/usr/lib/postgresql")


class Postgres:
    """A running server; `database` makes databases in it."""

    def __init__(self, port: int, command: list[str | Path]) -> None:
        self.port = port
        self._command = command
        self._made = 0
        self.server = Server(f"postgres-{port}", command)

    def database(self) -> str:
        """The DSN of a new and empty database, as its owner, who is a superuser."""
        self._made += 1
        name = f"runs_{self._made}"
        with self.ask(self.dsn("postgres")) as connection:
            connection.execute(f"create database {name}")
        return self.dsn(name)

    def dsn(self, name: str, user: str = "owner", password: str = PASSWORD) -> str:
        """How a user connects to the database `name`."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{name}"

    @contextlib.contextmanager
    def ask(self, dsn: str) -> Iterator[psycopg.Connection[Any]]:
        """A connection whose statements stand at once."""
        with contextlib.closing(psycopg.connect(dsn, autocommit=True)) as connection:
            yield connection

    def start(self) -> None:
        """Starts it, again where it was stopped."""
        self.server = Server(f"postgres-{self.port}", self._command)
        self.server.start(lambda: listens(self.port) and self._answers())

    def stop(self) -> None:
        """Stops it, and does not wait for who is connected."""
        self.server.process.send_signal(signal.SIGINT)
        self.server.stop()

    def _answers(self) -> bool:
        try:
            with self.ask(self.dsn("postgres")):
                return True
        except psycopg.OperationalError:
            return False


def programs() -> Path:
    """The folder of PostgreSQL's programs; installed from Debian where it's missing and this is root."""
    if not _found() and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for what in (["update"], ["install", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", "-qq", *what], check=True, env=quiet, timeout=600, capture_output=True)
    found = _found()
    assert found, f"expected initdb on PATH or in {_DEBIAN}/*/bin (Debian's package postgresql), found none"
    return found[-1]


def _found() -> list[Path]:
    on_path = shutil.which("initdb")
    return sorted(_DEBIAN.glob("*/bin")) or ([Path(on_path).parent] if on_path else [])


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """A server while the context lasts. It refuses to run as root, so that for root `nobody` runs it."""
    bin_, port = programs(), free_port()
    as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="detector-postgres-") as temporary:
        folder = Path(temporary)
        (folder / "password").write_text(PASSWORD)
        if as_user:
            shutil.chown(folder, "nobody", "nogroup")
            shutil.chown(folder / "password", "nobody", "nogroup")
        made: list[str | Path] = [*as_user, bin_ / "initdb", "-D", folder / "data", "-U", "owner", "--no-sync"]
        subprocess.run(
            [*made, "--auth=scram-sha-256", "--pwfile", folder / "password", "--encoding=UTF8"],
            check=True, capture_output=True, timeout=120, cwd=folder,
        )  # fmt: skip
        here = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        server = Postgres(port, [*as_user, bin_ / "postgres", "-D", folder / "data", "-p", str(port), *here])
        server.start()
        try:
            yield server
        finally:
            server.stop()
