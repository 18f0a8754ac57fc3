"""Every figure of one target of a task: scores with intervals, noise ceiling, GC's share, ties, Spearman given GC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.stats import ceilings
from bench.stats.bootstrap import Draws, Estimate, estimate, signed_root, spearman_draws, spearman_estimate
from bench.stats.compare import bootstrap_p, effective_n, tie_letters
from bench.stats.correlations import Correlations, DrawnCorrelations
from bench.stats.observations import HeldOut, Learners, Observations, held_out
from bench.stats.partial import rank_residuals
from bench.stats.ranks import (
    Array,
    fold_aligned,
    fold_rows,
    gaussian_within_folds,
    mean_over_folds,
    mid_ranks,
    spearman_by_fold,
    tied_fraction,
)
from bench.stats.share import INTERVALS, Share, choose_on_validation, share_of
from bench.stats.verdict import gc_variance, nothing_left, variance_beyond, verdict_of

NAN = float("nan")

# ---- scales of the correlations --------------------------------------------------------------------------------------
#: One rank-Gaussian transform over all folds, of predictions on one scale: ``bench.stats.share`` says why.
NORMAL = "rank-Gaussian"
#: Mid-ranks within a fold: Spearman.
RANK = "rank"
#: Those less their spline of GC: Spearman given GC.
GIVEN_GC = "given GC"
#: The three correlations of a share.
SIDES = ("y with G", "y with D", "G with D")


@dataclass(frozen=True)
class RowFigures:
    """Figures of one learner: a row of the board. Estimates are NaN where not available.

    name : as given. spearman : mean over folds of the within-fold Spearman. fold_scores : (folds,).
    of_ceiling : spearman/√ρk (1 is the noise ceiling; never clipped). explained : spearman²/ρk with its sign.
    gain : spearman less that of the chosen GC-only learner, paired; gain_p its two-sided p (NaN for that learner
    itself).
    letter : tie letter ("" without a score). given_gc : Spearman given GC (spline). with_gc : Spearman with GC.
    beyond : fraction of the variance it explains that GC does not. verdict : a key of ``verdict.VERDICTS``.
    shuffled : Spearman of y with its predictions on dinucleotide shuffles of the rows (NaN where there are none).
    """

    name: str
    spearman: Estimate
    fold_scores: tuple[float, ...]
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
class Confounder:
    """A covariate of the rows: Spearman with y and with GC."""

    name: str
    with_y: Estimate
    with_gc: Estimate


@dataclass(frozen=True)
class TargetFigures:
    """All figures of one target of a task, on its held-out rows.

    rows, loci, folds : counts. effective_rows : n/(1 + (m − 1)·ICC). tied : tied fraction of y.
    ceiling : noise ceiling from Spearman replicate correlations, None without replicates ("n/a"); ceiling_best : √ρk
        with its interval.
    ceiling_gaussian : the same on the rank-Gaussian scale; divides the shares.
    ceiling_given_dna : from replicate correlations given log DNA, None without.
    gc_with_y : Spearman of GC with y. gc_learner, best_learner : names chosen on validation (None where there is none).
    shares : name of a GC-only learner → its ``Share`` (against ``best_learner``), every field an ``Estimate``.
    fev_gc, fev_best : product-form fraction of explainable variance of the two learners (None without replicates);
        where they differ from ``share.of_explainable`` and ``share.best_of_explainable`` the replicates are unequal:
        show both.
    learners : the rows of the board, in the order given. confounders : in the order given.
    draws : bootstrap draws behind the intervals.
    """

    rows: int
    loci: int
    folds: int
    effective_rows: float
    tied: float
    ceiling: ceilings.Ceiling | None
    ceiling_best: Estimate
    ceiling_gaussian: ceilings.Ceiling | None
    ceiling_given_dna: ceilings.Ceiling | None
    gc_with_y: Estimate
    gc_learner: str | None
    best_learner: str | None
    shares: Mapping[str, Share]
    fev_gc: float | None
    fev_best: float | None
    learners: tuple[RowFigures, ...]
    confounders: tuple[Confounder, ...]
    draws: int

    @property
    def share(self) -> Share | None:
        """The share of the chosen GC-only learner; None without one or without a best learner."""
        return self.shares.get(self.gc_learner) if self.gc_learner is not None else None

    def of(self, name: str | None) -> RowFigures | None:
        """The figures of a learner by its name; None where there is none."""
        return next((row for row in self.learners if row.name == name), None)


def target_figures(
    observations: Observations, learners: Learners, *, draws: Draws | None = None, seed: int = 0
) -> TargetFigures:
    """All figures of one target of a task.

    Parameters
    ----------
    observations, learners : rows, and predictions of them.
    draws : bootstrap multiplicities; 2,000 over the loci of the rows used without it, seeded with ``seed``.

    Raises
    ------
    ValueError : arrays of unlike length; no row that is measured and held out; a prediction that is not finite on one.
    """
    held = held_out(observations, learners, draws, seed)
    scores = _scores(held)
    gc_learner, best_learner = _chosen(learners, scores)
    # Every correlation that a figure needs is drawn in one pass.
    residuals = rank_residuals(np.column_stack([held.y, held.matrix]), held.gc, held.codes, held.fold)
    gc_learners = [name for name in held.runs if name in {*learners.gc_only, *learners.gc_windowed}]
    against = {} if best_learner is None else dict.fromkeys(gc_learners, best_learner)
    found = _correlations(held, residuals, against)
    k = ceilings.effective_replicates(held.replicates) if held.replicates.shape[1] else NAN
    reliability, normal_reliability = (_reliability(found, scale, k) for scale in (RANK, NORMAL))
    ceiling = ceilings.ceiling(held.replicates, held.fold)
    gc_r2 = gc_variance(held.y, residuals[:, 0], held.fold)
    return TargetFigures(
        rows=len(held.y),
        loci=held.blocks,
        folds=len(fold_rows(held.fold, len(held.y))),
        effective_rows=effective_n(mid_ranks(held.y), held.locus),
        tied=tied_fraction(held.y),
        ceiling=ceiling,
        ceiling_best=estimate(NAN if ceiling is None else ceiling.best, np.sqrt(reliability.drawn)),
        ceiling_gaussian=ceilings.ceiling(held.replicates, held.fold, gaussian=True),
        ceiling_given_dna=(
            None if held.log_dna is None else ceilings.ceiling_given_dna(held.replicates, held.log_dna, held.fold)
        ),
        gc_with_y=estimate(*found.means(("GC with y",))),
        gc_learner=gc_learner,
        best_learner=best_learner,
        shares={name: _share(found, name, normal_reliability) for name in against},
        fev_gc=_fev(held, gc_learner),
        fev_best=_fev(held, best_learner),
        learners=_rows(held, scores, found, reliability, gc_r2, gc_learner),
        confounders=tuple(
            Confounder(
                name,
                with_y=estimate(*found.means(("confounder with y", name))),
                with_gc=estimate(*found.means(("confounder with GC", name))),
            )
            for name in held.confounders
        ),
        draws=held.draws.count,
    )


# ---- scores ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class _Scores:
    """Spearman of every learner, the mean over its seeds: by_fold (learners, folds), mean (learners,), drawn (draws,
    learners)."""

    by_fold: Array
    mean: Array
    drawn: Array


def _scores(held: HeldOut) -> _Scores:
    matrix = held.matrix
    by_fold = held.over_seeds(np.column_stack([spearman_by_fold(held.y, column, held.fold) for column in matrix.T])).T
    drawn = held.over_seeds(spearman_draws(held.y, matrix, held.codes, held.draws, held.fold))
    return _Scores(by_fold, mean_over_folds(by_fold.T[None])[0], drawn)


def _chosen(learners: Learners, scores: _Scores) -> tuple[str | None, str | None]:
    """G and D: the GC-only learner, and the best of those that see the sequence."""
    known = learners.validation
    if known is None:
        known = dict(zip(learners.names, scores.mean, strict=True))
    apart = {*learners.gc_only, *learners.gc_windowed, *learners.baselines}
    best = choose_on_validation([name for name in learners.names if name not in apart], known)
    return choose_on_validation(list(learners.gc_only), known), best


# ---- correlations ----------------------------------------------------------------------------------------------------
def _prediction(name: str) -> str:
    return f"prediction of {name}"


def _covariate(name: str) -> str:
    return f"covariate {name}"


def _correlations(held: HeldOut, residuals: Array, against: Mapping[str, str]) -> DrawnCorrelations:
    """Every correlation that a figure needs. residuals : y and predictions given GC. against : G → D of every share."""
    y, replicates, matrix, fold = held.y, held.replicates, held.matrix, held.fold
    measured = ["replicates"] * replicates.shape[1]
    predicted = [_prediction(name) for name in held.owners]
    table = Correlations()
    normal = gaussian_within_folds(np.column_stack([y, replicates, fold_aligned(matrix, fold)]))
    table.add(NORMAL, ["y", *measured, *predicted], normal)
    ranks = gaussian_within_folds(np.column_stack([held.gc, y, replicates, matrix]), fold, gaussian=False)
    table.add(RANK, ["GC", "y", *measured, *predicted], ranks)
    table.add(GIVEN_GC, ["y", *predicted], residuals)
    covariates = np.column_stack(list(held.confounders.values())) if held.confounders else np.empty((len(y), 0))
    covariates = gaussian_within_folds(covariates, fold, gaussian=False)
    table.add(RANK, [_covariate(name) for name in held.confounders], covariates)

    for scale in (NORMAL, RANK):
        table.within(("replicates", scale), (scale, "replicates"))
    for name in held.runs:
        table.between(("given GC", name), (GIVEN_GC, "y"), (GIVEN_GC, _prediction(name)))
    for name in held.runs:
        table.between(("with GC", name), (RANK, "GC"), (RANK, _prediction(name)))
    table.between(("GC with y",), (RANK, "GC"), (RANK, "y"))
    for name in held.confounders:
        for side in ("y", "GC"):
            table.between((f"confounder with {side}", name), (RANK, _covariate(name)), (RANK, side))
    for name, best in against.items():
        gc, other = _prediction(name), _prediction(best)
        for side, left, right in zip(SIDES, ("y", "y", gc), (gc, other, other), strict=True):
            table.between((side, name), (NORMAL, left), (NORMAL, right))
    return table.draw(held.codes, held.draws, fold)


# ---- ceilings and shares ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class _Reliability:
    """ρk and its draws; NaN where the replicate correlation is not positive or there is none."""

    value: float
    drawn: Array


def _reliability(found: DrawnCorrelations, scale: str, k: float) -> _Reliability:
    values = []
    for table in found.by_fold(("replicates", scale)):
        r = np.asarray(ceilings.fisher_mean(table.reshape(len(table), -1), axis=1), float)
        values.append(ceilings.spearman_brown(np.where(r > 0, r, NAN), k))
    return _Reliability(float(values[0][0]), values[1])


def _share(found: DrawnCorrelations, name: str, reliability: _Reliability) -> Share:
    """The share of one GC-only learner against the best learner, every part with its interval."""
    (y_gc, y_gc_drawn), (y_best, y_best_drawn), (gc_best, gc_best_drawn) = (found.means((side, name)) for side in SIDES)
    value = share_of(y_gc, y_best, gc_best, reliability.value)
    many = share_of(y_gc_drawn, y_best_drawn, gc_best_drawn, reliability.drawn)
    return Share(
        *(
            estimate(one, drawn, INTERVALS.get(part, "plain"))
            for (part, one), (_, drawn) in zip(value.items(), many.items(), strict=True)
        )
    )


def _fev(held: HeldOut, name: str | None) -> float | None:
    """Product-form FEV of a learner, the mean over its seeds; None without replicates or without a learner."""
    if name is None:
        return None
    found = [ceilings.fev_product(column, held.replicates, held.fold) for column in held.runs[name].T]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


# ---- rows ------------------------------------------------------------------------------------------------------------
def _on_shuffles(held: HeldOut, name: str) -> Estimate | None:
    """Spearman of y with predictions on shuffles of the rows that have them; None for a learner without any."""
    if name not in held.shuffled:
        return None
    seeds = held.shuffled[name]
    there = np.isfinite(seeds).all(axis=1)
    return spearman_estimate(held.y, seeds, held.codes, np.where(there, held.fold, -1), held.draws)


def _rows(
    held: HeldOut,
    scores: _Scores,
    found: DrawnCorrelations,
    reliability: _Reliability,
    gc_r2: float,
    gc_learner: str | None,
) -> tuple[RowFigures, ...]:
    letters = tie_letters(scores.mean, scores.drawn, held.blocks)
    names = list(held.runs)
    reference = names.index(gc_learner) if gc_learner is not None else None
    rows = []
    for m, name in enumerate(names):
        score, drawn = scores.mean[m], scores.drawn[:, m]
        gain, gain_p = Estimate(NAN), NAN
        if reference is not None and m != reference:
            difference = drawn - scores.drawn[:, reference]
            gain = estimate(score - scores.mean[reference], difference)
            gain_p = float(bootstrap_p(difference, gain.value, held.blocks))
        given, given_drawn = found.means(("given GC", name))
        spearman = estimate(score, drawn)
        given_gc = nothing_left(estimate(given, given_drawn), spearman)
        beyond = estimate(variance_beyond(given, score, gc_r2), variance_beyond(given_drawn, drawn, gc_r2))
        beyond = nothing_left(beyond, spearman)
        explained = estimate(
            score * abs(score) / reliability.value, drawn * np.abs(drawn) / reliability.drawn, "square"
        )
        shuffled = _on_shuffles(held, name)
        rows.append(
            RowFigures(
                name=name,
                spearman=spearman,
                fold_scores=tuple(map(float, scores.by_fold[m])),
                of_ceiling=Estimate(*(float(signed_root(end)) for end in explained)),
                explained=explained,
                gain=gain,
                gain_p=gain_p,
                letter=letters[m],
                given_gc=given_gc,
                with_gc=estimate(*found.means(("with GC", name))),
                beyond=beyond,
                verdict=verdict_of(spearman, given_gc, beyond, shuffled),
                shuffled=Estimate(NAN) if shuffled is None else shuffled,
            )
        )
    return tuple(rows)
