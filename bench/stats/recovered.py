"""How much of one quantity a cross-fitted prediction recovers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.bootstrap import Draws, block_codes, spearman_draws
from bench.stats.intervals import Estimate, t_interval
from bench.stats.ranks import Array, spearman


class Recovered(NamedTuple):
    """Coefficient of determination and Spearman correlation, both pooled over all rows."""

    r2: Estimate
    rho: Estimate


def recovered(truth: NDArray[Any], predicted: NDArray[Any], locus: NDArray[Any], draws: int = 1000) -> Recovered:
    """R² = 1 − Σ(t − p)² / Σ(t − mean t)² and Spearman's ρ of predictions on the scale of the truth, with intervals
    by locus.

    Each prediction must come from a model that saw no row of its locus. Below 0 a prediction is worse than the mean:
    R² is not a squared correlation, and a prediction that is off in level or spread has less.

    Parameters
    ----------
    truth, predicted : (n,), finite. locus : int (n,). draws : of loci.

    Returns
    -------
    Estimates with intervals value ∓ t·SE (``bench.stats.intervals.t_interval``); NaN where the truth is one value.
    """
    same_length(truth=truth, predicted=predicted, locus=locus)
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    codes, blocks = block_codes(locus)
    drawn = Draws(blocks, draws)
    # Sums per locus: a draw is a weighted sum of them.
    columns = [np.ones(len(truth)), truth, truth**2, (truth - predicted) ** 2]
    sums = np.column_stack([np.bincount(codes, column, minlength=blocks) for column in columns])
    r2 = np.empty(draws)
    for part, weights in drawn.block_weights():
        r2[part] = _r2(weights.astype(np.float64) @ sums)
    value = _r2(sums.sum(axis=0, keepdims=True))[0]
    if np.ptp(truth) == 0:
        return Recovered(Estimate(np.nan), Estimate(np.nan))
    rho = spearman_draws(truth, predicted[:, None], codes, drawn)[:, 0]
    return Recovered(t_interval(value, r2, blocks), t_interval(spearman(truth, predicted), rho, blocks))


def _r2(sums: Array) -> Array:
    """From (k, 4) sums of ones, the truth, its square and the squared error, (k,)."""
    n, total, squares, error = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - error / (squares - total**2 / n), np.float64)
