"""Fit one job - a model on one featurizer's features, every fold - and return its results' predictions. Writes nothing.

A job is described by plain values (``JobSpec``), so that it can run here, in a child process or on another machine.
"""

from __future__ import annotations

import datetime
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features, Featurizer, LazyRows
from bench.files.scratch import scratch_array
from bench.fit.recipe import library_versions
from bench.fit.shuffled import ShuffledRows
from bench.model import Group, Model, Part, Setting
from bench.plugins.registry import Made
from bench.sequences import Sequences
from bench.store.predictions import Predictions, join, rows_of_parts, scores
from bench.store.record import Fitted
from bench.tasks.task import TEST, TRAIN, VALID, Folds, Task

#: Rows a featurizer is handed at a time: large enough for two cores, small enough to stay in memory.
BLOCK_ROWS = 65_536
#: Bytes of features a block may have, and above which features are not held in memory: a part of a fold is a copy, and
#: learners keep another.
BLOCK_BYTES, LARGE = 1 << 28, 1 << 30
#: Rows times columns that a model is handed to fit on: boosters keep 2 bytes of each (XGBoost 2.03 at 5,120 columns),
#: 8 GB. A model that states its own need of memory is handed everything.
MOST_VALUES = 4_000_000_000
#: Parts and matrices of all folds are kept for the next model below this size (bytes of features), of the last fold
#: above it: a task of that size has one fold.
KEEP_BYTES = 2 << 30


@dataclass(frozen=True, eq=False)
class FitResult:
    """What the fit of one target leaves behind."""

    target: str
    record: Fitted
    predictions: Predictions


@dataclass
class Workspace:
    """What successive jobs share: the features of the last (task, featurizer) and, per fold and set of rows, the
    matrices that models built from them."""

    key: tuple[str, str] | None = None
    features: Features | None = None
    feature_seconds: float = 0.0
    shared: dict[str, dict[str, Any]] = field(default_factory=dict)
    shuffles: ShuffledRows = field(default_factory=ShuffledRows)

    def let_go(self) -> None:
        """Give back the memory of what is kept for speed alone: the next job makes it anew."""
        self.shared, self.shuffles = {}, ShuffledRows()

    def features_of(self, task: Task, featurizer: Made | None) -> Features:
        """Features of every row of a task; computed once and kept until another task or featurizer is asked for."""
        key = (task.digest, "none" if featurizer is None else featurizer.name)
        if self.key != key or self.features is None:
            self.key, self.features = key, None
            self.let_go()
            began = time.perf_counter()
            self.features = compute_features(task, featurizer)
            self.feature_seconds = time.perf_counter() - began
        return self.features


def compute_features(task: Task, featurizer: Made | None) -> Features:
    """Features of every row, made block by block. Where they would take more than ``LARGE`` bytes they are `LazyRows`:
    made anew at each use (a cheap featurizer's), or read from a file without a name in the cache folder.

    Raises
    ------
    BenchError : where the featurizer returns the wrong shape or something that is not finite.
    """
    if featurizer is None:
        return Features(np.zeros((len(task), 0), np.float32), "table")
    if not len(task):
        raise BenchError(f"{task.card.name}: has no rows.")
    made: Featurizer = featurizer.new()

    def featurize(sequences: Sequences) -> NDArray[Any]:
        piece = np.asarray(made.transform(sequences))
        _check_features(piece, block_rows=len(sequences), name=featurizer.name, kind=made.kind)
        return piece

    few = featurize(task.sequences.take(slice(0, 2)))
    size = len(task) * few[0].nbytes
    if len(task) <= BLOCK_ROWS and size <= LARGE:  # few rows may be wide
        return Features(featurize(task.sequences), made.kind)
    every = np.arange(len(task))
    if size > LARGE and made.cheap:
        return Features(
            LazyRows(lambda rows: featurize(task.sequences.take(rows)), every, few.shape[1:], few.dtype), made.kind
        )
    shape = (len(task), *few.shape[1:])
    values: NDArray[Any] = np.empty(shape, few.dtype) if size <= LARGE else scratch_array(shape, few.dtype)
    for rows, block in task.sequences.blocks(max(min(BLOCK_ROWS, BLOCK_BYTES // max(few[0].nbytes, 1)), 1)):
        piece = featurize(block)
        if piece.shape[1:] != few.shape[1:] or piece.dtype != few.dtype:
            raise BenchError(
                f"{featurizer.name}: every block of rows must have one shape and dtype. Got {few.shape[1:]}"
                f" {few.dtype}, then {piece.shape[1:]} {piece.dtype}.",
                status=1,
            )
        values[rows] = piece
    if size <= LARGE:
        return Features(values, made.kind)
    return Features(LazyRows(lambda rows: np.array(values[rows]), every, few.shape[1:], few.dtype), made.kind)


def _check_features(values: NDArray[Any], *, block_rows: int, name: str, kind: str) -> None:
    wanted = {"table": 2, "codes": 2, "signal": 3}[kind]
    if values.ndim != wanted or len(values) != block_rows:
        raise BenchError(
            f"{name}: transform must return a {wanted}-dimensional array with one row a sequence ({block_rows})."
            f" Got shape {values.shape}.",
            status=1,
        )
    if not np.issubdtype(values.dtype, np.number) and values.dtype != np.bool_:
        raise BenchError(f"{name}: features must be numbers. Got dtype {values.dtype}.", status=1)
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        row = int(np.argwhere(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))[0, 0])
        raise BenchError(f"{name}: features must be finite. Got NaN or infinity in row {row}.", status=1)


class TargetScale:
    """The scale a model fits: the rank-Gaussian transform of the training rows (or the z-score, ``raw``), carried over
    to other rows by linear interpolation between training values. Why ranks: a heavy-tailed target otherwise teaches a
    squared loss its few largest values only."""

    def __init__(self, train: NDArray[np.float64], how: Literal["rank", "raw"]) -> None:
        from bench.stats.ranks import rank_gaussian

        measured = train[np.isfinite(train)]
        if how == "raw":
            self._from = np.array([measured.mean(), measured.mean() + (measured.std() or 1.0)])
            self._to = np.array([0.0, 1.0])
        else:
            self._from, first = np.unique(measured, return_index=True)
            self._to = rank_gaussian(measured)[first]
        self._how = how

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Values on the fitted scale, float32; NaN stays NaN."""
        if self._how == "raw":
            out = (values - self._from[0]) / (self._from[1] - self._from[0])
        else:
            out = np.interp(values, self._from, self._to)
        return np.where(np.isfinite(values), out, np.nan).astype(np.float32)


def fit_job(
    task: Task,
    folds: Folds,
    featurizer: Made | None,
    model: Made,
    seed: int,
    targets: tuple[str, ...],
    *,
    workspace: Workspace,
    device: Literal["cpu", "cuda"] = "cpu",
    threads: int = 1,
    say: Callable[[str], None] = lambda line: None,
    groups: tuple[Group, ...] = (),
) -> list[FitResult]:
    """Fit every fold and predict its training, validation and test rows, and dinucleotide shuffles of the test rows.

    ``targets`` has one name, or all that a multitask model learns together. Returns one result a target. Where the
    training rows are too many to hold (`most_rows`), evenly spaced ones are fitted; ``fitted_rows`` of the record says
    how many, a fold each.

    ``groups`` : one a fold where several processes call this to fit one model together. Each fits its share of the
    training rows and returns predictions of its share of every part; `bench.run.places.spread` puts them together.
    """
    features = workspace.features_of(task, featurizer)
    values = np.stack([task.targets[name].value for name in targets], axis=1)
    collected: list[list[Predictions]] = [[] for _ in targets]
    seconds = {"features": round(workspace.feature_seconds, 3), "fit": 0.0, "predict": 0.0, "shuffled": 0.0}
    shuffling = featurizer is not None and featurizer.cls.role == "sequence"
    histories: list[list[dict[str, float]]] = []
    fitted_rows: list[int] = []
    device_used = "cpu"
    for fold in range(len(folds)):
        part = folds.part[fold]
        measured = np.isfinite(values).any(axis=1)
        rows = {code: np.flatnonzero((part == code) & measured) for code in (TRAIN, VALID, TEST)}
        pieces, shared = _pieces(workspace, features, rows, fold)
        group = groups[fold] if groups else None
        fitted: Model = model.new()
        fitted.history = []
        setting = Setting(
            seed=seed,
            device=device,
            threads=threads,
            reverse_complement=task.card.orientation == "free",
            shared=shared,
            say=lambda line, fold=fold: say(f"fold {fold + 1}/{len(folds)} {line}"),  # type: ignore[misc]
            group=group,
        )
        y = {}
        scales = [TargetScale(values[rows[TRAIN], j], model.target) for j in range(len(targets))]
        for code in (TRAIN, VALID):
            scaled = np.stack([scale(values[rows[code], j]) for j, scale in enumerate(scales)], axis=1)
            y[code] = np.ascontiguousarray(scaled if len(targets) > 1 else scaled[:, 0])
        began = time.perf_counter()
        train, valid = Part(pieces[TRAIN], y[TRAIN]), Part(pieces[VALID], y[VALID])
        share = slice(None)
        if group is not None:
            # Every so-many-th row: bins are found from them, and neighbours in the genome are alike.
            share = slice(group.rank, None, len(group.addresses))
            train = Part(train.x.take(share), train.y[share])
            pieces = {code: piece.take(share) for code, piece in pieces.items()}
        most = most_rows(fitted, features)
        if len(train.y) > most:
            few = np.linspace(0, len(train.y) - 1, most).astype(np.int64)
            setting.say(f"{model.name}: fitted on {most:,} of {len(train.y):,} rows, all that fit in memory")
            train = Part(train.x.take(few), train.y[few])
        fitted_rows.append(len(train.y))
        fitted.fit(train, valid, setting)
        seconds["fit"] += time.perf_counter() - began
        began = time.perf_counter()
        predict = partial(_predict, fitted, len(targets), model.name)
        predicted = {code: predict(pieces[code]) for code in (TRAIN, VALID, TEST)}
        seconds["predict"] += time.perf_counter() - began
        on_shuffles = {}
        if shuffling:
            began = time.perf_counter()
            featurize = partial(compute_features, featurizer=featurizer)
            on_shuffles = {code: np.full_like(predicted[code], np.nan) for code in (TRAIN, VALID)}
            on_shuffles[TEST] = workspace.shuffles.predict(task, rows[TEST], featurize, predict)[share]
            seconds["shuffled"] += time.perf_counter() - began
        rows = {code: index[share] for code, index in rows.items()}
        for code, values_of_part in predicted.items():
            for j in range(len(targets)):
                known = np.isfinite(values[rows[code], j])
                n = int(known.sum())
                collected[j].append(
                    Predictions(
                        rows[code][known].astype(np.int32),
                        np.full(n, fold, np.int8),
                        np.full(n, code, np.int8),
                        values_of_part[known, j],
                        on_shuffles[code][known, j] if shuffling else None,
                    )
                )
        histories.append(_plain_history(fitted.history))
        device_used = fitted.device_used
    seconds = {key: round(value, 3) for key, value in seconds.items()}
    finished = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    results = []
    for j, name in enumerate(targets):
        joined = join(collected[j])
        record = Fitted(
            device=device_used,
            threads=threads,
            seconds=seconds,
            rows=rows_of_parts(joined, len(folds)),
            fitted_rows=fitted_rows,
            spearman=scores(joined, values[:, j], len(folds)),
            history=histories,
            versions=library_versions(tuple(model.cls.libraries)),
            finished=finished,
        )
        results.append(FitResult(name, record, joined))
    return results


def most_rows(model: Model, features: Features) -> int:
    """Training rows a model is handed at most: as many as ``MOST_VALUES`` allows, unless it says how little memory it
    needs itself or takes its rows in batches (it takes no table)."""
    stated = model.memory(len(features), features.columns, features.values.dtype.itemsize)
    if stated is not None or "table" not in model.takes:
        return len(features)
    return max(MOST_VALUES // max(features.columns, 1), 1)


def _pieces(
    workspace: Workspace, features: Features, rows: dict[int, NDArray[np.int64]], fold: int
) -> tuple[dict[int, Features], dict[str, Any]]:
    """Features of each part of a fold and the scratch that models share while the rows stay these."""
    digest = hashlib.sha256()
    for code in sorted(rows):
        digest.update(rows[code].tobytes())
    key = f"{fold}-{digest.hexdigest()[:16]}"
    if key in workspace.shared:
        shared = workspace.shared[key]
        return shared["bench: pieces"], shared["bench: models"]
    pieces = {code: features.take(index) for code, index in rows.items()}
    if features.values.nbytes > KEEP_BYTES:
        workspace.shared.clear()
    workspace.shared[key] = {"bench: pieces": pieces, "bench: models": {}}
    return pieces, workspace.shared[key]["bench: models"]


def _predict(fitted: Model, targets: int, name: str, x: Features) -> NDArray[np.float32]:
    """Predictions float32 (n, targets), checked."""
    rows = len(x)
    values = np.asarray(fitted.predict(x), np.float32)
    if values.shape not in {(rows,), (rows, targets)} or (values.ndim == 1 and targets > 1):
        wanted = f"({rows},)" if targets == 1 else f"({rows}, {targets})"
        raise BenchError(f"{name}: predict must return shape {wanted}. Got {values.shape}.", status=1)
    if not np.isfinite(values).all():
        raise BenchError(
            f"{name}: predictions must be finite. Got {int((~np.isfinite(values)).sum())} that are not.", status=1
        )
    return values.reshape(rows, targets)


def _plain_history(history: Any) -> list[dict[str, float]]:
    return [{str(key): round(float(value), 6) for key, value in entry.items()} for entry in history or []]
