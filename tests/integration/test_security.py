"""A broker that demands TLS, certificates or passwords: every client of the detector gets in, or says why not."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.authority import PASSWORD, USER, Papers, papers, strict_node
from tests.integration.brokers import Collector, Node
from tests.integration.conftest import Worker
from tests.integration.machine import Machine, until
from tests.integration.server import STACK, Server, free_port

Env = dict[str, str]


class Strict(NamedTuple):
    """A node that demands something on each of its listeners, papers that it takes, and papers of somebody else."""

    node: Node
    known: Papers
    foreign: Papers

    def env(self, listener: str, security: str, mechanism: str = "") -> Env:
        """Settings for a listener, with all that it may ask for."""
        made = {"DETECTOR_BOOTSTRAP": self.node.listeners[listener], "DETECTOR_SECURITY": security}
        if security.endswith("ssl"):
            made["DETECTOR_SSL_CAFILE"] = str(self.known.authority)
        if listener == "MTLS":
            made |= certificate(self.known)
        if mechanism:
            login = {"USERNAME": USER, "PASSWORD": PASSWORD, "MECHANISM": mechanism}
            made |= {f"DETECTOR_SASL_{name}": text for name, text in login.items()}
        return made


def certificate(of: Papers) -> Env:
    """Settings for a client's certificate."""
    return {"DETECTOR_SSL_CERTFILE": str(of.certificate), "DETECTOR_SSL_KEYFILE": str(of.key)}


@pytest.fixture(scope="module")
def strict(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strict]:
    """The node, for all tests of this file."""
    folder = tmp_path_factory.mktemp("strict-kafka", numbered=False)
    authority, known = papers(folder, "client")
    _, foreign = papers(folder, "stranger")
    with strict_node(kafka_jars, folder, authority, known.authority) as node:
        yield Strict(node, known, foreign)


def detector(env: Env, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line with these settings; one that hangs is a failure."""
    program = [sys.executable, "-m", "detector", *arguments]
    return subprocess.run(program, env={**env, "PATH": ""}, capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize(
    ("listener", "security", "mechanism"),
    [
        ("TLS", "ssl", ""),
        ("MTLS", "ssl", ""),
        ("SASLTLS", "sasl_ssl", "PLAIN"),
        ("SASLTLS", "sasl_ssl", "SCRAM-SHA-256"),
        ("SASLTLS", "sasl_ssl", "SCRAM-SHA-512"),
        ("SASLCLEAR", "sasl_plaintext", "SCRAM-SHA-512"),
    ],
)
def test_right_settings_let_in(strict: Strict, listener: str, security: str, mechanism: str) -> None:
    """Topics are made and found in each of the ways that a broker may protect itself."""
    applied = detector(strict.env(listener, security, mechanism), "topics", "apply")
    assert (applied.returncode, applied.stderr) == (0, "")


@pytest.mark.parametrize(
    ("listener", "security", "mechanism", "overlays"),
    [
        ("SASLTLS", "sasl_ssl", "SCRAM-SHA-512", ["collector-tls.yaml", "collector-sasl.yaml"]),
        ("MTLS", "ssl", "", ["collector-tls.yaml"]),
    ],
)
def test_an_incident_is_frozen_behind_a_strict_broker(
    strict: Strict,
    collector_program: Path,
    tmp_path: Path,
    listener: str,
    security: str,
    mechanism: str,
    overlays: list[str],
) -> None:
    """Collector, worker, receiver, enforcer and command line all work over TLS with a login or a certificate."""
    port, receive_port = free_port(), free_port()
    env = {
        **strict.env(listener, security, mechanism),
        "DETECTOR_TOPIC_PREFIX": f"{listener}.",
        "DETECTOR_SPANS_TOPIC": f"{listener}.spans",
        "DETECTOR_DATADIR": str(tmp_path / "state"),
        "DETECTOR_METRICS_PORT": str(port),
        "DETECTOR_RECEIVE_PORT": str(receive_port),
    }
    worker, files = Worker(env, port), [STACK / name for name in overlays]
    collector = Collector(collector_program, "collector-strict", worker.bootstrap, *files, **for_collector(env))
    with (
        serving("worker", env) as judging,
        collector,
        Machine(tmp_path, "enforcer-strict", env, collector) as machine,
        serving("receive", env) as receiver,
    ):
        judging.until(lambda: worker.get("/readyz")[0] == 200)
        run, _ = machine.launch("incident", "grpc")
        machine.wait_until_frozen(run)
        until(lambda: proven(env, run) == "paused", f"the ack of {run}")
        receiver.until(lambda: is_healthy(receive_port))
        checked = detector(env, "check")
    assert checked.returncode == 0, checked.stderr
    assert PASSWORD not in checked.stdout + judging.log.read_text() + receiver.log.read_text()


def serving(part: str, env: Env) -> Server:
    """A part of the detector as a server."""
    return Server(f"{part}-strict", [sys.executable, "-m", "detector", part], env)


def for_collector(env: Env) -> Env:
    """The same settings under the names that the Collector's files use."""
    names = {
        "DETECTOR_SPANS_TOPIC": "SPANS_TOPIC",
        "DETECTOR_SSL_CAFILE": "KAFKA_CA_FILE",
        "DETECTOR_SSL_CERTFILE": "KAFKA_CERT_FILE",
        "DETECTOR_SSL_KEYFILE": "KAFKA_KEY_FILE",
        "DETECTOR_SASL_MECHANISM": "KAFKA_SASL_MECHANISM",
        "DETECTOR_SASL_USERNAME": "KAFKA_USERNAME",
        "DETECTOR_SASL_PASSWORD": "KAFKA_PASSWORD",
    }
    return {theirs: env[ours] for ours, theirs in names.items() if ours in env}


def proven(env: Env, run: str) -> str:
    """The state that an enforcer brought the run to, as `detector runs` tells it."""
    rows = [json.loads(line) for line in detector(env, "runs", "--json").stdout.splitlines()]
    return next((str(row.get("proven", "")) for row in rows if row["run"] == run), "")


def is_healthy(port: int) -> bool:
    """Whether the receiver has found its Kafka."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


WRONG = {
    "password": ("SASLTLS", "sasl_ssl", "SCRAM-SHA-512", {"DETECTOR_SASL_PASSWORD": "guessed"}, "let in 'detector'"),
    "user": ("SASLTLS", "sasl_ssl", "PLAIN", {"DETECTOR_SASL_USERNAME": "nobody"}, "let in 'nobody' by PLAIN"),
    "no login": ("SASLTLS", "ssl", "", {}, "it may ask for a login, sasl_ssl"),
    "a login too many": ("TLS", "sasl_ssl", "PLAIN", {}, "set security = ssl"),
    "plain text to TLS": ("TLS", "plaintext", "", {}, "came TLS; set security = ssl"),
    "TLS to plain text": ("OPEN", "ssl", "", {}, "it may speak no TLS on that port"),
    "no login in plain text": ("SASLCLEAR", "plaintext", "", {}, "it may ask for a login, sasl_plaintext"),
}


@pytest.mark.parametrize(("listener", "security", "mechanism", "change", "said"), WRONG.values(), ids=WRONG)
def test_wrong_settings_are_named(
    strict: Strict, listener: str, security: str, mechanism: str, change: Env, said: str
) -> None:
    """One line says where, what was expected and what came; the exit code is 1."""
    refused(detector({**strict.env(listener, security, mechanism), **change}, "topics", "check"), said)


def refused(done: subprocess.CompletedProcess[str], said: str) -> None:
    """Asserts that the command ended with one line that says this, and without a secret in it."""
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("detector: ")
    assert "Kafka at 127.0.0.1:" in line
    assert said in line
    assert PASSWORD not in line


def test_certificates_that_do_not_fit_are_named(strict: Strict) -> None:
    """Another authority than the broker's, no certificate where one is demanded, one that a stranger signed."""
    foreign = str(strict.foreign.authority)
    refused(detector({**strict.env("TLS", "ssl"), "DETECTOR_SSL_CAFILE": foreign}, "topics", "check"), foreign)
    bare = {name: text for name, text in strict.env("MTLS", "ssl").items() if name not in certificate(strict.known)}
    refused(detector(bare, "topics", "check"), "set ssl_certfile and ssl_keyfile")
    stranger = {**strict.env("MTLS", "ssl"), **certificate(strict.foreign)}
    refused(detector(stranger, "topics", "check"), str(strict.foreign.certificate))


@pytest.mark.parametrize(
    "command",
    ["worker", "enforce", "receive", "check", "runs", "topics apply", "kill run-1 --reason because"],
)
def test_every_client_says_the_same_of_a_wrong_password(strict: Strict, command: str) -> None:
    """Whichever part it is, it ends at its start with that one line."""
    env = {**strict.env("SASLTLS", "sasl_ssl", "SCRAM-SHA-512"), "DETECTOR_SASL_PASSWORD": "guessed"}
    refused(detector(env, *command.split()), "expected it to let in 'detector' by SCRAM-SHA-512")
