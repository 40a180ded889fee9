"""Apache Kafka and the OpenTelemetry Collector on loopback, with the files that compose.yaml mounts."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from tests.integration.server import CACHE, STACK, Server, free_port, listens, needed

HERE = Path(__file__).parent
BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.155.0"


class Node(NamedTuple):
    """A Kafka node: where its clients connect, by listener, where its partitions are, and its process."""

    listeners: Mapping[str, str]
    data: Path
    server: Server

    @property
    def bootstrap(self) -> str:
        """The address of the listener PLAINTEXT."""
        return self.listeners["PLAINTEXT"]


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


@contextmanager
def kafka_node(
    jars: Path,
    folder: Path,
    listeners: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    format_arguments: tuple[str, ...] = (),
) -> Iterator[Node]:
    """One node with kafka.properties of the stack, but for ports, folder and what is given.

    `listeners` are names and their security protocols, PLAINTEXT alone where there are none;
    `settings` are added to the file, `format_arguments` to the tool that makes the data folder.
    """
    protocols = dict(listeners or {"PLAINTEXT": "PLAINTEXT"})
    ports = {name: free_port() for name in [*protocols, "CONTROLLER"]}
    addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    clients = ",".join(f"{name}://{addresses[name]}" for name in protocols)
    own = {
        "controller.quorum.voters": f"1@{addresses['CONTROLLER']}",
        "listeners": f"{clients},CONTROLLER://{addresses['CONTROLLER']}",
        "advertised.listeners": clients,
        "log.dirs": str(folder / "data"),
        "listener.security.protocol.map": ",".join(
            f"{name}:{protocol}" for name, protocol in {**protocols, "CONTROLLER": "PLAINTEXT"}.items()
        ),
        "inter.broker.listener.name": next(iter(protocols)),
    }
    lines = (STACK / "kafka.properties").read_text().splitlines()
    kept = [line for line in lines if line.partition("=")[0] not in own]
    assert len(lines) - len(kept) == len(own), "a setting that these tests replace is not in kafka.properties"
    file = folder / "server.properties"
    file.write_text("\n".join([*kept, *(f"{key}={value}" for key, value in {**own, **(settings or {})}.items())]))
    java = [needed("java", "Apache Kafka runs on it"), "-Xmx512m", "-cp", f"{jars}/*"]
    tool = ["kafka.tools.StorageTool", "format", "--config", str(file), "--cluster-id", uuid.uuid4().hex[:22]]
    subprocess.run([*java, *tool, *format_arguments], check=True, timeout=120, capture_output=True)
    with Server(folder.name, [*java, "kafka.Kafka", file]) as server:
        server.until(lambda: all(listens(ports[name]) for name in protocols))
        yield Node({name: addresses[name] for name in protocols}, folder / "data", server)


def collector_program() -> Path:
    """The Collector of builder.yaml, built by the Collector's own builder where the file changed: three minutes."""
    manifest = (HERE / "collector" / "builder.yaml").read_bytes()
    folder = CACHE / "collector" / hashlib.sha256(BUILDER.encode() + manifest).hexdigest()[:16]
    program = folder / "otelcol"
    if not program.is_file():
        shutil.rmtree(CACHE / "collector", ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "builder.yaml").write_bytes(manifest)
        go = needed("go", "it builds the OpenTelemetry Collector")
        # The sources stand in a checkout that is not theirs.
        env = {**os.environ, "GOFLAGS": "-buildvcs=false"}
        building = [go, "run", BUILDER, "--config=builder.yaml"]
        done = subprocess.run(building, cwd=folder, env=env, check=False, timeout=1500, capture_output=True, text=True)
        assert done.returncode == 0, f"the Collector was not built:\n{done.stderr[-3000:]}"
        (folder / "sources" / "otelcol").rename(program)
        shutil.rmtree(folder / "sources")
    return program


class Collector:
    """A running Collector with collector.yaml of the stack, and where agents send to."""

    def __init__(self, program: Path, name: str, bootstrap: str, *overlays: Path, **env: str) -> None:
        self.grpc, self.http, self.health, self.metrics = (free_port() for _ in range(4))
        addresses = {
            "OTLP_GRPC_ENDPOINT": f"127.0.0.1:{self.grpc}",
            "OTLP_HTTP_ENDPOINT": f"127.0.0.1:{self.http}",
            "HEALTH_ENDPOINT": f"127.0.0.1:{self.health}",
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(self.metrics),
            "KAFKA_BROKERS": bootstrap,
        }
        files = [f"--config={file}" for file in (STACK / "collector.yaml", *overlays)]
        self.server = Server(name, [program, *files], addresses | env)

    def __enter__(self) -> Self:
        self.server.start(lambda: all(map(listens, (self.grpc, self.http, self.health))))
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
