"""A verdict told to people: which run, what it did in order, why it was stopped, what they can do.

`tell` is pure, and all of its text is the detector's own: steps come in the words of the evidence. Only names are
foreign (run, workflow, service, tool, who decided); they are cut, and rid of what a terminal or a mail client obeys.
"""

from __future__ import annotations

import shlex
import unicodedata
from datetime import UTC, datetime
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from detector.config import Settings
from detector.policy.rules import RULES
from detector.records import Evidence, Level, Share, Verdict

LONGEST_NAME, LONGEST_TEXT = 200, 500
"""Characters that are shown of a foreign name, and of one step."""
STEPS, SHARES = 20, 3
"""At most so many steps and behaviours are told; of the steps the latest."""

_DONE = {"ALERT": "raised an alert", "PAUSE": "was paused", "KILL": "was killed"}
_WATCHED = {"ALERT": "raised an alert", "PAUSE": "would have been paused", "KILL": "would have been killed"}


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that the run did and that counted."""

    at: str
    """As `when` has it."""
    text: str
    tool: str = ""
    span_id: str = ""
    trace_id: str = ""


class Action(msgspec.Struct, frozen=True):
    """What a person can do: a command line to copy."""

    what: str
    command: str


class Story(msgspec.Struct, frozen=True, omit_defaults=True):
    """One verdict for people, in every form the same."""

    run: str
    sequence: int
    workflow: str
    service: str
    level: str
    previous: str
    cause: str
    mode: str
    at: str
    headline: str
    why: str
    """One sentence or two."""
    steps: list[Step]
    left_out: int = 0
    """Earlier steps that are not told."""
    behaviours: list[str] = []
    """What the score is made of, heaviest first; empty where the model was not the cause."""
    waits: str = ""
    """What happens if nobody decides."""
    actions: list[Action] = []
    run_url: str = ""
    trace_url: str = ""
    delivery: str = ""
    """RUN:SEQUENCE, the same however often it is sent; RUN percent-encoded."""

    @property
    def facts(self) -> str:
        """Workflow, service, mode, cause and time on one line."""
        named = (("workflow", self.workflow), ("service", self.service), ("mode", self.mode), ("cause", self.cause))
        return "  ·  ".join([*(f"{what} {value}" for what, value in named if value), self.at])

    @property
    def links(self) -> list[tuple[str, str]]:
        """Words and address of what can be looked at."""
        return [(words, url) for words, url in (("The run", self.run_url), ("The trace", self.trace_url)) if url]


class Links(NamedTuple):
    """Where runs and traces can be seen, and how long a pause waits; empty or 0: nowhere, for ever."""

    grafana: str = ""
    """Grafana's address."""
    trace: str = ""
    """Address of a trace, `{trace}` in place of its id."""
    deadline_seconds: float = 0.0
    deadline_action: str = "kill"

    @classmethod
    def from_settings(cls, settings: Settings) -> Links:
        """As the settings have them."""
        grafana = settings.grafana_public_url or settings.grafana_url
        return cls(grafana, settings.trace_url, settings.pause_deadline_seconds, settings.pause_deadline_action)

    def run(self, run: str) -> str:
        """Address of the run's dashboard."""
        return f"{self.grafana.rstrip('/')}/d/agent-detector-run?var-run={quote(run, safe='')}" if self.grafana else ""

    def of(self, trace: str) -> str:
        """Address of a trace."""
        return self.trace.replace("{trace}", quote(trace, safe="")) if self.trace and trace else ""


def worth_telling(verdict: Verdict, least: str) -> bool:
    """Whether the verdict is of level `least` or above, or ends one that was; leaks always are."""
    limit = Level[least]
    levels = (verdict.level, verdict.previous)
    return verdict.cause == "leak" or any(name in Level.__members__ and Level[name] >= limit for name in levels)


def tell(verdict: Verdict, links: Links | None = None) -> Story:
    """The story of a verdict."""
    links = links or Links()
    steps = verdict.evidence[-STEPS:]
    trace = next((step.trace_id for step in reversed(steps) if step.trace_id), next(iter(verdict.traces[-1:]), ""))
    return Story(
        run=name(verdict.run),
        sequence=verdict.sequence,
        workflow=name(verdict.workflow),
        service=name(verdict.service),
        level=verdict.level,
        previous=verdict.previous,
        cause=name(verdict.cause),
        mode=verdict.mode,
        at=when(verdict.at),
        headline=headline(verdict),
        why=_why(verdict),
        steps=[_step(step) for step in steps],
        left_out=len(verdict.evidence) - len(steps),
        behaviours=[_share(share) for share in verdict.behaviours[:SHARES]] if verdict.cause == "model" else [],
        waits=_waits(links) if verdict.level == "PAUSE" and _acted(verdict) else "",
        actions=_actions(verdict),
        run_url=links.run(verdict.run),
        trace_url=links.of(trace),
        delivery=f"{quote(verdict.run, safe='')}:{verdict.sequence}",
    )


def headline(verdict: Verdict) -> str:
    """`Run r1 of deploy was paused`."""
    of = f" of {name(verdict.workflow)}" if verdict.workflow else ""
    return f"Run {name(verdict.run)}{of} {_happened(verdict)}"


def name(text: str, longest: int = LONGEST_NAME) -> str:
    """A foreign name on one line: without control, format and bidi characters, at most `longest` characters."""
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def when(nanoseconds: int) -> str:
    """`2026-04-25 14:03:07 UTC`; empty where the clock that said so was none."""
    try:
        return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return ""


def _happened(verdict: Verdict) -> str:
    if verdict.cause == "leak":
        return "went on after it was stopped"
    if verdict.level == "ALLOW":
        return "may go on"
    words = _DONE if _acted(verdict) else _WATCHED
    return words.get(verdict.level, f"is at {name(verdict.level)}")


def _acted(verdict: Verdict) -> bool:
    """Whether a command went with the verdict: a mode holds back what the detector decides, not what people do."""
    return verdict.mode == "enforce" or verdict.cause.partition(":")[0] in {"person", "deadline"}


def _why(verdict: Verdict) -> str:
    kind, _, rest = verdict.cause.partition(":")
    said = {
        "rule": f"The rule {name(rest)} fired: {_rule(rest)}.",
        "manifest": f"It left what the workflow's manifest approves ({name(rest).replace('_', ' ')}).",
        "model": f"It is unlike honest runs: score {verdict.score:.2f}, the limit is {verdict.threshold:.2f}.",
        "shadow": f"It is unlike honest runs: score {verdict.score:.2f}, the limit is {verdict.threshold:.2f}. It is "
        "of the share that the model does not stop: say what it was by `detector label`.",
        "brake": f"It is unlike honest runs: score {verdict.score:.2f}, the limit is {verdict.threshold:.2f}. It was "
        "not stopped: the model had stopped too many runs within a short time.",
        "person": f"{name(rest)} decided so.",
        "deadline": "Nobody decided before the pause's deadline.",
        "leak": "An action ended after an enforcer had said that the run was stopped: the stop was not complete.",
    }.get(kind, f"Cause: {name(verdict.cause)}.")
    if verdict.level in {"PAUSE", "KILL"} and not _acted(verdict):
        said += f" Nothing was stopped: the workflow's mode is {verdict.mode}."
    return said


def _rule(rule: str) -> str:
    # Two ways may lead to one rule, and the verdict does not say which it was; the steps do.
    ways = list(dict.fromkeys(each.words for each in RULES if each.name == rule))
    if len(ways) < 2:
        return "".join(ways) or "see the steps"
    words = zip(*(way.split() for way in ways), strict=False)
    same = " ".join(first for first, *_ in takewhile(lambda each: len(set(each)) == 1, words))
    return same + ", or".join(way[len(same) :] for way in ways)


def _step(evidence: Evidence) -> Step:
    text = name(evidence.text, LONGEST_TEXT)
    return Step(when(evidence.at), text, name(evidence.tool), evidence.span_id, evidence.trace_id)


def _share(share: Share) -> str:
    return f"{share.share:.0%} {name(share.words)}"


def _waits(links: Links) -> str:
    if not links.deadline_seconds:
        return "It waits until somebody decides."
    ends = "killed" if links.deadline_action == "kill" else "resumed"
    return f"If nobody decides within {_span(links.deadline_seconds)}, it is {ends}."


def _span(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _actions(verdict: Verdict) -> list[Action]:
    """The command lines that apply, with the run's name quoted for a shell."""
    run = verdict.run
    if not run.isprintable():
        return [Action("Look: the run's name holds characters that can't be shown", "detector runs")]
    look = Action("Look", _line("show", run))
    let_go = Action("Approve: let it go on", _line("resume", run, reason=True))
    kill = _line("kill", run, reason=True)
    if not _acted(verdict) or verdict.level in {"ALLOW", "ALERT"}:
        return [look, Action("Pause it", _line("pause", run, reason=True)), Action("End it for good", kill)]
    return [let_go, Action("Deny: end it for good", kill), look] if verdict.level == "PAUSE" else [look]


def _line(command: str, run: str, *, reason: bool = False) -> str:
    # A name may begin with a dash: after `--` it is no option.
    why = ' --reason "WHY"' if reason else ""
    return f"detector {command}{why} {'-- ' if run.startswith('-') else ''}{shlex.quote(run)}"
