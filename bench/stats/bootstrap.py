"""Paired block bootstrap over loci: exact draws of Spearman, and draws of whatever is made of correlations.

A draw is a multiplicity for every locus; a row weighs as much as its locus. All models, replicates and tasks that are
given the same ``Draws`` see the same multiplicities, so their differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.intervals import NOTHING, Estimate, t_interval
from bench.stats.ranks import Array, fold_rows, fold_scores, sorted_columns

#: Draws that the kernels carry side by side. Their sums are scalars with names, which live in registers: at n = 60,000
#: four took 1.4 ns a row and draw on one core, arrays of eight 5.9, and sixteen with names spilled (7.7).
SIDE_BY_SIDE = 4
#: Groups of draws are kept in memory up to this many bytes, else made again on each pass.
KEEP_BYTES = 2**27


@dataclass(frozen=True, eq=False)
class Draws:
    """Block multiplicities of ``count`` bootstrap draws: as many blocks drawn with replacement as there are.

    Parameters
    ----------
    blocks : number of blocks (loci). Rows name their block by a code in ``range(blocks)``. Tasks on shared sequences
        pass codes of the same loci and one ``Draws``, and are then resampled jointly.
    count : number of draws.
    seed : any non-negative integer. Groups of four draws have streams of their own, hashed by ``SeedSequence``: with
        plain neighbouring seeds streams overlapped and the spread of a bootstrap shrank 33-fold.

    Notes
    -----
    Source: Efron & Tibshirani 1993, chapter 8; Cameron, Gelbach & Miller 2008 for clusters. Assumes independent blocks.
    What few of them need is in ``bench.stats.intervals``.
    """

    blocks: int
    count: int = 2000
    seed: int = 0

    @property
    def groups(self) -> int:
        """Number of groups of four draws (the last may be filled only in part)."""
        return -(-self.count // SIDE_BY_SIDE)

    def group(self, index: int) -> NDArray[np.uint8]:
        """Multiplicities of draws ``4·index ..``, uint8 (blocks, 4). Each column sums to ``blocks``."""
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=(index,))))
        picked = rng.integers(0, self.blocks, (self.blocks, SIDE_BY_SIDE), dtype=np.int64)
        picked *= SIDE_BY_SIDE
        picked += np.arange(SIDE_BY_SIDE)
        # A block is drawn more than 255 times with probability 1/256! at most, so uint8 is enough.
        return (
            np.bincount(picked.ravel(), minlength=self.blocks * SIDE_BY_SIDE).astype(np.uint8).reshape(-1, SIDE_BY_SIDE)
        )

    @cached_property
    def _kept(self) -> NDArray[np.uint8]:
        return np.stack([self.group(index) for index in range(self.groups)])

    def chunks(self) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """``(draws, weights)`` pairs: a slice of the draws and uint8 (groups, blocks, 4), in order."""
        if self.groups * self.blocks * SIDE_BY_SIDE <= KEEP_BYTES:
            yield slice(0, self.count), self._kept
            return
        step = max(1, KEEP_BYTES // (4 * self.blocks * SIDE_BY_SIDE))
        for first in range(0, self.groups, step):
            last = min(first + step, self.groups)
            weights = np.stack([self.group(index) for index in range(first, last)])
            yield slice(first * SIDE_BY_SIDE, min(last * SIDE_BY_SIDE, self.count)), weights

    @cached_property
    def _by_block(self) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self._kept.transpose(1, 0, 2).reshape(self.blocks, -1)[:, : self.count])

    def _pieces(self) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """``(draws, weights)`` pairs, weights uint8 (blocks, draws), some 256 draws at a time."""
        if self.groups * self.blocks * SIDE_BY_SIDE <= KEEP_BYTES:
            for first in range(0, self.count, 256):
                part = slice(first, min(first + 256, self.count))
                yield part, self._by_block[:, part]
            return
        for draws, weights in self.chunks():
            for first in range(0, len(weights), 64):
                piece = weights[first : first + 64]
                start = draws.start + first * SIDE_BY_SIDE
                stop = min(start + len(piece) * SIDE_BY_SIDE, draws.stop)
                yield slice(start, stop), piece.transpose(1, 0, 2).reshape(self.blocks, -1)[:, : stop - start]

    def block_weights(self) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """``(draws, weights)`` pairs, weights uint8 (draws, blocks), some 256 draws at a time."""
        for part, piece in self._pieces():
            yield part, piece.T

    def weights_of(self, blocks: Sequence[NDArray[Any]]) -> Iterator[tuple[slice, list[Array]]]:
        """``(draws, weights)`` pairs, weights float64 (len(some), draws) of each ``some`` of ``blocks``: what a stratum
        needs of many loci are a few."""
        for part, piece in self._pieces():
            yield part, [piece[some].astype(np.float64) for some in blocks]


def block_codes(locus: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Codes 0..b−1 of the loci that occur, and b."""
    labels, codes = np.unique(locus, return_inverse=True)
    return codes.astype(np.int64), len(labels)


def _checked(locus: NDArray[Any] | None, draws: Draws | None, n: int) -> tuple[NDArray[np.int64], Draws]:
    if locus is None:
        locus = np.arange(n)
    if draws is None:
        codes, blocks = block_codes(locus)
        return codes, Draws(blocks)
    locus = np.ascontiguousarray(locus, np.int64)
    if len(locus) and (locus.min() < 0 or locus.max() >= draws.blocks):
        raise ValueError(f"locus must hold codes 0 to {draws.blocks - 1}. Got {locus.min()} to {locus.max()}.")
    return locus, draws


def spearman_draws(
    y: NDArray[Any],
    predictions: NDArray[Any],
    locus: NDArray[Any] | None = None,
    draws: Draws | None = None,
    fold: NDArray[Any] | None = None,
) -> Array:
    """Exact bootstrap draws of the mean over folds of the within-fold Spearman, for many models at once.

    Every variable is sorted once. A draw gives weights to rows; the mid-rank of a tie group of weight w after a
    cumulated weight c is c + w/2 (the average rank, less one half, in the sample where each row stands as often as it
    weighs), and Spearman is the weighted correlation of mid-ranks. That equals resampling rows and ranking again, ties
    included.

    Parameters
    ----------
    y : (n,) target. predictions : (n, models). Both without NaN.
    locus : int (n,), block code of each row; rows are their own blocks without it.
    draws : the multiplicities; 2,000 over the loci that occur without it.
    fold : int (n,); rows with a negative label are left out.

    Returns
    -------
    float64 (draws, models). A fold in which a prediction is constant counts 0; one without two values of y, or without
    3 rows, is left out. NaN in a draw where every fold is left out.
    """
    from bench.stats.draw_kernels import spearman_kernel

    same_length(y=y, predictions=predictions, locus=locus, fold=fold)
    predictions = np.asarray(predictions)
    columns = np.column_stack([np.asarray(y), predictions]).astype(np.float64, copy=False)
    locus, draws = _checked(locus, draws, len(columns))
    folds = fold_rows(fold, len(columns))
    rows = np.concatenate(folds)
    if not np.isfinite(columns[rows]).all():
        raise ValueError("y and predictions must be finite on the held-out rows. Got NaN or infinity.")
    starts = np.concatenate(([0], np.cumsum([len(piece) for piece in folds]))).astype(np.int64)
    order = np.empty((columns.shape[1], len(rows)), np.int32)
    closes = np.empty(order.shape, np.bool_)
    for first, last in pairwise(starts):
        piece = columns[rows[first:last]]
        for some, local, ordered in sorted_columns(piece):
            order[some, first:last] = local.T
            closes[some, first : last - 1] = (ordered[1:] != ordered[:-1]).T
    closes[:, starts[1:] - 1] = True
    block = locus[rows].astype(np.int32)
    scores = np.empty((draws.count, predictions.shape[1]))
    for part, weights in draws.chunks():
        scores[part] = spearman_kernel(order, closes, block, starts, weights)[: part.stop - part.start]
    return scores


def correlation_draws(
    columns: Array,
    pairs: Sequence[tuple[int, int]],
    locus: NDArray[Any] | None = None,
    draws: Draws | None = None,
    fold: NDArray[Any] | None = None,
    *,
    whole: bool = False,
) -> Array:
    """Bootstrap draws of within-fold Pearson correlations between fixed columns, for any statistic made of them.

    The columns (ranks, rank-Gaussian scores, residuals of ranks) are computed once on the whole sample and kept: a draw
    then needs six sums a block and pair, and all draws are one matrix product. Ceilings, FEV, GC's share and Spearman
    given GC are functions of these correlations. Keeping the ranks leaves out the (second-order) re-ranking of each
    draw; a test holds its spread against exact re-ranking.

    Parameters
    ----------
    columns : float64 (n, p). Where one of a pair is NaN the row is left out of that pair.
    pairs : (i, j) column numbers.
    locus, draws, fold : as in ``spearman_draws``.
    whole : no resampling: one "draw" in which every locus stands once, which is the estimate itself.

    Returns
    -------
    float64 (draws, folds, pairs); NaN where a side is constant or fewer than 3 rows are left.
    """
    same_length(columns=columns, locus=locus, fold=fold)
    locus, draws = _checked(locus, draws, len(columns))
    folds = fold_rows(fold, len(columns))
    result = np.full((1 if whole else draws.count, len(folds), len(pairs)), np.nan)
    if not pairs:
        return result
    left, right = (np.array(side, int) for side in zip(*pairs, strict=True))
    sums = []
    for rows in folds:
        present, inverse = np.unique(locus[rows], return_inverse=True)
        by_block = np.argsort(inverse, kind="stable")
        first = np.searchsorted(inverse[by_block], np.arange(len(present)))
        piece = columns[rows[by_block]]
        a, b = piece[:, left], piece[:, right]
        both = np.isfinite(a) & np.isfinite(b)
        counts = np.maximum(both.sum(axis=0), 1)
        # Centring first keeps the sums of squares accurate.
        a = np.where(both, a - np.where(both, a, 0).sum(axis=0) / counts, 0.0)
        b = np.where(both, b - np.where(both, b, 0).sum(axis=0) / counts, 0.0)
        stacked = np.concatenate([both, a, b, a * a, b * b, a * b], axis=1, dtype=np.float64)
        sums.append((present, np.add.reduceat(stacked, first, axis=0)))
    loci = [of_fold for of_fold, _ in sums]
    once = [(slice(0, 1), [np.ones((len(some), 1)) for some in loci])]
    for part, weights in once if whole else draws.weights_of(loci):
        for index, (_, blocks) in enumerate(sums):
            w, sa, sb, saa, sbb, sab = np.split(weights[index].T @ blocks, 6, axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                va, vb = saa - sa * sa / w, sbb - sb * sb / w
                r = (sab - sa * sb / w) / np.sqrt(va * vb)
            tiny = (va <= 1e-12 * saa) | (vb <= 1e-12 * sbb)
            result[part, index] = np.where((w >= 3) & ~tiny, r, np.nan)
    return result


def spearman_estimate(
    y: NDArray[Any], runs: NDArray[Any], locus: NDArray[Any], fold: NDArray[Any], draws: Draws
) -> Estimate:
    """Mean over folds and seeds of the within-fold Spearman, with its interval.

    y : (n,). runs : (n, seeds), predictions of one learner. Both finite on rows with ``fold`` ≥ 0. locus : int (n,),
    codes of ``draws``. A fold in which it predicts one value counts 0. NaN where no fold has a correlation.
    """
    same_length(y=y, runs=runs, locus=locus, fold=fold)
    used = np.flatnonzero(np.asarray(fold) >= 0)
    y, runs, fold, locus = (np.asarray(values)[used] for values in (y, runs, fold, locus))
    scores = [fold_scores(y, run, fold).mean for run in runs.T]
    if not np.isfinite(scores).any():
        return NOTHING
    drawn = spearman_draws(y, runs, locus, draws, fold).mean(axis=1)
    return t_interval(float(np.nansum(scores) / len(scores)), drawn, len(np.unique(locus)))
