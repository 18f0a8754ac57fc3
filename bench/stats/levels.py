"""Figures within every level of a stratum at once: one pass over the rows, one over the draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.beyond import beyond_gc
from bench.stats.bootstrap import Draws
from bench.stats.intervals import NOTHING, Estimate, t_interval
from bench.stats.partial import spline_parts, spline_residuals
from bench.stats.pooled import pooled_by_level, prediction_places, row_weights
from bench.stats.ranks import fold_rows, places, places_each
from bench.stats.replicate_checks import any_copies
from bench.stats.replicates import replicate_pairs
from bench.stats.share import ProductShare, parts_of, share_from

#: Why a share within a level is n/a where GC is one value there.
NO_GC = "GC does not vary in these rows"


def groups_of(level: NDArray[Any], names: Sequence[str]) -> NDArray[np.int64]:
    """Number of each row's level among ``names``, int64 (n,); −1 for another. level : labels (n,)."""
    known, code = np.unique(level, return_inverse=True)
    number = {name: i for i, name in enumerate(names)}
    return np.array([number.get(str(each), -1) for each in known], np.int64)[code]


def shares_by_level(
    y: NDArray[Any],
    gc: NDArray[Any],
    replicates: NDArray[Any],
    locus: NDArray[Any],
    draws: Draws,
    level: NDArray[np.int64],
) -> list[ProductShare] | None:
    """GC's share in each level, by a curve of GC fitted in its rows: ``strata.share_refitted`` of each, with one pass
    over the draws; None with fewer than two replicates.

    y, gc : (n,). replicates : (n, k). locus : int (n,), codes of ``draws``. level : int64 (n,), negative: left out.
    """
    k = replicates.shape[1]
    if k < 2:
        return None
    gc = np.asarray(gc, float)
    columns, part = np.full((len(y), 1 + k), np.nan), np.full(len(y), -1, np.int64)
    weights = np.ones(len(y))
    of_level = [np.flatnonzero(level == one) for one in range(int(level.max(initial=-1)) + 1)]
    for rows in of_level:
        own, weight = locus[rows], row_weights(locus[rows])
        ranked = places(y[rows], weight)[:, None]
        curve = ranked[:, 0] - spline_residuals(ranked, gc[rows], own, weights=weight)[:, 0]
        part[rows], weights[rows] = spline_parts(own), weight
        columns[rows, 0] = prediction_places(curve, part[rows], own, weight)
        for j, column in enumerate(np.asarray(replicates, float)[rows].T):
            columns[rows, 1 + j] = places(column, weight)
    pairs = [(0, 1 + i) for i in range(k)] + [(1 + i, 1 + j) for i, j in replicate_pairs(k)]
    pooled = pooled_by_level(columns, pairs, locus, part, level, weights=weights, draws=draws)
    found = []
    for rows, figures in zip(of_level, pooled, strict=True):
        with_f, between = (parts_of(figures, some) for some in (slice(0, k), slice(k, None)))
        loci = int((np.bincount(locus[rows]) > 0).sum())
        share = share_from(with_f, between, loci, k, copied=any_copies(replicates[rows]))
        if len(rows) and np.ptp(gc[rows]) == 0:
            share = replace(share, value=NOTHING, by_chromosome=NOTHING, reason=share.reason or NO_GC)
        found.append(share)
    return found


def given_gc_by_level(
    y: NDArray[Any],
    best: NDArray[Any],
    gc_only: NDArray[Any] | None,
    gc: NDArray[Any],
    locus: NDArray[Any],
    fold: NDArray[Any],
    draws: Draws,
    level: NDArray[np.int64],
) -> list[Estimate]:
    """Semi-partial Spearman given GC of a prediction in each level: what is left of it beyond GC (``beyond.beyond_gc``,
    within folds of the level), correlated with y.

    y, best, gc_only, gc : (n,). locus : int (n,), codes of ``draws``. fold : int (n,). level : as above.
    """
    table, weights = np.full((len(y), 2), np.nan), np.ones(len(y))
    of_gc = np.array([False, True][: 1 if gc_only is None else 2])
    of_level = [np.flatnonzero(level == one) for one in range(int(level.max(initial=-1)) + 1)]
    for rows in of_level:
        columns = np.column_stack([column[rows] for column in (best, gc_only) if column is not None])
        for some in fold_rows(fold[rows], len(rows)):
            columns[some] = places_each(columns[some])
        weights[rows] = row_weights(locus[rows])
        table[rows, 0] = beyond_gc(columns, np.asarray(gc, float)[rows], locus[rows], fold[rows], of_gc)[:, 0]
        table[rows, 1] = places(y[rows], weights[rows])
    found = pooled_by_level(table, [(0, 1)], locus, fold, level, weights=weights, draws=draws)
    loci = [int((np.bincount(locus[rows]) > 0).sum()) for rows in of_level]
    return [
        t_interval(float(each.point[0]), each.drawn[:, 0], blocks) for each, blocks in zip(found, loci, strict=True)
    ]
