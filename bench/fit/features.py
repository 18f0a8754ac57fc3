"""Features of a task's rows, and what is kept of them from one job to the next."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features, Featurizer, Kind, LazyRows
from bench.files.scratch import scratch_array
from bench.fit.handed import arrays_of, owner, plain_array, sequences_for, writes_refused
from bench.fit.recipe import plugin_recipe
from bench.fit.residual import WithoutGC
from bench.fit.shuffled import KeptShuffles, ShuffledRows
from bench.plugins.described import PluginRecipe
from bench.plugins.feature_sets import OutsideFeatures
from bench.plugins.registry import Made
from bench.tasks.task import TRAIN, Task

#: Rows a featurizer is handed at a time: large enough for two cores, small enough to stay in memory.
BLOCK_ROWS = 65_536
#: Bytes of features a block may have, and above which features are not held in memory: a part of a fold is a copy, and
#: learners keep another.
BLOCK_BYTES, LARGE = 1 << 28, 1 << 30
#: Parts and matrices of all folds are kept for the next model below this size (bytes of features), of the last fold
#: above it: a task of that size has one fold.
KEEP_BYTES = 2 << 30


@dataclass
class FoldFeatures:
    """What is kept of one fold while its rows stay the same: the features of each part, what was taken out of them
    (``without``), and ``shared``, where models keep what is expensive to build, by whose code they are."""

    parts: dict[int, Features]
    without: WithoutGC | None = None
    shared: dict[str, dict[str, Any]] = field(default_factory=dict)

    def shared_of(self, cls: type, *, alone: bool) -> dict[str, Any]:
        """What models of one package or plugin file keep of this fold; with ``alone`` what others keep is let go of."""
        mine = owner(cls)
        if alone:
            self.shared = {mine: self.shared.get(mine, {})}
        return self.shared.setdefault(mine, {})


@dataclass
class Workspace:
    """What successive jobs share: the features of the last (task, featurizer), the parts of its folds, the matrices
    that models built from them, and the features of shuffled rows under every featurizer of the last task."""

    key: tuple[str, PluginRecipe | None] | None = None
    features: Features | None = None
    feature_seconds: float = 0.0
    folds: dict[str, FoldFeatures] = field(default_factory=dict)
    shuffles: KeptShuffles = field(default_factory=KeptShuffles)

    def let_go(self) -> None:
        """Give back the memory of what is kept for speed alone: the next job makes it again."""
        self.folds = {}
        self.shuffles.let_go()

    def features_of(self, task: Task, featurizer: Made | None) -> Features:
        """Features of every row of a task; computed once and held until another task or featurizer is asked for."""
        key = (task.digest, None if featurizer is None else plugin_recipe(featurizer))
        if self.key != key or self.features is None:
            if self.key is not None and self.key[0] == key[0]:
                self.shuffles.let_go(self.key[1])
            else:
                self.shuffles = KeptShuffles()
            self.key, self.features, self.folds = key, None, {}
            began = time.perf_counter()
            self.features = compute_features(task, featurizer)
            self.feature_seconds = time.perf_counter() - began
        return self.features

    def shuffled_rows(self, featurizer: Made) -> ShuffledRows:
        """Shuffled rows under the featurizer whose features were asked for last."""
        assert self.key is not None
        return ShuffledRows(self.shuffles, self.key[1], featurizer.cls.cheap)

    def fold_of(
        self, features: Features, rows: dict[int, NDArray[np.int64]], fold: int, gc: NDArray[Any] | None = None
    ) -> FoldFeatures:
        """Features of each part of a fold, less their curve of GC content where ``gc`` is given (of all rows of the
        task); kept for as long as its rows stay these."""
        digest = hashlib.sha256()
        for code in sorted(rows):
            digest.update(rows[code].tobytes())
        key = f"{fold}-{digest.hexdigest()[:16]}"
        if key not in self.folds:
            parts = {code: features.take(index) for code, index in rows.items()}
            without = None if gc is None else WithoutGC.fitted(parts[TRAIN], gc[rows[TRAIN]])
            if gc is not None and without is not None:
                parts = {code: without(part, gc[rows[code]]) for code, part in parts.items()}
            if features.values.nbytes > KEEP_BYTES:
                self.folds.clear()
            self.folds[key] = FoldFeatures(parts, without)
        return self.folds[key]


def compute_features(task: Task, featurizer: Made | None) -> Features:
    """Features of every row, made block by block. Where they would take more than ``LARGE`` bytes they are `LazyRows`:
    made again at each use (a cheap featurizer's), or read from a file without a name in the cache folder.

    Raises
    ------
    BenchError : where the featurizer returns the wrong shape or something that is not finite or no number, and where
        it writes into what it was handed.
    """
    if featurizer is None:
        return Features(np.zeros((len(task), 0), np.float32), "table")
    if not len(task):
        raise BenchError(f"{task.card.name}: has no rows.")
    made: Featurizer = featurizer.new()
    sequences = sequences_for(task, featurizer)

    def featurize(rows: Any) -> NDArray[Any]:
        block = sequences.take(rows)
        with writes_refused(featurizer.name, arrays_of(block)):
            given = made.of_rows(task.row_id[rows]) if isinstance(made, OutsideFeatures) else made.transform(block)
        piece = plain_array(given, featurizer.name, "features")
        _check_features(piece, rows=np.arange(len(task))[rows], name=featurizer.name, kind=made.kind)
        # A third-party one may hand out one buffer again and again, and write over what it gave before.
        return piece if featurizer.built_in else piece.copy()

    few = featurize(slice(0, 2))
    size = len(task) * few[0].nbytes
    if len(task) <= BLOCK_ROWS and size <= LARGE:  # few rows may be wide
        return Features(featurize(slice(None)), made.kind)
    if size > LARGE and made.cheap:
        return _lazy(featurize, task, few, made.kind)
    shape = (len(task), *few.shape[1:])
    values: NDArray[Any] = np.empty(shape, few.dtype) if size <= LARGE else scratch_array(shape, few.dtype)
    _fill(values, featurize, featurizer.name)
    if size <= LARGE:
        return Features(values, made.kind)
    return _lazy(lambda rows: np.array(values[rows]), task, few, made.kind)


def _lazy(read: Callable[[NDArray[np.int64]], NDArray[Any]], task: Task, few: NDArray[Any], kind: Kind) -> Features:
    """Features of every row of a task that are read when needed; ``few`` is how some of them look."""
    return Features(LazyRows(read, np.arange(len(task)), few.shape[1:], few.dtype), kind)


def _fill(values: NDArray[Any], featurize: Callable[[slice], NDArray[Any]], name: str) -> None:
    """Write the features of every row into ``values``, block by block."""
    step = max(min(BLOCK_ROWS, BLOCK_BYTES // max(values[0].nbytes, 1)), 1)
    for first in range(0, len(values), step):
        rows = slice(first, min(first + step, len(values)))
        piece = featurize(rows)
        if piece.shape[1:] != values.shape[1:] or piece.dtype != values.dtype:
            raise BenchError(
                f"{name}: every block of rows must have one shape and dtype. Got {values.shape[1:]} {values.dtype},"
                f" then {piece.shape[1:]} {piece.dtype}.",
                status=1,
            )
        values[rows] = piece


def _check_features(values: NDArray[Any], *, rows: NDArray[np.int64], name: str, kind: str) -> None:
    wanted = {"table": 2, "codes": 2, "signal": 3}[kind]
    if values.ndim != wanted or len(values) != len(rows):
        raise BenchError(
            f"{name}: transform must return a {wanted}-dimensional array with one row per sequence ({len(rows)})."
            f" Got shape {values.shape}.",
            status=1,
        )
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        wrong = int(np.argwhere(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))[0, 0])
        raise BenchError(f"{name}: features must be finite. Got NaN or infinity in row {rows[wrong] + 1}.", status=1)
