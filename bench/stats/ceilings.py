"""What the replicates allow: reliabilities, ceilings, and the fraction of explainable variance a prediction reaches.

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

from bench.stats.ranks import Array, fold_rows, gaussian_within_folds, pearson, spearman


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
    ``half_ceiling``). Unequal replicates: use ``fev_product``.
    """
    return k * r / (1 + (k - 1) * r)


@dataclass(frozen=True)
class Ceiling:
    """A replicate correlation and what follows from it.

    r : mean replicate correlation. replicates : k behind the mean. reliability : ρk. best : √ρk, the highest expected
    correlation of any prediction with the mean of the replicates.
    """

    r: float
    replicates: float
    reliability: float
    best: float

    def explained(self, score: float) -> float:
        """Fraction of explainable variance that a correlation with ȳ reaches: ``score²/ρk``. Reliability enters
        once."""
        return score * abs(score) / self.reliability

    def of_best(self, score: float) -> float:
        """Score in units of the ceiling, ``score/√ρk``. Never clipped."""
        return score / self.best


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

    r is the Fisher-z mean over pairs and folds, k the harmonic mean of the replicates measured a row.
    """
    return ceiling_of(replicate_correlation(replicates, fold, gaussian=gaussian), effective_replicates(replicates))


def ceiling_given_dna(replicates: Array, log_dna: Array, fold: NDArray[Any] | None = None) -> Ceiling | None:
    """Ceiling from the replicate correlation that remains given log DNA (linear partial Spearman).

    Replicates divided by one DNA count share its noise, which makes r optimistic. Partialling out log DNA takes that
    part away, and with it any true signal that runs along DNA abundance, so this one is pessimistic where GC drives
    both. ``log_dna`` is (n,).
    """
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
    (``partial.spearman_given`` takes a spline).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return (a - b * c) / np.sqrt((1 - np.square(b)) * (1 - np.square(c)))


def half_ceiling(first: Array, second: Array, fold: NDArray[Any] | None = None) -> Ceiling | None:
    """Ceiling from two columns made of two halves of the barcodes: both RNA and DNA noise are then independent.

    Where one element has barcodes, split them at random, compute the target from each half, and hand over both (n,).
    The reliability of the whole is Spearman–Brown with k = 2.
    """
    return ceiling_of(replicate_correlation(np.column_stack([first, second]), fold), 2)


def fev_product(
    prediction: Array, replicates: Array, fold: NDArray[Any] | None = None, *, gaussian: bool = False
) -> float | None:
    """Fraction of explainable variance without equal replicates: mean ρ(f, yi)·ρ(f, yj) over pairs / mean ρ(yi, yj).

    For k = 2 ``ρ(f, y1)·ρ(f, y2)/ρ(y1, y2)``: each replicate's own attenuation cancels, so depths of 38 and 74 million
    reads do no harm where Spearman–Brown is biased. Source: correction for attenuation, Spearman 1904; the FEV of
    neural prediction (Sahani & Linden 2003, Haefner & Cumming 2009). Assumes independent noise of replicates. None
    without replicates or with a mean replicate correlation that is not positive.
    """
    if replicates.ndim != 2 or replicates.shape[1] < 2:
        return None
    with_f = replicate_correlations(np.column_stack([prediction, replicates]), fold, gaussian=gaussian)
    pairs = list(combinations(range(replicates.shape[1] + 1), 2))
    mean = dict(zip(pairs, np.atleast_1d(fisher_mean(with_f, axis=0)), strict=True))
    between = [pair for pair in pairs if pair[0] > 0]
    noise = float(np.nanmean([mean[pair] for pair in between])) if with_f.size else float("nan")
    if not noise > 0:
        return None
    # pair (i, j) of replicates; (0, i) is the prediction against replicate i
    return float(np.nanmean([mean[0, i] * mean[0, j] for i, j in between]) / noise)


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
