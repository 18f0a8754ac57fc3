"""What is explained: the predictions of one result, and the model that made them where it can be asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.fit.predictor import Predictor
from bench.motifs.motif import Motif
from bench.sequences import Sequences
from bench.tasks.task import Task


@dataclass(frozen=True)
class Effort:
    """How much is looked at. The figures are chosen so that a network's screening and 200 rows of mutations stay below
    five minutes on two cores, and with ``QUICK`` below half a minute.

    ladder_rows : test rows that the surrogates are fitted on. folds : of the surrogates.
    backgrounds : sequences that every motif is planted into at first; ``again``, that the ``second`` strongest are then
    planted into. families : that dose and position are looked at for; ``pairs`` of them also by their distance.
    rows : whose every base is changed.
    networks : of a fold whose filters are looked at; ``filter_rows`` give their windows, and in ``influence_rows`` each
    filter is set to its mean.
    """

    ladder_rows: int = 3000
    folds: int = 5
    backgrounds: int = 24
    second: int = 80
    again: int = 128
    families: int = 20
    pairs: int = 4
    rows: int = 200
    networks: int = 3
    filter_rows: int = 500
    influence_rows: int = 64


class NotAsked(Exception):
    """A question that cannot be asked of a model; it says why."""


FULL = Effort()
QUICK = Effort(
    ladder_rows=800,
    folds=3,
    backgrounds=8,
    second=30,
    again=32,
    families=5,
    pairs=2,
    rows=20,
    networks=1,
    filter_rows=200,
    influence_rows=32,
)


@dataclass(frozen=True, eq=False)
class Subject:
    """One result.

    Attributes
    ----------
    row, fold : int64 (m,), its measured test rows and the fold that tests each. prediction : float64 (m,).
    features : features of sequences by a featurizer's name, (n, columns).
    motifs : those to look for; ``source`` says which.
    predictor : None for predictions made elsewhere.
    """

    task: Task
    target: str
    name: str
    row: NDArray[np.int64]
    fold: NDArray[np.int64]
    prediction: NDArray[np.float64]
    features: Callable[[str, Sequences], NDArray[Any]]
    motifs: tuple[Motif, ...]
    motif_features: str
    source: str
    predictor: Predictor | None = None
    seed: int = 0
    _tables: dict[tuple[str, int], NDArray[Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def centred(self) -> NDArray[np.float64]:
        """Predictions less their mean within the fold: each fold's model has a level of its own, float64 (m,)."""
        out = self.prediction.astype(np.float64)
        for fold in np.unique(self.fold):
            mine = self.fold == fold
            out[mine] -= out[mine].mean()
        return out

    @property
    def spread(self) -> float:
        """Standard deviation of the predictions of test rows within folds: the unit of every effect; 1 for a model that
        predicts one value."""
        return 1.0 if self.constant else float(np.std(self.centred))

    @property
    def constant(self) -> bool:
        """Whether all test rows of a fold are predicted to have one value (but for rounding)."""
        return bool(np.std(self.centred) <= 1e-6 * max(float(np.abs(self.prediction).max(initial=0.0)), 1e-300))

    def rng(self, question: int) -> np.random.Generator:
        """Random numbers of one question, whatever the others drew."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, question]))

    def predict(self, sequences: Sequences, fold: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predictions float64 (n,), each by the model of the fold named: one that did not train on the row that the
        sequence is of."""
        assert self.predictor is not None
        out = np.empty(len(sequences))
        for each in np.unique(fold):
            mine = np.flatnonzero(fold == each)
            out[mine] = self.predictor.predict(sequences.take(mine), [int(each)])[:, 0]
        return out

    def some(self, most: int, question: int) -> NDArray[np.int64]:
        """Places among the test rows, at most so many, drawn at random, in order: int64 (k,)."""
        if len(self.row) <= most:
            return np.arange(len(self.row))
        return np.sort(self.rng(question).choice(len(self.row), most, replace=False))

    def table(self, featurizer: str, place: NDArray[np.int64]) -> NDArray[Any]:
        """Features of some test rows (k, columns), kept for the next question that asks for the same."""
        key = featurizer, hash(place.tobytes())
        if key not in self._tables:
            self._tables[key] = self.features(featurizer, self.sequences(self.codes(place), self.row[place]))
        return self._tables[key]

    def codes(self, place: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
        """Bases of some of the test rows, by their places among them."""
        return [self.task.sequences.codes(int(row)) for row in self.row[place]]

    def sequences(self, codes: list[NDArray[np.uint8]], row: NDArray[np.int64]) -> Sequences:
        """Designed sequences, each with the covariates of a row of the task, padded by featurizers as the task's."""
        lengths = np.fromiter(map(len, codes), np.int64, len(codes))
        stop = np.cumsum(lengths)
        made = Sequences.from_intervals(
            np.concatenate(codes) if codes else np.zeros(0, np.uint8),
            stop - lengths,
            stop,
            covariates={name: values[row] for name, values in self.task.sequences.covariates.items()},
        )
        return dataclasses.replace(made, width=max(self.task.sequences.width, made.width))
