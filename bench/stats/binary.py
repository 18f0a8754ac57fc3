"""Scores of binary targets: AUROC, average precision, both among rows of one GC content, and calibration.

A label is the part of a row that is positive: 1 or 0, or a fraction where replicates disagree. Such a row counts as
that much of a positive and the rest of a negative, so that a score is the one over all replicates' labels, stacked: no
row is left out for being doubtful. Everything is computed within a fold and averaged over those that have both classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.beyond import NOTHING_LEFT
from bench.stats.bootstrap import SIDE_BY_SIDE, Draws
from bench.stats.intervals import NOTHING, Estimate, standard_error, student
from bench.stats.partial import gc_bins
from bench.stats.ranks import Array, fold_rows, places, places_each, sorted_columns

#: Rows in a bin of GC at least, within which positives are compared with negatives.
MATCHED_ROWS = 20
#: Bins of the calibration error.
CALIBRATION_BINS = 10


@dataclass(frozen=True, eq=False)
class BinaryDraws:
    """AUROC and average precision of each prediction: the values, float64 (models,), and draws, (draws, models)."""

    auroc: Array
    ap: Array
    auroc_drawn: Array
    ap_drawn: Array


def auroc(y: NDArray[Any], prediction: NDArray[Any]) -> float:
    """Area under the ROC curve: the chance that a positive is ranked above a negative, ties counting half.

    Source: Hanley & McNeil 1982; ``sklearn.metrics.roc_auc_score`` is the reference. y : (n,), 0 to 1. NaN without both
    classes.
    """
    return float(binary_scores(y, np.asarray(prediction)[:, None])[0][0])


def average_precision(y: NDArray[Any], prediction: NDArray[Any]) -> float:
    """Average precision: the sum over thresholds of precision times the gain in recall, ties as one threshold.

    ``sklearn.metrics.average_precision_score`` is the reference. y : (n,), 0 to 1. NaN without both classes. A random
    order reaches the prevalence.
    """
    return float(binary_scores(y, np.asarray(prediction)[:, None])[1][0])


def binary_scores(
    y: NDArray[Any], predictions: NDArray[Any], fold: NDArray[Any] | None = None, stratum: NDArray[Any] | None = None
) -> tuple[Array, Array]:
    """AUROC and average precision of predictions (n, models), float64 (models,) each; arguments as `binary_draws`."""
    once = binary_draws(y, predictions, np.zeros(len(y), np.int64), None, fold, stratum)
    return once.auroc, once.ap


def binary_draws(
    y: NDArray[Any],
    predictions: NDArray[Any],
    locus: NDArray[Any],
    draws: Draws | None,
    fold: NDArray[Any] | None = None,
    stratum: NDArray[Any] | None = None,
) -> BinaryDraws:
    """AUROC and average precision of many predictions, and exact bootstrap draws of them: rows are sorted once, and a
    draw is a weight of every row.

    Parameters
    ----------
    y : (n,), 0 to 1. predictions : (n, models); (n, models) of ranks do as well. Finite on the rows used.
    locus : int (n,), codes of ``draws``; without draws none are made.
    fold : int (n,), negative: left out. stratum : int (n,), pairs are compared within a stratum of a fold, and counted
        over the strata of a fold.
    """
    from bench.stats.binary_kernels import binary_kernel

    same_length(y=y, predictions=predictions, locus=locus, fold=fold, stratum=stratum)
    y, predictions = np.asarray(y, float), np.asarray(predictions)
    pieces, of_fold = _strata(fold, stratum, len(y))
    rows = np.concatenate(pieces) if pieces else np.zeros(0, np.int64)
    used, shown = y[rows], predictions[rows]
    if not (np.isfinite(used).all() and np.isfinite(shown).all()):
        raise ValueError("y and predictions must be finite on the held-out rows. Got NaN or infinity.")
    if len(used) and not (used.min() >= 0 and used.max() <= 1):
        raise ValueError(f"labels must lie between 0 and 1. Got {used.min():g} to {used.max():g}.")
    starts = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces]))).astype(np.int64)
    models = predictions.shape[1]
    order, closes = np.empty((models, len(rows)), np.int32), np.empty((models, len(rows)), np.bool_)
    for first, last in pairwise(starts):
        for some, local, ordered in sorted_columns(-shown[first:last]):
            order[some, first:last] = local.T
            closes[some, first : last - 1] = (ordered[1:] != ordered[:-1]).T
    closes[:, starts[1:] - 1] = True
    folds = int(of_fold.max(initial=-1)) + 1
    block = np.zeros(len(rows), np.int32)
    once = binary_kernel(order, closes, block, used, starts, of_fold, folds, np.ones((1, 1, SIDE_BY_SIDE), np.uint8))[0]
    if draws is None:
        nothing = np.full((0, models), np.nan)
        return BinaryDraws(once[:, 0], once[:, 1], nothing, nothing)
    block = np.asarray(locus)[rows].astype(np.int32)
    drawn = np.empty((draws.count, models, 2))
    for part, weights in draws.chunks():
        found = binary_kernel(order, closes, block, used, starts, of_fold, folds, weights)
        drawn[part] = found[: part.stop - part.start]
    return BinaryDraws(once[:, 0], once[:, 1], drawn[:, :, 0], drawn[:, :, 1])


def _strata(
    fold: NDArray[Any] | None, stratum: NDArray[Any] | None, n: int
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Rows of every stratum of every fold, and the number of its fold."""
    pieces: list[NDArray[np.int64]] = []
    of_fold: list[int] = []
    for number, rows in enumerate(fold_rows(fold, n)):
        inside = [rows] if stratum is None else [rows[part] for part in fold_rows(np.asarray(stratum)[rows], len(rows))]
        pieces += inside
        of_fold += [number] * len(inside)
    return pieces, np.array(of_fold, np.int64)


def fraction_interval(value: float, draws: Array, blocks: int, *, biased: bool = False) -> Estimate:
    """95 % interval of a figure between 0 and 1 by t(b − 1) on its log odds, within which it stays; as
    ``intervals.t_interval``. A draw at an end counts as next to it.

    biased : the figure of few rows is not that of many on average, as average precision is not (.450 on folds of 18
        positives where many rows have .416): the interval is moved by what draws lie off the figure, so that it is one
        of the figure of many rows (Efron & Tibshirani 1993, chapter 10), and widened as if that were off by as much
        again, which it is on few positives. The figure stays as it is.
    """
    if not np.isfinite(value):
        return NOTHING
    ends = 1e-4, 1 - 1e-4
    odds = float(_log_odds(np.clip(value, *ends)))
    drawn = _log_odds(np.clip(draws, *ends))
    error, shift = standard_error(drawn, blocks), 0.0
    if not np.isfinite(error):
        return Estimate(float(value))
    if biased:
        shift = float(np.nanmean(drawn)) - odds
    odds, half = odds - shift, student(0.975, blocks - 1) * float(np.hypot(error, shift))
    low, high = (float(1 / (1 + np.exp(-end))) for end in (odds - half, odds + half))
    return Estimate(float(value), low, high)


def _log_odds(p: Any) -> Any:
    return np.log(p / (1 - p))


# ---- given GC --------------------------------------------------------------------------------------------------------
def matched_bins(gc: NDArray[Any], fold: NDArray[Any]) -> NDArray[np.int64]:
    """The bin of GC of every row within its fold, int64 (n,): `MATCHED_ROWS` rows or more next to each other in GC,
    equal ones together; -1 where the fold is negative."""
    bins = np.full(len(gc), -1, np.int64)
    for rows in fold_rows(fold, len(gc)):
        bins[rows] = gc_bins(np.asarray(gc)[rows], MATCHED_ROWS, most=len(rows))
    return bins


def given_gc(predictions: NDArray[Any], gc: NDArray[Any], fold: NDArray[Any], bins: NDArray[np.int64]) -> Array:
    """Predictions less what is GC's within the bins of ``matched_bins``, float64 (n, models): places in the fold less
    their line of GC's own places in the bin; 0, and so AUROC .5, where less than 2 % is left, as of a GC-only learner.

    Without the line GC would tell rows of one bin apart, which in small folds are .05 of GC apart. What is left of GC
    in the labels of a bin makes the figure a little too near to .5: a simulated .766 reads .747 where a fold has 18
    positives.
    """
    same_length(predictions=predictions, gc=gc, fold=fold, bins=bins)
    gc = np.asarray(gc, float)
    left = np.zeros(np.shape(predictions))
    for rows in fold_rows(fold, len(gc)):
        place = places(gc[rows])
        columns = places_each(np.asarray(predictions)[rows])
        residual = columns.copy()
        for part in fold_rows(bins[rows], len(rows)):
            x = place[part] - place[part].mean()
            inside = columns[part] - columns[part].mean(axis=0)
            slope = x @ inside / (x @ x) if x @ x > 1e-12 else 0.0
            residual[part] = inside - np.outer(x, slope)
        residual[:, (residual**2).sum(axis=0) < NOTHING_LEFT * ((columns - columns.mean(axis=0)) ** 2).sum(axis=0)] = 0
        left[rows] = residual
    return left


# ---- calibration -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Calibration:
    """How far predictions are probabilities. NaN where they do not lie between 0 and 1.

    brier : mean squared difference from the label (of the two parts of a fraction); brier_null : that of the
    prevalence. error : expected calibration error, mean over 10 bins of equal counts of |mean prediction − mean label|.
    slope : of the label's log odds on the prediction's (1: calibrated; below 1: too sure of itself).
    """

    brier: float
    brier_null: float
    error: float
    slope: float


def calibration(y: NDArray[Any], p: NDArray[Any]) -> Calibration:
    """Calibration of predictions p (n,) of labels y (n,), over all folds. Source: Brier 1950; Cox 1958 (slope)."""
    same_length(y=y, p=p)
    y, p = np.asarray(y, float), np.asarray(p, float)
    nan = float("nan")
    if not len(y) or p.min() < 0 or p.max() > 1:
        return Calibration(nan, nan, nan, nan)
    mean = y.mean()
    bins = np.array_split(np.argsort(p, kind="stable"), CALIBRATION_BINS)
    error = sum(abs(p[rows].mean() - y[rows].mean()) * len(rows) for rows in bins if len(rows)) / len(y)
    return Calibration(
        float((y * (1 - p) ** 2 + (1 - y) * p**2).mean()), float(mean * (1 - mean)), float(error), _slope(y, p)
    )


def _slope(y: Array, p: Array) -> float:
    """Slope of the logistic regression of y on the log odds of p, by Newton's steps; NaN where it has none."""
    x = _log_odds(np.clip(p, 1e-6, 1 - 1e-6))
    if np.ptp(x) < 1e-9:
        return float("nan")
    design = np.column_stack([np.ones(len(x)), x])
    weights = np.array([0.0, 1.0])
    for _ in range(50):
        q = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        hessian = design.T @ (design * (q * (1 - q))[:, None])
        try:
            step = np.linalg.solve(hessian, design.T @ (y - q))
        except np.linalg.LinAlgError:
            return float("nan")
        weights = weights + step
        if np.abs(step).max() < 1e-9:
            return float(weights[1])
    return float("nan")
