"""Models of one task on the rows of another, beside those that were trained there: the same rows, paired by locus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws, spearman_draws
from bench.stats.intervals import NOTHING, Estimate, t_interval
from bench.stats.library import lower_bound
from bench.stats.noise_ceiling import noise_ceiling
from bench.stats.pooled import pooled_correlations, row_weights
from bench.stats.ranks import Array, fold_scores, places_each
from bench.stats.replicate_checks import any_copies
from bench.stats.replicates import Combined, replicate_pairs

NAN = float("nan")


@dataclass(frozen=True)
class Carried:
    """One learner. carried : mean over folds of the within-fold Spearman of its transferred predictions; of_ceiling;
    gain : less that of the GC-only learner's, paired (NaN for that itself); there : of the same learner trained on the
    other task; lost : that less carried, paired. NaN where n/a."""

    name: str
    carried: Estimate
    of_ceiling: Estimate
    gain: Estimate
    there: Estimate
    lost: Estimate


@dataclass(frozen=True)
class TransferFigures:
    """ceiling : noise ceiling of the rows, NaN for ``no_ceiling``. rows, loci : how many. learners : in the order
    given."""

    rows: int
    loci: int
    ceiling: Estimate
    no_ceiling: str | None
    learners: tuple[Carried, ...]


def average(predictions: Array, usable: NDArray[np.bool_]) -> Array:
    """One prediction of every row, float64 (n,), from those of several fits (n, folds): each on one scale (mean 0,
    standard deviation 1 over all rows), then the mean of those that are usable; NaN where none is.

    Fits differ in level and spread; a row that fewer of them may be asked for must not be moved by that.
    """
    centred = predictions - predictions.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / np.where(spread > 0, spread, 1.0)
    number = usable.sum(axis=1)
    total = np.where(usable, scaled, 0.0).sum(axis=1)
    return np.where(number > 0, total / np.maximum(number, 1), NAN)


def transfer_figures(
    y: Array,
    replicates: Array,
    combined: Combined,
    locus: NDArray[Any],
    fold: NDArray[Any],
    carried: Mapping[str, Array],
    there: Mapping[str, Array],
    gc: str | None,
    draws: Draws,
    *,
    raw: bool = False,
) -> TransferFigures:
    """Figures of learners on the same rows.

    Parameters
    ----------
    y (m,), replicates (m, k), combined : the other task's target on these rows. locus : codes of ``draws``. fold : its
        folds; scores are made within them.
    carried, there : name → predictions (m, seeds), transferred and by fits on the other task; the latter need not be
        there. gc : name of the GC-only learner that gains are over.
    raw : replicates were averaged on scales of their own.
    """
    loci = len(np.unique(locus))

    def scored(runs: Array) -> tuple[float, Array]:
        found = [fold_scores(y, run, fold).mean for run in runs.T]
        if not np.isfinite(found).any():
            return NAN, np.full(draws.count, NAN)
        return float(np.nansum(found) / len(found)), spearman_draws(y, runs, locus, draws, fold).mean(axis=1)

    moved = {name: scored(runs) for name, runs in carried.items()}
    own = {name: scored(runs) for name, runs in there.items()}
    good = max(own, key=lambda name: np.nan_to_num(own[name][0], nan=-2.0), default=None)
    k = replicates.shape[1]
    between: tuple[float, Array] = NAN, np.full(draws.count, NAN)
    if k > 1:
        weights = row_weights(locus)
        ranked = places_each(replicates, weights)
        found = pooled_correlations(ranked, replicate_pairs(k), locus, fold, weights=weights, draws=draws)
        between = float(found.point.mean()), found.drawn.mean(axis=1)
    ceiling = noise_ceiling(
        replicates,
        combined,
        fold,
        between,
        None if good is None else there[good],
        loci,
        copied=k > 1 and any_copies(replicates),
        at_least=lower_bound(replicates, None, loci) if k > 1 else (),
        raw=raw,
    )
    learners = []
    for name, (score, drawn) in moved.items():
        gain = there_too = lost = NOTHING
        if gc is not None and name != gc:
            gain = t_interval(score - moved[gc][0], drawn - moved[gc][1], loci)
        if name in own:
            there_too = t_interval(*own[name], loci)
            lost = t_interval(own[name][0] - score, own[name][1] - drawn, loci)
        of_ceiling = t_interval(score / ceiling.best.value, drawn / ceiling.drawn, loci)
        learners.append(Carried(name, t_interval(score, drawn, loci), of_ceiling, gain, there_too, lost))
    return TransferFigures(len(y), loci, ceiling.best, ceiling.reason, tuple(learners))
