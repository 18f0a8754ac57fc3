"""What is left of a prediction once GC is taken out of it, without a curve that could miss a jump or a wiggle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.ranks import Array, fold_rows, places

#: Rows next in GC on either side: this part of the fold's rows, within these bounds. With twice as many and no GC-only
#: row on the board a GC-only learner of a step or a wiggly effect was called "mixed" in 28 and 26 boards of 60; so,
#: "GC-only" in 58 and 60 of 60.
NEAR, NEAR_BOUNDS = 1 / 40, (4, 50)
#: A residual with less than this part of the variance of its column is the smoother's misfit.
NOTHING_LEFT = 0.02


def local_lines(columns: Array, x: Array, locus: NDArray[Any], near: int) -> Array:
    """Values at each row of a line through the ``near`` rows on either side in x that are of other loci.

    Local linear regression (Fan 1992) that leaves out the row's own locus: rows of one locus share more than GC.

    Parameters
    ----------
    columns : (n, p). x : (n,), ascending. locus : (n,).

    Returns
    -------
    float64 (n, p), within the range of each column; its mean where there is no other locus near.
    """
    n = len(x)
    offsets = [o for o in range(-near, near + 1) if o != 0 and abs(o) < n]
    inside = np.zeros((len(offsets), n), bool)
    u = np.zeros((len(offsets), n))
    for k, o in enumerate(offsets):
        i = np.arange(max(0, -o), min(n, n - o))
        i = i[locus[i] != locus[i + o]]
        inside[k, i] = True
        u[k, i] = x[i + o] - x[i]
    s0, s1, s2 = inside.sum(axis=0), u.sum(axis=0), (u * u).sum(axis=0)
    determinant = s0 * s2 - s1**2
    straight = determinant > 1e-12 * np.maximum(s0 * s2, 1e-300)
    weights = np.where(straight, (s2 - s1 * u) / np.where(straight, determinant, 1.0), 1.0 / np.maximum(s0, 1))
    weights *= inside
    fitted = np.zeros(columns.shape)
    for o, weight in zip(offsets, weights, strict=True):
        at = slice(max(0, -o), min(n, n - o))
        fitted[at] += weight[at, None] * columns[max(0, o) : n + min(0, o)]
    fitted = np.where((s0 > 0)[:, None], fitted, columns.mean(axis=0))
    return np.clip(fitted, columns.min(axis=0), columns.max(axis=0))


def beyond_gc(
    columns: NDArray[Any], gc: NDArray[Any], locus: NDArray[Any], fold: NDArray[Any], gc_only: NDArray[np.bool_]
) -> Array:
    """Columns less what is local in GC, within folds; 0 where nothing is left.

    From each column its local lines over GC, and then the residuals that the board's GC-only learners leave of
    themselves (their misfit at a jump or a wiggle is that of a column that knows GC alone, too), are taken. So a
    GC-only row is 0 by its own residual. What is left is 0 where it is less than NOTHING_LEFT of the column's variance.
    Conservative: neighbours' noise comes in, so what a motif explains reads some .83 of itself.

    Parameters
    ----------
    columns : (n, p), predictions on one scale within a fold (places). gc : (n,). gc_only : (p,), which columns are of
        GC-only learners. locus, fold : int (n,); a negative fold is left out.

    Returns
    -------
    float64 (n, p), NaN outside folds.
    """
    same_length(columns=columns, gc=gc, locus=locus, fold=fold)
    columns = np.asarray(columns, float)
    left = np.full(columns.shape, np.nan)
    for rows in fold_rows(fold, len(columns)):
        rows = rows[np.lexsort((rows, gc[rows]))]
        values = columns[rows]
        near = int(np.clip(len(rows) * NEAR, *NEAR_BOUNDS))
        residual = values - local_lines(values, places(gc[rows]), locus[rows], near)
        of_gc = residual[:, gc_only & (np.ptp(values, axis=0) > 0)]
        if of_gc.shape[1]:
            design = np.column_stack([np.ones(len(rows)), of_gc])
            residual -= design @ np.linalg.lstsq(design, residual, rcond=1e-9)[0]
        residual[:, residual.var(axis=0) < NOTHING_LEFT * values.var(axis=0)] = 0.0
        left[rows] = residual
    return left


def beyond_fraction(beyond: Any, by_gc: Any) -> Any:
    """Fraction of what a prediction explains that GC does not: beyond/(beyond + by_gc), shares clipped at 0; NaN where
    it explains nothing."""
    beyond, by_gc = np.maximum(beyond, 0), np.maximum(by_gc, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(beyond + by_gc > 0, beyond / (beyond + by_gc), np.nan)
