"""A verdict as a story: what it says, what it never says, in each form."""

from __future__ import annotations

import json
import shlex
from email import message_from_bytes
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.observe.news.mail import as_email, as_html, as_text
from detector.observe.news.slack import as_slack
from detector.observe.news.story import Links, name, tell, when, worth_telling
from detector.records import Evidence
from tests.observe.news.support import LINKS, TRACE, drift, incident

GOLDEN = Path(__file__).parent / "golden"
STORIES = {
    "incident": tell(incident(), LINKS),
    "drift": tell(drift(), LINKS),
    "watched": tell(incident(mode="shadow"), Links()),
    "resumed": tell(
        incident(level="ALLOW", previous="PAUSE", cause="person:ada@example.org", sequence=1777125002), LINKS
    ),
    "leak": tell(incident(cause="leak", previous="PAUSE", sequence=1777125003), LINKS),
}


@pytest.mark.parametrize("which", STORIES)
def test_a_story_reads_as_it_was_agreed(which: str) -> None:
    """The text of the mail is, word for word, the golden one; the other forms are made of the same story."""
    assert as_text(STORIES[which]) == (GOLDEN / f"{which}.txt").read_text()


def test_slack_and_webhook_have_the_agreed_shape() -> None:
    """Receivers parse these: a change of them is a change of an interface."""
    assert json.loads((GOLDEN / "incident.slack.json").read_text()) == as_slack(STORIES["incident"])
    assert json.loads((GOLDEN / "incident.webhook.json").read_text()) == msgspec.to_builtins(STORIES["incident"])


def test_every_form_tells_all_of_it() -> None:
    """Run, workflow, reason, each step in order, and how to approve or deny are in each form."""
    story = STORIES["incident"]
    told = ["mend-staging-17", "infra-agent", story.why, *(step.text for step in story.steps)]
    told += [action.command for action in story.actions]
    html = as_html(story).replace("&quot;", '"')
    for form in (as_text(story), html, json.dumps(as_slack(story)).replace('\\"', '"')):
        places = [form.find(part) for part in told[3:6]]
        assert all(part in form for part in told)
        assert places == sorted(places)


def test_the_command_lines_are_those_that_exist() -> None:
    """Approving is `detector resume`, denying `detector kill`; where nothing waits, there is nothing to approve."""
    commands = {which: [shlex.split(action.command)[1] for action in story.actions] for which, story in STORIES.items()}
    assert commands == {
        "incident": ["resume", "kill", "show"],
        "drift": ["resume", "kill", "show"],
        "watched": ["show", "pause", "kill"],
        "resumed": ["show", "pause", "kill"],
        "leak": ["resume", "kill", "show"],
    }
    assert [action.what for action in tell(incident(level="KILL")).actions] == ["Look"]


@pytest.mark.parametrize("run", ["-rf", "a b; rm -rf /", "$(touch x)", "it's", "`x`", "a/b"])
def test_a_command_line_survives_any_name_of_a_run(run: str) -> None:
    """Copied into a shell it names the run, whoever chose the name."""
    for action in tell(incident(run=run)).actions:
        words = shlex.split(action.command)
        assert words[0] == "detector"
        assert words[-1] == run
        assert not run.startswith("-") or words[-2] == "--"


def test_a_name_that_can_not_be_shown_makes_no_command_line() -> None:
    """An escape sequence or a bidi mark is taken out of the text, and a command would then name another run."""
    story = tell(incident(run="r1\x1b[2J\u202e"))
    assert [action.command for action in story.actions] == ["detector runs"]
    assert story.headline == "Run r1 [2J of infra-agent was paused"


HOSTILE = '<!channel> <a href="x">`*_~@here\r\nBcc: x@example.org\r\n</pre><script>'


def test_foreign_names_stay_names_in_every_form() -> None:
    """No markup, no mention, no mail header comes of what an agent calls itself."""
    story = tell(incident(run=HOSTILE, workflow=HOSTILE, service=HOSTILE), LINKS)
    mail = as_email(story, "detector@example.org", ["ops@example.org"])
    assert set(mail.keys()) >= {"Subject", "From", "To"}
    assert mail["Bcc"] is None
    assert "<script" not in as_html(story)
    assert "<!channel>" not in as_slack(story)["text"]
    assert {block["type"] for block in as_slack(story)["blocks"]} == {"header", "rich_text"}


@given(st.text(max_size=300))
def test_any_name_is_one_printable_line(text: str) -> None:
    """Whatever comes, a name has no line break and nothing that a terminal obeys."""
    plain = name(text)
    assert plain.isprintable()
    assert len(plain) <= 200


def test_a_long_run_is_told_by_its_latest_steps() -> None:
    """Twenty steps at most, and how many are left out is said."""
    steps = [Evidence(f"call {n}, bash: reads", "00", TRACE, n * 10**9) for n in range(1, 31)]
    story = tell(incident(evidence=steps))
    assert (len(story.steps), story.left_out, story.steps[-1].text) == (20, 10, "call 30, bash: reads")
    assert "10 earlier steps are left out" in as_text(story)
    assert "10 earlier steps are left out" in json.dumps(as_slack(story))


@pytest.mark.parametrize(
    ("changes", "least", "told"),
    [
        ({"level": "ALERT"}, "PAUSE", False),
        ({"level": "ALERT"}, "ALERT", True),
        ({"level": "PAUSE"}, "KILL", False),
        ({"level": "ALLOW", "previous": "PAUSE"}, "PAUSE", True),
        ({"level": "ALLOW", "previous": "ALERT"}, "PAUSE", False),
        ({"level": "ALERT", "cause": "leak"}, "KILL", True),
        ({"level": "NEWER", "previous": "ALLOW"}, "PAUSE", False),
    ],
)
def test_what_is_worth_telling(changes: dict[str, str], least: str, told: bool) -> None:
    """A level and all above, what ended them, and every leak."""
    assert worth_telling(incident(**changes), least) is told


@pytest.mark.parametrize(("cause", "why"), [("shadow", "of the share that"), ("brake", "had stopped too many runs")])
def test_an_alert_in_place_of_a_pause_says_why(cause: str, why: str) -> None:
    """The model would have stopped the run, and the story tells what kept it from that."""
    assert why in tell(incident(cause=cause, level="ALERT"), LINKS).why


def test_links_and_deadline_come_from_the_settings() -> None:
    """Grafana's run dashboard, the trace store, and what a pause's deadline does."""
    story = tell(incident(run="a/b c"), Links("http://g/", "http://t/{trace}", 90.0, "resume"))
    assert story.run_url == "http://g/d/agent-detector-run?var-run=a%2Fb%20c"
    assert story.trace_url == f"http://t/{TRACE}"
    assert story.waits == "If nobody decides within 1.5 min, it is resumed."
    assert tell(incident()).links == []
    assert tell(incident()).waits == "It waits until somebody decides."


def test_a_clock_that_is_none_leaves_the_time_out() -> None:
    """A span may claim any time."""
    assert when(2**63 - 1) == "2262-04-11 23:47:16 UTC"
    assert when(2**80) == ""


def test_mails_of_one_run_are_one_thread_and_one_that_comes_again_is_known() -> None:
    """Message-ID by run and sequence, References by run."""
    first, again = (as_email(STORIES["incident"], "d@example.org", ["a@example.org", "b@example.org"]) for _ in "12")
    later = as_email(STORIES["resumed"], "d@example.org", ["a@example.org"])
    assert first["Message-ID"] == again["Message-ID"] != later["Message-ID"]
    assert first["References"] == later["References"]
    assert first["To"] == "a@example.org, b@example.org"
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("field", ["run", "workflow"])
@pytest.mark.parametrize("name_", ["=?utf-8?q?x=0d=0aBcc:_evil@x.y=0d=0a?=", "==?utf-8?b?eA0KQmNjOiBldmlsQHgueQ0K?="])
def test_a_name_is_no_encoded_word_of_a_header(field: str, name_: str) -> None:
    """Decoded, it could bring line ends, and with them receivers of its own."""
    mail = as_email(tell(incident(**{field: name_}), LINKS), "d@example.org", ["a@example.org"])
    sent = message_from_bytes(mail.as_bytes())
    assert set(sent.keys()) == {
        *("Subject", "From", "To", "Date", "Message-ID", "References", "X-Detector-Delivery", "Auto-Submitted"),
        *("MIME-Version", "Content-Type"),
    }
    assert "\n" not in mail["Subject"]
    assert "utf-8" in mail["Subject"]
