"""Honest stories by workflow, and how one of them becomes a run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from detector.demo.scene import Scene
from detector.demo.script import Call, Result, Story, Turn
from detector.demo.stories import coding, data, lookalikes, office, support

Teller = Callable[[Scene], Iterator[Turn]]

LOOKALIKES: tuple[tuple[str, Teller], ...] = (
    *(("coding", teller) for teller in lookalikes.CODING),
    ("office", office.old_drafts),
    ("office", office.share_folder),
    ("data", data.nightly_load),
    ("data", data.retention),
    ("data", data.grant_analyst),
    ("support", support.erasure),
    ("support", support.password_reset),
)
"""Stories that use a destructive run's words for work that was asked for, with their workflow."""

HONEST: tuple[tuple[str, Teller], ...] = (
    *(("coding", teller) for teller in coding.STORIES + lookalikes.CODING),
    *(("office", teller) for teller in office.STORIES),
    *(("data", teller) for teller in data.STORIES),
    *(("support", teller) for teller in support.STORIES),
)
REFUSALS = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected.",
    "Action rejected: not now",
    "Tool call denied by the operator.",
)
LEAST_CALLS, MOST_CALLS = 8, 40


def tell(workflow: str, teller: Teller, key: str) -> Story:
    """The run that `teller` makes of the seed `key`: the same key, the same run.

    A telling that comes out shorter than LEAST_CALLS is followed by another task of the same
    person, one that is longer than MOST_CALLS ends early, as sessions do.
    """
    rng = random.Random(key)  # noqa: S311 - stories, not secrets
    scene = Scene(rng)
    turns: list[Turn] = []
    chosen = teller
    # Most sessions are one task; some people go on.
    wanted = rng.choice((LEAST_CALLS, LEAST_CALLS, LEAST_CALLS, 14, 24))
    while _calls(turns) < wanted:
        turns += _interrupted(scene, chosen(scene))
        chosen = rng.choice([other for flow, other in HONEST if flow == workflow])
    while _calls(turns) > MOST_CALLS:
        turns.pop()
    turns = _side_by_side(scene, turns)
    turns.append(scene.turn(says="Done. Here is what I did."))
    service = f"{workflow}-agent"
    return Story(
        run=f"{workflow}-{rng.getrandbits(32):08x}",
        workflow=workflow,
        task=teller.__name__,
        service=service,
        agent=rng.choice((service, f"{workflow}_assistant", f"{scene.project}-{workflow}")),
        dialect=scene.dialect,
        identity=scene.identity,
        turns=turns,
        resource={"service.name": service, "service.version": "2.3.0", "agent.workflow": workflow},
    )


def _interrupted(scene: Scene, turns: Iterable[Turn]) -> Iterator[Turn]:
    """`turns`, with now and then a call that the person refuses first and explains."""
    for turn in turns:
        if len(turn.calls) == 1 and scene.chance(0.012) and not _only_looks(turn.calls[0]):
            refused = replace(turn.calls[0], result=Result(scene.pick(REFUSALS), "tool_denied"), inner=None)
            yield replace(turn, calls=(refused,))
            yield replace(turn, heard=(scene.pick(("Go on, I misread that.", "OK, do it after all.")),))
        else:
            yield turn


def _only_looks(call: Call) -> bool:
    """People are asked before something changes, not before somebody looks."""
    return any(verb in call.tool.lower() for verb in ("get", "list", "find", "search", "read", "grep", "view", "open"))


def _side_by_side(scene: Scene, turns: list[Turn]) -> list[Turn]:
    """`turns`, with now and then two of one tool asked for in one turn."""
    told: list[Turn] = []
    for turn in turns:
        last = told[-1] if told else None
        alike = last is not None and [c.tool for c in last.calls] == [c.tool for c in turn.calls]
        if last is not None and alike and turn.calls and not turn.heard and scene.chance(0.1):
            told[-1] = replace(last, calls=last.calls + turn.calls)
        else:
            told.append(turn)
    return told


def _calls(turns: list[Turn]) -> int:
    return sum(len(turn.calls) for turn in turns)
