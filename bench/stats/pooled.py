"""Correlations on ranks, pooled within folds: the scale of every share.

``ρ(a, b) = Σ_f C_f(a, b) / √(Σ_f V_f(a) · Σ_f V_f(b))`` with C_f, V_f the weighted sums of centred products in fold f:
rows weigh equally, and no fold's own correlation is taken. A mean of the folds' own correlations keeps the shrinkage of
few loci (a share of .283, 60 boards: 20 loci × 50 in five folds .224, pooled .245; 10 × 100 .152 and .199; chromosomes
of 80, 15 and 5 %, SD .080 and .050; 300 loci the same). What centring in folds costs, it costs above and below the
fraction bar of a share, where it cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.bootstrap import Draws
from bench.stats.ranks import Array, fold_rows, places

#: A locus counts for this part of the rows at most, or for this many median loci if that is more. One locus with 30 %
#: of the rows, 400 boards: uncapped the interval held the share in 83 %, its SD was .08 to .13; capped in 94 %, .04.
CAP, CAP_MEDIANS = 0.05, 3.0
#: A prediction is ranked within its fold (a fit of its own) where every fold has so many loci. With fewer, ranks follow
#: the accidents of a fold's loci (4 loci a fold: a share of .283 reads .054 low, over all folds .037); with so many it
#: costs .012, and ranks over all folds let small differences of level between folds order the rows where a curve is
#: flat (a step's share of .193 read .242).
RANK_IN_FOLD = 10
#: Folds are put on one scale where Cochran's Q of their levels or log spreads has a p below this. Always dividing by a
#: spread known from 4 loci would add noise; folds 5 SD apart are found, and the share is then off by .002.
ALIGN_P = 1e-3
#: A variance below this part of the sum of squares is rounding: the column is constant there.
CONSTANT = 1e-10
#: Pairs of columns whose products are made at a time, and bytes of sums that are kept for one pass over the draws.
PAIRS, KEEP_BYTES = 16, 2**27


def row_weights(locus: NDArray[Any]) -> Array:
    """Weights (n,) that let no locus (codes ≥ 0, (n,)) dominate: 1, or less in one larger than the cap.

    Consistent where the size of a locus says nothing about GC's effect: the board says when it was applied.
    """
    size = np.bincount(locus)
    most = max(CAP * len(locus), CAP_MEDIANS * float(np.median(size[size > 0])))
    weights: Array = np.minimum(1.0, most / size[locus])
    return weights


def prediction_places(
    prediction: NDArray[Any], fold: NDArray[Any], locus: NDArray[Any], weights: Array | None = None
) -> Array:
    """Places of a held-out prediction (n,), within its fold or over all folds: see ``RANK_IN_FOLD``."""
    folds = fold_rows(fold, len(prediction))
    prediction = np.asarray(prediction, float)
    if len(folds) > 1 and min(len(np.unique(locus[rows])) for rows in folds) < RANK_IN_FOLD:
        return places(align_folds(prediction, fold, locus), weights)
    found = np.full(len(prediction), np.nan)
    for rows in folds:
        found[rows] = places(prediction[rows], None if weights is None else weights[rows])
    return found


def align_folds(prediction: NDArray[Any], fold: NDArray[Any], locus: NDArray[Any]) -> Array:
    """A prediction (n,) of several fits on one scale, touched only where the fits differ by more than their loci
    explain.

    Levels: means of the folds, with the standard errors of their locus means; spreads: log SD, standard error
    1/√(2(loci − 1)). A fold in which it is constant stays so.
    """
    from scipy.special import chdtrc

    aligned = np.array(prediction, float)
    folds = [rows for rows in fold_rows(fold, len(aligned)) if np.ptp(aligned[rows]) > 0]
    if len(folds) < 2:
        return aligned
    level, error, spread, loci = (np.empty(len(folds)) for _ in range(4))
    for f, rows in enumerate(folds):
        _, inside = np.unique(locus[rows], return_inverse=True)
        means = np.bincount(inside, aligned[rows]) / np.bincount(inside)
        level[f], spread[f], loci[f] = aligned[rows].mean(), aligned[rows].std(), len(means)
        error[f] = (means.std(ddof=1) if len(means) > 1 else spread[f]) / np.sqrt(len(means))
    error = np.maximum(error, 1e-12 * max(1.0, float(np.abs(level).max())))

    def differ(figure: Array, its_error: Array) -> bool:
        weight = 1 / its_error**2
        q = float((weight * (figure - (weight * figure).sum() / weight.sum()) ** 2).sum())
        return bool(chdtrc(len(figure) - 1, q) < ALIGN_P)

    spreads = differ(np.log(spread), 1 / np.sqrt(2 * np.maximum(loci - 1, 1)))
    if spreads or differ(level, error):
        for f, rows in enumerate(folds):
            aligned[rows] = (aligned[rows] - level[f]) / (spread[f] if spreads else 1.0)
    return aligned


@dataclass(frozen=True, eq=False)
class Pooled:
    """Correlations of pairs of columns: on the rows as they are (pairs,), in every draw (draws, pairs), and without
    each group of loci (groups, pairs); no rows where not asked for. NaN where a side is constant in all folds."""

    point: Array
    drawn: Array
    left_out: Array


def pooled_correlations(
    columns: Array,
    pairs: Sequence[tuple[int, int]],
    locus: NDArray[Any],
    fold: NDArray[Any],
    *,
    weights: Array | None = None,
    draws: Draws | None = None,
    groups: NDArray[Any] | None = None,
) -> Pooled:
    """Correlations pooled within folds.

    The ranks of the whole sample are kept in all draws: six sums per fold, locus and pair, and the draws are one matrix
    product. Kept or made again, the SD of the root of a share is as 0.986 (300 loci × 3) and 0.972 (20 × 50) to 1.

    A pair in a fold in which one side is constant is undefined there: it counts 0 in the sum of products, and the mean
    variance of the other folds in its own, so that ρ is (fraction of the rows where it is defined) × (ρ there).

    Parameters
    ----------
    columns : float64 (n, p), on their final scale; a row with NaN in one of a pair is left out of that pair.
    locus : int (n,), codes (those of ``draws``). fold : int (n,); negative: left out. weights : (n,), positive.
    groups : int (number of codes,), group of each locus (its chromosome), for ``left_out``.
    """
    same_length(columns=columns, locus=locus, fold=fold, weights=weights)
    codes = draws.blocks if draws is not None else int(locus.max(initial=0)) + 1
    count = 0 if draws is None else draws.count
    ngroups = 0 if groups is None else int(groups.max(initial=0)) + 1
    found = Pooled(*(np.full((rows, len(pairs)), np.nan) for rows in (1, count, ngroups)))
    cells = _Cells(locus, fold, codes)
    step = max(PAIRS, KEEP_BYTES // (48 * max(len(cells.locus), 1)))
    for first in range(0, len(pairs), step):
        part = slice(first, min(first + step, len(pairs)))
        sums = cells.sums(columns, pairs[part], weights)
        whole = np.stack([sums[rows].sum(axis=0) for rows in cells.of_fold])
        found.point[0, part] = _pool(whole)
        if groups is not None:
            group = groups[cells.locus]
            left = np.broadcast_to(whole, (ngroups, *whole.shape)).copy()
            np.subtract.at(left, (group, cells.fold), sums)
            found.left_out[:, part] = _pool(left)
        if draws is None:
            continue
        flat = [(cells.locus[rows], sums[rows].reshape(len(cells.locus[rows]), -1)) for rows in cells.of_fold]
        for drawn, multiplicity in draws.block_weights():
            many = multiplicity.astype(np.float64)
            stacked = [(many[:, blocks] @ table).reshape(len(many), -1, 6) for blocks, table in flat]
            found.drawn[drawn, part] = _pool(np.stack(stacked, axis=1))
    return Pooled(found.point[0], found.drawn, found.left_out)


class _Cells:
    """The loci within folds: code and fold of each, and the rows that they hold."""

    def __init__(self, locus: NDArray[Any], fold: NDArray[Any], codes: int) -> None:
        rows = np.flatnonzero(np.asarray(fold) >= 0)
        labels, folds = np.unique(np.asarray(fold)[rows], return_inverse=True)
        key, cell = np.unique(folds.astype(np.int64) * codes + locus[rows], return_inverse=True)
        self.locus, self.fold = key % codes, key // codes
        self.of_fold = [np.flatnonzero(self.fold == f) for f in range(len(labels))]
        order = np.argsort(cell, kind="stable")
        self._rows, self._first = rows[order], np.searchsorted(cell[order], np.arange(len(key)))

    def sums(self, columns: Array, pairs: Sequence[tuple[int, int]], weights: Array | None) -> Array:
        """(cells, pairs, 6): Σw, Σwa, Σwb, Σwaa, Σwbb, Σwab."""
        return np.concatenate(
            [self._sums(columns, pairs[first : first + PAIRS], weights) for first in range(0, len(pairs), PAIRS)],
            axis=1,
        )

    def _sums(self, columns: Array, pairs: Sequence[tuple[int, int]], weights: Array | None) -> Array:
        left, right = (np.array(side, int) for side in zip(*pairs, strict=True))
        used = np.unique(np.concatenate([left, right]))
        piece = columns[np.ix_(self._rows, used)]
        # Centring first keeps the sums of squares accurate.
        with np.errstate(invalid="ignore"):
            measured = np.isfinite(piece)
            piece = piece - np.where(measured, piece, 0).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
        a, b = piece[:, np.searchsorted(used, left)], piece[:, np.searchsorted(used, right)]
        both = np.isfinite(a) & np.isfinite(b)
        a, b = np.where(both, a, 0.0), np.where(both, b, 0.0)
        w = both * (1.0 if weights is None else weights[self._rows][:, None])
        wa, wb = w * a, w * b
        parts = (w, wa, wb, wa * a, wb * b, wa * b)
        return np.stack([np.add.reduceat(part, self._first, axis=0) for part in parts], axis=-1)


def _pool(sums: Array) -> Array:
    """(..., folds, pairs, 6) → (..., pairs)."""
    w = np.maximum(sums[..., 0], 1e-12)
    product = sums[..., 5] - sums[..., 1] * sums[..., 2] / w
    left = sums[..., 3] - sums[..., 1] ** 2 / w
    right = sums[..., 4] - sums[..., 2] ** 2 / w
    has_left = left > CONSTANT * np.maximum(sums[..., 3], 1e-300)
    has_right = right > CONSTANT * np.maximum(sums[..., 4], 1e-300)

    def filled(variance: Array, defined: NDArray[np.bool_]) -> Array:
        there = np.where(defined, sums[..., 0], 0).sum(axis=-2)
        of: Array = np.where(defined, variance, 0).sum(axis=-2) * sums[..., 0].sum(axis=-2) / there
        return of

    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(filled(left, has_left) * filled(right, has_right))
        rho: Array = np.where(has_left & has_right, product, 0).sum(axis=-2) / spread
    return rho
