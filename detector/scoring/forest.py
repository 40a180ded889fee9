"""The isolation forest as flat arrays: from scikit-learn, to a file without pickle, and scored.

Liu, Ting and Zhou, "Isolation Forest", ICDM 2008. scikit-learn fits it (training/fit.py);
here it is data: an npz read with `allow_pickle=False`, held to its checksum and to the
shape that walk.py relies on before anything walks it.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.scoring import walk

EULER = 0.5772156649015329
DTYPES: dict[str, np.dtype[Any]] = {
    "feature": np.dtype(np.int32),
    "threshold": np.dtype(np.float64),
    "left": np.dtype(np.int32),
    "right": np.dtype(np.int32),
    "depth": np.dtype(np.float64),
    "roots": np.dtype(np.int32),
}
MAX_NODES = 5_000_000


@dataclass(frozen=True)
class Forest:
    """Node arrays (see walk.py) and `scale`, the mean path length that scores 0.5."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    depth: NDArray[np.float64]
    roots: NDArray[np.int32]
    scale: float
    features: int

    @cached_property
    def arrays(self) -> tuple[Any, ...]:
        """The arguments of every walk, in the order of walk.py."""
        return (self.feature, self.threshold, self.left, self.right, self.depth, self.roots)

    def score(self, row: NDArray[np.float64]) -> float:
        """The anomaly score of one row of `features` values: 0 to 1, high is anomalous."""
        result: float = walk.score(row, *self.arrays, self.scale)
        return result

    def scores(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores of rows (m, features)."""
        out = np.empty(len(rows))
        walk.scores(np.ascontiguousarray(rows, dtype=np.float64), *self.arrays, self.scale, out)
        return out

    def attribute(self, row: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much each feature shortened the mean path, in splits; negative: lengthened it."""
        out = np.zeros(self.features)
        walk.attribute(row, *self.arrays, out)
        return out / len(self.roots)


def mean_path_length(samples: float) -> float:
    """c(n) of the paper: the mean length of an unsuccessful search among `samples` points."""
    if samples <= 1:
        return 0.0
    if samples == 2:
        return 1.0
    return float(2.0 * (np.log(samples - 1.0) + EULER) - 2.0 * (samples - 1.0) / samples)


def from_sklearn(fitted: Any) -> Forest:
    """Flattens a fitted sklearn.ensemble.IsolationForest."""
    columns: dict[str, list[Any]] = {name: [] for name in DTYPES}
    start = 0
    for estimator, used in zip(fitted.estimators_, fitted.estimators_features_, strict=True):
        tree = estimator.tree_
        leaf = tree.children_left < 0
        columns["roots"].append(np.array([start]))
        columns["feature"].append(np.where(leaf, -1, np.asarray(used)[np.maximum(tree.feature, 0)]))
        columns["threshold"].append(np.where(leaf, 0.0, tree.threshold))
        columns["left"].append(np.where(leaf, -1, tree.children_left + start))
        columns["right"].append(np.where(leaf, -1, tree.children_right + start))
        columns["depth"].append(_depths(tree))
        start += tree.node_count
    arrays = {name: np.concatenate(parts).astype(DTYPES[name], copy=False) for name, parts in columns.items()}
    forest = Forest(
        **arrays,
        scale=mean_path_length(float(fitted._max_samples)),  # noqa: SLF001 - has no public name
        features=fitted.n_features_in_,
    )
    validate(forest)
    return forest


def _depths(tree: Any) -> NDArray[np.float64]:
    """Path length at leaves, its sample-weighted mean at inner nodes."""
    level = np.zeros(tree.node_count)
    for node in range(tree.node_count):
        for child in (tree.children_left[node], tree.children_right[node]):
            if child >= 0:
                level[child] = level[node] + 1.0
    samples = tree.n_node_samples
    depth = np.array([level[n] + mean_path_length(float(samples[n])) for n in range(tree.node_count)])
    for node in range(tree.node_count - 1, -1, -1):
        low, high = tree.children_left[node], tree.children_right[node]
        if low >= 0:
            depth[node] = (depth[low] * samples[low] + depth[high] * samples[high]) / (samples[low] + samples[high])
    return depth


def dump(forest: Forest) -> bytes:
    """The forest as npz bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        scale=np.float64(forest.scale),
        features=np.int64(forest.features),
        **{name: getattr(forest, name) for name in DTYPES},
    )
    return buffer.getvalue()


def load(data: bytes, sha256: str) -> Forest:
    """The forest in npz `data`. Raises ModelError where checksum or content are not as they must be."""
    came = hashlib.sha256(data).hexdigest()
    if came != sha256:
        raise ModelError(f"forest: expected sha256 {sha256}, came {came}")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in DTYPES}
            scale, features = float(stored["scale"]), int(stored["features"])
    except Exception as fault:
        raise ModelError(f"forest: not an npz of the arrays {sorted(DTYPES)}: {fault}") from fault
    forest = Forest(**arrays, scale=scale, features=features)
    validate(forest)
    return forest


def validate(forest: Forest) -> None:
    """Raises ModelError unless every walk stays inside the arrays and ends at a leaf."""
    for name, dtype in DTYPES.items():
        array = getattr(forest, name)
        if array.dtype != dtype or array.ndim != 1:
            raise ModelError(f"forest: {name}: expected one dimension of {dtype}, came {array.ndim} of {array.dtype}")
    count = len(forest.feature)
    lengths = {name: len(getattr(forest, name)) for name in DTYPES if name != "roots"}
    if not 0 < count <= MAX_NODES or set(lengths.values()) != {count}:
        raise ModelError(f"forest: expected arrays of one length, 1 to {MAX_NODES}, came {lengths}")
    leaf = forest.feature == -1
    inner = np.arange(count)[~leaf]
    faults = {
        "a feature out of range": bool(np.any((forest.feature < -1) | (forest.feature >= forest.features))),
        "a child that does not come after its node, or out of range": bool(
            np.any(forest.left[inner] <= inner)
            or np.any(forest.right[inner] <= inner)
            or np.any(forest.left[inner] >= count)
            or np.any(forest.right[inner] >= count)
        ),
        "a number that is not finite": not (
            bool(np.all(np.isfinite(forest.threshold)))
            and bool(np.all(np.isfinite(forest.depth)))
            and np.isfinite(forest.scale)
        ),
        "a scale that is not positive": not forest.scale > 0,
        "no trees, or a root out of range": len(forest.roots) == 0
        or bool(np.any((forest.roots < 0) | (forest.roots >= count))),
    }
    found = [fault for fault, there in faults.items() if there]
    if found:
        raise ModelError("forest: " + "; ".join(found))
