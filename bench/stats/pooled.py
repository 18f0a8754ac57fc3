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
from bench.stats.ranks import Array, fold_rows, places_each

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
#: Products of columns that are made at a time; fewest pairs, and bytes of sums, of one pass over the draws.
COLUMNS, PAIRS, KEEP_BYTES = 16, 16, 2**27
#: Loci within folds and levels whose draws are held at a time: 256 draws of so many are 400 MB.
CELLS = 200_000


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
    return prediction_places_each(np.asarray(prediction, float)[:, None], fold, locus, weights)[:, 0]


def prediction_places_each(
    predictions: Array, fold: NDArray[Any], locus: NDArray[Any], weights: Array | None = None
) -> Array:
    """``prediction_places`` of each column of predictions (n, p)."""
    folds = fold_rows(fold, len(predictions))
    if len(folds) > 1 and min(len(np.unique(locus[rows])) for rows in folds) < RANK_IN_FOLD:
        return places_each(np.column_stack([align_folds(column, fold, locus) for column in predictions.T]), weights)
    found = np.full(predictions.shape, np.nan)
    for rows in folds:
        inside = None if weights is None else weights[rows]
        found[rows] = places_each(predictions[rows], inside)
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

    The ranks of the whole sample are kept in all draws: a few sums per fold and locus, and the draws are one matrix
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
    # By columns: what is read later are the draws of one pair, or of a few.
    found = Pooled(*(np.full((rows, len(pairs)), np.nan, order="F") for rows in (1, count, ngroups)))
    cells = _Cells(locus, fold, codes)
    step = max(PAIRS, KEEP_BYTES // (48 * max(len(cells.locus), 1)))
    for first in range(0, len(pairs), step):
        part = slice(first, min(first + step, len(pairs)))
        wanted = Sums.of(columns, pairs[part])
        sums = cells.sums(columns, wanted, weights)
        whole = np.stack([sums[rows].sum(axis=0) for rows in cells.of_fold])
        found.point[0, part] = _pool(whole[..., None], wanted)[:, 0]
        if groups is not None:
            group = groups[cells.locus]
            left = np.repeat(whole[:, None], ngroups, axis=1)
            np.subtract.at(left, (cells.fold, group), sums)
            found.left_out[:, part] = _pool(left.swapaxes(1, 2), wanted).T
        if draws is None:
            continue
        tables = [sums[rows] for rows in cells.of_fold]
        held = np.empty(0)
        for drawn, many in draws.weights_of([cells.locus[rows] for rows in cells.of_fold]):
            count = drawn.stop - drawn.start
            if held.shape[-1] != count:  # memory is touched once, not for every block of draws
                held = np.empty((len(tables), sums.shape[1], count))
            for f, table in enumerate(tables):
                np.matmul(table.T, many[f], out=held[f])
            found.drawn[drawn, part] = _pool(held, wanted).T
    return Pooled(found.point[0], found.drawn, found.left_out)


@dataclass(frozen=True, eq=False)
class Sums:
    """Which sums the correlations of pairs need, each once: where all rows are measured, a column's own sum and square
    serve every pair that it is in.

    Attributes
    ----------
    masks : bool (patterns, n), rows that a pair, or several alike, have both values in.
    first, second, mask : int (sums,). Sum over a mask of the weights times column ``first`` times column ``second``;
        the column −1 is 1.
    of_pair : int64 (pairs, 6), numbers of Σw, Σwa, Σwb, Σwaa, Σwbb and Σwab.
    """

    masks: NDArray[np.bool_]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    mask: NDArray[np.int64]
    of_pair: NDArray[np.int64]

    @classmethod
    def of(cls, columns: Array, pairs: Sequence[tuple[int, int]]) -> Sums:
        """The sums of pairs of columns (n, p)."""
        masks: list[NDArray[np.bool_]] = []
        number: dict[bytes, int] = {}

        def mask_of(rows: NDArray[np.bool_]) -> int:
            known = number.setdefault(np.packbits(rows).tobytes(), len(masks))
            if known == len(masks):
                masks.append(rows)
            return known

        used = sorted({column for pair in pairs for column in pair})
        own = {column: mask_of(np.isfinite(columns[:, column])) for column in used}
        both: dict[tuple[int, int], int] = {}
        sums: dict[tuple[int, int, int], int] = {}
        of_pair = np.empty((len(pairs), 6), np.int64)
        for p, (a, b) in enumerate(pairs):
            patterns = own[a], own[b]
            if patterns not in both:
                both[patterns] = mask_of(masks[patterns[0]] & masks[patterns[1]])
            m = both[patterns]
            needed = ((-1, -1, m), (-1, a, m), (-1, b, m), (a, a, m), (b, b, m), (min(a, b), max(a, b), m))
            of_pair[p] = [sums.setdefault(each, len(sums)) for each in needed]
        first, second, mask = np.array(list(sums), np.int64).reshape(-1, 3).T
        return cls(np.array(masks), first, second, mask, of_pair)


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

    def sums(self, columns: Array, wanted: Sums, weights: Array | None) -> Array:
        """float64 (cells, sums): each of the wanted sums over the rows of each cell."""
        used, place = np.unique(np.concatenate([wanted.first, wanted.second]), return_inverse=True)
        first, second = place.reshape(2, -1)
        # Centring first keeps the sums of squares accurate. The column −1 is 1.
        held: list[Array] = []
        for column in used:
            values = np.ones(len(self._rows)) if column < 0 else columns[self._rows, column]
            measured = np.isfinite(values)
            centre = 0.0 if column < 0 else values[measured].sum() / max(int(measured.sum()), 1)
            held.append(np.where(measured, values - centre, 0.0))
        masks = wanted.masks[:, self._rows]
        w = masks * (1.0 if weights is None else weights[self._rows])
        found = np.empty((len(self.locus), len(first)))
        for begin in range(0, len(first), COLUMNS):
            piece = range(begin, min(begin + COLUMNS, len(first)))
            products = np.column_stack([w[wanted.mask[j]] * held[first[j]] * held[second[j]] for j in piece])
            found[:, piece.start : piece.stop] = np.add.reduceat(products, self._first, axis=0)
        return found


def _pool(sums: Array, wanted: Sums) -> Array:
    """(folds, sums, m) → (pairs, m)."""
    from bench.stats.draw_kernels import pool_kernel

    found: Array = pool_kernel(np.ascontiguousarray(sums), wanted.of_pair, CONSTANT)
    return found


# ---- levels ----------------------------------------------------------------------------------------------------------
def pooled_by_level(
    columns: Array,
    pairs: Sequence[tuple[int, int]],
    locus: NDArray[Any],
    fold: NDArray[Any],
    level: NDArray[np.int64],
    *,
    weights: Array | None = None,
    draws: Draws,
    by_fold: bool = False,
) -> list[Pooled]:
    """Correlations of pairs of columns in each level: ``pooled.pooled_correlations`` of its rows, for all levels in one
    pass over the draws.

    Parameters
    ----------
    columns : float64 (n, p), on their final scale within their level. pairs, locus, weights, draws : as there.
    fold : int (n,), folds to pool over; negative: left out. level : int64 (n,), 0 ...; negative: left out.
    by_fold : the mean over folds of the folds' own correlations instead, 0 for a fold in which a side is constant.
    """
    same_length(columns=columns, locus=locus, fold=fold, level=level, weights=weights)
    count = int(level.max(initial=-1)) + 1
    folds = int(np.max(fold, initial=0)) + 1
    code = np.where((np.asarray(fold) >= 0) & (level >= 0), level * folds + fold, -1)
    cells = _Cells(locus, code, draws.blocks)
    labels = np.unique(code[code >= 0])
    wanted = Sums.of(columns, pairs)
    sums = cells.sums(columns, wanted, weights)
    of_level = [np.flatnonzero(labels // folds == one).tolist() for one in range(count)]
    point, drawn_of = np.full((count, len(pairs)), np.nan), np.full((count, draws.count, len(pairs)), np.nan)

    def figure(held: Array) -> Array:
        return _mean_over_folds(held, wanted) if by_fold else _pool(held, wanted)

    for some in _in_turn(of_level, cells):
        tables = {piece: sums[cells.of_fold[piece]] for one in some for piece in of_level[one]}
        for one in some:
            if of_level[one]:
                whole = np.stack([tables[piece].sum(axis=0) for piece in of_level[one]])
                point[one] = figure(whole[..., None])[:, 0]
        for drawn, many in draws.weights_of([cells.locus[cells.of_fold[piece]] for piece in tables]):
            held = {piece: table.T @ times for (piece, table), times in zip(tables.items(), many, strict=True)}
            for one in some:
                if of_level[one]:
                    drawn_of[one][drawn] = figure(np.stack([held[piece] for piece in of_level[one]])).T
    return [Pooled(*figures, np.empty((0, len(pairs)))) for figures in zip(point, drawn_of, strict=True)]


def _in_turn(of_level: list[list[int]], cells: _Cells) -> list[list[int]]:
    """Levels in runs of at most ``CELLS`` loci within folds, or one level, that one pass over the draws serves."""
    runs: list[list[int]] = []
    held = 0
    for one, pieces in enumerate(of_level):
        size = sum(len(cells.of_fold[piece]) for piece in pieces)
        if not runs or held + size > CELLS:
            runs.append([])
            held = 0
        runs[-1].append(one)
        held += size
    return runs


def _mean_over_folds(held: Array, wanted: Sums) -> Array:
    """(folds, sums, m) → (pairs, m): the mean of the folds' own correlations, an undefined one as 0."""
    each = np.stack([_pool(fold[None], wanted) for fold in held])
    known = np.isfinite(each).any(axis=0)
    return np.where(known, np.where(np.isfinite(each), each, 0.0).mean(axis=0), np.nan)
