"""Real servers on loopback, one of each for the whole session, downloaded once into .cache/."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration import brokers
from tests.integration.brokers import Node
from tests.integration.postgres import Postgres, postgres
from tests.integration.server import Server, free_port, needed

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks everything in this folder, which plain `pytest` leaves out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The folder of Apache Kafka's jars."""
    return brokers.kafka_jars()


@pytest.fixture(scope="session")
def kafka_node(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One Apache Kafka node, with compose.yaml's settings but for ports and folder."""
    with brokers.kafka_node(kafka_jars, tmp_path_factory.mktemp("kafka", numbered=False)) as node:
        yield node


@pytest.fixture(scope="session")
def kafka(kafka_node: Node) -> str:
    """The bootstrap address of that node."""
    return kafka_node.bootstrap


@pytest.fixture(scope="session")
def collector_program() -> Path:
    """The path of an OpenTelemetry Collector."""
    return brokers.collector_program()


class Worker(NamedTuple):
    """A worker process of `detector worker`: its environment, for other commands, and its metrics' port."""

    env: dict[str, str]
    metrics_port: int

    @property
    def bootstrap(self) -> str:
        """Where its Kafka is."""
        return self.env["DETECTOR_BOOTSTRAP"]

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of its HTTP side; 0 where it doesn't listen yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=5) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def metric(self, line: str) -> float:
        """The value of a sample, named as `/metrics` prints it; 0 where it's not there."""
        found = [
            text.rpartition(" ")[2] for text in self.get("/metrics")[1].splitlines() if text.startswith(line + " ")
        ]
        return float(found[0]) if found else 0.0


@pytest.fixture(scope="session")
def worker(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A real worker on the real Kafka, with RocksDB, ready to judge."""
    port = free_port()
    env = {
        "DETECTOR_BOOTSTRAP": kafka,
        "DETECTOR_DATADIR": str(tmp_path_factory.mktemp("worker") / "state"),
        "DETECTOR_METRICS_PORT": str(port),
    }
    made = Worker(env, port)
    with Server("worker", [sys.executable, "-m", "detector", "worker"], env) as server:
        server.until(lambda: made.get("/readyz")[0] == 200)
        yield made
        assert server.stop() == 0, f"the worker did not stop well; see {server.log}"


@pytest.fixture(scope="session")
def prometheus_program() -> str:
    """The path of Prometheus; installed from Debian where it's missing and this is root."""
    if shutil.which("prometheus") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], check=True, env=quiet, timeout=600, capture_output=True)
        subprocess.run(
            ["apt-get", "-qq", "install", "--no-install-recommends", "prometheus"],
            check=True,
            env=quiet,
            timeout=600,
            capture_output=True,
        )
    return needed("prometheus", "Debian's package prometheus has it")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL; each test makes a database of its own in it."""
    with postgres() as running:
        yield running
