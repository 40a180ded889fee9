"""Real servers on loopback, one of each for the whole session, downloaded once into .cache/."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.server import CACHE, STACK, Server, free_port, listens, needed

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks everything in this folder, which plain `pytest` leaves out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The folder of Apache Kafka's jars, fetched by Maven where it's missing or the POM changed."""
    pom, jars = HERE / "kafka" / "pom.xml", CACHE / "kafka" / "jars"
    fetched = CACHE / "kafka" / "pom.xml"
    if not fetched.is_file() or fetched.read_bytes() != pom.read_bytes():
        shutil.rmtree(jars, ignore_errors=True)
        maven = needed("mvn", "it fetches Apache Kafka")
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        subprocess.run([maven, "-q", "-B", "-f", pom, *goal], check=True, timeout=600)
        shutil.copy(pom, fetched)
    return jars


@pytest.fixture(scope="session")
def kafka(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of one Apache Kafka node, with compose.yaml's settings but for ports and folder."""
    folder, port, controller = tmp_path_factory.mktemp("kafka"), free_port(), free_port()
    own = {
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "log.dirs": str(folder / "data"),
    }
    lines = (STACK / "kafka.properties").read_text().splitlines()
    kept = [line for line in lines if line.partition("=")[0] not in own]
    assert len(lines) - len(kept) == len(own), "a setting that these tests replace is not in kafka.properties"
    settings = folder / "server.properties"
    settings.write_text("\n".join(kept + [f"{key}={value}" for key, value in own.items()]) + "\n")
    java = [needed("java", "Apache Kafka runs on it"), "-Xmx512m", "-cp", f"{kafka_jars}/*"]
    cluster = ["format", "--config", str(settings), "--cluster-id", uuid.uuid4().hex[:22]]
    subprocess.run([*java, "kafka.tools.StorageTool", *cluster], check=True, timeout=120, capture_output=True)
    with Server("kafka", [*java, "kafka.Kafka", settings]) as server:
        server.until(lambda: listens(port))
        yield f"127.0.0.1:{port}"


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
