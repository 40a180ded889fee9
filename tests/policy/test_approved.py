"""Runs against a manifest, through step(): what leaves it, what does not, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from detector.lexicon import secrets
from detector.policy.manifest import Asset, Manifest
from detector.policy.policy import Policy, approve
from detector.reading.globs import hashed_as
from detector.reading.principals import BROAD, FORM, KINDS, PERSON
from detector.records import Action, Command, Does, Environment, Outcome, Phase, Verdict
from detector.runs.effects import Effect
from detector.runs.judge import Judge
from detector.runs.run import Run
from detector.runs.state import decode, encode
from detector.step import apply
from detector.testing import act, record
from detector.training.matrix import blank

KEY = b"key"
LAYOUT = blank().layout
STAGING, PRODUCTION, PREVIEW = Environment.STAGING, Environment.PRODUCTION, Environment.PREVIEW
GONE = Does.DELETE | Does.IRREVERSIBLE


def hashed(name: str) -> int:
    """A target's hash as ingest writes it."""
    return secrets.keyed(name.encode(), KEY)


def who(name: str, kind: int = 0) -> int:
    """A principal as ingest writes it."""
    return hashed(name) & ~KINDS | kind


def judge(*, workflow: str = "testing", **keys: Any) -> Judge:
    """One with a manifest, that goes by it alone."""
    manifest = Manifest.model_validate({"workflow": workflow, "on_leave": "pause", **keys})
    return Judge(blank(), Policy(rules=(), manifests=approve({workflow: manifest}, KEY)))


def play(by: Judge, *story: Action, **fields: Any) -> tuple[Run, list[Effect]]:
    """The run after the story, and what it caused."""
    run, effects = apply(None, record(*story, written=1, **fields), by)
    assert isinstance(run, Run)
    return run, effects


def moved(run: Run) -> set[str]:
    """Signals of posture that the run has shown."""
    sums, half = run.vector(), len(LAYOUT.names)
    return {name[8:] for n, name in enumerate(LAYOUT.names) if name.startswith("posture.") and sums[half + n] > 0.0}


OPEN: dict[str, Any] = {"writes": ["local", "test", "preview", "staging", "production", "unknown"]}
READ_STAGING = act("read", Does.READ, env=STAGING)

CASES: dict[str, tuple[dict[str, Any], list[Action], list[Action]]] = {
    "tool_left": (
        {"tools": ["read_file", "search_*"]},
        [act("delete_file", Does.READ)],
        [act("read_file"), act("search_orders"), act("http.get", inner=True)],
    ),
    "environment_left": ({"environments": ["staging"]}, [act(env=PRODUCTION)], [act(env=STAGING), act()]),
    "write_left": (
        {"writes": ["staging"]},
        [act("deploy", Does.WRITE, env=PRODUCTION)],
        [act("deploy", Does.WRITE, env=STAGING), act("read", env=PRODUCTION)],
    ),
    "principal_left": (
        {"principals": ["Svc-Support", "token:slack-bot"]},
        [act(principals=(who("ann"),))],
        [act(principals=(who("svc-support"),)), act(principals=(who("token:slack-bot", FORM),)), act()],
    ),
    "mode_left": ({"modes": ["default", "plan"]}, [act(mode="yolo")], [act(mode="plan"), act()]),
    "backups_inside": (
        {"assets": [{"name": "Vol_8", "environment": "staging", "backups_inside": True}]},
        [act("api", Does.DELETE, targets=(hashed("vol_8"),))],
        [act("api", Does.READ, targets=(hashed("vol_8"),)), act("api", Does.DELETE, targets=(hashed("vol_9"),))],
    ),
    "principal_across": (
        {},
        [act(principals=(who("svc"),), env=STAGING), act(principals=(who("svc"),), env=PRODUCTION)],
        [act(principals=(who("svc"),), env=STAGING), act(principals=(who("svc"),)), act(env=PRODUCTION)],
    ),
    "person_token": (
        {"principals": ["token:github-app"]},
        [act(principals=(who("token:github-person", PERSON | FORM),))],
        [act(principals=(who("token:github-app", FORM),))],
    ),
    "broad_credential": (
        {"principals": ["postgres"]},
        [act(principals=(who("root", BROAD),), env=PRODUCTION)],
        [act(principals=(who("postgres", BROAD),), env=PRODUCTION)],
    ),
}


@pytest.mark.parametrize("kind", sorted(CASES))
def test_leaving_is_a_behaviour_and_a_rule_where_the_manifest_says_so(kind: str) -> None:
    """The firing story moves its signal; it is answered where on_leave asks for it, and only then. The quiet one moves
    nothing that a manifest answers.
    """
    keys, firing, quiet = CASES[kind]
    for answer, level, commands in (("pause", "PAUSE", 1), ("alert", "ALERT", 0)):
        run, effects = play(judge(**(OPEN | keys), on_leave={kind: answer}), *firing)
        assert kind in moved(run)
        verdicts = [effect for effect in effects if isinstance(effect, Verdict)]
        assert [(verdict.cause, verdict.level) for verdict in verdicts] == [(f"manifest:{kind}", level)]
        assert verdicts[0].evidence[-1].span_id == firing[-1].span.hex()
        assert sum(isinstance(effect, Command) for effect in effects) == commands

    run, effects = play(judge(**(OPEN | keys), on_leave={}), *firing)
    assert kind in moved(run)
    assert effects == []

    run, effects = play(judge(**(OPEN | keys)), *quiet)
    assert moved(run) == set()
    assert effects == []


def test_read_only_unless_granted() -> None:
    """A manifest that says nothing of writes grants none, also where nothing says where they go."""
    assert moved(play(judge(), act("write_file", Does.WRITE))[0]) == {"write_left"}
    assert moved(play(judge(writes=["unknown"]), act("write_file", Does.WRITE))[0]) == set()


def test_a_run_of_another_workflow() -> None:
    """A manifest holds for its workflow alone."""
    run, effects = play(judge(tools=[]), act("any"), workflow="another")
    assert (moved(run), effects) == (set(), [])


def test_a_name_that_the_agent_chose() -> None:
    """A workflow that spans name themselves adds its manifest to the service's, and takes none away."""
    mine, other = judge(tools=[], workflow="shop").policy, judge(tools=["any"], workflow="night").policy
    both = Judge(blank(), Policy(rules=(), manifests={**mine.manifests, **other.manifests}))
    named = record(act("any"), workflow="night", written=1, service="team/shop")
    named.workflow_rank = 2
    run, _ = apply(None, named, both)
    assert isinstance(run, Run)
    assert moved(run) == {"tool_left"}

    named = record(act("any"), workflow="night", written=1, service="team/shop")
    run, _ = apply(None, named, both)
    assert isinstance(run, Run)
    assert moved(run) == set()


# --- assets and what nothing places -------------------------------------------------------


def gone_in_production(run: Run) -> bool:
    """Whether the run has shown an irreversible deletion in production."""
    at = LAYOUT.index["destruction.irreversible_in_production"]
    return bool(run.vector()[len(LAYOUT.names) + at] > 0.0)


@pytest.mark.parametrize(
    ("asset", "action", "production"),
    [
        ({"name": "vol_8", "environment": "production"}, act("api", GONE, targets=(hashed("vol_8"),)), True),
        ({"name": "vol_8", "environment": "preview"}, act("api", GONE, targets=(hashed("vol_8"),)), False),
        # A name in words that says less than the list does not lower it, and the list does not lower words.
        (
            {"name": "vol_8", "environment": "production"},
            act("api", GONE, targets=(hashed("vol_8"),), env=Environment.TEST),
            True,
        ),
        (
            {"name": "vol_8", "environment": "staging"},
            act("api", GONE, targets=(hashed("vol_8"),), env=PRODUCTION),
            True,
        ),
        ({"name": "vol-*", "environment": "production"}, act("api", GONE, assets=(hashed(hashed_as("vol-*")),)), True),
        ({"name": "vol-*", "environment": "preview"}, act("api", GONE, assets=(hashed(hashed_as("vol-*")),)), False),
    ],
)
def test_assets_place_a_call(asset: dict[str, Any], action: Action, production: bool) -> None:
    """An asset among the targets gives the call its environment, for all behaviours."""
    before = (action.env, action.does)
    run, _ = play(judge(**OPEN, assets=(Asset.model_validate(asset),)), action)
    assert gone_in_production(run) is production
    assert (action.env, action.does) == before


def test_backups_inside_make_it_irreversible() -> None:
    """Deleting what holds its own backups deletes them too, and for good."""
    asset = Asset(name="vol_8", environment="production", backups_inside=True)
    run, _ = play(judge(assets=(asset,), on_leave={}), act("api", Does.DELETE, targets=(hashed("vol_8"),)))
    assert gone_in_production(run)


def test_unknown_and_irreversible_counts_as_production() -> None:
    """What is deleted for good, and no name or list places, is production's, or what `unknown` says."""
    deletion = act("api", GONE, targets=(hashed("c0ffee"),))
    assert gone_in_production(play(judge(**OPEN), deletion)[0])
    assert not gone_in_production(play(judge(**OPEN, unknown="local"), deletion)[0])
    assert not gone_in_production(play(judge(**OPEN), act("api", Does.DELETE))[0])
    assert not gone_in_production(play(judge(**OPEN), act("api", GONE), workflow="another")[0])


def test_a_look_from_the_inside_waits_for_the_tool() -> None:
    """A request below a tool's span says little of where; the tool's own span, or the intent before it, says more."""
    inner = act("http.delete", GONE, parent=b"12345678", inner=True)
    outer = act("delete_preview", GONE, env=PREVIEW, span=b"12345678")
    run, _ = play(judge(writes=["preview"]), inner, outer)
    assert not gone_in_production(run)
    assert moved(run) == set()

    asked = act("delete_preview", GONE, env=PREVIEW, phase=Phase.INTENDED, call=7, outcome=Outcome.UNKNOWN)
    run, _ = play(judge(writes=["preview"]), asked, inner, outer)
    assert moved(run) == set()


def test_a_call_counts_once() -> None:
    """Asked for and then made, one call leaves the manifest once."""
    asked = act("deploy", Does.WRITE, env=PRODUCTION, phase=Phase.INTENDED, call=7, shape=3)
    made = act("deploy", Does.WRITE, env=PRODUCTION, call=7, shape=3)
    run, _ = play(judge(), asked, made)
    at = len(LAYOUT.names) + LAYOUT.index["posture.write_left"]
    assert run.vector()[at] == pytest.approx(1.0)


def test_a_post_is_no_write_of_its_own() -> None:
    """A search that goes as a POST changes nothing, since the tool's name says that it reads."""
    search = act("search", Does.SEARCH | Does.READ, env=STAGING, span=b"12345678")
    sent = act("http.post", Does.WRITE | Does.SEND, env=STAGING, parent=b"12345678", inner=True)
    assert moved(play(judge(), search, sent)[0]) == set()


def test_what_is_fine_in_a_test() -> None:
    """An all-powerful account on one's own machine or in a test is none that is too broad."""
    action = act(principals=(who("postgres", BROAD),), env=Environment.TEST)
    assert moved(play(judge(), action)[0]) == set()


def test_without_a_manifest() -> None:
    """A person's token, a broad name and a credential in two environments are named without any manifest."""
    none = Judge(blank(), Policy(rules=()))
    story = [
        act(principals=(who("token:github-person", PERSON | FORM),)),
        act(principals=(who("root", BROAD),)),
        act(secrets_used=(11,), env=STAGING),
        act(secrets_used=(11,), env=PRODUCTION),
    ]
    run, effects = play(none, *story)
    assert moved(run) == {"person_token", "broad_credential", "principal_across"}
    assert effects == []


def test_a_person_has_let_it_pass() -> None:
    """What was told once does not pause again after a decision; another tool does."""
    from detector.records import Labelled

    by = judge(tools=[], on_leave={"tool_left": "pause"})
    run, _ = play(by, act("one"))
    run2, effects = apply(run, record(Labelled(2, "resume", "ann"), act("one"), written=2), by)
    assert [effect.desired for effect in effects if isinstance(effect, Command)] == ["running"]
    _, effects = apply(run2, record(act("two"), written=3), by)
    assert [effect.desired for effect in effects if isinstance(effect, Command)] == ["paused"]


def test_the_fullest_state_is_within_its_bound() -> None:
    """A run that leaves everything at every call stays small, and comes back from storage as it was."""
    by = judge(tools=[], environments=[], principals=[], modes=[], on_leave={})
    story = [
        act(
            f"t{n}" * 12,
            Does(2**19 - 1),
            env=Environment(1 << n % 5),
            principals=tuple((2**61 - 1 - 8 * n - k) << 3 | k for k in range(8)),
            secrets_used=tuple(2**62 - 1 - 8 * n - k for k in range(8)),
            targets=tuple(2**64 - 1 - 8 * n - k for k in range(8)),
            mode=f"mode-{n}",
        )
        for n in range(200)
    ]
    run, _ = play(by, *story)
    stored = encode(run)
    assert len(stored) <= 8192
    again = decode(stored, LAYOUT)
    assert isinstance(again, Run)
    assert moved(again) == moved(run)
