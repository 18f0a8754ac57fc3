"""Replicates of one target: on one scale, and combined into one value.

Nothing here sees a fold or a prediction: a target is made before it is split.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.stats.ranks import Array, places_each

#: Ways of putting replicates on one scale before they are averaged.
Combine = Literal["rank", "scale", "centre", "mean"]
#: Correlation of the noise-free activity with the combined target in simulated worlds (60 boards each of 300 loci × 3),
#: by rank / normal scores / scale / mean: 5 % outliers .737 / .707 / .649 / .650; t2 noise .802 / .776 / .756 / .759;
#: equal .793 / .795 / .796 / .796; one noise replicate of three .788 / .787 / .787 / .370; an offset with missing
#: values .721 / .726 / .727 / .557; reliabilities .9 and .15 .791 / .789 / .788 / .615.
DEFAULT: Combine = "rank"
#: Rows that all replicates must share to be put on one scale by them; with fewer each goes by its own rows.
SHARED_ROWS = 20
#: Prior standard deviation of reliabilities about their mean. Without it a noise replicate of three makes one of the
#: others look perfect (the noise-free activity then reaches 91.7 % of the noise ceiling); .3 / .6 / 1.0 give 104.5,
#: 101.1, 99.9 % at reliabilities .9 and .15, and correlations of the target with the activity of .791, .782, .774.
SPREAD = 0.6
#: Least and greatest loading: no replicate is all noise, none is perfect.
LOADINGS = (0.03, 0.98)


def replicate_pairs(k: int) -> list[tuple[int, int]]:
    """(0, 1), (0, 2), ... of k replicates, in the order that every figure of pairs has."""
    return list(combinations(range(k), 2))


# ---- one scale -------------------------------------------------------------------------------------------------------
def on_scale(replicates: NDArray[Any], how: Combine = DEFAULT) -> Array:
    """Replicates (n, k), NaN where unmeasured, on one scale by the rows that all measured; float64 (n, k).

    rank : place among those rows (0 to 1, mid-ranks, interpolated), less ½, over its standard deviation: location,
    scale and shape, and an outlier counts as little as in Spearman. scale : less the mean, over the standard deviation.
    centre : less the mean. mean : as they are.
    """
    y = np.asarray(replicates, float)
    scaled = y.copy()
    if how == "mean":
        return scaled
    shared = np.isfinite(y).all(axis=1)
    for column, out in zip(y.T, scaled.T, strict=True):
        measured = np.isfinite(column)
        rows = column[shared if shared.sum() >= SHARED_ROWS else measured]
        if not len(rows):
            continue
        if how == "rank":
            values, count = np.unique(rows, return_counts=True)
            place = (np.cumsum(count) - count / 2) / count.sum()
            spread = float(np.sqrt(np.average((place - 0.5) ** 2, weights=count)))
            out[measured] = (np.interp(column[measured], values, place) - 0.5) / (spread or 1.0)
        else:
            out -= rows.mean()
            if how == "scale":
                out /= rows.std() or 1.0
    return scaled


# ---- reliabilities ---------------------------------------------------------------------------------------------------
def loadings(r: NDArray[Any], size: float, *, free: int = 0) -> Array:
    """One-factor loadings (k,) of k variables from their correlations r (k, k), NaN where unknown.

    ``r_ij = l_i·l_j`` off the diagonal (Harman & Jones 1966), drawn to equal reliabilities where the correlations do
    not tell them apart: least Σ size/2·(r_ij − l_i l_j)² + Σ (l_i² − mean l²)²/(2·SPREAD²). ``size`` : number of loci
    that the correlations rest on. The last ``free`` variables (predictions) are outside the prior and may be negative.
    Two variables have equal loadings.
    """
    from scipy.optimize import minimize

    r = np.asarray(r, float)
    k = len(r)
    i, j = np.triu_indices(k, 1)
    known = np.isfinite(r[i, j])
    i, j = i[known], j[known]
    found = r[i, j]
    if not len(found):
        return np.full(k, np.nan)
    start = float(np.sqrt(np.clip(found.mean(), 0.01, 0.9)))
    if k == 2 and not free:
        return np.full(2, np.clip(np.sqrt(max(found[0], 0)), *LOADINGS))
    m = k - free

    def loss(loading: Array) -> tuple[float, Array]:
        error = found - loading[i] * loading[j]
        apart = loading[:m] ** 2 - np.mean(loading[:m] ** 2)
        slope = np.zeros(k)
        np.add.at(slope, i, -size * error * loading[j])
        np.add.at(slope, j, -size * error * loading[i])
        slope[:m] += 2 * loading[:m] * apart / SPREAD**2
        return float(size / 2 * error @ error + apart @ apart / (2 * SPREAD**2)), slope

    least, most = LOADINGS
    bounds = [(least if variable < m else -most, most) for variable in range(k)]
    return np.asarray(minimize(loss, np.full(k, start), jac=True, method="L-BFGS-B", bounds=bounds).x, float)


def rank_correlations(replicates: NDArray[Any]) -> Array:
    """Correlations (k, k) of the ranks of replicates (n, k), each pair on the rows that both measured; NaN without."""
    ranked = places_each(replicates)
    r = np.eye(ranked.shape[1])
    for i, j in replicate_pairs(len(r)):
        both = np.isfinite(ranked[:, i]) & np.isfinite(ranked[:, j])
        a, b = ranked[both, i], ranked[both, j]
        r[i, j] = r[j, i] = np.corrcoef(a, b)[0, 1] if len(a) > 2 and np.ptp(a) > 0 and np.ptp(b) > 0 else np.nan
    return r


# ---- combined --------------------------------------------------------------------------------------------------------
class Combined(NamedTuple):
    """The one value of every row, float64 (n,), NaN where too few replicates were measured; weights of the replicates,
    float64 (k,), which add up to 1; their loadings, None where they weigh equally."""

    value: Array
    weights: Array
    loadings: Array | None


def combine(replicates: NDArray[Any], how: Combine = DEFAULT, *, loci: int | None = None, minimum: int = 1) -> Combined:
    """One target out of replicates (n, k): the weighted mean of the replicates on one scale.

    With three or more on one scale the weights are l/(1 − l²), l the loadings of their rank correlations (factor
    scores, Bartlett 1937), over the replicates that a row has, divided by the sum of weight·l so that a row with fewer
    has the same slope on activity. Two weigh equally: nothing in two replicates says which is better. One is taken as
    it is.

    Parameters
    ----------
    loci : number of loci of the rows, which the correlations rest on; the number of rows without it.
    minimum : a row with fewer measured replicates has no value.
    """
    y = np.asarray(replicates, float)
    n, k = y.shape
    if k == 1:
        how = "mean"
    measured = np.isfinite(y)
    scaled = np.where(measured, on_scale(y, how), 0.0)
    weights, loading = np.ones(k), None
    slope: Any = 1.0
    if k > 2 and how in ("rank", "scale"):
        # rounded: an optimum is found to some five digits, and a target must be the same on every machine
        loading = np.round(loadings(rank_correlations(y), loci or n), 4)
        if not np.isfinite(loading).all():
            loading = None
    if loading is not None:
        weights = loading / (1 - loading**2)
        slope = (measured * (weights * loading)).sum(axis=1) / np.maximum((measured * weights).sum(axis=1), 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (scaled * weights).sum(axis=1) / (measured * weights).sum(axis=1) / slope
    if how in ("rank", "scale"):
        # sums of two ranks are often equal: what rounding makes of them must not order rows, nor differ by machine
        value = np.round(value, 9)
    value[measured.sum(axis=1) < max(minimum, 1)] = np.nan
    return Combined(value, weights / weights.sum(), loading)
