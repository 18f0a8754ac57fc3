"""Mid-ranks, rank-Gaussian scores, Spearman correlation and ties: the scale everything else is computed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length

Array = NDArray[np.float64]
#: Values of columns that are sorted at a time.
AT_ONCE = 2**20


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


def places(x: NDArray[Any], weights: Array | None = None) -> Array:
    """Places in (0, 1) of weighted rows: (weight below + half the weight tied)/total. NaN stays NaN, weighs nothing.

    Parameters
    ----------
    x : (n,). weights : float64 (n,), positive; 1 each without it, and then a place is (mid-rank − ½)/n.
    """
    x = np.asarray(x, float)
    found = np.full(len(x), np.nan)
    order = np.flatnonzero(~np.isnan(x))
    if not len(order):
        return found
    order = order[np.argsort(x[order], kind="stable")]
    first, size = _tie_groups(x[order])
    mass = np.ones(len(order)) if weights is None else np.asarray(weights, float)[order]
    tied = np.add.reduceat(mass, first)
    below = np.cumsum(tied) - tied / 2
    found[order] = np.repeat(below / tied.sum(), size)
    return found


def mid_ranks_each(columns: NDArray[Any]) -> Array:
    """``mid_ranks`` of each column of (n, p)."""
    return _each(columns, mid_ranks, lambda order: np.arange(1.0, len(order) + 1)[:, None])


def places_each(columns: NDArray[Any], weights: Array | None = None) -> Array:
    """``places`` of each column of (n, p)."""

    def of_sorted(order: NDArray[np.int64]) -> Array:
        mass = np.ones(order.shape) if weights is None else np.asarray(weights, float)[order]
        return (np.cumsum(mass, axis=0) - mass / 2) / mass.sum(axis=0)

    return _each(columns, lambda column: places(column, weights), of_sorted)


def _each(
    columns: NDArray[Any], of_one: Callable[[NDArray[Any]], Array], of_sorted: Callable[[NDArray[np.int64]], Array]
) -> Array:
    """A function of each column (n, p): ``of_sorted`` of the order (n, m) of all that hold neither ties nor NaN at
    once, ``of_one`` of each of the others. A board of 100 learners ranks 900 columns of few rows."""
    columns = np.asarray(columns, float)
    found = np.empty(columns.shape)
    if not len(columns):
        return found
    for some, order, ordered in sorted_columns(columns):
        plain = (ordered[1:] > ordered[:-1]).all(axis=0) & np.isfinite(ordered[-1])
        np.put_along_axis(found[:, some], order, of_sorted(order), axis=0)
        for j in some.start + np.flatnonzero(~plain):
            found[:, j] = of_one(columns[:, j])
    return found


def sorted_columns(columns: Array) -> Iterator[tuple[slice, NDArray[np.int64], Array]]:
    """``(some, order, ordered)`` of runs of columns of (n, p): which they are, how each is sorted (ties in their
    order, NaN last), and the sorted values, both (n, some)."""
    step = max(1, AT_ONCE // max(len(columns), 1))
    for first in range(0, columns.shape[1], step):
        some = slice(first, min(first + step, columns.shape[1]))
        order = np.argsort(columns[:, some], axis=0, kind="stable")
        yield some, order, np.take_along_axis(columns[:, some], order, axis=0)


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
    same_length(a=a, b=b)
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def pearson_each(a: Array, columns: Array) -> Array:
    """``pearson`` of a (n,) with each of columns (n, p), which are finite; float64 (p,)."""
    measured = np.isfinite(a)
    if not measured.all():
        a, columns = a[measured], columns[measured]
    if len(a) < 3 or np.ptp(a) == 0:
        return np.full(columns.shape[1], np.nan)
    a, centred = a - a.mean(), columns - columns.mean(axis=0)
    varies = np.ptp(columns, axis=0) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        r = a @ centred / np.sqrt((a @ a) * np.einsum("ij,ij->j", centred, centred))
    return np.where(varies, r, np.nan)


def spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Spearman correlation: Pearson of mid-ranks, over the rows where both are measured.

    Source: Spearman 1904; ``scipy.stats.spearmanr`` is the reference. NaN with fewer than 3 rows or a constant side (a
    model that predicts one number has no correlation; it is not 0).
    """
    same_length(a=a, b=b)
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
    if len(fold) != n:
        raise ValueError(f"fold has {len(fold)} rows, what it divides {n}: they must have one length.")
    return [np.flatnonzero(fold == label) for label in np.unique(fold) if label >= 0]


def spearman_by_fold(y: NDArray[Any], prediction: NDArray[Any], fold: NDArray[Any] | None = None) -> Array:
    """Spearman within every fold, float64 (folds,); NaN where not defined. The score is made by ``fold_scores``.

    Never pooled over folds: predictions of different fits differ in level and spread, and pooling mixes that in.
    """
    same_length(y=y, prediction=prediction, fold=fold)
    return np.array([spearman(y[rows], prediction[rows]) for rows in fold_rows(fold, len(y))])


class FoldScores(NamedTuple):
    """A score: mean over folds (NaN where no fold has a correlation), by fold (0 where the prediction is constant, NaN
    where y is, or has fewer than 3 rows), and the number of folds in which the prediction is constant."""

    mean: float
    by_fold: Array
    undefined: int


def fold_scores(y: NDArray[Any], prediction: NDArray[Any], fold: NDArray[Any] | None = None) -> FoldScores:
    """The mean over folds of the within-fold Spearman of y and a prediction, both (n,).

    A fold in which the prediction is one value has no ranking, and counts 0: left out, a model that ranks the rows of
    one fold of four would be judged by that fold alone. A prediction that is constant everywhere has no score.
    """
    return fold_scores_of(y, np.asarray(prediction)[:, None], fold)[0]


def fold_scores_of(y: NDArray[Any], predictions: NDArray[Any], fold: NDArray[Any] | None = None) -> list[FoldScores]:
    """``fold_scores`` of each column of predictions (n, p); y is ranked once."""
    same_length(y=y, predictions=predictions, fold=fold)
    y, predictions = np.asarray(y, float), np.asarray(predictions, float)
    folds = fold_rows(fold, len(y))
    found = np.full((predictions.shape[1], len(folds)), np.nan)
    countable = np.zeros(len(folds), bool)
    for f, rows in enumerate(folds):
        own, piece = y[rows], predictions[rows]
        countable[f] = len(rows) >= 3 and np.ptp(own) > 0
        if np.isfinite(own).all() and np.isfinite(piece).all():
            found[:, f] = pearson_each(mid_ranks(own), mid_ranks_each(piece))
        else:
            found[:, f] = [spearman(own, column) for column in piece.T]
    scores = []
    for by_fold in found:
        undefined = countable & ~np.isfinite(by_fold)
        by_fold = np.where(undefined, 0.0, by_fold)
        mean = float(by_fold[countable].mean()) if (countable & ~undefined).any() else float("nan")
        scores.append(FoldScores(mean, by_fold, int(undefined.sum())))
    return scores


def mean_of_scores(scores: Sequence[float | None], rows: Sequence[int]) -> float | None:
    """The mean of the stored scores of folds; None where none has one.

    scores : by fold, None where it is not defined; that counts 0, as in ``fold_scores``, in a fold with rows to rank.
    rows : of each fold.
    """
    found = [score for score, n in zip(scores, rows, strict=True) if score is not None or n >= 3]
    return None if all(score is None for score in found) else sum(score or 0.0 for score in found) / len(found)


def mean_over_folds(correlations: Array) -> Array:
    """Mean over the fold axis of draws (draws, folds, pairs), leaving undefined folds out; float64 (draws, pairs)."""
    defined = np.isfinite(correlations)
    count = defined.sum(axis=1)
    total = np.where(defined, correlations, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def gaussian_within_folds(columns: NDArray[Any], fold: NDArray[Any] | None = None, gaussian: bool = True) -> Array:
    """Rank-Gaussian scores (or mid-ranks) of every column, taken within every fold. float64 (n, p); NaN outside
    folds."""
    same_length(columns=columns, fold=fold)
    columns = np.asarray(columns)
    scores = np.full(columns.shape, np.nan)
    transform = rank_gaussian if gaussian else mid_ranks
    for rows in fold_rows(fold, len(columns)):
        for j in range(columns.shape[1]):
            scores[rows, j] = transform(columns[rows, j])
    return scores
