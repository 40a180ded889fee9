"""What `step` judges with: a model and a policy that fit each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import Listen, Update
from detector.policy.brake import Brake
from detector.policy.policy import BoundRule, Policy, bind, bind_manifests
from detector.records import Level
from detector.scoring.model import Model


@dataclass(frozen=True)
class Judge:
    """Raises ConfigError where the policy's rules name signals that the model's behaviours don't have."""

    model: Model
    policy: Policy
    rules: dict[int, list[BoundRule]] = field(init=False)
    """Rules by the signal that has to move first of all."""
    updates: tuple[Update, ...] = field(init=False)
    offsets: tuple[int, ...] = field(init=False)
    """Of the behaviours in order: what looks at an action, and where its signals begin."""
    listeners: tuple[tuple[int, Listen], ...] = field(init=False)
    """Behaviours, by their place, that hear turns and labels."""
    leaving: dict[str, tuple[tuple[int, Level], ...]] = field(init=False)
    """By workflow with a manifest: the signals of leaving it that have an answer."""
    amounts: NDArray[np.float64] = field(init=False)
    """Scratch for one action; zero between steps."""

    brake: Brake = field(init=False)
    """Set to each record by who knows where it stands in the run log; else it lets all of the model's stops pass."""
    moves: list[int] = field(init=False)
    """How often a call moved each signal since its reader last set it to 0: only metrics read it."""

    def __post_init__(self) -> None:
        put, layout = object.__setattr__, self.model.layout
        put(self, "rules", bind(self.policy.rules, layout))
        put(self, "leaving", bind_manifests(self.policy.manifests, layout))
        put(self, "updates", tuple(behaviour.update for behaviour in layout.behaviours))
        put(self, "offsets", layout.offsets)
        heard = ((n, behaviour.listen) for n, behaviour in enumerate(layout.behaviours))
        put(self, "listeners", tuple((n, listen) for n, listen in heard if listen is not None))
        put(self, "amounts", np.zeros(len(layout.signals)))
        put(self, "brake", Brake(self.policy.brake_stops, self.policy.brake_ns))
        put(self, "moves", [0] * len(layout.signals))
