"""What a fitted model predicts on dinucleotide shuffles of its test rows: how far composition alone takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.tasks.task import Task

#: Shuffles of a row, over which its prediction is averaged.
SHUFFLES = 10
#: Test rows of a fold that are shuffled at most, evenly spaced: 100,000 predictions a fold. A Spearman over 10,000 rows
#: has a standard error of .01.
MOST_ROWS = 10_000
#: Features of shuffled rows are kept for the next model only below this size, in bytes, over all folds.
KEEP_BYTES = 1 << 29


@dataclass
class ShuffledRows:
    """The shuffled rows of a task under one featurizer, shared by the models that predict them.

    Every model, seed and target sees the same shuffles of a row: they follow from the row's place in its fold alone.
    """

    kept: dict[tuple[bytes, int], Features] = field(default_factory=dict)
    bytes_kept: int = 0

    def predict(
        self,
        task: Task,
        rows: NDArray[np.int64],
        featurize: Callable[[Task], Features],
        predict: Callable[[Features], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Mean predictions over the shuffles of some rows, float32 (m, targets); NaN beyond ``MOST_ROWS`` of them.

        Parameters
        ----------
        rows : int64 (m,), row numbers of the task.
        featurize, predict : from a task to the features of its rows, and from those to float32 (n, targets).
        """
        place = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(np.int64))
        chosen = rows[place]
        name = chosen.tobytes()
        total: Any = 0.0
        for number in range(SHUFFLES):
            features = self.kept.get((name, number))
            if features is None:
                features = featurize(shuffled_task(task, chosen, number))
                size = int(features.values.nbytes)
                if self.bytes_kept + size <= KEEP_BYTES and isinstance(features.values, np.ndarray):
                    self.kept[name, number] = features
                    self.bytes_kept += size
            total = total + predict(features).astype(np.float64)
        mean = np.full((len(rows), total.shape[1]), np.nan, np.float32)
        mean[place] = total / SHUFFLES
        return mean


def shuffled_task(task: Task, rows: NDArray[np.int64], number: int) -> Task:
    """Shuffle ``number`` of some rows, as a task of their own."""
    from bench.kernels.shuffle import dinucleotide_shuffle

    shuffled = dinucleotide_shuffle(task.sequences.take(rows), seed=number)
    return dataclasses.replace(task, sequences=shuffled, row_id=task.row_id[rows])
