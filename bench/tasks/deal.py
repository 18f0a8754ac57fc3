"""Groups dealt to folds, and folds turned into parts: what every k-fold split does."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from bench.tasks.task import DROPPED, TEST, TRAIN, VALID


def deal(sizes: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Fold of every group, int64: the largest first, each to the fold with the fewest rows so far. Ties go by the order
    given and the lowest fold, so it is the same everywhere."""
    fold = np.zeros(len(sizes), np.int64)
    heap = [(0, i) for i in range(k)]
    for group in np.argsort(-sizes, kind="stable"):
        filled, lightest = heap[0]
        fold[group] = lightest
        heapq.heapreplace(heap, (filled + int(sizes[group]), lightest))
    return fold


def rotate(fold: NDArray[np.int64], k: int) -> NDArray[np.int8]:
    """Part of every row in every fold, int8 (k, n): fold i tests the rows of part i and validates on part i + 1."""
    part = np.full((k, len(fold)), TRAIN, np.int8)
    for i in range(k):
        part[i, fold == (i + 1) % k] = VALID
        part[i, fold == i] = TEST
    part[:, fold < 0] = DROPPED
    return part
