"""Fit one job - a model on one featurizer's features, every fold - and return its results. Writes nothing."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, one_line
from bench.featurizer import Features
from bench.fit.features import LARGE, FoldFeatures, Workspace, compute_features
from bench.fit.handed import lock, plain_array, writes_refused
from bench.fit.kept import packed
from bench.fit.recipe import COMMON_LIBRARIES, Recipe, check_recipe, kind_of_targets, may_flip
from bench.fit.residual import WithoutGC
from bench.fit.scale import TargetScale
from bench.fit.shuffled import shuffled_places
from bench.model import Group, Model, Part, Setting
from bench.plugins.libraries import library_versions, used_libraries
from bench.plugins.registry import Made
from bench.store.predictions import Predictions, join, rows_of_parts, scores
from bench.store.record import Fitted
from bench.tasks.task import TEST, TRAIN, VALID, Folds, Task

#: Rows times columns that a model is handed to fit on: of each XGBoost keeps 2 bytes (2.03 at 5,120 columns), LightGBM
#: one and two more in a copy by rows, 11.7 GB. A model that states its own need of memory is handed everything.
MOST_VALUES = 3_900_000_000

#: Rounds or epochs of a learning curve that are kept of each fold.
MOST_ROUNDS = 10_000

#: Row numbers or arrays of each part of a fold, by its code.
Rows = dict[int, NDArray[np.int64]]
ByPart = dict[int, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class FitJob:
    """What a fit is asked for.

    Attributes
    ----------
    featurizer : None for a model that looks at no features.
    targets : one name, or all that a multitask model learns together.
    groups : one per fold where several processes fit one model together. Each fits its share of the training rows and
        returns predictions of its share of every part; `bench.run.places.spread` puts them together.
    recipe : what the job was planned from; a fit of anything else is refused. None where nothing was planned.
    keep : hand back the fitted models too.
    """

    task: Task
    folds: Folds
    featurizer: Made | None
    model: Made
    seed: int
    targets: tuple[str, ...]
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    groups: tuple[Group, ...] = ()
    recipe: Recipe | None = None
    keep: bool = False

    @property
    def reverse_complement(self) -> bool:
        """Whether the model may use the other strand of a row as well."""
        if self.recipe is not None:
            return self.recipe.reverse_complement
        return self.task.card.orientation == "free" and may_flip(self.model)

    @property
    def kind(self) -> Literal["regression", "binary"]:
        """Of the targets, which are of one kind where they are fitted together."""
        return kind_of_targets(self.task, self.targets)

    @property
    def libraries(self) -> set[str]:
        """The libraries that take part."""
        plugins = (self.model,) if self.featurizer is None else (self.model, self.featurizer)
        return {*COMMON_LIBRARIES, *used_libraries(name for each in plugins for name in each.cls.libraries)}

    def check(self, when: str) -> None:
        """Refuse what does not follow from the recipe.

        Raises
        ------
        BenchError : naming what changed.
        """
        if self.recipe is not None:
            check_recipe(self.recipe, self.task, self.folds, self.featurizer, self.model, self.targets, when)

    def values(self) -> NDArray[np.float64]:
        """What was measured, float64 (rows of the task, targets)."""
        return np.stack([self.task.targets[name].value for name in self.targets], axis=1)


@dataclass(frozen=True, eq=False)
class FitResult:
    """What the fit of one target leaves behind. ``models`` : the fitted model of every fold as bytes
    (`bench.fit.kept`), where they were asked for and can be kept."""

    target: str
    record: Fitted
    predictions: Predictions
    models: tuple[bytes, ...] = ()


def fit_job(
    job: FitJob,
    workspace: Workspace,
    say: Callable[[str], None] = lambda line: None,
    fitted: Callable[[Model], None] = lambda model: None,
) -> list[FitResult]:
    """Fit every fold and predict its training, validation and test rows, and dinucleotide shuffles of the test rows.

    Where the training rows are too many to hold (`most_rows`), evenly spaced ones are fitted; ``fitted_rows`` of the
    record says how many in each fold. ``say`` takes lines of progress, ``fitted`` the model of each fold once it has
    predicted.

    Returns
    -------
    One result for each target, in their order.

    Raises
    ------
    BenchError : also where the plugins, their files or the data are not those of the job's recipe, before the fit or
        after it.
    """
    job.check("changed since it was planned")
    results = _Fitting(job, workspace, say, fitted).results()
    job.check("changed while it was fitted")
    return results


@dataclass(frozen=True, eq=False)
class _FittedFold:
    """What is left of a fold: predictions of each target, and what the record says of it."""

    predictions: list[Predictions]
    fitted_rows: int
    history: list[dict[str, float]]
    device: str
    model: bytes | None = None


@dataclass
class _Stopwatch:
    """Seconds by step."""

    seconds: dict[str, float]

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        """Count the block's seconds as this step's."""
        began = time.perf_counter()
        yield
        self.seconds[step] += time.perf_counter() - began


class _Fitting:
    """A job at work: its features, its measured values, one fold after the other."""

    def __init__(
        self, job: FitJob, workspace: Workspace, say: Callable[[str], None], fitted: Callable[[Model], None]
    ) -> None:
        self.job, self.workspace, self.say, self.fitted = job, workspace, say, fitted
        self.features = workspace.features_of(job.task, job.featurizer)
        self.values = job.values()
        self.gc = self._gc()
        self.watch = _Stopwatch(
            {"features": round(workspace.feature_seconds, 3), "fit": 0.0, "predict": 0.0, "shuffled": 0.0}
        )

    def results(self) -> list[FitResult]:
        """Fit all folds and put them together."""
        job, count = self.job, len(self.job.folds)
        folds = [self._fold(fold) for fold in range(count)]
        seconds = {step: round(value, 3) for step, value in self.watch.seconds.items()}
        finished = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        kept = tuple(fold.model for fold in folds if fold.model is not None)
        results = []
        for j, name in enumerate(job.targets):
            joined = join([fold.predictions[j] for fold in folds])
            record = Fitted(
                device=folds[-1].device,
                threads=job.threads,
                seconds=seconds,
                rows=rows_of_parts(joined, count),
                fitted_rows=[fold.fitted_rows for fold in folds],
                spearman=scores(joined, self.values[:, j], count),
                history=[fold.history for fold in folds],
                versions=library_versions(job.libraries),
                finished=finished,
            )
            results.append(FitResult(name, record, joined, kept if len(kept) == count else ()))
        return results

    def _fold(self, fold: int) -> _FittedFold:
        """Train on a fold and predict it."""
        self._say(fold, "")
        rows = self._rows(fold)
        kept = self.workspace.fold_of(self.features, rows, fold, self.gc)
        setting = self._setting(fold, kept)
        # Every so-many-th row: bins are found from them, and neighbours in the genome are alike.
        share = slice(None) if setting.group is None else slice(setting.group.rank, None, len(setting.group.addresses))
        parts = kept.parts if setting.group is None else {code: x.take(share) for code, x in kept.parts.items()}
        learner: Model = self.job.model.new()
        learner.history = []
        with self.watch.time("fit"):
            train, valid = self._training_parts(rows, kept, share)
            train = self._at_most(train, most_rows(learner, self.features), setting)
            handed = {"train.x": train.x.values, "train.y": train.y, "valid.x": valid.x.values, "valid.y": valid.y}
            with writes_refused(self.job.model.name, handed):
                learner.fit(train, valid, setting)
            lock(setting.shared)
        predict = partial(predictions_of, learner, len(self.job.targets), self.job.model.name)
        with self.watch.time("predict"):
            predicted = {code: predict(parts[code]) for code in (TRAIN, VALID, TEST)}
        shuffled = self._on_shuffles(rows, predicted, predict, share, kept.without)
        mine = {code: index[share] for code, index in rows.items()}
        self.fitted(learner)
        return _FittedFold(
            [self._predictions(fold, j, mine, predicted, shuffled) for j in range(len(self.job.targets))],
            len(train.y),
            plain_history(learner.history, self.job.model.name),
            plain_device(learner.device_used, self.job.model.name),
            self._packed(fold, learner),
        )

    def _packed(self, fold: int, learner: Model) -> bytes | None:
        """The fitted model as bytes, where it is to be kept. One that cannot be does not fail its fit."""
        if not self.job.keep:
            return None
        if self.gc is not None:
            self._say(fold, "a model of residual features is not kept")
            return None
        try:
            return packed(learner, self.job.model.name)
        except BenchError as error:
            self._say(fold, error)
            return None

    def _gc(self) -> NDArray[np.float32] | None:
        """GC content of the task's rows where it is taken out of the features."""
        featurizer = self.job.featurizer
        if featurizer is None or not getattr(featurizer.new(), "residualise", ""):
            return None
        from bench.kernels.gc import gc_fraction

        return gc_fraction(self.job.task.sequences)

    def _rows(self, fold: int) -> Rows:
        """Measured rows of each part."""
        part, measured = self.job.folds.part[fold], np.isfinite(self.values).any(axis=1)
        return {code: np.flatnonzero((part == code) & measured) for code in (TRAIN, VALID, TEST)}

    def _setting(self, fold: int, kept: FoldFeatures) -> Setting:
        job = self.job
        return Setting(
            seed=job.seed,
            device=job.device,
            threads=job.threads,
            reverse_complement=job.reverse_complement,
            shared=kept.shared_of(job.model.cls, alone=self.features.values.nbytes > LARGE),
            say=partial(self._say, fold),
            group=job.groups[fold] if job.groups else None,
            kind=job.kind,
        )

    def _say(self, fold: int, line: object) -> None:
        """Tell people a line of a fold. What cannot be told is left out: it never fails a fit."""
        try:
            said = f"fold {fold + 1}/{len(self.job.folds)} {line}".rstrip()
        except Exception:
            return
        self.say(said)

    def _training_parts(self, rows: Rows, kept: FoldFeatures, share: slice) -> tuple[Part, Part]:
        """This process's share of the training rows, and all validation rows, with targets on the model's scale."""
        how = "label" if self.job.kind == "binary" else self.job.model.target
        scales = [TargetScale(column, how) for column in self.values[rows[TRAIN]].T]
        y = {}
        for code in (TRAIN, VALID):
            scaled = np.stack([scale(self.values[rows[code], j]) for j, scale in enumerate(scales)], axis=1)
            y[code] = np.ascontiguousarray(scaled if len(scales) > 1 else scaled[:, 0])
        train, valid = Part(kept.parts[TRAIN], y[TRAIN]), Part(kept.parts[VALID], y[VALID])
        return train if share == slice(None) else Part(train.x.take(share), train.y[share]), valid

    def _at_most(self, train: Part, most: int, setting: Setting) -> Part:
        """The training rows, or evenly spaced ones of them."""
        if len(train.y) <= most:
            return train
        few = np.linspace(0, len(train.y) - 1, most).astype(np.int64)
        setting.say(f"{self.job.model.name}: fitted on {most:,} of {len(train.y):,} rows, all that fit in memory")
        return Part(train.x.take(few), train.y[few])

    def _on_shuffles(
        self,
        rows: Rows,
        predicted: ByPart,
        predict: Callable[[Features], NDArray[np.float32]],
        share: slice,
        without: WithoutGC | None,
    ) -> ByPart | None:
        """Predictions on shuffles of the test rows, NaN in other parts; None for a featurizer that sees no bases."""
        featurizer = self.job.featurizer
        if featurizer is None or featurizer.cls.role != "sequence":
            return None
        with self.watch.time("shuffled"):
            featurize = partial(compute_features, featurizer=featurizer)
            shuffled = {code: np.full_like(predicted[code], np.nan) for code in (TRAIN, VALID)}
            of_rows = self.workspace.shuffled_rows(featurizer)
            given = predict
            if without is not None and self.gc is not None:  # a shuffle has the GC content of its row
                gc = self.gc[shuffled_places(rows[TEST])]

                def given(features: Features) -> NDArray[np.float32]:
                    return predict(without(features, gc))

            shuffled[TEST] = of_rows.predict(self.job.task, rows[TEST], featurize, given)[share]
        return shuffled

    def _predictions(self, fold: int, j: int, rows: Rows, predicted: ByPart, shuffled: ByPart | None) -> Predictions:
        """Predictions of one target where it was measured."""
        pieces = []
        for code, values in predicted.items():
            known = np.isfinite(self.values[rows[code], j])
            n = int(known.sum())
            pieces.append(
                Predictions(
                    rows[code][known].astype(np.int32),
                    np.full(n, fold, np.int8),
                    np.full(n, code, np.int8),
                    values[known, j],
                    None if shuffled is None else shuffled[code][known, j],
                )
            )
        return join(pieces)


def most_rows(model: Model, features: Features) -> int:
    """Training rows a model is handed at most: as many as ``MOST_VALUES`` allows, unless it says how little memory it
    needs itself or takes its rows in batches (it takes no table)."""
    stated = model.memory(len(features), features.columns, features.values.dtype.itemsize)
    if stated is not None or "table" not in model.takes:
        return len(features)
    return max(MOST_VALUES // max(features.columns, 1), 1)


def predictions_of(fitted: Model, targets: int, name: str, x: Features) -> NDArray[np.float32]:
    """Predictions float32 (n, targets), checked."""
    rows = len(x)
    with writes_refused(name, {"x": x.values}):
        given = fitted.predict(x)
    # A copy: a model may hand out one buffer again and again.
    values = np.array(plain_array(given, name, "predictions"), np.float32)
    if values.shape not in {(rows,), (rows, targets)} or (values.ndim == 1 and targets > 1):
        wanted = f"({rows},)" if targets == 1 else f"({rows}, {targets})"
        raise BenchError(f"{name}: predict must return shape {wanted}. Got {values.shape}.", status=1)
    if not np.isfinite(values).all():
        raise BenchError(
            f"{name}: predictions must be finite. Got {int((~np.isfinite(values)).sum())} that are not.", status=1
        )
    return values.reshape(rows, targets)


def plain_history(history: Any, name: str) -> list[dict[str, float]]:
    """The learning curve of a model as it can be kept: text and floats. Of a long one ``MOST_ROUNDS`` rounds are kept.

    Raises
    ------
    BenchError : for what is no list of dictionaries of numbers.
    """
    try:
        entries = list(history or [])
        if len(entries) > MOST_ROUNDS:
            entries = [entries[i] for i in np.linspace(0, len(entries) - 1, MOST_ROUNDS).astype(int)]
        return [{str(key): round(float(value), 6) for key, value in entry.items()} for entry in entries]
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BenchError(
            f"{name}: history must be a list of dictionaries of numbers, one a round or epoch ({one_line(error)}).",
            status=1,
        ) from error


def plain_device(device: Any, name: str) -> str:
    """The device that a model says it used.

    Raises
    ------
    BenchError : for what is no text.
    """
    if not isinstance(device, str):
        raise BenchError(f"{name}: device_used must be text, such as 'cpu'. Got a {type(device).__name__}.", status=1)
    return one_line(str(device))[:100]
