"""What a fitted model predicts on dinucleotide shuffles of its test rows: how far composition alone takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.files.scratch import scratch_array
from bench.tasks.task import Task

#: Shuffles of a row, over which its prediction is averaged.
SHUFFLES = 10
#: Test rows of a fold that are shuffled at most, evenly spaced: 100,000 predictions a fold. A Spearman over 10,000 rows
#: has a standard error of .01.
MOST_ROWS = 10_000
#: Bytes of features of shuffled rows that are kept for the next model, in memory and in files without a name in the
#: cache folder. Both are of a process, over all folds and featurizers of its task.
KEEP_BYTES, SCRATCH_BYTES = 1 << 29, 8 << 30


@dataclass
class KeptShuffles:
    """Features of shuffled rows that are kept, of all featurizers of one task.

    Every model, seed and target sees the same shuffles of a row: they follow from the row's place in its fold alone.
    Those of a featurizer that is as fast as a disk (``cheap``) are held in memory, while it is in use; those of others,
    which may take a hundred times as long, in a file, for as long as their task is.

    Attributes
    ----------
    kept : by featurizer, fold (the bytes of its row numbers) and number of the shuffle.
    """

    kept: dict[tuple[object, bytes, int], Features] = field(default_factory=dict)
    in_memory: dict[tuple[object, bytes, int], int] = field(default_factory=dict)
    scratch_bytes: int = 0

    def let_go(self, featurizer: object | None = None) -> None:
        """Give back the memory of what is held in memory; of all, or of one featurizer."""
        for name in [name for name in self.in_memory if featurizer is None or name[0] == featurizer]:
            del self.kept[name], self.in_memory[name]

    def keep(self, name: tuple[object, bytes, int], features: Features, *, cheap: bool) -> Features:
        """Keep features if there is room; them as they are kept."""
        values = features.values
        if not isinstance(values, np.ndarray):
            return features
        file = None if cheap else self._file(values)
        if file is not None:
            features = Features(file, features.kind)
        elif sum(self.in_memory.values()) + values.nbytes <= KEEP_BYTES:
            self.in_memory[name] = values.nbytes
        else:
            return features
        self.kept[name] = features
        return features

    def _file(self, values: NDArray[Any]) -> NDArray[Any] | None:
        """A copy in a file; None where there is no room for it: what is kept for speed alone fails nothing."""
        if self.scratch_bytes + values.nbytes > SCRATCH_BYTES:
            return None
        try:
            file = scratch_array(values.shape, values.dtype)
        except BenchError:
            return None
        file[:] = values
        self.scratch_bytes += values.nbytes
        return file


@dataclass(frozen=True, eq=False)
class ShuffledRows:
    """The shuffled rows of a task under one featurizer, shared by the models that predict them.

    Attributes
    ----------
    featurizer : what tells it from others in ``shuffles``. ``cheap`` : as of a featurizer.
    """

    shuffles: KeptShuffles
    featurizer: object
    cheap: bool

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
        chosen = shuffled_places(rows)
        place = np.searchsorted(rows, chosen)
        total: Any = 0.0
        for number in range(SHUFFLES):
            name = self.featurizer, chosen.tobytes(), number
            features = self.shuffles.kept.get(name)
            if features is None:
                made = featurize(shuffled_task(task, chosen, number))
                features = self.shuffles.keep(name, made, cheap=self.cheap)
            total = total + predict(features).astype(np.float64)
        mean = np.full((len(rows), total.shape[1]), np.nan, np.float32)
        mean[place] = total / SHUFFLES
        return mean


def shuffled_places(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows, of some in ascending order, that are shuffled."""
    place = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).astype(np.int64))
    return rows[place]


def shuffled_task(task: Task, rows: NDArray[np.int64], number: int) -> Task:
    """Shuffle ``number`` of some rows, as a task of their own."""
    from bench.kernels.shuffle import dinucleotide_shuffle

    shuffled = dinucleotide_shuffle(task.sequences.take(rows), seed=number)
    return dataclasses.replace(task, sequences=shuffled, row_id=task.row_id[rows])
