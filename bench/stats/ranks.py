"""Mid-ranks, rank-Gaussian scores, Spearman correlation and ties: the scale everything else is computed on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _tie_groups(ordered: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First positions of the runs of equal values in a sorted array, and the length of every run."""
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(ordered) else np.zeros(0, int)
    return first, np.diff(np.append(first, len(ordered)))


def mid_ranks(x: NDArray[Any]) -> Array:
    """Ranks 1..n with the average rank for ties; NaN stays NaN and takes no rank.

    Parameters
    ----------
    x : (n,), any real dtype.

    Returns
    -------
    float64 (n,). Equal to ``scipy.stats.rankdata`` where nothing is missing.
    """
    x = np.asarray(x)
    ranks = np.full(len(x), np.nan)
    measured = np.flatnonzero(~np.isnan(x)) if x.dtype.kind == "f" else np.arange(len(x))
    order = measured[np.argsort(x[measured], kind="stable")]
    first, size = _tie_groups(x[order])
    ranks[order] = np.repeat(first + (size + 1) / 2, size)
    return ranks


def rank_gaussian(x: NDArray[Any]) -> Array:
    """Normal scores ``Φ⁻¹((rank − 0.5) / n)`` with average ranks; NaN stays NaN.

    Source: Hazen plotting positions (Blom 1958 compares them). Any monotone transform of ``x`` gives the same scores.
    Many ties flatten them: their variance then falls below 1, so correlate them, never take their variance for 1.
    """
    from scipy.special import ndtri

    ranks = mid_ranks(x)
    scores: Array = ndtri((ranks - 0.5) / max(1, int(np.isfinite(ranks).sum())))
    return scores


def pearson(a: Array, b: Array) -> float:
    """Pearson correlation over the rows where both are measured; NaN with fewer than 3 rows or a constant side."""
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Spearman correlation: Pearson of mid-ranks, over the rows where both are measured.

    Source: Spearman 1904; ``scipy.stats.spearmanr`` is the reference. NaN with fewer than 3 rows or a constant side (a
    model that predicts one number has no correlation; it is not 0).
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    both = np.isfinite(a) & np.isfinite(b)
    return pearson(mid_ranks(a[both]), mid_ranks(b[both]))


def tied_fraction(x: NDArray[Any]) -> float:
    """Share of the measured rows whose value occurs more than once (0 without ties; NaN without rows)."""
    x = np.asarray(x, float)
    x = np.sort(x[np.isfinite(x)])
    _, size = _tie_groups(x)
    return float(size[size > 1].sum() / len(x)) if len(x) else float("nan")


def fold_rows(fold: NDArray[Any] | None, n: int) -> list[NDArray[np.int64]]:
    """Row numbers of every fold, in the order of the labels. Negative labels mean "not held out" and are left out."""
    if fold is None:
        return [np.arange(n)]
    return [np.flatnonzero(fold == label) for label in np.unique(fold) if label >= 0]


def spearman_by_fold(y: NDArray[Any], prediction: NDArray[Any], fold: NDArray[Any] | None = None) -> Array:
    """Spearman within every fold, float64 (folds,). The board's score is their mean (``np.nanmean``).

    Never pooled over folds: predictions of different fits differ in level and spread, and pooling mixes that in.
    """
    return np.array([spearman(y[rows], prediction[rows]) for rows in fold_rows(fold, len(y))])


def fold_aligned(columns: NDArray[Any], fold: NDArray[Any] | None = None) -> Array:
    """Predictions of different fits on one scale: every column less its median in the fold, over its quartile range.

    Each fold is another fit, with a level and a spread of its own, and a rank taken over all folds would mix them in: a
    prediction moved by 5 a fold lost a third of its R². Within a fold this is a straight line, so correlations there do
    not change. A column whose quartiles coincide in some fold (a few distinct values) takes mean and standard deviation
    in all of them. A constant fold becomes 0.

    Parameters
    ----------
    columns : (n, p), without NaN on the rows of the folds.
    fold : int (n,); negative: left out, NaN.

    Returns
    -------
    float64 (n, p).
    """
    columns = np.asarray(columns, float)
    folds = fold_rows(fold, len(columns))
    aligned = np.full(columns.shape, np.nan)
    if not columns.shape[1] or not folds:
        return aligned
    quartiles = np.array([np.quantile(columns[rows], (0.25, 0.5, 0.75), axis=0) for rows in folds])
    centre, spread = quartiles[:, 1], quartiles[:, 2] - quartiles[:, 0]
    constant = np.array([np.ptp(columns[rows], axis=0) == 0 for rows in folds])
    coarse = ((spread == 0) & ~constant).any(axis=0)
    if coarse.any():
        centre[:, coarse] = [columns[rows][:, coarse].mean(axis=0) for rows in folds]
        spread[:, coarse] = [columns[rows][:, coarse].std(axis=0) for rows in folds]
    for number, rows in enumerate(folds):
        scale = np.where(constant[number], 1.0, spread[number])
        aligned[rows] = np.where(constant[number], 0.0, (columns[rows] - centre[number]) / scale)
    return aligned


def gaussian_within_folds(columns: NDArray[Any], fold: NDArray[Any] | None = None, gaussian: bool = True) -> Array:
    """Rank-Gaussian scores (or mid-ranks) of every column, taken within every fold. float64 (n, p); NaN outside
    folds."""
    columns = np.asarray(columns)
    scores = np.full(columns.shape, np.nan)
    transform = rank_gaussian if gaussian else mid_ranks
    for rows in fold_rows(fold, len(columns)):
        for j in range(columns.shape[1]):
            scores[rows, j] = transform(columns[rows, j])
    return scores
