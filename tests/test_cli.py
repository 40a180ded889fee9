"""The `detector` command: help, faults, and the commands that need no worker."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from detector import cli, schemas
from detector.config import Settings, load
from detector.kafka import topics
from detector.records import Ack, Command, Desired, Evidence, Share, Verdict
from detector.testing import Spans

COMMANDS = sorted(command.callback.__name__ for command in cli.app.registered_commands if command.callback)


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


SAMPLES = Path(__file__).parent / "samples"
Call = Callable[..., Ended]


@pytest.fixture
def root_logger() -> Iterator[None]:
    """Puts back what a command that logs sets up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root_logger: None
) -> Call:
    """Runs `detector` with arguments, in an empty folder and without settings."""
    del root_logger
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DETECTOR_{name.upper()}", raising=False)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["detector", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def kafka(bootstrap: str, monkeypatch: pytest.MonkeyPatch, call: Call) -> Call:
    """`call` with a broker of its own, on which the topics are."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", bootstrap)
    assert call("topics", "apply").code == 0
    return call


def produce(**records: list[msgspec.Struct]) -> None:
    """Writes public records to the topics that the keywords name, `agent_verdicts` for agent-verdicts."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=load().bootstrap) as producer:
            for topic, each in records.items():
                for record in each:
                    await producer.send_and_wait(topic.replace("_", "-"), msgspec.json.encode(record))

    asyncio.run(send())


VERDICT = Verdict(
    run="run-1",
    workflow="deploy",
    sequence=1,
    level="PAUSE",
    previous="ALLOW",
    cause="rule:credential chain",
    at=1_775_000_000_000_000_000,
    span_id="00ab",
    score=0.71,
    threshold=0.6,
    evidence=[Evidence("used a [token] that it found", "00ab", "00cd", 1)],
    behaviours=[Share("credentials", 0.8, 2.0, "searched for credentials")],
    model="m1",
    policy="p1",
    mode="enforce",
)
COMMAND = Command(run="run-1", desired=Desired.PAUSED, sequence=1, cause="rule:credential chain", at=VERDICT.at)
ACK = Ack(run="run-1", sequence=1, enforcer="process", outcome="done", at=VERDICT.at + 1, desired="paused")


def test_help_loads_none_of_the_heavy_parts() -> None:
    """`detector --help` is there at once: no Faust, no numba, no numpy, no pydantic."""
    heavy = {"faust", "numba", "numpy", "aiokafka", "pydantic", "sklearn"}
    code = f"import sys\nfrom detector import cli\nprint(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_help_names_every_command(call: Call) -> None:
    """Without a command, and with --help, all commands are listed."""
    shown = call("--help")
    assert shown.code == 0
    assert all(name in shown.out for name in [*COMMANDS, "topics"])


@pytest.mark.parametrize("command", [*COMMANDS, "topics"])
def test_every_command_explains_itself(call: Call, command: str) -> None:
    """Each command has a help of more than its usage."""
    shown = call(command, "--help")
    assert shown.code == 0
    assert len(shown.out.splitlines()) > 5


def test_a_fault_is_one_line_without_a_traceback(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be reached ends as one line on stderr that names it, and exit code 1."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", "127.0.0.1:1")
    ended = call("topics", "check")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("detector: Kafka at 127.0.0.1:1: ")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    ["worker", "runs", "show r", "topics check", "topics apply", "topics apply --dry-run"]
    + [f"{decision} r --reason x" for decision in ("pause", "resume", "kill")],
)
def test_without_kafka_each_command_says_so_in_one_line(tmp_path: Path, command: str) -> None:
    """As a process, where libraries log as they like: one line that says where and why, exit code 1, no traceback."""
    env = {**os.environ, "DETECTOR_BOOTSTRAP": "127.0.0.1:1", "DETECTOR_DATADIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "detector", *command.split()], env=env, capture_output=True, text=True, check=False
    )
    (line,) = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert line.startswith("detector: Kafka at 127.0.0.1:1: ")
    assert "no connection: [Errno 111]" in line


def test_bad_settings_are_all_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bad setting is a line of its own."""
    monkeypatch.setenv("DETECTOR_PARTITIONS", "0")
    monkeypatch.setenv("DETECTOR_MODE", "maybe")
    ended = call("topics", "apply")
    assert ended.code == 1
    assert [line.split(":")[2].strip() for line in ended.err.splitlines()] == ["partitions", "mode"]


def test_check_tells_every_fault_at_once(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With no model and no Kafka, both are said, beside what is well."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("DETECTOR_MODELS", str(tmp_path))
    monkeypatch.setenv("DETECTOR_SIGNING_KEY", "made-up-secret")
    ended = call("check")
    assert ended.code == 1
    assert "model: " in ended.err
    assert "kafka: " in ended.err
    assert "detector.behaviours  ok" in ended.out
    assert "signing_key = set, not shown" in ended.out
    assert "made-up-secret" not in ended.out + ended.err


def test_check_shows_of_an_address_only_its_host(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """User, path and query of the webhook may hold a token; scheme and host are enough to recognise it."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("DETECTOR_WEBHOOK_URL", "https://u:s3cret@hooks.example/s3cret?token=s3cret#s3cret")
    monkeypatch.setenv("DETECTOR_WEBHOOK_KEY", "s3cret")
    ended = call("check")
    assert "webhook_url = https://hooks.example, the rest not shown" in ended.out
    assert "s3cret" not in ended.out + ended.err


def test_check_warns_of_missing_keys(kafka: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a hash key and a signing key it says what that means, and it is no fault; with both it's silent."""
    ended = kafka("check")
    assert ended.code == 0
    assert "warning: hashes in the run log are not keyed: set DETECTOR_HASH_KEY" in ended.out
    assert "warning: commands and labels are not signed: set DETECTOR_SIGNING_KEY" in ended.out
    monkeypatch.setenv("DETECTOR_HASH_KEY", "made-up")
    monkeypatch.setenv("DETECTOR_SIGNING_KEY", "made-up")
    assert "warning" not in kafka("check").out


def test_check_without_usable_settings_looks_at_the_plugins(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad settings don't hide what else is found."""
    monkeypatch.setenv("DETECTOR_PARTITIONS", "0")
    ended = call("check")
    assert ended.code == 1
    assert "detector: settings: partitions" in ended.err
    assert "detector.dialects  ok" in ended.out


def test_check_of_a_sound_installation_passes(kafka: Call) -> None:
    """With the packaged model and the topics made, there is no fault, and every topic is listed with its shape."""
    ended = kafka("check")
    assert (ended.code, ended.err) == (0, "")
    assert "agent-commands: 4 partitions, compact" in ended.out
    assert "checksum, arrays and feature list are what the manifest says" in ended.out


def test_topics_check_and_apply(kafka: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics that are as they should be pass; a run log of another width fails and is named."""
    assert kafka("topics", "check").code == 0
    monkeypatch.setenv("DETECTOR_PARTITIONS", "7")
    ended = kafka("topics", "check")
    assert ended.code == 1
    assert "agent-run-log: expected 7 partitions" in ended.err


def test_topics_apply_says_what_it_does_and_first_what_it_would(kafka: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run changes nothing and exits 0; applying sets the difference; what it can't change is left and exits 1."""
    monkeypatch.setenv("DETECTOR_RUN_LOG_RETENTION_HOURS", "24")
    change = "set agent-run-log: retention.ms=86400000, was 604800000"
    assert kafka("topics", "check").code == 1
    dry = kafka("topics", "apply", "--dry-run")
    assert (dry.code, f"would {change}" in dry.out) == (0, True)
    assert kafka("topics", "check").code == 1
    done = kafka("topics", "apply")
    assert (done.code, change in done.out) == (0, True)
    assert kafka("topics", "check").code == 0

    monkeypatch.setenv("DETECTOR_PARTITIONS", "7")
    for arguments in (["--dry-run"], []):
        left = kafka("topics", "apply", *arguments)
        assert left.code == 1
        assert "agent-run-log: expected 7 partitions (setting `partitions`), came 4" in left.err


def test_topics_of_a_new_broker_would_be_made(call: Call, bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run on an empty broker names every topic with its shape and makes none."""
    monkeypatch.setenv("DETECTOR_BOOTSTRAP", bootstrap)
    dry = call("topics", "apply", "--dry-run")
    assert dry.code == 0
    assert "would make agent-run-log: 4 partitions, 1 replicas" in dry.out
    assert call("topics", "check").code == 1


def test_runs_lists_the_latest_state(kafka: Call) -> None:
    """A run appears with its verdict, its score and the state that was asked for and proven."""
    assert "no run has a verdict yet" in kafka("runs").out
    produce(agent_verdicts=[VERDICT], agent_commands=[COMMAND], agent_acks=[ACK])
    shown = kafka("runs").out
    assert all(word in shown for word in ("run-1", "deploy", "PAUSE", "0.710", "rule:credential chain", "paused"))
    (row,) = [json.loads(line) for line in kafka("runs", "--json").out.splitlines()]
    assert (row["run"], row["level"], row["proven"]) == ("run-1", "PAUSE", "paused")


def test_show_tells_the_story_with_its_evidence(kafka: Call) -> None:
    """Verdict, command and ack come in the order of time, the evidence in words, brackets as they are."""
    produce(agent_verdicts=[VERDICT], agent_commands=[COMMAND], agent_acks=[ACK])
    shown = kafka("show", "run-1").out
    assert "used a [token] that it found" in shown
    assert "80% of the score: searched for credentials" in shown
    assert shown.index("PAUSE after ALLOW") < shown.index("command 1: to be paused") < shown.index("process, command 1")
    assert len(kafka("show", "run-1", "--json").out.splitlines()) == 3


def test_show_of_an_unknown_run_fails(kafka: Call) -> None:
    """A run that no topic knows is a fault, not an empty page."""
    ended = kafka("show", "run-2")
    assert ended.code == 1
    assert "run run-2: no verdict" in ended.err


def test_a_decision_that_no_worker_answers_fails(kafka: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is told that nothing came of the decision; it stays on the topic."""
    monkeypatch.setattr("detector.observe.view.ANSWER_SECONDS", 0.1)
    ended = kafka("kill", "run-1", "--reason", "seen enough", "--who", "ada")
    assert ended.code == 1
    assert "no worker answered" in ended.err
    assert "ada says kill: seen enough" in kafka("show", "run-1").out


def test_a_decision_needs_a_reason(kafka: Call) -> None:
    """Without --reason nothing is sent."""
    assert kafka("pause", "run-1").code == 2
    assert kafka("show", "run-1").code == 1


def test_resuming_a_run_that_runs_says_so(kafka: Call) -> None:
    """A run without a stop behind it needs no command."""
    produce(agent_verdicts=[VERDICT])
    ended = kafka("resume", "run-1", "--reason", "all is well")
    assert "run run-1 was never stopped" in ended.out


def test_schema_prints_what_is_published(call: Call, tmp_path: Path) -> None:
    """One record by name, all without one, and files on request."""
    assert call("schema", "ack").out == schemas.text("ack")
    assert call("schema").out.count('"$schema"') == len(schemas.PUBLIC)
    assert call("schema", "--write", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out" / "ack.json").read_text() == schemas.text("ack")


def test_schema_of_no_record_is_refused(call: Call) -> None:
    """A name that is no public record's is a usage error that lists those there are."""
    ended = call("schema", "span")
    assert ended.code == 2
    assert "verdict" in ended.err


def test_module_and_command_are_the_same() -> None:
    """`python -m detector` runs the command line."""
    shown = subprocess.run([sys.executable, "-m", "detector", "--help"], capture_output=True, text=True, check=True)
    assert "Watches the runs of AI agents" in shown.stdout
    assert topics.__name__.rpartition(".")[2] in shown.stdout


@pytest.mark.parametrize("part", ["broker", "receive"])
def test_a_taken_port_is_a_fault(kafka: Call, part: str) -> None:
    """A server whose port somebody has says so in one line, and does not start."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = kafka(part, "--port", str(taken.getsockname()[1]))
    assert ended.code == 1
    assert "address already in use" in ended.err.lower()
    assert "Traceback" not in ended.err


def test_replay_prints_the_verdicts_of_a_recording(call: Call, tmp_path: Path) -> None:
    """A recorded credential chain that ends in production prints its verdicts as JSON lines, and twice the same."""
    token = "tok_live_5f3a9c71d2b84e0f9a6c"
    delete = (
        f"curl https://api.platform.example/graphql -H 'Authorization: Bearer {token}' -d 'mutation {{ volumeDelete }}'"
    )
    story = [
        ("psql -h db.staging.internal", "FATAL: password authentication failed", True),
        ("grep -rniE 'token|api_key' ~/projects", f"tools/.env:API_TOKEN={token}", False),
        ("cat ~/projects/tools/.env", f"API_TOKEN={token}", False),
        (delete, "{}", False),
    ]
    spans = Spans("coder")
    for command, result, failed in story:
        spans.tool("shell", {"command": command}, result, failed=failed)
    (tmp_path / "recorded.jsonl").write_bytes(spans.request() + b"\n")
    first, second = call("replay", "recorded.jsonl"), call("replay", "recorded.jsonl")
    verdicts = [json.loads(line) for line in first.out.splitlines()]
    assert {verdict["run"] for verdict in verdicts} == {"coder/conversation-1"}
    assert verdicts[-1]["level"] in {"PAUSE", "KILL"}
    assert token not in first.out
    assert first.out == second.out


def test_replay_of_a_file_that_is_not_there_is_a_fault(call: Call) -> None:
    """The file is named, without a traceback."""
    ended = call("replay", "nowhere.jsonl")
    assert ended.code == 1
    assert "replay: nowhere.jsonl can't be read" in ended.err


def test_explain_tells_the_run_of_a_file(call: Call) -> None:
    """Call by call, with what moved and the verdict; a file that isn't there is not taken for a run's id."""
    told = call("explain", str(SAMPLES / "langchain-openinference" / "traces-000.binpb"))
    assert told.code == 0
    assert "delete_database" in told.out
    assert "rule:irreversible-in-production" in told.out
    missing = call("explain", "missing.binpb")
    assert missing.code == 1
    assert "found no such file" in missing.err
