"""What `step` may decide: rules, modes, deadlines. Frozen, versioned by its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import Layout
from detector.config import Mode, Settings
from detector.errors import ConfigError
from detector.policy import manifest
from detector.policy.approved import Approved
from detector.policy.manifest import Manifest
from detector.policy.rules import RULES, Rule
from detector.records import Desired, Level
from detector.runs.run import NAME_BYTES, cut

SECOND_NS = 1_000_000_000
STRICTNESS: tuple[Mode, ...] = ("shadow", "alert", "enforce")
RESOURCE_RANKS = frozenset({0, 4, 9})
"""agent.workflow, service.name, and no name at all: set by who deploys the agent."""


@dataclass(frozen=True)
class Policy:
    """Times are nanoseconds of arrival, not of spans' clocks."""

    idle_ns: int = 1800 * SECOND_NS
    finished_ns: int = 300 * SECOND_NS
    deadline_ns: int = 86_400 * SECOND_NS
    """How long a pause waits for a person; 0: for ever."""
    deadline_state: Desired = Desired.KILLED
    mode: Mode = "enforce"
    modes: Mapping[str, Mode] = field(default_factory=dict)
    rules: tuple[Rule, ...] = RULES
    manifests: Mapping[str, Approved] = field(default_factory=dict)
    """By workflow."""
    shadow_share: float = 0.0
    """Of runs. The model alone doesn't stop these: it alerts with the cause `shadow`, and their end tells what for."""
    shadow_key: bytes = field(default=b"", repr=False)
    brake_stops: int = 20
    """Runs that the model may stop in `brake_ns`, in each partition of the run log; 0: all."""
    brake_ns: int = 600 * SECOND_NS
    version: str = field(init=False)

    def __post_init__(self) -> None:
        parts = (self.idle_ns, self.finished_ns, self.deadline_ns, self.deadline_state.value, self.mode)
        told = sorted(approved.manifest.model_dump_json() for approved in self.manifests.values())
        shadow = (self.shadow_share,) if self.shadow_share else ()
        brake = (self.brake_stops, self.brake_ns) if self.brake_stops else ()
        described = repr((*parts, *shadow, *brake, sorted(self.modes.items()), self.rules, *told)).encode()
        object.__setattr__(self, "version", hashlib.sha256(described).hexdigest()[:12])

    @classmethod
    def from_settings(cls, settings: Settings) -> Policy:
        """The policy that the settings describe. Raises ConfigError where a manifest can't be used."""
        key = settings.hash_key.get_secret_value().encode()
        return cls(
            idle_ns=int(settings.idle_seconds * SECOND_NS),
            finished_ns=int(settings.finished_seconds * SECOND_NS),
            deadline_ns=int(settings.pause_deadline_seconds * SECOND_NS),
            deadline_state=Desired.KILLED if settings.pause_deadline_action == "kill" else Desired.RUNNING,
            mode=settings.mode,
            modes=dict(settings.workflow_modes),
            manifests=approve(manifest.load(settings.manifests), key),
            # Without a key anyone could find a run id that is in the share, and agents may choose theirs.
            shadow_share=settings.shadow_share if key else 0.0,
            shadow_key=key,
            brake_stops=settings.brake_stops,
            brake_ns=int(settings.brake_window_seconds * SECOND_NS),
        )

    def mode_of(self, workflow: str, rank: int = 0) -> Mode:
        """What may be done to runs of `workflow`, named by the key of this `rank` (RunEvents.workflow_rank).

        A name that stands on spans is the agent's own to choose: it may tighten the mode, not loosen it.
        """
        named = self.modes.get(workflow, self.mode)
        return named if rank in RESOURCE_RANKS else max(named, self.mode, key=STRICTNESS.index)

    def shadowed(self, run: str) -> bool:
        """Whether the run is one of the share that the model does not stop; by a keyed hash of its id, so always so."""
        if not self.shadow_share:
            return False
        drawn = hashlib.blake2b(run.encode(), digest_size=8, key=self.shadow_key[:64], person=b"shadow").digest()
        return int.from_bytes(drawn, "big") < self.shadow_share * 2.0**64

    def manifests_of(self, workflow: str, rank: int = 0, service: str = "") -> Sequence[Approved]:
        """The manifests that runs of `workflow` are held against; mostly one or none.

        A name that stands on spans is the agent's own to choose: the service's manifest holds as well then.
        """
        if not self.manifests:
            return ()
        names = (workflow,) if rank in RESOURCE_RANKS else (workflow, service, service.rpartition("/")[2])
        return [self.manifests[name] for name in dict.fromkeys(names) if name in self.manifests]


def approve(manifests: Mapping[str, Manifest], key: bytes) -> dict[str, Approved]:
    """Manifests as `step` asks them, by their workflow's name as a run keeps it."""
    return {cut(name, NAME_BYTES): Approved(found, key) for name, found in manifests.items()}


@dataclass(frozen=True)
class BoundRule:
    """A rule whose signals are indices: `when` into the signals, the others into a run's vector (long sums)."""

    rule: Rule
    when: tuple[int, ...]
    after: tuple[int, ...]
    before: tuple[int, ...]

    def fires(self, moved: Sequence[int], vector: NDArray[np.float64]) -> bool:
        """`moved`: signals that this action moved; `vector`: the run's 2n sums, this action included."""
        if not (all(i in moved for i in self.when) and all(vector[i] > 0.0 for i in self.after)):
            return False
        # Signals of `before` amount to one a call: a sum beyond what this call adds is of an earlier one.
        n = len(vector) // 2
        return all(vector[i] > float(i - n in moved) for i in self.before)


def bind(rules: Sequence[Rule], layout: Layout) -> dict[int, list[BoundRule]]:
    """The rules over `layout`, by the first signal of their `when`.

    Raises ConfigError where one names a signal that no behaviour has, or none at all.
    """
    unknown = {name for rule in rules for name in (*rule.when, *rule.after, *rule.before) if name not in layout.index}
    faults = [f"rules: no installed behaviour has the signal {name}" for name in sorted(unknown)]
    faults += [f"rules: {rule.name}: expected at least one signal in `when`" for rule in rules if not rule.when]
    if faults:
        raise ConfigError(faults)
    bound: dict[int, list[BoundRule]] = {}
    for rule in rules:
        when = tuple(layout.index[name] for name in rule.when)
        after, before = (
            tuple(len(layout.signals) + layout.index[name] for name in names) for names in (rule.after, rule.before)
        )
        bound.setdefault(when[0], []).append(BoundRule(rule, when, after, before))
    return bound


def bind_manifests(manifests: Mapping[str, Approved], layout: Layout) -> dict[str, tuple[tuple[int, Level], ...]]:
    """The answers of the manifests over `layout`: (signal, level), by workflow.

    Raises ConfigError where one asks for a signal that no behaviour has.
    """
    bound: dict[str, tuple[tuple[int, Level], ...]] = {}
    for approved in manifests.values():
        names = {f"posture.{kind}": level for kind, level in approved.levels.items()}
        if unknown := sorted(names.keys() - layout.index.keys()):
            raise ConfigError([f"manifests: no installed behaviour has the signal {name}" for name in unknown])
        bound[approved.manifest.workflow] = tuple((layout.index[name], level) for name, level in names.items())
    return bound
