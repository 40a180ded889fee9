"""No secret is written anywhere: known token shapes, planted in all that comes in, looked for in all that goes out."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import generate_latest
from rich.console import Console

from detector import cli
from detector import ingest as ingesting
from detector.commands.base import fail, print_json
from detector.config import load
from detector.control.people import Entry, RunRow
from detector.errors import ConfigError
from detector.lexicon.secrets import redact
from detector.observe import view
from detector.observe.explained import runs as explained
from detector.observe.explained import words
from detector.observe.logs import JsonFormatter, TextFormatter
from detector.read import Reader
from detector.records import Ack, Command, Desired, Evidence, Label, RunEvents, Share, Summary, Verdict
from detector.testing import Spans
from detector.training.matrix import feature_judge
from tests.fleet import Fleet
from tests.tokens import TOKENS

JUDGE = feature_judge()
WINDOW = 8
"""Characters of a secret that may not be seen in a row."""


def pieces(secret: str) -> set[str]:
    """Parts of a secret that tell it; as JSON writes them they are the same."""
    lines = [line for line in secret.lower().splitlines() if len(line) >= WINDOW]
    return {line[n : n + WINDOW] for line in lines for n in range(len(line) - WINDOW + 1)}


def leaks(secret: str, written: str | bytes) -> list[str]:
    """What is seen of a secret, in whatever case."""
    text = written.decode("utf-8", "replace") if isinstance(written, bytes) else written
    text = text.lower()
    return sorted(piece for piece in pieces(secret) if piece in text)


def planted(text: str) -> list[bytes]:
    """Requests that hold the text everywhere: in the names of a resource, of a run, of spans, in what they say."""
    message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"Use {text} for it."}]}])
    asked = json.dumps(
        [{"role": "assistant", "parts": [{"type": "tool_call", "id": text, "name": text, "arguments": {"a": text}}]}]
    )
    resource: dict[str, Any] = {
        "service.namespace": text, "agent__workflow": text, "agent__permission_mode": text, "host__name": text,
        "k8s__pod__name": text, "container__id": text, "deployment__environment": text, "process__command_line": text,
    }  # fmt: skip
    chat = {
        "gen_ai.operation.name": "chat", "gen_ai.input.messages": message, "gen_ai.output.messages": asked,
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": text}]), "gen_ai.request.model": text,
    }  # fmt: skip
    event = {"name": "exception", "attributes": [
        {"key": key, "value": {"stringValue": text}} for key in ("exception.message", "exception.type")
    ]}  # fmt: skip
    made = []
    for spans in (Spans(f"svc-{text}", text, **resource), Spans(text, f"run-{text}", 2, agent__run__id=text),
                  Spans("svc", "", 3, agent__run__id=f"run_{text}", agent__run__parent=text)):  # fmt: skip
        spans.span(f"chat {text}", chat)
        for tool in (text, f"mcp__{text}", f"do {text}"):
            spans.tool(tool, {"token": text, "path": f"/srv/{text}", text: 1, "command": f"rm -rf /data; {text}"}, text)
        spans.tool("bash", {"command": f"curl -H 'X-Api: {text}' https://x.example/?q={text}"}, text, failed=True)
        query = f'mutation {{ volumeDelete(volumeId: "{text}") }}'
        spans.tool("graphql_request", {"query": query, "environment": "production"}, call=text)
        spans.span("GET", {"http.request.method": "GET", "url.full": f"https://a.example/{text}?k={text}"})
        spans.span("SELECT", {"db.system.name": "postgresql", "db.query.text": f"DELETE FROM t WHERE k = '{text}'"})
        spans.span(text, {"error.type": text, "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "x"},
                   failed=True, events=[event], status={"code": 2, "message": text})  # fmt: skip
        spans.span("invoke_agent", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": text})
        made.append(spans.request())
    return made


def fleet_of(text: str) -> tuple[Fleet, list[bytes]]:
    """A worker that has had it all, people's words and enforcers' answers too; and its dead letters."""
    fleet, dead = Fleet(workers=1, partitions=1), []
    for request in planted(text):
        fleet.take(request)
        fleet.settle()
    (worker,) = fleet.workers
    for run in [*fleet.runs(), text, f"svc/{text}"]:
        for kind in ("approve", text):
            fleet.take(msgspec.json.encode(Label(run, kind, text, fleet.clock(), f"see {text}")), "labels")
        for outcome in ("done", text):
            fleet.take(msgspec.json.encode(Ack(run, 1, text, outcome, fleet.clock(), detail=text)), "acks")
        fleet.settle()
    junk = [text.encode(), json.dumps({"run": 1, "kind": text}).encode(), json.dumps({text: text}).encode()]
    labels = [msgspec.json.encode(Label(run, text, text, 1, text)) for run in ("r", text)]
    for ingest in (worker.spans, worker.labels, worker.acks):
        for value in (*junk, *labels):
            done = ingest(value, fleet.clock())
            dead.append(ingesting.rejection("otlp_spans", 0, 0, value, done.rejects, done.detail))
    dead.append(ingesting.rejection("otlp_spans", 0, 0, b"", {"undecodable": 1}, text))
    fleet.tick(4000.0)
    return fleet, dead


@pytest.mark.parametrize("name", TOKENS)
def test_no_topic_no_state_and_no_metric_holds_it(name: str) -> None:
    """Run log, state, verdicts, commands, summaries, dead letters, /metrics: keys and values."""
    text, secret = TOKENS[name]
    fleet, dead = fleet_of(text)
    (worker,) = fleet.workers
    sent = [part for send in fleet.sent for part in (send.topic.encode(), send.key, send.value or b"")]
    log = [part for record in fleet.log[0] for part in record]
    table = [part for row in fleet.table.items() for part in row]
    assert {send.topic for send in fleet.sent} >= {"agent-verdicts", "agent-commands", "agent-summaries"}
    assert len(fleet.log[0]) > 3
    for written in (log, table, sent, dead, [generate_latest(worker.metrics.registry)]):
        assert not [found for part in written for found in leaks(secret, part)]


@pytest.mark.parametrize("name", TOKENS)
def test_no_line_of_a_log_holds_it(name: str) -> None:
    """In a message, its arguments, what stands beside it, an exception, a traceback."""
    text, secret = TOKENS[name]
    about = None
    try:
        int(f"bad value: {text}")
    except ValueError:
        about = sys.exc_info()
    record = logging.LogRecord("detector", logging.ERROR, "x.py", 1, "run %r: %s", (f"run {text}", text), about)
    record.about = text
    record.nested = {"a": [text]}
    for formatter in (TextFormatter(), JsonFormatter()):
        assert not leaks(secret, formatter.format(record))


@pytest.mark.parametrize("name", TOKENS)
def test_no_screen_shows_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`runs`, `show`, `explain`, JSON and faults: also where another program wrote the record."""
    text, secret = TOKENS[name]
    records: list[Label | Ack | Command] = [
        Label("run-1", "approve", text, 1, f"for {text}"),
        Ack("run-1", 1, text, "failed", 2, detail=f"no answer of {text}"),
        Command("run-1", Desired.PAUSED, 1, f"person:{text}", 3, evidence=[text]),
    ]
    entries = [Entry(record.at, "t", record) for record in records]
    out = io.StringIO()
    console = Console(width=240, file=out)
    for line in view.history(entries):
        console.print(line)
    names: dict[int, str] = {}
    reader = Reader(b"key", names=names)
    batches: list[RunEvents] = [batch for request in planted(text)[:1] for batch in reader.read(request).batches]
    stories = explained.tell(batches, JUDGE, names)
    console.print(words.listing(stories))
    for story in stories:
        for part in words.told(story):
            console.print(part)
    print_json([*entries, *stories])
    with pytest.raises(SystemExit):
        fail(f"settings: came {text}")
    said = capsys.readouterr()
    assert said.err.startswith("detector: ")
    for written in (out.getvalue(), said.out, said.err):
        assert not leaks(secret, written)
    for line in said.out.splitlines():
        assert isinstance(json.loads(line), dict)


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("setting", ["bootstrap", "mode", "sasl_password", "webhook_url", "topic_prefxi", "partitions"])
def test_no_fault_of_the_settings_holds_it(name: str, setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever setting it was put into by mistake."""
    text, secret = TOKENS[name]
    with pytest.raises(ConfigError) as caught:
        load(**{setting: text}, security="sasl_ssl")
    with pytest.raises(SystemExit):
        fail(*caught.value.faults)
    assert not leaks(secret, capsys.readouterr().err)


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    """A secret that ends in what JSON escapes: the quote behind it is no part of it."""
    print_json(
        [Label("run-1", "approve", "ada", 1, why) for why in ("curl -u deploy:s3cr3tPw9x\\", 'password=s3cr3t99"x')]
    )
    first, second = (json.loads(line)["why"] for line in capsys.readouterr().out.splitlines())
    assert first == "curl -u deploy:[user-password redacted]"
    assert "s3cr3t99" not in second


def test_what_others_wrote_is_no_markup() -> None:
    """`runs`, `show` and reports: a name in square brackets is shown, and is no fault."""
    odd = "[/x]"
    share, step = Share(odd, 0.5, 1.0, odd), Evidence(odd, odd, odd, 1, odd)
    verdict = Verdict(odd, odd, 1, odd, odd, odd, 1, odd, 0.5, 0.4, [step], [share], odd, odd, odd)
    ended = Summary(odd, odd, odd, 1, 2, 3, 1, odd, odd, 0.5, 0, [], [], odd, odd)
    out = io.StringIO()
    console = Console(width=400, file=out)
    console.print(view.table([RunRow(odd, odd, odd, odd, cause=odd, desired=odd, proven=odd, at=1)]))
    for line in view.history([Entry(1, "t", verdict), Entry(2, "t", ended)]):
        console.print(line)
    assert out.getvalue().count(odd) == 6 + 9 + 2, out.getvalue()


def test_what_nobody_caught_is_redacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The traceback of a command that failed in a way that nobody had thought of: here, for a file that is none."""
    text, secret = TOKENS["github-classic"]
    path = tmp_path / text
    path.mkdir()
    monkeypatch.setattr(sys, "argv", ["detector", "evaluate", str(path), "--json", str(path)])
    (path / "runs").mkdir()
    (path / "labels.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "UnicodeDecodeError" in said
    assert not leaks(secret, said)


def test_words_stay_as_they_are() -> None:
    """Names, paths, hashes and sentences of every day are no secrets."""
    for text in (
        "coding/9f3c1d7a42be4c1d8a905f6e7d8c9b0a", "/srv/app/releases/2026-04-01/config.yaml", "task-42-of-run-7",
        "call 6, bash: searches files for credentials", "sha256:" + "0a1b2c3d" * 8, "read_file",
        "mcp__github__get_issue", "core_re_implementation_of_things", "asiapacificmarketing",
        "settings: sasl_password: expected both where security is sasl_*", "host-1.eu-west-1.compute.internal:9092",
    ):  # fmt: skip
        assert redact(text) == text


def test_the_tokens_are_not_in_the_sources() -> None:
    """They are put together when the tests run, so that no scanner of secrets finds one."""
    source = (Path(__file__).parent / "tokens.py").read_text(encoding="utf-8")
    whole = [secret for text, secret in TOKENS.values() if text == secret and "-" not in secret[:1]]
    assert not [secret for secret in whole if secret in source]
