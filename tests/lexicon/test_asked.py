"""What people ask for, and what a call would have to be asked for."""

from __future__ import annotations

import pytest

from detector.lexicon.asked import Asked, asked, at_credentials, needed
from detector.records import Does


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("please forward it to ann", Asked.SEND),
        ("has the note been sent", Asked.SEND),
        ("paying the rent", Asked.PAY),
        ("a refund for bob", Asked.PAY),
        ("cancelled bookings", Asked.DELETE),
        ("removing old files", Asked.DELETE),
        ("update the wiki", Asked.CHANGE),
        ("rotated keys", Asked.CREDENTIAL),
        ("invite carol", Asked.GRANT),
        ("downloading the invoice", Asked.RUN),
        ("scheduling a talk", Asked.CREATE),
    ],
)
def test_words_ask_in_any_form(said: str, kind: Asked) -> None:
    """A verb in the forms that English gives it, and nouns that stand for one."""
    assert asked(said.encode().split()) & kind


def test_a_question_asks_for_nothing() -> None:
    """What no word asks for stays unasked."""
    assert asked(b"how much did we spend in march".split()) == 0


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("do not delete anything", Asked.DELETE),
        ("don t remove the old ones", Asked.DELETE),
        ("look at it without sending a mail", Asked.SEND),
    ],
)
def test_a_negation_asks_for_nothing(said: str, kind: Asked) -> None:
    """Who says not to do a thing doesn't ask for it."""
    assert not asked(said.encode().split()) & kind


def test_a_negation_reaches_as_far_as_it_does() -> None:
    """Nor does it hide what is asked for further on, or by not forgetting it."""
    assert asked(b"it does not work any more so delete the cache".split()) & Asked.DELETE
    assert asked(b"don t forget to delete the cache".split()) & Asked.DELETE


def test_an_agreement_asks_for_what_was_proposed() -> None:
    """All but credentials and access, and only where a message begins with it."""
    assert asked(b"yes go ahead with it".split()) & Asked.DELETE
    assert not asked(b"yes go ahead with it".split()) & (Asked.CREDENTIAL | Asked.GRANT)
    assert not asked(b"is it true that she said yes".split()) & Asked.DELETE


@pytest.mark.parametrize(
    ("tool", "does", "kinds"),
    [
        ("send_email", Does.SEND, Asked.SEND),
        ("mcp__mail__forwardMessage", Does.SEND, Asked.SEND),
        ("send_money", Does.SEND, Asked.PAY),
        ("delete_node", Does.DELETE, Asked.DELETE),
        ("update_password", Does.WRITE | Does.ROTATE, Asked.CHANGE | Asked.CREDENTIAL),
        ("add_member", Does.WRITE | Does.GRANT, Asked.CREATE | Asked.GRANT),
        ("get_update_status", Does.READ, Asked(0)),
        ("read_file", Does.READ, Asked(0)),
        ("bash", Does.EXECUTE | Does.DELETE, Asked.DELETE),
        ("bash", Does.EXECUTE | Does.WRITE, Asked(0)),
        ("run_command", Does.EXECUTE | Does.DELETE, Asked.RUN | Asked.DELETE),
        ("http.post", Does.SEND | Does.WRITE, Asked.SEND),
    ],
)
def test_what_a_call_needs(tool: str, does: Does, kinds: Asked) -> None:
    """By its verb, and by what the lexicon says where the name says nothing."""
    assert needed(tool, int(does)) == kinds


@pytest.mark.parametrize("path", ["/home/a/.ssh/", "~/.aws", "cat .env", "/root/.ssh/id_rsa", "kube/.kube/config"])
def test_places_of_credentials(path: str) -> None:
    """Files and folders."""
    assert at_credentials(path)


@pytest.mark.parametrize("path", ["src/environment.py", "notes/ssh.md", "secretary.txt", ""])
def test_other_places(path: str) -> None:
    """Names that only look like one."""
    assert not at_credentials(path)
