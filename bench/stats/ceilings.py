"""What the replicates allow: reliabilities, noise ceilings, and the explainable variance that a prediction reaches.

Notation: f a prediction, y1..yk replicates, ȳ their mean, r a replicate correlation, ρk the reliability of ȳ. Nothing
is clipped: an estimate above 1 says that an assumption does not hold. ``None`` means "not available" (no replicates, or
a replicate correlation that is not positive), never 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.ranks import Array, fold_rows, gaussian_within_folds, pearson, spearman
from bench.stats.replicates import Combined, loadings, replicate_pairs


def fisher_mean(r: NDArray[Any] | Sequence[float], axis: int | None = None) -> Any:
    """Mean of correlations through Fisher's z, ``tanh(mean(artanh r))``; NaN entries are left out.

    Source: Fisher 1921. r = ±1 counts as ±(1 − 1e−12), so identical replicates do not make the mean infinite. NaN where
    all are NaN.
    """
    r = np.asarray(r, float)
    z = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    measured = np.isfinite(z)
    count = measured.sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.tanh(np.where(measured, z, 0).sum(axis=axis) / np.where(count > 0, count, np.nan))


def replicate_correlations(
    replicates: Array, fold: NDArray[Any] | None = None, *, gaussian: bool = False
) -> NDArray[np.float64]:
    """Correlation of every pair of replicates within every fold, float64 (folds, pairs); NaN where undefined.

    ``replicates`` is (n, k) with NaN where unmeasured; each pair takes the rows where both are measured. Spearman, or
    with ``gaussian`` Pearson of rank-Gaussian scores over all folds (why: ``share``). Never hand over rows filtered on
    the outcome (RNA > 0, "both replicates > 0"): that lifts r (from .13 to .61 in a simulated sparse assay).
    """
    same_length(replicates=replicates, fold=fold)
    folds = fold_rows(fold, len(replicates))
    scores = np.array(replicates, float)
    if gaussian:
        held = np.concatenate(folds)
        scores[held] = gaussian_within_folds(scores[held])
    table = []
    for rows in folds:
        found = []
        for i, j in combinations(range(scores.shape[1]), 2):
            a, b = scores[rows, i], scores[rows, j]
            found.append(pearson(a, b) if gaussian else spearman(a, b))
        table.append(found)
    return np.array(table, float).reshape(len(table), -1)


def replicate_correlation(
    replicates: Array, fold: NDArray[Any] | None = None, *, gaussian: bool = False
) -> float | None:
    """Mean replicate correlation r over pairs and folds (Fisher z); None with fewer than two replicates."""
    if replicates.ndim != 2 or replicates.shape[1] < 2:
        return None
    r = float(fisher_mean(replicate_correlations(replicates, fold, gaussian=gaussian)))
    return r if np.isfinite(r) else None


def effective_replicates(replicates: Array) -> float:
    """Replicates behind ȳ: the harmonic mean over rows of the number measured (k where nothing is missing).

    The noise of a row's mean falls as 1/k, so it is 1/k that averages.
    """
    measured = np.isfinite(replicates).sum(axis=1)
    measured = measured[measured > 0]
    return float(1 / np.mean(1 / measured)) if len(measured) else float("nan")


def spearman_brown(r: Any, k: float) -> Any:
    """Reliability of the mean of k parallel replicates, ``ρk = k·r / (1 + (k − 1)·r)``.

    Source: Spearman 1910, Brown 1910. Assumes replicates of equal reliability with independent noise. Replicates that
    share one DNA library share its noise: r, and with it ρk, is then too high (``ceiling_given_dna``,
    ``half_ceiling``). Unequal replicates: ``combined_ceiling``, ``share.product_form``.
    """
    return k * r / (1 + (k - 1) * r)


@dataclass(frozen=True)
class Ceiling:
    """A replicate correlation and what follows from it.

    r : mean replicate correlation. replicates : k behind the mean. reliability : ρk. best : √ρk, the highest expected
    correlation of any prediction with the mean of the replicates.

    A correlation with ȳ reaches ``score/√ρk`` of the ceiling and explains ``score²/ρk`` of the explainable variance:
    reliability enters once, and nothing is clipped.
    """

    r: float
    replicates: float
    reliability: float
    best: float


def ceiling_of(r: float | None, k: float) -> Ceiling | None:
    """Ceiling of the mean of k replicates with correlation r: √ρk; k = 1 gives √r. None without a positive r.

    A model at .34 against one replicate whose replicate correlation is .34 has not saturated: the ceiling is √.34 =
    .583 and it explains .34²/.34 = 34 % of the explainable variance.
    """
    if r is None or not np.isfinite(r) or r <= 0 or not k >= 1:
        return None
    reliability = float(spearman_brown(r, k))
    return Ceiling(float(r), float(k), reliability, sqrt(reliability))


def ceiling(replicates: Array, fold: NDArray[Any] | None = None, *, gaussian: bool = False) -> Ceiling | None:
    """Ceiling of the mean of replicates (n, k), NaN where unmeasured; None ("n/a") without replicates or with r ≤ 0.

    r is the Fisher-z mean over pairs and folds, k the harmonic mean of the replicates measured per row.
    """
    return ceiling_of(replicate_correlation(replicates, fold, gaussian=gaussian), effective_replicates(replicates))


def ceiling_given_dna(replicates: Array, log_dna: Array, fold: NDArray[Any] | None = None) -> Ceiling | None:
    """Ceiling from the replicate correlation that remains given log DNA (linear partial Spearman).

    Replicates divided by one DNA count share its noise, which makes r optimistic. Partialling out log DNA takes that
    part away, and with it any true signal that runs along DNA abundance, so this one is pessimistic where GC drives
    both. ``log_dna`` is (n,).
    """
    same_length(replicates=replicates, log_dna=log_dna, fold=fold)
    if replicates.ndim != 2 or replicates.shape[1] < 2:
        return None
    found = []
    for rows in fold_rows(fold, len(replicates)):
        for i, j in combinations(range(replicates.shape[1]), 2):
            three = np.column_stack([replicates[rows, i], replicates[rows, j], log_dna[rows]])
            three = gaussian_within_folds(three[np.isfinite(three).all(axis=1)], gaussian=False)
            a, b, c = (pearson(three[:, p], three[:, q]) for p, q in ((0, 1), (0, 2), (1, 2)))
            # without any spread in the DNA counts there is nothing to take out
            found.append(partial_correlation(a, b, c) if np.isfinite(b) and np.isfinite(c) else a)
    return ceiling_of(float(fisher_mean(found)), effective_replicates(replicates))


def partial_correlation(a: Any, b: Any, c: Any) -> Any:
    """Correlation of f and y given one variable G, linear: ``(a − b·c)/√((1 − b²)(1 − c²))``.

    a = ρ(f, y), b = ρ(f, G), c = ρ(y, G). Takes out a straight line only: a hump-shaped effect of G stays in
    (``partial.spline_residuals`` takes a spline).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return (a - b * c) / np.sqrt((1 - np.square(b)) * (1 - np.square(c)))


def combined_ceiling(
    replicates: Array,
    combined: Combined,
    between: Array,
    with_best: Array | None,
    loci: int,
    *,
    raw: bool = False,
) -> float:
    """Highest expected correlation with the combined target: Cov(T, c)/SD(c) for noise-free activity T and target c.

    Over the patterns of measured replicates: c = Σ u_i s_i in a row, u the weights over the replicates that it has,
    slope a = Σ u l, noise Σ u²(1 − l²), l the one-factor loadings of the replicates and a prediction (two replicates
    and a prediction are a triad: l1/l2 = ρ(y1, D)/ρ(y2, D)); ceiling = mean(a)/√(mean(a² + noise)). Spearman–Brown for
    equal and complete replicates. Simulated noise-free activity reached 96.4 to 102.1 % of it in 28 worlds without
    ties, two modes or a biased library.

    Parameters
    ----------
    replicates : (n, k), NaN where unmeasured. between (pairs,), with_best (k,) or None : correlations between
        replicates, and of a prediction with each, as the score is made (means of the folds' own Spearman), so that few
        loci in a fold shrink both.
    raw : replicates were averaged on scales of their own.

    Returns
    -------
    NaN where the replicates do not correlate.
    """
    k = replicates.shape[1]
    if k < 2 or not np.nanmean(between) > 0:
        return float("nan")
    r = np.eye(k + 1)
    for (i, j), value in zip(replicate_pairs(k), between, strict=True):
        r[i, j] = r[j, i] = value
    r[k, :k] = r[:k, k] = np.nan if with_best is None else with_best
    known = with_best is not None and bool(np.isfinite(with_best).any())
    loading = loadings(r, loci, free=1)[:k] if known else loadings(r[:k, :k], loci)
    weights = combined.weights * (np.nanstd(replicates, axis=0) if raw else 1.0)
    measured = np.isfinite(replicates)
    measured = measured[np.isfinite(combined.value)]
    u = measured * weights / (measured * weights).sum(axis=1, keepdims=True)
    if combined.loadings is not None:
        u = u / (u * combined.loadings).sum(axis=1, keepdims=True)
    slope = (u * loading).sum(axis=1)
    noise = (u**2 * (1 - loading**2)).sum(axis=1)
    return float(slope.mean() / np.sqrt((slope**2 + noise).mean()))


def half_ceiling(first: Array, second: Array, fold: NDArray[Any] | None = None) -> Ceiling | None:
    """Ceiling from two columns made of two halves of the barcodes: both RNA and DNA noise are then independent.

    Where one element has barcodes, split them at random, compute the target from each half, and hand over both (n,).
    The reliability of the whole is Spearman–Brown with k = 2.
    """
    same_length(first=first, second=second, fold=fold)
    return ceiling_of(replicate_correlation(np.column_stack([first, second]), fold), 2)
