"""Every signal of every behaviour: a story in which its last action fires it, and one in which it stays quiet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from detector.behaviours.base import Behaviour, Memory, Moment, layout
from detector.lexicon.asked import Asked
from detector.policy.approved import Left
from detector.reading.principals import BROAD, FORM, PERSON
from detector.records import Action, Blind, Does, Environment, Labelled, Outcome, Phase, Turn
from detector.testing import EPOCH_NS, SECOND_NS, act
from tests.behaviours.origins import asks, did, got


class Outside(NamedTuple):
    """A call that leaves its workflow's manifest in these ways."""

    action: Action
    left: Left


Story = Sequence[Action | Labelled | Outside | Turn]

READ, SEEK, OPEN = act(), act(does=Does.SEARCH | Does.SEEK_CREDENTIAL), act(does=Does.READ | Does.OPEN_CREDENTIAL)
REFUSED = act("api", Does.WRITE, outcome=Outcome.REFUSED, env=Environment.STAGING)
FAILED = act("shell", Does.EXECUTE, outcome=Outcome.ERROR, shape=7)
FOUND = act("read", Does.READ, secrets_seen=(11,))
USED = act("api", Does.READ, secrets_used=(11,), env=Environment.PRODUCTION)
PROD_DELETE = act(
    "api", Does.DELETE | Does.IRREVERSIBLE | Does.BROAD | Does.BACKUP, env=Environment.PRODUCTION, targets=(5,)
)
TEST_DELETE = act("sql", Does.DELETE | Does.IRREVERSIBLE, env=Environment.TEST, targets=(6,))
COPIED, ALL_ROWS = act("dump", Does.READ | Does.WRITE | Does.BACKUP), act("sql", Does.WRITE | Does.BROAD)
DENIED = act("pay", Does.SEND, outcome=Outcome.DENIED)
ANN, BOT, ROOT = 8 << 3 | PERSON, 9 << 3 | FORM, 10 << 3 | BROAD
CORRECT = Labelled(EPOCH_NS, "correct", "ann")
REPEAT = act("shell", Does.EXECUTE, shape=7)

CASES: dict[str, tuple[Story, Story]] = {
    "obstacles.failed": ([FAILED], [READ]),
    "obstacles.refused": ([REFUSED], [FAILED]),
    "obstacles.refused_again": ([REFUSED, READ, REFUSED], [REFUSED, *[READ] * 10, REFUSED]),
    "credentials.sought": ([SEEK], [READ]),
    "credentials.opened": ([OPEN], [SEEK]),
    "credentials.seen": ([FOUND], [USED, FOUND]),
    "credentials.used_found": ([FOUND, USED], [USED]),
    "credentials.changed": ([act(secrets_used=(3,)), act(secrets_used=(4,))], [act(secrets_used=(3,))]),
    "chain.searched": ([REFUSED, SEEK], [SEEK]),
    "chain.found": ([REFUSED, SEEK, FOUND], [SEEK, FOUND]),
    "chain.used": ([REFUSED, SEEK, FOUND, USED], [FOUND, USED]),
    "chain.harmed": ([REFUSED, SEEK, FOUND, USED, PROD_DELETE], [REFUSED, SEEK, FOUND, PROD_DELETE]),
    "chain.elsewhere": (
        [REFUSED, SEEK, FOUND, USED],
        [act(env=Environment.PRODUCTION), REFUSED, SEEK, FOUND, USED],
    ),
    "scope.environment_new": ([REFUSED, TEST_DELETE], [TEST_DELETE]),
    "scope.environment_up": ([REFUSED, USED], [USED, REFUSED]),
    "scope.production_changed": ([PROD_DELETE], [USED]),
    "scope.granted": ([act(does=Does.GRANT)], [READ]),
    "scope.escalated": ([act(does=Does.ESCALATE)], [READ]),
    "retries.repeated": ([REPEAT, REPEAT], [REPEAT, READ]),
    "retries.after_failure": ([FAILED, REPEAT], [REPEAT, REPEAT]),
    "retries.loop": ([REPEAT] * 4, [REPEAT] * 3),
    "destruction.deleted": ([TEST_DELETE], [READ]),
    "destruction.breadth": ([PROD_DELETE, TEST_DELETE], [TEST_DELETE]),
    "destruction.broad": ([PROD_DELETE], [TEST_DELETE]),
    "destruction.irreversible": ([PROD_DELETE], [TEST_DELETE]),
    "destruction.uncopied": ([act("sql", Does.DELETE | Does.IRREVERSIBLE)], [COPIED, PROD_DELETE]),
    "destruction.after_failure": ([FAILED, PROD_DELETE], [FAILED, *[READ] * 6, PROD_DELETE]),
    "destruction.overwritten": ([ALL_ROWS], [act("sql", Does.WRITE | Does.BROAD, env=Environment.STAGING)]),
    "destruction.irreversible_in_production": ([PROD_DELETE], [TEST_DELETE]),
    "destruction.backups": ([PROD_DELETE], [TEST_DELETE]),
    "destruction.safeguard": ([act(does=Does.SAFEGUARD)], [PROD_DELETE]),
    "destruction.audit": ([act(does=Does.AUDIT)], [PROD_DELETE]),
    "novelty.tool": ([*[READ] * 10, DENIED], [DENIED]),
    "novelty.harmful_tool": ([*[READ] * 10, act("drop", Does.DELETE)], [*[READ] * 10, DENIED]),
    "novelty.target": (
        [*[READ] * 10, act(does=Does.WRITE, targets=(9,))],
        [act(targets=(9,)), *[READ] * 10, act(does=Does.WRITE, targets=(9,))],
    ),
    "people.denied": ([DENIED], [REFUSED]),
    "people.regardless": ([DENIED, DENIED], [DENIED, READ]),
    "people.corrected": ([CORRECT, READ], [CORRECT, READ, READ]),
    "posture.tool_left": ([Outside(READ, Left.TOOL)], [Outside(READ, Left.TOOL), Outside(READ, Left.TOOL)]),
    "posture.environment_left": ([Outside(USED, Left.ENVIRONMENT)], [Outside(USED, Left.ENVIRONMENT)] * 2),
    "posture.write_left": ([Outside(TEST_DELETE, Left.WRITE)] * 2, [TEST_DELETE]),
    "posture.principal_left": ([Outside(act(principals=(ANN,)), Left.PRINCIPAL)], [act(principals=(ANN,))]),
    "posture.mode_left": (
        [Outside(act(mode="yolo"), Left.MODE)],
        [Outside(act(mode="yolo"), Left.MODE), Outside(act(mode="yolo"), Left.MODE)],
    ),
    "posture.backups_inside": ([Outside(PROD_DELETE, Left.BACKUPS)], [PROD_DELETE]),
    "posture.principal_across": (
        [act(principals=(ANN,), env=Environment.STAGING), act(principals=(ANN,), env=Environment.PRODUCTION)],
        # A token that is known by its form alone may be another one.
        [act(principals=(BOT,), env=Environment.STAGING), act(principals=(BOT,), env=Environment.PRODUCTION)],
    ),
    "posture.person_token": (
        [Outside(act(principals=(ANN,)), Left.PERSON)],
        [Outside(act(principals=(ANN,)), Left.PERSON), Outside(act(principals=(ANN,)), Left.PERSON)],
    ),
    "posture.broad_credential": (
        [Outside(act(principals=(ROOT,)), Left.BROAD)],
        [Outside(act(principals=(ROOT,), env=Environment.TEST), Left.BROAD)],
    ),
    "provenance.unasked_send": ([asks(Asked.PAY), did(Asked.SEND)], [asks(Asked.SEND), did(Asked.SEND)]),
    "provenance.unasked_pay": ([asks(Asked.SEND), did(Asked.PAY)], [asks(Asked.PAY), did(Asked.PAY)]),
    "provenance.unasked_delete": (
        [asks(), did(Asked.DELETE, 1)],
        # What it has made itself it may tidy away.
        [asks(), did(Asked.CREATE, 1), did(Asked.DELETE, 1)],
    ),
    "provenance.unasked_access": (
        [asks(Asked.CHANGE), did(Asked.CHANGE | Asked.GRANT)],
        [asks(Asked.GRANT), did(Asked.CHANGE | Asked.GRANT)],
    ),
    "provenance.supplied": (
        [asks(), got(1), did(Asked.CHANGE, 1)],
        [asks(Asked(0), 2), got(1), did(Asked.CHANGE, 1, 2)],
    ),
    "provenance.address": ([asks(), got(1), did(Asked.SEND, to=(1,))], [asks(), got(1), did(Asked.SEND, 1)]),
    "provenance.carried_some": (
        [asks(), got(0, 1, 2, 3), did(Asked.SEND, to=(0,), carried=(1, 2, 3))],
        [asks(), got(0, 1, 2, 3), did(Asked.SEND, to=(0,), carried=(1, 2))],
    ),
    "provenance.carried_off": (
        [asks(), got(1, 2, 3), did(Asked.SEND, to=(9,), carried=(1, 2, 3))],
        [asks(Asked(0), 9), got(1, 2, 3), did(Asked.SEND, to=(9,), carried=(1, 2, 3))],
    ),
    "provenance.carried_much": (
        [asks(), got(*range(8)), did(Asked.SEND, carried=tuple(range(8)))],
        [asks(Asked(0), 7), got(*range(8)), did(Asked.SEND, carried=tuple(range(8)))],
    ),
    "provenance.leak": (
        [asks(), got(1, 2), did(Asked.SEND, to=(1,), carried=(2,))],
        [asks(Asked(0), 1), got(1, 2), did(Asked.SEND, to=(1,), carried=(2,))],
    ),
    "provenance.leak_unasked": (
        [asks(), got(1, 2), did(Asked.SEND, to=(1,), carried=(2,))],
        [asks(Asked.SEND), got(1, 2), did(Asked.SEND, to=(1,), carried=(2,))],
    ),
    "provenance.cross": (
        [asks(), got(1), got(2), did(Asked.SEND, to=(1,), carried=(2,))],
        [asks(), got(1, 2), did(Asked.SEND, to=(1,), carried=(2,))],
    ),
    "provenance.credential_supplied": (
        [asks(), got(1), did(Asked.CHANGE | Asked.CREDENTIAL, 1)],
        [asks(), got(1), did(Asked.CHANGE | Asked.GRANT, 1)],
    ),
    "provenance.deleted_credentials": (
        [asks(Asked.DELETE, 1), did(Asked.DELETE | Asked.AT_CREDENTIALS, 1)],
        [asks(Asked.DELETE, 1), did(Asked.DELETE, 1)],
    ),
    "provenance.invented": ([asks(), did(Asked.SEND, to=(1,))], [asks(), did(Asked.SEND, 1)]),
    "provenance.opened_supplied": (
        [asks(), got(1), did(Asked.AT_CREDENTIALS, 1)],
        [asks(Asked(0), 1), got(1), did(Asked.AT_CREDENTIALS, 1)],
    ),
    "blindness.arguments": ([act(blind=Blind.ARGUMENTS)], [READ]),
    "blindness.unreadable": (
        [act(does=Does.EXECUTE, blind=Blind.UNREADABLE)],
        [act(does=Does.READ, blind=Blind.UNREADABLE)],
    ),
    "blindness.late": (
        [act(at=EPOCH_NS + 3600 * SECOND_NS), act(at=EPOCH_NS)],
        [act(at=EPOCH_NS), act(at=EPOCH_NS + 3600 * SECOND_NS)],
    ),
}


def last_amounts(behaviour: Behaviour, story: Story) -> list[float]:
    """What the story's last action amounts to."""
    memory: Memory = behaviour.initial()
    amounts: list[float] = []
    for position, event in enumerate(story):
        if isinstance(event, Labelled | Turn):
            assert behaviour.listen is not None
            behaviour.listen(memory, event)
            continue
        event, left = event if isinstance(event, Outside) else (event, Left(0))  # noqa: PLW2901
        looked = behaviour.update(
            memory, event, Moment(position, event.does, event.outcome, first=event.phase == Phase.DONE, left=left)
        )
        amounts = [0.0] * len(behaviour.signals) if looked is None else list(looked)
    return amounts


def test_every_signal_has_a_firing_and_a_quiet_story() -> None:
    """A behaviour is not accepted without both."""
    assert set(CASES) == set(layout().names)


@pytest.mark.parametrize("name", sorted(CASES))
def test_signal(name: str) -> None:
    """The last action of the firing story moves the signal; that of the quiet one does not."""
    installed = layout()
    at = installed.index[name]
    which = max(n for n, offset in enumerate(installed.offsets) if offset <= at)
    behaviour, place = installed.behaviours[which], at - installed.offsets[which]
    firing, quiet = CASES[name]

    assert last_amounts(behaviour, firing)[place] > 0.0
    assert last_amounts(behaviour, quiet)[place] == 0.0
