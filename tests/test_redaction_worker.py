"""No secret is written anywhere by a real worker: every topic but those that others write, its log, its pages."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import msgspec

from detector.records import Label
from detector.testing import EPOCH_NS
from tests.test_redaction import leaks, planted
from tests.tokens import TOKENS
from tests.workers import Stream

INPUTS = {"otlp_spans", "agent-labels", "agent-acks"}
SOME = ("github-classic", "database-url", "ssh-private-key")


def test_a_worker_writes_none(bootstrap: str, tmp_path: Path) -> None:
    """From spans, labels and junk that hold them to changelog, dead letters, log lines and /metrics."""
    stream = Stream(bootstrap, tmp_path, DETECTOR_LOG_LEVEL="debug")
    with stream.worker() as worker:
        for name in SOME:
            text, _ = TOKENS[name]
            stream.send(*planted(text), text.encode())
            stream.send(msgspec.json.encode(Label("svc/run", "pause", text, EPOCH_NS, text)), topic="agent-labels")
            stream.send(msgspec.json.encode(Label(text, "pause", text, EPOCH_NS, text)), topic="agent-labels")
        stream.json("otlp_spans-rejected", len(SOME))
        stream.json("agent-commands", len(SOME))
        worker.wait('detector_events_total{kind="labelled"}', len(SOME))
        pages = []
        for page in ("metrics", "healthz", "readyz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{worker.port}/{page}", timeout=10) as answer:
                pages.append(answer.read())
    topics = [topic for topic in stream.topics() if topic not in INPUTS and not topic.startswith("__")]
    assert {"agent-run-log", "agent-verdicts", "agent-commands"} <= set(topics)
    assert any("changelog" in topic for topic in topics)
    written = {topic: stream.read(topic) for topic in topics} | {
        "pages": pages,
        "log": [worker.server.log.read_bytes()],
    }
    for name in SOME:
        told = {where for where, values in written.items() for value in values if leaks(TOKENS[name][1], value)}
        assert not told, name
