"""Sequences that stand on both sides of a split: a fact of a task under its folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.sequences import COMPLEMENT, Sequences
from bench.tasks.task import TEST, TRAIN, VALID, Folds, Task


@dataclass(frozen=True)
class Duplicates:
    """Test rows whose bases a model sees while training (training or validation rows of the fold that tests them).

    ``exact``: rows with a copy. ``reverse_complement``: further rows whose other strand has one. ``test_rows``: rows
    that are tested at all. A row counts once, whatever the number of folds and copies.
    """

    exact: int
    reverse_complement: int
    test_rows: int


def across_split(task: Task, folds: Folds) -> Duplicates:
    """Count the duplicates of a task across its split."""
    forward, backward = _digests(task.sequences)
    exact, other = np.zeros((2, len(task)), np.bool_)
    for part in folds.part:
        tested, seen = np.flatnonzero(part == TEST), np.flatnonzero((part == TRAIN) | (part == VALID))
        exact[tested] |= np.isin(forward[tested], forward[seen])
        other[tested] |= np.isin(backward[tested], forward[seen])
    return Duplicates(int(exact.sum()), int((other & ~exact).sum()), int((folds.part == TEST).any(axis=0).sum()))


def _digests(sequences: Sequences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """64-bit hashes of every row's bases and of its reverse complement, int64 (n,) each. Two of 2 million different
    rows share one with a chance of 1e-7."""
    forward, backward = np.empty((2, len(sequences)), np.int64)
    for row in range(len(sequences)):
        codes = sequences.codes(row)
        forward[row] = hash(codes.tobytes())
        backward[row] = hash(COMPLEMENT[codes[::-1]].tobytes())
    return forward, backward
