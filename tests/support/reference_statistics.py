"""Statistics that only tests need: other ways to the figures of ``bench.stats``, and references from the literature."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws, block_codes
from bench.stats.ceilings import partial_correlation, replicate_correlations
from bench.stats.partial import spline_residuals
from bench.stats.ranks import Array, fold_rows, mid_ranks, pearson, spearman


# ---- bootstrap -------------------------------------------------------------------------------------------------------
def statistic_draws(
    statistic: Callable[[Array], Any], locus: NDArray[Any], draws: Draws | None = None
) -> NDArray[np.float64]:
    """Draws of any statistic of weighted rows: ``statistic(weights)`` with float64 weights (n,), one call per draw.

    The slow, general way; the same multiplicities as ``spearman_draws`` and ``correlation_draws`` with the same
    ``draws``. Returns float64 (draws, ...).
    """
    if draws is None:
        locus, blocks = block_codes(locus)
        draws = Draws(blocks)
    return np.array([statistic(row[locus].astype(np.float64)) for _, piece in draws.block_weights() for row in piece])


def weighted_mid_ranks(x: NDArray[Any], weights: Array) -> Array:
    """Mid-ranks in the sample where row i stands ``weights[i]`` times, float64 (n,). Rows of weight 0 rank in
    between."""
    values, inverse = np.unique(x, return_inverse=True)
    mass = np.bincount(inverse, weights, len(values))
    ranks: Array = (np.cumsum(mass) - mass / 2 + 0.5)[inverse]
    return ranks


# ---- reliabilities ---------------------------------------------------------------------------------------------------
def triad(r12: float, r1f: float, r2f: float) -> tuple[float, float]:
    """Reliabilities of y1 and y2 from a third variable f: ``rel1 = r12·r1f/r2f``, ``rel2 = r12·r2f/r1f``.

    Source: the attenuation identities of Spearman 1904 for three congeneric measures. f may be a third replicate or a
    held-out prediction; its errors must be independent of both replicates' noise.
    """
    return r12 * r1f / r2f, r12 * r2f / r1f


def triad_reliabilities(replicates: Array, prediction: Array | None = None) -> Array | None:
    """Reliability of every replicate, float64 (k,): mean over all triads of Spearman correlations.

    With k ≥ 3 the other replicates are the triads; with k = 2 a held-out ``prediction`` is the third. None with less. A
    prediction far weaker than the replicates makes the ratios noisy: look at their spread before using one.
    """
    columns = replicates if prediction is None else np.column_stack([replicates, prediction])
    k, p = replicates.shape[1], columns.shape[1]
    if k < 2 or p < 3:
        return None
    r = np.eye(p)
    for (i, j), value in zip(combinations(range(p), 2), replicate_correlations(columns)[0], strict=True):
        r[i, j] = r[j, i] = value
    others = [[j for j in range(p) if j != i] for i in range(k)]
    return np.array([np.mean([r[i, a] * r[i, b] / r[a, b] for a, b in combinations(others[i], 2)]) for i in range(k)])


def shared_denominator_correlation(v1: float, v2: float, v_dna: float) -> float:
    """Correlation of k1/d and k2/d for independent k1, k2, d: ``v_d²/√((v1² + v_d²)(v2² + v_d²))``, v coefficients of
    variation.

    Source: Pearson 1897, spurious correlation of ratios (first order in the v). What two replicates without any signal
    share through one DNA library.
    """
    return v_dna**2 / sqrt((v1**2 + v_dna**2) * (v2**2 + v_dna**2))


# ---- differences -----------------------------------------------------------------------------------------------------
def williams(r12: float, r13: float, r23: float, n: int) -> tuple[float, float]:
    """Williams' t and two-sided p for ρ12 = ρ13 in one sample of independent rows (r23 between the two predictions).

    ``t = (r12 − r13)·√[(n − 1)(1 + r23) / (2·(n − 1)/(n − 3)·|R| + r̄²(1 − r23)³)]``, r̄ = (r12 + r13)/2,
    ``|R| = 1 − r12² − r13² − r23² + 2·r12·r13·r23``, n − 3 degrees of freedom. Source: Williams 1959; Steiger 1980,
    equation 7. Reference only: with tiles of one locus its error rate rises from .05 to .69.
    """
    from scipy.special import stdtr

    determinant = 1 - r12**2 - r13**2 - r23**2 + 2 * r12 * r13 * r23
    mean = (r12 + r13) / 2
    t = (r12 - r13) * sqrt((n - 1) * (1 + r23) / (2 * (n - 1) / (n - 3) * determinant + mean**2 * (1 - r23) ** 3))
    return t, float(2 * stdtr(n - 3, -abs(t)))


# ---- given GC --------------------------------------------------------------------------------------------------------
def spearman_given(
    y: NDArray[Any],
    prediction: NDArray[Any],
    gc: NDArray[Any],
    locus: NDArray[Any] | None = None,
    fold: NDArray[Any] | None = None,
    straight: bool = False,
) -> float:
    """Spearman of prediction and y given GC: Pearson of the ranks of both after a cross-fitted spline of GC is removed.

    Mean over folds. A straight line does not do: a prediction that knows only a hump-shaped effect of GC keeps all of
    its score under a linear partial correlation and loses it under this one. Fails (reads too high) where y jumps with
    GC more sharply than ten knots can follow. A prediction that is a function of GC alone leaves only the misfit of the
    spline, so read its value together with its interval. NaN where a residual is constant.
    """
    found = []
    for rows in fold_rows(fold, len(y)):
        scaled = np.column_stack([mid_ranks(np.asarray(v)[rows]) for v in (y, prediction)])
        scaled = scaled / len(rows) - (len(rows) + 1) / (2 * len(rows))
        left = spline_residuals(scaled, gc[rows], None if locus is None else locus[rows], straight)
        # what rounding leaves of a constant, or of a monotone function of GC, is no residual
        left[:, (left**2).sum(axis=0) <= 1e-12 * (scaled**2).sum(axis=0)] = 0.0
        found.append(pearson(left[:, 0], left[:, 1]))
    defined = [r for r in found if np.isfinite(r)]
    return float(np.mean(defined)) if defined else float("nan")


def spearman_given_linear(y: NDArray[Any], prediction: NDArray[Any], gc: NDArray[Any]) -> float:
    """First-order partial Spearman in closed form; a check on ``spearman_given``, blind to curved effects of GC."""
    return float(partial_correlation(spearman(prediction, y), spearman(prediction, gc), spearman(y, gc)))
