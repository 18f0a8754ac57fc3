"""How much of some values others explain, with intervals over loci."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.stats.intervals import Estimate, t_interval
from bench.stats.ranks import Array

#: Draws of loci behind an interval.
DRAWS = 1000


def r_squared(
    y: Array, fitted: Array, locus: NDArray[np.int64], seed: int = 0
) -> tuple[list[Estimate], list[Estimate]]:
    """``1 − Σ(y − fit)² / Σ(y − ȳ)²`` of each fit, and by how much each is above the one before it (the first: above
    0). Intervals by ``t_interval`` from draws of loci, the same for all fits; the fits are held fixed.

    Parameters
    ----------
    y : (n,). fitted : (fits, n), of rows that the fit did not see. locus : int64 (n,), any codes.
    """
    codes = np.unique(locus, return_inverse=True)[1]
    blocks = int(codes.max()) + 1
    count = np.bincount(codes).astype(np.float64)
    first, second = np.bincount(codes, y), np.bincount(codes, y * y)
    left = np.stack([np.bincount(codes, (y - each) ** 2) for each in fitted])
    rng = np.random.default_rng(np.random.SeedSequence([seed, blocks]))
    weights = np.ones((DRAWS + 1, blocks))
    for draw in range(1, DRAWS + 1):
        weights[draw] = np.bincount(rng.integers(0, blocks, blocks), minlength=blocks)
    total = weights @ second - (weights @ first) ** 2 / (weights @ count)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - (left @ weights.T) / total  # (fits, draws + 1)
    steps = np.diff(r2, axis=0, prepend=0)
    return (
        [t_interval(each[0], each[1:], blocks) for each in r2],
        [t_interval(each[0], each[1:], blocks) for each in steps],
    )
