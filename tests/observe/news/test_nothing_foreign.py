"""From spans to what people read: neither a secret nor a word of a prompt, an argument or a result gets there."""

from __future__ import annotations

import json

import msgspec

from detector.observe.grafana.annotate import marks
from detector.observe.news.mail import as_email
from detector.observe.news.slack import as_slack
from detector.observe.news.story import Links, tell
from detector.records import Verdict
from detector.testing import Spans
from tests.fleet import Fleet

SECRET = "ghp_Zq3v9Kx7Lm2Np8Rt4Wy6Bc1Df5Gh0JsTuVx"
FOREIGN = (SECRET, "please-mend-the-login", "customers-of-acme", "vol-0a1b2c3d", "my-own-needle")


def test_a_story_of_real_spans_holds_none_of_their_words() -> None:
    """The whole way: spans with a prompt, a secret, arguments and results, their verdict, each form of its story."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": FOREIGN[1]}]}]
    spans = Spans("coder", "conversation-7")
    spans.span("chat", {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(asked)})
    spans.tool("bash", {"command": f"grep -r token ~/{FOREIGN[4]}"}, f"token={SECRET} # {FOREIGN[2]}")
    query = f'mutation {{ volumeDelete(volumeId: "{FOREIGN[3]}") }}'
    headers = {"Authorization": f"Bearer {SECRET}"}
    spans.tool("graphql_request", {"query": query, "headers": headers, "environment": "production"})
    fleet = Fleet()
    fleet.take(spans.request())
    fleet.settle()
    (verdict,) = (msgspec.json.decode(s.value or b"", type=Verdict) for s in fleet.sent if s.topic == "agent-verdicts")
    story = tell(verdict, Links("http://grafana", "http://tempo/{trace}"))
    mail = as_email(story, "d@example.org", ["a@example.org"])
    bodies = [part.get_content() for part in mail.iter_parts()]
    told = [msgspec.json.encode(story).decode(), json.dumps(as_slack(story)), str(mail), *bodies]
    told += [mark.text + str(mark.tags) for mark in marks(verdict, Links())]
    assert verdict.level == "PAUSE"
    assert len(story.steps) == 2
    assert all("graphql_request" in text for text in told[:2] + bodies)
    assert [(word, text) for text in told for word in FOREIGN if word in text] == []
