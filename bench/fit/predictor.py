"""A fitted job that is asked for predictions of any sequences, through ``transform`` and ``predict`` alone."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features, Featurizer
from bench.fit.features import compute_features
from bench.fit.first_layer import FirstLayer, first_layers
from bench.fit.fit import predictions_of
from bench.fit.inside import BaseGradients, base_gradients, column_contributions
from bench.model import Model
from bench.plugins.registry import Made
from bench.sequences import Sequences
from bench.tasks.task import Task

#: Sequences that are featurized at a time.
ROWS = 16_384


@dataclass(frozen=True, eq=False)
class Inside:
    """What a library told of fitted models. ``trees`` : float32 (n, columns + 1), contributions of the columns named
    (empty where they have no names) and the level. ``bases`` : a `bench.fit.inside.BaseGradients`. Each None where
    the model has none of it."""

    trees: NDArray[np.float32] | None
    columns: list[str]
    bases: BaseGradients | None


class Predictor(Protocol):
    """Sequences in, predictions out, for each fold's model."""

    @property
    def folds(self) -> int:
        """How many models there are."""

    def predict(self, sequences: Sequences, folds: Sequence[int] | None = None) -> NDArray[np.float32]:
        """Predictions of one target on the scale that was fitted, float32 (n, folds), of all folds' models or of some.

        ``sequences`` : with the covariates of the task, and of a width that is not above its own.
        """

    def mutants(self, sequences: Sequences, fold: int) -> NDArray[np.float32] | None:
        """Predictions by one fold's model of every row with one base changed, row after row, by position and then by
        the new base, float32 (3 · called bases,), from features that follow from the row's own; None where the
        featurizer has none of the kind."""

    def inside(self, sequences: Sequences, fold: int, reference: NDArray[np.float32]) -> Inside:
        """What the model's library tells of one fold's model."""

    def first_layers(self, sequences: Sequences, fold: int, most: int, few: int) -> list[FirstLayer] | None:
        """The first convolution of one fold's networks, as `bench.fit.first_layer.first_layers`."""


def _mutated_of(featurizer: Featurizer) -> Callable[[Featurizer, NDArray[np.uint8]], NDArray[Any] | None] | None:
    """What makes a featurizer's features of rows with one base changed; None where nobody wrote it."""
    try:
        module = importlib.import_module(f"{type(featurizer).__module__}_mutated")
    except ImportError:
        return None
    found: Callable[[Featurizer, NDArray[np.uint8]], NDArray[Any] | None] = module.mutated
    return found


@dataclass(frozen=True, eq=False)
class FittedModels:
    """The models of a job, one for each fold, in the process that may run them.

    Attributes
    ----------
    task : of the fit, for its medians of covariates.
    targets : how many were learned together.
    """

    task: Task
    featurizer: Made | None
    name: str
    models: tuple[Model, ...]
    targets: int

    def mutants(self, sequences: Sequences, place: int, fold: int) -> NDArray[np.float32] | None:
        """As `Predictor.mutants`, by what the featurizer's module called as its own with ``_mutated`` behind says."""
        if self.featurizer is None:
            return None
        made = self.featurizer.new()
        mutated = _mutated_of(made)
        if mutated is None:
            return None
        pieces = [np.zeros(0, np.float32)]
        for row in range(len(sequences)):
            values = mutated(made, sequences.codes(row))
            if values is None:
                return None
            if len(values):
                features = Features(values, "table")
                pieces.append(predictions_of(self.models[fold], self.targets, self.name, features)[:, place])
        return np.concatenate(pieces)

    def inside(self, sequences: Sequences, place: int, fold: int, reference: NDArray[np.float32]) -> Inside:
        """What the library tells of one fold's model. ``reference`` : as `bench.fit.inside.base_gradients`."""
        few = dataclasses.replace(self.task, sequences=sequences, row_id=np.arange(len(sequences)).astype(np.str_))
        features, model = compute_features(few, self.featurizer), self.models[fold]
        columns = [] if self.featurizer is None else self.featurizer.new().names(sequences)
        bases = base_gradients(model, sequences, place, reference) if features.kind == "codes" else None
        return Inside(column_contributions(model, features), [*map(str, columns)], bases)

    def first_layers(self, sequences: Sequences, place: int, fold: int, most: int, few: int) -> list[FirstLayer] | None:
        """The first convolution of one fold's networks, where they see bases."""
        task = dataclasses.replace(self.task, sequences=sequences, row_id=np.arange(len(sequences)).astype(np.str_))
        if compute_features(task, self.featurizer).kind != "codes":
            return None
        return first_layers(self.models[fold], sequences, place, most, few)

    def predict(self, sequences: Sequences, place: int, folds: Sequence[int]) -> NDArray[np.float32]:
        """Predictions of the target at a place, float32 (n, folds).

        Raises
        ------
        BenchError : for a fold that is not there, and whatever is wrong with features or predictions.
        """
        if wrong := [fold for fold in folds if not 0 <= fold < len(self.models)]:
            raise BenchError(f"{self.name}: has the folds 0 to {len(self.models) - 1}. Got {wrong[0]}.")
        out = np.empty((len(sequences), len(folds)), np.float32)
        for rows, block in sequences.blocks(ROWS):
            few = dataclasses.replace(self.task, sequences=block, row_id=np.arange(len(block)).astype(np.str_))
            features = compute_features(few, self.featurizer)
            for column, fold in enumerate(folds):
                out[rows, column] = predictions_of(self.models[fold], self.targets, self.name, features)[:, place]
        return out
