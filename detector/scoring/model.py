"""A model version: forest, calibration and manifest, in a folder of its own under models/.

    models/<version>/manifest.json   what it is, on what it was fitted, its checksums, its thresholds
    models/<version>/baseline.npz    how rarely honest runs show each signal
    models/<version>/forest.npz      the trees over that
    models/current                   one line: the version in force

Nothing in it executes: JSON and plain arrays, refused unless they are what they say.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.behaviours.base import LONG_HALF_LIFE, SHORT_HALF_LIFE, Layout, layout
from detector.errors import ModelError
from detector.records import Share
from detector.scoring import forest as forests
from detector.scoring import rarity as rarities
from detector.scoring import walk
from detector.scoring.calibration import Calibration
from detector.scoring.forest import Forest
from detector.scoring.rarity import FADED, Rarity

SHORT = 0.5 ** (1.0 / SHORT_HALF_LIFE)
LONG = 0.5 ** (1.0 / LONG_HALF_LIFE)
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Model:
    """What `step` judges with."""

    version: str
    layout: Layout
    rarity: Rarity
    forest: Forest
    calibration: Calibration
    manifest: dict[str, Any]

    def advance(self, signals: NDArray[np.float64], amounts: NDArray[np.float64], *, fade: bool) -> float:
        """Fades `signals` (2n) by one action if `fade`, adds `amounts` (n, then cleared) and scores the result."""
        short, long = (SHORT, LONG) if fade else (1.0, 1.0)
        score: float = walk.advance(
            signals, amounts, short, long, FADED, *self.rarity.arrays, *self.forest.arrays, self.forest.scale
        )
        return score

    def warm(self) -> None:
        """Compiles, or loads what was compiled, before the first run waits for it."""
        n = len(self.layout.signals)
        signals = np.zeros(2 * n)
        self.advance(signals, np.zeros(n), fade=True)
        self.explain(signals)

    def scores(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores of rows (m, n) of long sums: for each what `advance` gives."""
        return self.forest.scores(self.rarity.weigh(sums))

    def explain(self, signals: NDArray[np.float64], top: int = 6) -> list[Share]:
        """The signals that shortened the path, largest share first; their shares add up to 1 before the cut."""
        n = len(self.layout.signals)
        row = self.rarity.weigh(signals[n:].reshape(1, n))[0]
        gains = np.maximum(self.forest.attribute(row), 0.0)
        total = float(gains.sum()) or 1.0
        # Ties are broken by position, so that a replay prints what the stream printed.
        order = sorted(range(n), key=lambda i: (-gains[i], i))[:top]
        return [
            Share(
                self.layout.names[i],
                round(float(gains[i]) / total, 4),
                round(float(signals[n + i]), 4),
                self.layout.signals[i].words,
            )
            for i in order
            if gains[i] > 0.0 and row[i] > 0.0
        ]

    def quiet(self, signals: NDArray[np.float64], limit: float) -> list[str]:
        """The fewest signals, heaviest first, without which the run would have scored `limit` at most.

        Empty where it does so as it is. Greedy, so a smaller set may exist where signals stand in for each other.
        """
        n = len(self.layout.signals)
        row = self.rarity.weigh(signals[n:].reshape(1, n))[0]
        left_out: list[str] = []
        while (score := self.forest.score(row)) > limit and row.any():
            shown = np.flatnonzero(row)
            without = np.repeat(row[None], len(shown), axis=0)
            without[np.arange(len(shown)), shown] = 0.0
            scores = self.forest.scores(without)
            best = int(np.argmin(scores))
            if scores[best] >= score:
                best = int(np.argmax(row[shown]))
            row[shown[best]] = 0.0
            left_out.append(self.layout.names[shown[best]])
        return left_out


def save(
    folder: Path, version: str, rarity: Rarity, forest: Forest, calibration: Calibration, about: dict[str, Any]
) -> Path:
    """Writes models/<version>/ under `folder` and returns it. `about` joins the manifest."""
    if not VERSION.fullmatch(version):
        raise ModelError(f"model version: expected letters, digits, dots and dashes, came {version!r}")
    target = folder / version
    target.mkdir(parents=True, exist_ok=True)
    files = {"baseline": rarities.dump(rarity), "forest": forests.dump(forest)}
    installed = layout()
    manifest = {
        "version": version,
        "layout": installed.version,
        "features": list(installed.feature_names),
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "trees": len(forest.roots),
        "calibration": calibration.to_dict(),
        **about,
    }
    for name, data in files.items():
        (target / f"{name}.npz").write_bytes(data)
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return target


def current(folder: Path) -> str:
    """The version that models/current names. Raises ModelError where it names none."""
    try:
        version = (folder / "current").read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise ModelError(
            f"models: expected a file {folder / 'current'} that names a version: {fault.strerror}"
        ) from None
    if not VERSION.fullmatch(version):
        raise ModelError(f"models: expected a version in {folder / 'current'}, came {version[:80]!r}")
    return version


def load(folder: Path, version: str | None = None) -> Model:
    """The model `version` (default: the current one) under `folder`.

    Raises ModelError where its checksum, its arrays or its feature list are not what this
    program has: a model of other behaviours would score noise.
    """
    version = version or current(folder)
    target = folder / version
    try:
        manifest = json.loads((target / "manifest.json").read_bytes())
        files = {name: (target / f"{name}.npz").read_bytes() for name in ("baseline", "forest")}
    except (OSError, ValueError) as fault:
        raise ModelError(f"model {version}: {target} can't be read: {fault}") from None
    installed = layout()
    try:
        rarity = rarities.load(files["baseline"], manifest["sha256"]["baseline"])
        forest = forests.load(files["forest"], manifest["sha256"]["forest"])
        calibration = Calibration.from_dict(manifest["calibration"])
        features = tuple(manifest["features"])
        made_with = manifest["layout"]
    except (KeyError, TypeError, AttributeError) as fault:
        raise ModelError(f"model {version}: its manifest lacks or misspells {fault}") from None
    except ModelError as fault:
        raise ModelError(f"model {version}: {fault}") from None
    n = len(installed.signals)
    if (
        features != installed.feature_names
        or made_with != installed.version
        or {forest.features, rarity.signals} != {n}
    ):
        changed = sorted(set(features) ^ set(installed.feature_names)) or ["their order or half-lives"]
        raise ModelError(
            f"model {version}: made for other behaviours than the installed ones "
            f"(differ in: {', '.join(changed[:8])}); fit it again with `detector train`"
        )
    return Model(version, installed, rarity, forest, calibration, manifest)
