"""Which differences between models are more than luck: paired intervals, Holm, letters, effective n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.intervals import FEW_LOCI, Estimate, t_interval
from bench.stats.ranks import Array


@dataclass(frozen=True)
class Difference:
    """A paired difference with its 95 % interval, and its two-sided p."""

    estimate: Estimate
    p: float


def bootstrap_p(draws: NDArray[Any], estimate: Any, blocks: int) -> Any:
    """Two-sided p of estimate = 0 from the spread of its bootstrap draws: Student's t with blocks − 1 degrees of
    freedom.

    ``draws`` is (draws, ...), ``estimate`` (...). Counting draws beyond 0 cannot go below 2/(B + 1), which Holm over 60
    models multiplies past .05; the bootstrap standard error has no such end. The factor blocks/(blocks − 1) undoes
    the shrinkage of resampling few blocks. Assumes that a difference of mean correlations is near Gaussian, true from
    some 20 blocks. A difference that is 0 in all draws has p = 1; NaN where draws are undefined.
    """
    from scipy.special import stdtr

    blocks = max(blocks, 2)
    error = np.std(draws, axis=0, ddof=1) * sqrt(blocks / (blocks - 1))
    estimate = np.asarray(estimate, float)
    # two models with the same ranks differ by rounding only
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(blocks - 1, -np.abs(estimate) / error)
    p = np.where((error < 1e-12) & (np.abs(estimate) < 1e-12), 1.0, p)
    return p if p.ndim else float(p)


def paired_difference(draws_a: Array, draws_b: Array, a: float, b: float, blocks: int) -> Difference:
    """Difference a − b of two scores whose draws (draws,) used the same multiplicities."""
    same_length(draws_a=draws_a, draws_b=draws_b, of="draws")
    difference = draws_a - draws_b
    return Difference(t_interval(a - b, difference, blocks), bootstrap_p(difference, a - b, blocks))


def holm(p: NDArray[Any] | Sequence[float], family: int | None = None) -> Array:
    """Holm's step-down adjusted p-values, in the order given; NaN stays NaN and counts in the family.

    Source: Holm 1979. Controls the chance of any false rejection under every dependence. ``family`` is the number of
    hypotheses when only the smallest of a larger family are looked at.
    """
    p = np.asarray(p, float)
    size = max(family or 0, len(p))
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")  # NaN last
    scaled = p[order] * (size - np.arange(len(p)))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def letter(index: int) -> str:
    """a, b, ..., z, A, ..., Z, a1, b1, ...: several of them side by side can be told apart."""
    again, place = divmod(index, len(ascii_letters))
    return ascii_letters[place] + (str(again) if again else "")


def compact_letters(significant: NDArray[np.bool_]) -> list[str]:
    """Compact letter display: two models share a letter if and only if their difference is not significant.

    Insert and absorb, Piepho 2004 (J. Comput. Graph. Stat. 13: 456). A model may have several letters. Letters follow
    the order of the models: hand them over best first.

    significant : bool (m, m), symmetric.
    """
    m = len(significant)
    groups = [(1 << m) - 1] if m else []  # sets of models, as bits
    for i in range(m):
        for j in range(i + 1, m):
            if not significant[i, j]:
                continue
            pair = 1 << i | 1 << j
            split = [group for group in groups if group & pair == pair]
            if not split:
                continue
            parts = {group & ~(1 << one) for group in split for one in (i, j)}
            rest = [group for group in groups if group & pair != pair]
            # only a part can lie in another group: whole groups were kept apart before
            kept = [part for part in parts if not any(part & ~group == 0 for group in rest)]
            kept = [part for part in kept if not any(part != other and part & ~other == 0 for other in kept)]
            groups = rest + kept
    groups.sort(key=lambda group: [model for model in range(m) if group >> model & 1])
    return ["".join(letter(q) for q, group in enumerate(groups) if group >> i & 1) for i in range(m)]


def letters_of(scores: NDArray[Any] | Sequence[float], draws: Array, blocks: int, level: float = 0.05) -> list[str]:
    """A compact letter display of models by their paired differences after Holm; "a" goes to the best.

    All m(m − 1)/2 differences are the family. Below FEW_LOCI loci, and for a model without a score, "".

    Parameters
    ----------
    scores : (models,). draws : (draws, models), paired. blocks : number of loci.
    """
    scores = np.asarray(scores, float)
    same_length(scores=scores, draws=np.transpose(draws), of="models")
    letters = [""] * len(scores)
    order = [int(i) for i in np.argsort(-scores, kind="stable") if np.isfinite(scores[i])]
    if blocks < FEW_LOCI or not order:
        return letters
    first, second = np.triu_indices(len(order), 1)
    of = np.array(order)
    a, b = of[first], of[second]
    p = difference_p(scores[a] - scores[b], draws, a, b, blocks)
    significant = np.zeros((len(order), len(order)), bool)
    significant[first, second] = significant[second, first] = holm(p) < level
    for i, text in zip(order, compact_letters(significant), strict=True):
        letters[i] = text
    return letters


def difference_p(gaps: Array, draws: Array, a: NDArray[Any], b: NDArray[Any], blocks: int) -> Array:
    """``bootstrap_p`` of the differences of many pairs of columns a, b of draws (draws, models), by one covariance."""
    from scipy.special import stdtr

    cov = np.atleast_2d(np.cov(draws, rowvar=False))
    variance = np.maximum(cov[a, a] + cov[b, b] - 2 * cov[a, b], 0)
    error = np.sqrt(variance) * sqrt(blocks / max(blocks - 1, 1))
    same = (np.abs(gaps) < 1e-12) & (error < 1e-7)
    with np.errstate(divide="ignore", invalid="ignore"):
        p: Array = np.where(same, 1.0, 2 * stdtr(max(blocks - 1, 1), -np.abs(gaps) / error))
    return p


def intraclass_correlation(y: NDArray[Any], locus: NDArray[Any]) -> float:
    """ICC(1) of y by block from one-way analysis of variance with unequal sizes; NaN where no block has two rows.

    ``(MSB − MSW)/(MSB + (m0 − 1)·MSW)``, m0 = (n − Σm²/n)/(b − 1). Source: Fisher 1925; Donner 1986. Can be negative.
    """
    same_length(y=y, locus=locus)
    y = np.asarray(y, float)
    code = np.unique(locus, return_inverse=True)[1]
    size = np.bincount(code).astype(float)
    n, b = len(y), len(size)
    if b < 2 or n <= b:
        return float("nan")
    mean = np.bincount(code, y) / size
    within = float(((y - mean[code]) ** 2).sum()) / (n - b)
    between = float((size * (mean - y.mean()) ** 2).sum()) / (b - 1)
    m0 = (n - float((size**2).sum()) / n) / (b - 1)
    total = between + (m0 - 1) * within
    return (between - within) / total if total > 0 else float("nan")


def effective_n(y: NDArray[Any], locus: NDArray[Any]) -> float:
    """Independent rows that n rows are worth: ``n / (1 + (m − 1)·ICC)``, m the mean block size seen by a row (Σm²/n).

    Source: the design effect, Kish 1965. A negative ICC counts as 0. With blocks of one row it is n. Give y as ranks:
    the board's figures are rank figures.
    """
    n = same_length(y=y, locus=locus)
    icc = intraclass_correlation(y, locus)
    size = np.unique(locus, return_counts=True)[1].astype(float)
    return n / (1 + (float((size**2).sum()) / n - 1) * max(icc, 0.0)) if np.isfinite(icc) else float(n)
