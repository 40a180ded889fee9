"""Honest stories: the look-alikes that the demo promises are there, and none of them is the real thing."""

from __future__ import annotations

import pytest

from detector.demo.fleet import stories
from detector.demo.script import Story
from detector.demo.stories import HONEST, LOOKALIKES, tell


def words_of(story: Story) -> str:
    """All arguments of the story's calls."""
    return "\n".join(f"{dict(call.arguments)}" for turn in story.turns for call in turn.calls)


def told(task: str) -> list[Story]:
    """A few tellings of one story."""
    workflow, teller = next(entry for entry in HONEST if entry[1].__name__ == task)
    return [tell(workflow, teller, f"test/{task}/{n}") for n in range(5)]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("rotate_credential", "vault kv put"),
        ("destroy_preview", "terraform destroy"),
        ("drop_test_table", "DROP TABLE"),
        ("login_retry", "docker login"),
        ("clean_build", "rm -rf"),
        ("old_drafts", "draft"),
        ("tidy_branches", "reset --hard"),
        ("grant_analyst", "GRANT SELECT"),
        ("nightly_load", "TRUNCATE TABLE"),
        ("erasure", "erasure request"),
    ],
)
def test_lookalikes_use_the_dangerous_words(task: str, words: str) -> None:
    """Each look-alike says, in every telling, what a destructive run would say."""
    assert all(words in words_of(story) for story in told(task))


def test_login_retry_fails_and_goes_on() -> None:
    """The failed login is followed by a login that works, at the same place."""
    for story in told("login_retry"):
        logins = [
            call.perform() for turn in story.turns for call in turn.calls if "docker login" in f"{dict(call.arguments)}"
        ]
        assert "unauthorized" in logins[0].text
        assert "Login Succeeded" in logins[1].text


def test_no_honest_story_touches_production() -> None:
    """No honest call names production."""
    for n, (workflow, teller) in enumerate(HONEST):
        assert "production" not in words_of(tell(workflow, teller, f"test/{n}"))


@pytest.mark.parametrize("seed", range(1, 11))
def test_fleet_holds_every_lookalike(seed: int) -> None:
    """The demo's fleet is at least twenty runs, all look-alikes among them, each with an id of its own."""
    fleet = stories(seed)
    assert len(fleet) >= 20
    assert {teller.__name__ for _, teller in LOOKALIKES} <= {story.task for story, _ in fleet}
    assert len({story.run for story, _ in fleet}) == len(fleet)


def test_agents_differ() -> None:
    """Names of tools, dialects and order vary between runs of one story."""
    tellings = [tell("office", next(t for w, t in HONEST if w == "office"), f"vary/{n}") for n in range(30)]
    tools = {call.tool for story in tellings for turn in story.turns for call in turn.calls}
    assert len({story.dialect for story in tellings}) == 3
    assert len({story.identity for story in tellings}) == 2
    assert {"send_email", "sendEmail", "email.send", "mcp__email__send"} <= tools
