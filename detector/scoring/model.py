"""A model version: forest, calibration and manifest, in a folder of its own under models/.

    models/<version>/manifest.json   what it is, on what it was fitted, its checksum, its thresholds
    models/<version>/forest.npz      the arrays
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
from detector.scoring import walk
from detector.scoring.calibration import Calibration
from detector.scoring.forest import Forest

SHORT = 0.5 ** (1.0 / SHORT_HALF_LIFE)
LONG = 0.5 ** (1.0 / LONG_HALF_LIFE)
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Model:
    """What `step` judges with."""

    version: str
    layout: Layout
    forest: Forest
    calibration: Calibration
    manifest: dict[str, Any]

    def advance(self, signals: NDArray[np.float64], amounts: NDArray[np.float64], *, fade: bool) -> float:
        """Fades `signals` (2n) by one action if `fade`, adds `amounts` (n, then cleared) and scores the result."""
        short, long = (SHORT, LONG) if fade else (1.0, 1.0)
        score: float = walk.advance(signals, amounts, short, long, *self.forest.arrays, self.forest.scale)
        return score

    def warm(self) -> None:
        """Compiles, or loads what was compiled, before the first run waits for it."""
        n = len(self.layout.signals)
        signals = np.zeros(2 * n)
        self.advance(signals, np.zeros(n), fade=True)
        self.explain(signals)

    def explain(self, signals: NDArray[np.float64], top: int = 6) -> list[Share]:
        """The signals that shortened the path, largest share first; their shares add up to 1 before the cut."""
        n = len(self.layout.signals)
        gains = self.forest.attribute(signals)
        by_signal = np.maximum(gains[:n] + gains[n:], 0.0)
        total = float(by_signal.sum()) or 1.0
        # Ties are broken by position, so that a replay prints what the stream printed.
        order = sorted(range(n), key=lambda i: (-by_signal[i], i))[:top]
        return [
            Share(
                self.layout.names[i],
                round(float(by_signal[i]) / total, 4),
                round(float(signals[n + i]), 4),
                self.layout.signals[i].words,
            )
            for i in order
            if by_signal[i] > 0.0 and signals[n + i] > 0.0
        ]


def save(folder: Path, version: str, forest: Forest, calibration: Calibration, about: dict[str, Any]) -> Path:
    """Writes models/<version>/ under `folder` and returns it. `about` joins the manifest."""
    if not VERSION.fullmatch(version):
        raise ModelError(f"model version: expected letters, digits, dots and dashes, came {version!r}")
    target = folder / version
    target.mkdir(parents=True, exist_ok=True)
    data = forests.dump(forest)
    installed = layout()
    manifest = {
        "version": version,
        "layout": installed.version,
        "features": list(installed.feature_names),
        "sha256": hashlib.sha256(data).hexdigest(),
        "trees": len(forest.roots),
        "calibration": calibration.to_dict(),
        **about,
    }
    (target / "forest.npz").write_bytes(data)
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
        data = (target / "forest.npz").read_bytes()
    except (OSError, ValueError) as fault:
        raise ModelError(f"model {version}: {target} can't be read: {fault}") from None
    installed = layout()
    try:
        forest = forests.load(data, manifest["sha256"])
        calibration = Calibration.from_dict(manifest["calibration"])
        features = tuple(manifest["features"])
        made_with = manifest["layout"]
    except (KeyError, TypeError, AttributeError) as fault:
        raise ModelError(f"model {version}: its manifest lacks or misspells {fault}") from None
    except ModelError as fault:
        raise ModelError(f"model {version}: {fault}") from None
    if features != installed.feature_names or made_with != installed.version or forest.features != len(features):
        changed = sorted(set(features) ^ set(installed.feature_names)) or ["their order or half-lives"]
        raise ModelError(
            f"model {version}: made for other behaviours than the installed ones "
            f"(differ in: {', '.join(changed[:8])}); fit it again with `detector train`"
        )
    return Model(version, installed, forest, calibration, manifest)
