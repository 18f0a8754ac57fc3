"""What is left of a score once GC is held fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.ranks import Array, mid_ranks, places

#: Parts of the cross-fit.
PARTS = 5
#: Smallest bin for figures within GC bins.
BIN_ROWS = 50


def spline_basis(x: NDArray[Any], knots: NDArray[Any]) -> Array:
    """Natural cubic spline: intercept, x, and k − 2 curved columns for k knots; linear outside the outer knots.

    Source: Stone & Koo 1985, restricted cubic splines (Harrell, Regression Modeling Strategies, section 2.4.5). Returns
    float64 (n, k), or (n, 2) with fewer than 3 distinct knots.
    """
    x = np.asarray(x, float)
    knots = np.unique(knots)
    columns = [np.ones(len(x)), x]
    if len(knots) >= 3:
        scale = knots[-1] - knots[0]
        x, knots = (x - knots[0]) / scale, (knots - knots[0]) / scale
        columns[1] = x

        def cubic(knot: float) -> Array:
            return np.maximum(x - knot, 0.0) ** 3

        last, before = cubic(knots[-1]), cubic(knots[-2])
        gap = knots[-1] - knots[-2]
        for knot in knots[:-2]:
            columns.append(cubic(knot) - before * (knots[-1] - knot) / gap + last * (knots[-2] - knot) / gap)
    return np.column_stack(columns)


def spline_knots(x: NDArray[Any]) -> Array:
    """Quantiles of x: 5 knots, one more for each 100 rows, 10 at most, the outer ones at 1 % and 99 %."""
    x = np.asarray(x, float)
    return np.quantile(x, np.linspace(0.01, 0.99, int(np.clip(len(x) // 100 + 4, 5, 10))))


def spline_residuals(
    columns: NDArray[Any],
    covariate: NDArray[Any],
    locus: NDArray[Any] | None = None,
    straight: bool = False,
    weights: Array | None = None,
) -> Array:
    """Residuals of each column after a spline of the covariate's ranks, cross-fitted over blocks.

    The spline runs over ranks of the covariate, so that any monotone transform of it gives the same residuals and a
    prediction that is one leaves nothing.
    The blocks are dealt into five parts (always the same way); the spline for a part is fitted on the other four by
    least squares. Fitted on the same rows, a spline would take some noise out with GC.

    Parameters
    ----------
    columns : (n, p), NaN where unmeasured. covariate : (n,), without NaN. locus : (n,), blocks that stay together; rows
        without it. straight : a straight line instead of a spline, as a contrast. weights : (n,), of the rows.

    Returns
    -------
    float64 (n, p), NaN where a column has none.
    """
    n = same_length(columns=columns, covariate=covariate, locus=locus)
    columns = np.asarray(columns, float)
    part = spline_parts(np.arange(n) if locus is None else locus)
    x = mid_ranks(covariate) / max(n, 1) if weights is None else places(covariate, weights)
    design = spline_basis(x, np.zeros(0) if straight else spline_knots(x))
    # An orthonormal basis of the same space makes the sums of products of all rows less those of a part safe to solve.
    design = np.linalg.qr(design)[0]
    residuals = np.full(columns.shape, np.nan)
    measured = np.isfinite(columns)
    # columns that are measured on the same rows are fitted at once
    for rows, of in _alike(measured):
        residuals[np.ix_(rows, of)] = _cross_fitted(
            columns[np.ix_(rows, of)], design[rows], part[rows], None if weights is None else weights[rows]
        )
    return residuals


def spline_parts(locus: NDArray[Any]) -> NDArray[np.int64]:
    """The part (n,) in which ``spline_residuals`` fits each row's spline on the other parts' rows."""
    block = np.unique(locus, return_inverse=True)[1]
    dealt = np.random.default_rng(np.random.SeedSequence(20)).permutation(block.max(initial=0) + 1) % PARTS
    return dealt[block]


def _alike(measured: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(rows, columns) of the groups of columns that are measured on the same rows."""
    if measured.all():
        return [(np.arange(len(measured)), np.arange(measured.shape[1]))]
    patterns: dict[bytes, list[int]] = {}
    for number, pattern in enumerate(measured.T):
        patterns.setdefault(np.packbits(pattern).tobytes(), []).append(number)
    return [(np.flatnonzero(measured[:, of[0]]), np.array(of)) for of in patterns.values()]


def _cross_fitted(columns: Array, design: Array, part: NDArray[np.int64], weights: Array | None) -> Array:
    """Columns (n, p) without NaN less their least-squares fit on the rows of the other parts."""
    inside = [np.flatnonzero(part == number) for number in range(PARTS)]
    weighted = design if weights is None else design * weights[:, None]
    grams = np.array([weighted[rows].T @ design[rows] for rows in inside])
    products = np.array([weighted[rows].T @ columns[rows] for rows in inside])
    residuals = np.empty_like(columns)
    for number, rows in enumerate(inside):
        gram, product = grams.sum(axis=0) - grams[number], products.sum(axis=0) - products[number]
        # a covariate with few values, or few loci, may leave directions that the other parts do not determine
        fitted = design[rows] @ np.linalg.lstsq(gram, product, rcond=1e-9)[0]
        residuals[rows] = columns[rows] - fitted
    return residuals


def gc_bins(gc: NDArray[Any], rows: int = BIN_ROWS, most: int = 20) -> NDArray[np.int64]:
    """Bin 0, 1, ... of every row by GC: equal counts, at least ``rows`` rows in each, ``most`` bins at most; ties stay
    together."""
    ranks = mid_ranks(gc)
    wanted = max(1, min(most, len(gc) // rows))
    bins = np.minimum(((ranks - 0.5) / max(len(gc), 1) * wanted).astype(np.int64), wanted - 1)
    bins = np.unique(bins, return_inverse=True)[1].astype(np.int64)
    while bins.max(initial=0) > 0:  # ties can leave a bin short: merge it with a neighbour
        sizes = np.bincount(bins)
        short = int(np.argmin(sizes))
        if sizes[short] >= rows:
            break
        bins[bins >= max(short, 1)] -= 1
    return bins


def permute_within_bins(
    y: NDArray[Any], gc: NDArray[Any], rng: np.random.Generator, rows: int = BIN_ROWS
) -> NDArray[Any]:
    """y permuted within GC bins: the GC-only null. A prediction's score against it is what GC alone gives it."""
    same_length(y=y, gc=gc)
    bins = gc_bins(gc, rows)
    order = np.lexsort((rng.random(len(y)), bins))
    result = np.empty_like(y)
    result[np.argsort(bins, kind="stable")] = y[order]
    return result


def gc_matched(y: NDArray[Any], gc: NDArray[Any], rng: np.random.Generator, rows: int = 20) -> NDArray[np.int64]:
    """Rows of a subset in which high and low y have the same GC: as many from either half of y in each fine GC bin.

    High and low are split at the median of y. Returns sorted row numbers. Telling high from low on them cannot come
    from GC, at the price of fewer rows; a bin with only one half gives none. Within a half y may still run along GC.
    """
    same_length(y=y, gc=gc)
    high = mid_ranks(y) > (len(y) + 1) / 2
    bins = gc_bins(gc, rows, most=len(gc))
    kept = []
    for b in range(bins.max(initial=-1) + 1):
        sides = [np.flatnonzero((bins == b) & (high == side)) for side in (True, False)]
        count = min(map(len, sides))
        kept += [rng.choice(side, count, replace=False) for side in sides]
    return np.sort(np.concatenate(kept)) if kept else np.zeros(0, np.int64)
