"""One prediction under every way of holding GC fixed, side by side: do they tell one story?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.beyond import NOTHING_LEFT
from bench.stats.bootstrap import Draws, block_codes, spearman_estimate
from bench.stats.intervals import NOTHING, Estimate, t_interval
from bench.stats.partial import gc_bins, gc_matched, permute_within_bins
from bench.stats.pooled import pooled_correlations
from bench.stats.ranks import Array, fold_rows, mid_ranks, places_each


@dataclass(frozen=True)
class HeldFixed:
    """Spearman of one prediction unless said otherwise, mean over folds (and seeds), with intervals by locus.

    within_bins : within GC bins of 50 rows or more (fewer where a fold has fewer), semi-partial: ranks of the
        prediction less their line of GC inside the bin, against ranks of y, pooled over bins. 0 where less than 2 % of
        the prediction's variance is left. (Without the line a GC-only row kept .39 of its .69 in coarse bins.)
    matched : AUROC of telling rows above the median of y from rows below it, on a subset of ``matched_rows`` rows in
        which both have the same GC. 0.5 for whatever follows from GC. (Within either half y may still run along GC, so
        Spearman on these rows would not do: a GC-only model at .67 keeps .17.)
    gc_only_null : against y permuted within GC bins, what the prediction scores by GC alone.
    """

    within_bins: Estimate
    matched: Estimate
    matched_rows: int
    gc_only_null: Estimate


def held_fixed(
    y: NDArray[Any],
    prediction: NDArray[Any],
    gc: NDArray[Any],
    locus: NDArray[Any],
    fold: NDArray[Any],
    *,
    draws: Draws | None = None,
    seed: int = 0,
) -> HeldFixed:
    """Figures of one learner.

    Parameters
    ----------
    y, gc : (n,), finite. prediction : (n,) or (n, seeds), held out and finite; several seeds are averaged by score.
    locus : (n,) block labels, or codes of ``draws`` where that is given. fold : int (n,), negative: left out.
    seed : of the permutation and of the matched subset.
    """
    same_length(y=y, prediction=prediction, gc=gc, locus=locus, fold=fold)
    y, gc, fold = np.asarray(y, float), np.asarray(gc, float), np.asarray(fold)
    runs = np.asarray(prediction, float).reshape(len(y), -1)
    if draws is None:
        locus, blocks = block_codes(locus)
        draws = Draws(blocks, seed=seed)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 50]))
    bins, matched = np.full(len(y), -1), np.full(len(y), -1)
    blocks = len(np.unique(locus[fold >= 0]))
    permuted, high = np.full(len(y), np.nan), np.zeros(len(y))
    for number, rows in enumerate(fold_rows(fold, len(y))):
        bins[rows] = gc_bins(gc[rows]) + number * len(y)
        matched[rows[gc_matched(y[rows], gc[rows], rng)]] = number
        high[rows] = mid_ranks(y[rows]) > (len(rows) + 1) / 2
        permuted[rows] = permute_within_bins(y[rows], gc[rows], rng)
    told_apart = spearman_estimate(high, runs, locus, matched, draws)
    return HeldFixed(
        within_bins=_within_bins(y, runs, gc, locus, fold, bins, draws, blocks),
        # for two classes of equal size, Spearman with the class is √3·(AUROC − 1/2)
        matched=Estimate(*(0.5 + value / np.sqrt(3) for value in told_apart)),
        matched_rows=int((matched >= 0).sum()),
        gc_only_null=spearman_estimate(permuted, runs, locus, fold, draws),
    )


def _within_bins(
    y: Array,
    runs: Array,
    gc: Array,
    locus: NDArray[Any],
    fold: NDArray[Any],
    bins: NDArray[Any],
    draws: Draws,
    blocks: int,
) -> Estimate:
    seeds = runs.shape[1]
    columns = np.full((len(y), seeds + 1), np.nan)
    for rows in fold_rows(fold, len(y)):
        columns[rows] = places_each(np.column_stack([runs, y])[rows])
    constant = np.ptp(columns[fold >= 0, :seeds], axis=0) == 0
    whole = np.array([columns[rows, :seeds].var(axis=0) * len(rows) for rows in fold_rows(fold, len(y))]).sum(axis=0)
    for rows in fold_rows(bins, len(y)):
        x = gc[rows] - gc[rows].mean()
        inside = columns[rows, :seeds] - columns[rows, :seeds].mean(axis=0)
        slope = x @ inside / (x @ x) if x @ x > 0 else 0.0
        columns[rows, :seeds] = inside - np.outer(x, slope)
    kept = (columns[fold >= 0, :seeds] ** 2).sum(axis=0) >= NOTHING_LEFT * whole
    if constant.all():
        return NOTHING
    if not kept.any():
        return Estimate(0.0, 0.0, 0.0)
    columns[:, :seeds] *= kept
    found = pooled_correlations(columns, [(s, seeds) for s in range(seeds)], locus, bins, draws=draws)
    return t_interval(float(np.nan_to_num(found.point).mean()), np.nan_to_num(found.drawn).mean(axis=1), blocks)
