"""The rows of a board: every figure of one learner."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.stats.beyond import beyond_fraction
from bench.stats.bootstrap import spearman_estimate
from bench.stats.compare import bootstrap_p, letters_of
from bench.stats.correlations import DrawnCorrelations
from bench.stats.intervals import NOTHING, Estimate, estimate, signed_square, t_interval
from bench.stats.observations import HeldOut
from bench.stats.ranks import Array
from bench.stats.share import ProductShare, share_from
from bench.stats.verdict import verdict_of

NAN = float("nan")

# ---- scales of the correlations --------------------------------------------------------------------------------------
#: Places among the rows; those of predictions have a scale of their own, so that a learner may be called GC.
RANK, PREDICTED = "rank", "predicted"
#: Places of a prediction less what is local in GC, and what that is.
GIVEN_GC, OF_GC = "given GC", "of GC"


@dataclass(frozen=True, eq=False)
class Scores:
    """Spearman of every learner, the mean over its seeds: by_fold (learners, folds), mean, undefined (folds in which it
    predicts one value), pearson (all (learners,)), drawn (draws, learners)."""

    by_fold: Array
    mean: Array
    undefined: NDArray[np.int64]
    pearson: Array
    drawn: Array


@dataclass(frozen=True)
class RowFigures:
    """Figures of one learner: a row of the board. Estimates are NaN where not available.

    name : as given. spearman : mean over folds of the within-fold Spearman; fold_scores : (folds,); a fold in which it
    predicts one value counts 0, and ``undefined`` says how many they are.
    pearson : mean over folds of Pearson's r with the plain mean of the replicates, to compare with published scores.
    of_ceiling : spearman/noise ceiling (1 is the ceiling; never clipped). explained : share of the explainable
    variance, product form, with its sign.
    gain : spearman less that of the chosen GC-only prediction, paired; gain_p its two-sided p (NaN for that itself).
    letter : compact letter display ("" without a score, or below 20 loci). given_gc : semi-partial Spearman given GC.
    with_gc : Spearman with GC.
    beyond : fraction of what it explains that GC does not, 0 to 1. verdict : a key of ``verdict.VERDICTS``.
    shuffled : Spearman of y with its predictions on dinucleotide shuffles of the rows (NaN where there are none).
    """

    name: str
    spearman: Estimate
    fold_scores: tuple[float, ...]
    undefined: int
    pearson: float
    of_ceiling: Estimate
    explained: Estimate
    gain: Estimate
    gain_p: float
    letter: str
    given_gc: Estimate
    with_gc: Estimate
    beyond: Estimate
    verdict: str
    shuffled: Estimate


@dataclass(frozen=True)
class Choice:
    """Who was chosen for a role, fold by fold. name : in the most folds. key : the learner's own name where it is one
    in all folds, else that of the chosen predictions put together, whose ``figures`` these are."""

    name: str
    by_fold: tuple[str, ...]
    key: str
    figures: RowFigures | None = field(default=None, compare=False)


def row_figures(
    held: HeldOut,
    scores: Scores,
    found: DrawnCorrelations,
    ceiling: float,
    ceiling_drawn: Array,
    gc: Choice | None,
) -> list[RowFigures]:
    """The figures of every learner of ``held``. ceiling : NaN where there is none; with its draws. gc : the GC-only
    prediction that gains are over."""
    names = list(held.runs)
    real = [m for m, name in enumerate(names) if not name.endswith(", chosen per fold")]
    letters = dict(zip(real, letters_of(scores.mean[real], scores.drawn[:, real], held.blocks), strict=True))
    reference = None if gc is None else names.index(gc.key)
    rows = []
    for m, name in enumerate(names):
        score, drawn = float(scores.mean[m]), scores.drawn[:, m]
        gain, gain_p = NOTHING, NAN
        if reference is not None and m != reference:
            difference = drawn - scores.drawn[:, reference]
            gain = t_interval(score - scores.mean[reference], difference, held.blocks)
            gain_p = float(bootstrap_p(difference, gain.value, held.blocks)) if np.isfinite(gain.value) else NAN
        spearman = t_interval(score, drawn, held.blocks)
        given_gc, beyond = _beyond(held, found, name, spearman)
        shuffled = _on_shuffles(held, name)
        share = product_share(held, found, name)
        rows.append(
            RowFigures(
                name=name,
                spearman=spearman,
                fold_scores=tuple(map(float, scores.by_fold[m])),
                undefined=int(scores.undefined[m]),
                pearson=float(scores.pearson[m]),
                of_ceiling=t_interval(score / ceiling, drawn / ceiling_drawn, held.blocks),
                explained=NOTHING if share is None or np.isnan(score) else share.value,
                gain=gain,
                gain_p=gain_p,
                letter=letters.get(m, ""),
                given_gc=given_gc,
                with_gc=t_interval(*found.means(("with GC", name)), held.blocks),
                beyond=beyond,
                verdict=verdict_of(spearman, given_gc, beyond, held.blocks, shuffled),
                shuffled=NOTHING if shuffled is None else shuffled,
            )
        )
    return rows


def product_share(held: HeldOut, found: DrawnCorrelations, name: str) -> ProductShare | None:
    """The share of the explainable variance that a learner's predictions explain; None with fewer than 2 replicates."""
    k = held.replicates.shape[1]
    if k < 2:
        return None
    with_f, between = found.parts(("with replicates", name)), found.parts(("replicates",))
    return share_from(with_f, between, held.blocks, k, copied=held.copied)


def _beyond(held: HeldOut, found: DrawnCorrelations, name: str, spearman: Estimate) -> tuple[Estimate, Estimate]:
    """Semi-partial Spearman given GC, and the fraction of what is explained that is beyond GC.

    Both sides of the fraction are with the same target, so that its reliability cancels.
    """
    given, given_drawn = found.means(("given GC", name))
    by_gc, by_gc_drawn = found.means(("by GC", name))
    if np.isnan(spearman.value):
        return NOTHING, NOTHING
    if np.isnan(given):  # a function of GC: nothing is left to correlate
        return Estimate(0.0, 0.0, 0.0), Estimate(0.0, 0.0, 0.0)
    value, drawn = (
        beyond_fraction(signed_square(np.nan_to_num(left)), signed_square(np.nan_to_num(of_gc)))
        for left, of_gc in ((given, by_gc), (given_drawn, by_gc_drawn))
    )
    return t_interval(given, given_drawn, held.blocks), estimate(float(value), drawn, held.blocks, "fraction")


def _on_shuffles(held: HeldOut, name: str) -> Estimate | None:
    """Spearman of y with predictions on shuffles of the rows that have them; None for a learner without any."""
    if name not in held.shuffled:
        return None
    seeds = held.shuffled[name]
    there = np.isfinite(seeds).all(axis=1)
    return spearman_estimate(held.y, seeds, held.codes, np.where(there, held.fold, -1), held.draws)
