"""Looks at calls as people read them: one Call for all looks at it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from detector.behaviours.base import Layout
from detector.lexicon import words
from detector.observe.explained.story import Call, Moved, Story, Target
from detector.observe.explained.witness import Answer, Look, Origin
from detector.policy.approved import Approved
from detector.reading import naming, principals
from detector.reading.names import clean
from detector.records import Action, Blind, Does, Environment, Outcome

MAX_NAME = 72
"""Characters of one name that are shown."""
RECENT = 16
"""Calls among which that of a later look is searched."""
HIDDEN = {
    Blind.ARGUMENTS: "its arguments were not recorded",
    Blind.RESULT: "its result was not recorded",
    Blind.UNREADABLE: "too long, or wrapped too deep, to be read whole",
    Blind.CLOCK: "its clock can't be right: its arrival stands in",
    Blind.IDS: "its ids can't be right",
}
_FORMS = (
    ("url", re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)),
    ("address", re.compile(r"[^\s@/]+@[^\s@/]+\.\w+$")),
    ("path", re.compile(r"[~.]?/|[A-Za-z]:\\|\.\w|[^\s/]+/")),
    ("number", re.compile(r"[a-z]{0,2}\d[\d .:-]*$", re.IGNORECASE)),
)


class Looks:
    """Turns the looks at the calls of one run into `story`. `names`: what hashes stand for, where that is known."""

    def __init__(self, story: Story, layout: Layout, names: Mapping[int, str]) -> None:
        self._story, self._layout, self._names = story, layout, names
        self._keys: dict[int, tuple[int, int, bool]] = {}
        """Of calls by their place in the story: call id, shape, and whether they count as one already."""
        self._sources: dict[int, int] = {}
        """By number of a result: the call that it answered."""
        self._held: dict[int, int] = {}
        """By hash of a secret: the call whose result held it."""

    def take(self, look: Look, manifests: Sequence[Approved]) -> None:
        """Adds what this look shows to its call."""
        action = look.action
        call = self._call(look)
        self._seen(call, action)
        _add(call.does, _named(Does, action.does))
        _add(call.environment, _named(Environment, action.env))
        _add(call.signs, map(words, action.signs))
        if not any(target.origin for target in call.targets):
            call.targets = self._targets(look, manifests) or call.targets
            call.carried = dict(Counter(origin.who for origin in look.carried)) or call.carried
        _add(call.principals, map(self._principal, action.principals))
        _add(call.secrets, self._secrets(call, action))
        signals = self._layout.signals
        call.moved += [Moved(self._layout.names[n], amount, signals[n].words) for n, amount in look.moved]
        call.score = look.score
        if look.supplied:
            self._sources[look.supplied] = call.number

    def passed(self, action: Action) -> None:
        """A look that showed nothing new of a call, or one that the run has had before."""
        if (call := self._of(action)) is not None:
            self._seen(call, action)

    def answered(self, answer: Answer) -> None:
        """A result answered a call."""
        if (call := self._of(answer.action)) is not None:
            self._sources[answer.result] = call.number
            self._seen(call, answer.action)

    def _call(self, look: Look) -> Call:
        calls, action, number = self._story.calls, look.action, look.position + 1
        for place in range(len(calls) - 1, max(-1, len(calls) - 1 - RECENT), -1):
            if calls[place].number == number:
                known_id, shape, first = self._keys[place]
                if not (first and look.first):
                    self._keys[place] = action.call or known_id, shape, first or look.first
                    calls[place].tool = calls[place].tool if action.inner else action.tool
                    return calls[place]
                break
        if number == 1 and calls:
            self._story.notes.append("the run began anew")
        self._keys[len(calls)] = action.call, action.shape, look.first
        calls.append(Call(number, action.tool, action.at))
        return calls[-1]

    def _of(self, action: Action) -> Call | None:
        """The first recent call that this may be a look at, of those that nothing shows to have ended."""
        calls = self._story.calls
        for place in range(max(0, len(calls) - RECENT), len(calls)):
            call_id, shape, _ = self._keys[place]
            same = call_id == action.call if action.call else shape == action.shape
            if same and "done" not in calls[place].seen:
                return calls[place]
        return None

    def _seen(self, call: Call, action: Action) -> None:
        how = "seen from the inside" if action.inner else "done" if action.phase else "asked for"
        _add(call.seen, [how])
        if action.outcome:
            call.outcome = Outcome(action.outcome).name.lower()
        _add(call.hidden, (text for flag, text in HIDDEN.items() if action.blind & flag))

    def _targets(self, look: Look, manifests: Sequence[Approved]) -> list[Target]:
        values = [self._value(origin) for origin in look.aims]
        targets = []
        for named in look.action.targets:
            text = self._names.get(named)
            target = Target(f"{named:016x}") if text is None else Target(clean(text, MAX_NAME), form(text))
            target.listed = _listed(look.action, manifests, (named,), ())
            same = [value for value in values if text is not None and _plain(value.name) == _plain(text)]
            for value in same:
                target.origin, target.call, target.kind = value.origin, value.call, value.kind
                values.remove(value)
            targets.append(target)
        if not any(target.listed for target in targets) and _listed(look.action, manifests, (), look.action.assets):
            targets.append(Target("an asset of the manifest, by its pattern", listed=True))
        return targets + values

    def _value(self, origin: Origin) -> Target:
        text, key = self._names.get(naming.key(origin.value)), f"{naming.key(origin.value):08x}"
        kind = "address" if origin.address else form(text) if text else ""
        name = clean(text, MAX_NAME) if text else key
        return Target(name, kind, origin.who, self._sources.get(origin.result, 0))

    def _principal(self, hashed: int) -> str:
        name = self._names.get(hashed)
        text = clean(name, MAX_NAME) if name else f"{hashed & ~principals.KINDS:016x}"
        kind = "a person's" if hashed & principals.PERSON else "for everything" if hashed & principals.BROAD else ""
        return f"{text} ({kind})" if kind else text

    def _secrets(self, call: Call, action: Action) -> Iterator[str]:
        from_calls = Counter(self._held.get(used, 0) for used in action.secrets_used)
        for number, count in sorted(from_calls.items()):
            source = f"held by the result of call {number}" if number else "not seen in a result before"
            yield f"carries {_count(count, 'secret')} {source}"
        if action.secrets_seen:
            yield f"its result holds {_count(len(action.secrets_seen), 'secret')}"
        for held in action.secrets_seen:
            self._held.setdefault(held, call.number)


def form(text: str) -> str:
    """What a target is by its form: url, address, path, number or name."""
    return next((kind for kind, pattern in _FORMS if pattern.match(text)), "name")


def _add(listed: list[str], more: Iterable[str]) -> None:
    for text in more:
        if text not in listed:
            listed.append(text)


def _listed(action: Action, manifests: Sequence[Approved], targets: tuple[int, ...], assets: tuple[int, ...]) -> bool:
    alone = msgspec.structs.replace(action, targets=targets, assets=assets)
    return any(approved.place(alone) != (0, False) for approved in manifests)


def _named(flags: type[Does | Environment], value: int) -> list[str]:
    return [str(flag.name).lower().replace("_", " ") for flag in flags if value & flag]


def _plain(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "").strip("./+\"' ")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"
