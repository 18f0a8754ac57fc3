"""Every figure of one task's board from arrays: scores with intervals, ceiling, GC's share, ties, Spearman given GC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats import ceilings
from bench.stats.bootstrap import (
    Draws,
    Estimate,
    block_codes,
    correlation_draws,
    estimate,
    signed_root,
    spearman_draws,
    spearman_estimate,
)
from bench.stats.compare import bootstrap_p, effective_n, tie_letters
from bench.stats.counter import gc_variance, nothing_left, variance_beyond, word_of
from bench.stats.partial import rank_residuals
from bench.stats.ranks import (
    Array,
    fold_aligned,
    fold_rows,
    gaussian_within_folds,
    mid_ranks,
    spearman_by_fold,
    tied_fraction,
)
from bench.stats.share import INTERVALS, Share, choose_on_validation, mean_over_folds, share_of

NAN = float("nan")


@dataclass(frozen=True)
class ModelFigures:
    """One row of the board. Estimates are NaN where not available.

    name : as given. spearman : mean over folds of the within-fold Spearman. fold_scores : (folds,).
    of_ceiling : spearman/√ρk (1 is the ceiling; never clipped). explained : spearman²/ρk with its sign.
    gain : spearman less that of the chosen GC-only learner, paired; gain_p its two-sided p (NaN for that learner
    itself).
    letter : tie letter ("" without a score). given_gc : Spearman given GC (spline). with_gc : Spearman with GC.
    beyond : fraction of the variance it explains that GC does not. verdict : a word of ``counter.WORDS``.
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
class Board:
    """Figures of one task and target on its held-out rows.

    rows, loci, folds : counts. effective_rows : n/(1 + (m − 1)·ICC). tied : tied fraction of y.
    ceiling : from Spearman replicate correlations, None without replicates ("n/a"); ceiling_best : √ρk with interval.
    ceiling_gaussian : the same on the rank-Gaussian scale; divides the shares.
    ceiling_given_dna : from replicate correlations given log DNA, None without.
    gc_with_y : Spearman of GC with y. gc_learner, best_learner : names chosen on validation (None where there is none).
    shares : name of a GC-only learner → its ``Share`` (against ``best_learner``), every field an ``Estimate``.
    fev_gc, fev_best : product-form fraction of explainable variance of the two learners (None without replicates);
        where they differ from ``share.of_explainable`` and ``share.best_of_explainable`` the replicates are unequal:
        show both.
    models : in the order given. confounders : in the order given.
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
    models: tuple[ModelFigures, ...]
    confounders: tuple[Confounder, ...]
    draws: int

    @property
    def share(self) -> Share | None:
        """The share of the chosen GC-only learner; None without one or without a best learner."""
        return self.shares.get(self.gc_learner) if self.gc_learner is not None else None

    def sentence(self, what: str) -> str:
        """One plain sentence, ``what`` naming target and task ("HUES64 TSS activity")."""
        share = self.share
        if share is None:
            return f"GC's share of {what} is n/a: it takes a GC-only learner and one that sees the sequence."
        learned = f"{_percent(share.of_learned)} of what the best model learned"
        if np.isfinite(share.of_explainable.value):
            first = f"{_percent(share.of_explainable)} of the explainable variance of {what} and {learned}"
            own = share.unique_of_explainable
            tail = "GC's alone"
        else:
            first = f"{_percent(share.r2_gc)} of the variance of {what} (no replicates: explainable n/a) and {learned}"
            own, tail = share.unique_gc, "GC's alone"
        return f"GC content alone explains {first}; {_percent(own)} is {tail}."


def _percent(figure: Estimate) -> str:
    digits = 1 if abs(figure.value) < 0.01 else 0
    if np.isnan(figure.low):
        return f"{100 * figure.value:.{digits}f} %"
    return f"{100 * figure.value:.{digits}f} % [{100 * figure.low:.{digits}f}, {100 * figure.high:.{digits}f}]"


class _Pairs:
    """Columns and the pairs of them whose correlations are wanted, gathered so that one pass draws them all."""

    def __init__(self) -> None:
        self.columns: list[Array] = []
        self.pairs: list[tuple[int, int]] = []

    def add(self, columns: Array) -> list[int]:
        first = len(self.columns)
        self.columns += list(columns.T)
        return list(range(first, len(self.columns)))

    def ask(self, pairs: Sequence[tuple[int, int]]) -> slice:
        first = len(self.pairs)
        self.pairs += pairs
        return slice(first, len(self.pairs))


def board(
    y: NDArray[Any],
    fold: NDArray[Any],
    locus: NDArray[Any],
    replicates: NDArray[Any],
    gc: NDArray[Any],
    predictions: Mapping[str, NDArray[Any]],
    *,
    gc_only: Sequence[str] = (),
    gc_windowed: Sequence[str] = (),
    baselines: Sequence[str] = (),
    validation: Mapping[str, float] | None = None,
    log_dna: NDArray[Any] | None = None,
    confounders: Mapping[str, NDArray[Any]] | None = None,
    shuffled: Mapping[str, NDArray[Any]] | None = None,
    draws: Draws | None = None,
    seed: int = 0,
) -> Board:
    """All figures of a task's board.

    Parameters
    ----------
    y : (n,) target (mean of the replicates). Rows with NaN are left out.
    fold : int (n,), the fold in which a row was held out; negative: never held out, left out.
    locus : (n,) block labels. With ``draws`` they are codes 0..draws.blocks − 1 that mean the same in all tasks that
        share the draws (joint resampling).
    replicates : (n, k), NaN where unmeasured; k = 0 or 1 gives no ceiling.
    gc : (n,) GC fraction of the row.
    predictions : name → (n,) or (n, seeds) held-out predictions, finite on the rows used. With several seeds every
        correlation is the mean of the seeds' own, in every draw too: what one fit reaches. The averaged prediction
        would score higher, as an ensemble does, and set learners with seeds above those without.
    gc_only : names among which the GC-only learner G is chosen. gc_windowed : GC-only learners reported separately.
    baselines : names that cannot be the best learner D (floor, confounders). D is chosen among all other names.
    validation : name → validation score, for both choices. Without it test scores choose, which flatters the chosen.
    log_dna : (n,), for the ceiling given DNA. confounders : name → (n,) columns (length, log DNA, barcodes).
    shuffled : name → (n,) or (n, seeds), mean predictions on dinucleotide shuffles of the rows, NaN where a row has
        none.
    draws : bootstrap multiplicities; 2,000 over the loci of the rows used without it, seeded with ``seed``.

    Raises
    ------
    ValueError : a prediction that is not finite on a row used; a name in gc_only, gc_windowed, baselines without
    prediction.
    """
    names = list(predictions)
    for name in (*gc_only, *gc_windowed, *baselines):
        if name not in predictions:
            raise ValueError(f"{name!r} has no predictions. There are: {', '.join(names)}.")
    y, fold, locus = np.asarray(y, float), np.asarray(fold), np.asarray(locus)
    used = np.isfinite(y) & (fold >= 0)
    if not used.any():
        raise ValueError("no row is both held out and measured.")
    y, fold, locus, gc = y[used], fold[used], locus[used], np.asarray(gc, float)[used]
    replicates = np.asarray(replicates, float).reshape(len(used), -1)[used]
    runs = {name: np.asarray(predictions[name], float).reshape(len(used), -1)[used] for name in names}
    for name, seeds in runs.items():
        if not np.isfinite(seeds).all():
            raise ValueError(f"predictions of {name!r} are not finite on {int((~np.isfinite(seeds)).sum())} rows.")
    matrix = np.column_stack(list(runs.values()))
    owner = np.repeat(np.arange(len(names)), [seeds.shape[1] for seeds in runs.values()])

    def over_seeds(table: Array) -> Array:
        """(..., columns of matrix) → (..., names): the mean over each name's seeds."""
        return np.stack([table[..., owner == m].mean(axis=-1) for m in range(len(names))], axis=-1)

    codes, blocks = block_codes(locus)
    if draws is None:
        draws = Draws(blocks, seed=seed)
    else:
        codes = locus.astype(np.int64)

    fold_scores = over_seeds(np.column_stack([spearman_by_fold(y, column, fold) for column in matrix.T])).T
    scores = _mean(fold_scores)
    score_draws = over_seeds(spearman_draws(y, matrix, codes, draws, fold))

    known = dict(zip(names, scores, strict=True)) if validation is None else validation
    gc_learner = choose_on_validation(list(gc_only), known)
    apart = {*gc_only, *gc_windowed, *baselines}
    best_learner = choose_on_validation([name for name in names if name not in apart], known)

    # ---- every correlation that a figure needs, drawn in one pass --------------------------------------------------
    ask = _Pairs()
    k = replicates.shape[1]
    pairs = list(combinations(range(k), 2))
    # One transform over all folds, of predictions on one scale: ``share`` says why.
    gaussian = ask.add(gaussian_within_folds(np.column_stack([y, replicates, fold_aligned(matrix, fold)])))
    ranked = ask.add(gaussian_within_folds(np.column_stack([gc, y, replicates, matrix]), fold, gaussian=False))
    residual_columns = rank_residuals(np.column_stack([y, matrix]), gc, codes, fold)
    residual = ask.add(residual_columns)
    extra = dict(confounders or {})
    covariate = ask.add(
        gaussian_within_folds(
            np.column_stack([np.asarray(column, float)[used] for column in extra.values()])
            if extra
            else np.empty((len(y), 0)),
            fold,
            gaussian=False,
        )
    )
    f_gaussian = {name: np.asarray(gaussian[1 + k :])[owner == m] for m, name in enumerate(names)}
    learners = [name for name in names if name in {*gc_only, *gc_windowed}] if best_learner is not None else []
    want_gaussian = ask.ask([(gaussian[1 + i], gaussian[1 + j]) for i, j in pairs])
    want_ranked = ask.ask([(ranked[2 + i], ranked[2 + j]) for i, j in pairs])
    want_given = ask.ask([(residual[0], column) for column in residual[1:]])
    want_gc = ask.ask([(ranked[0], column) for column in ranked[2 + k :]])
    want_raw = ask.ask([(ranked[0], ranked[1])])
    want_confounder = ask.ask([(column, side) for column in covariate for side in (ranked[1], ranked[0])])
    want_share = {
        name: [
            ask.ask([(int(i), int(j)) for i, j in product(left, right)])
            for left, right in (
                (gaussian[:1], f_gaussian[name]),
                (gaussian[:1], f_gaussian[best_learner or name]),
                (f_gaussian[name], f_gaussian[best_learner or name]),
            )
        ]
        for name in learners
    }
    columns = np.column_stack(ask.columns)
    point_folds = correlation_draws(columns, ask.pairs, codes, None, fold, whole=True)
    drawn_folds = correlation_draws(columns, ask.pairs, codes, draws, fold)
    point, drawn = mean_over_folds(point_folds)[0], mean_over_folds(drawn_folds)

    # ---- ceilings --------------------------------------------------------------------------------------------------
    k_effective = ceilings.effective_replicates(replicates) if k else NAN
    r, r_draws = _reliability(point_folds, drawn_folds, want_ranked, k_effective)
    r_gaussian, r_gaussian_draws = _reliability(point_folds, drawn_folds, want_gaussian, k_effective)
    ceiling = ceilings.ceiling(replicates, fold)
    ceiling_gaussian = ceilings.ceiling(replicates, fold, gaussian=True)
    given_dna = None
    if log_dna is not None:
        given_dna = ceilings.ceiling_given_dna(replicates, np.asarray(log_dna, float)[used], fold)
    best = NAN if ceiling is None else ceiling.best

    # ---- shares ----------------------------------------------------------------------------------------------------
    shares = {}
    for name in learners:
        y_gc, y_best, gc_best = (point[asked].mean() for asked in want_share[name])
        value = share_of(y_gc, y_best, gc_best, r_gaussian)
        y_gc, y_best, gc_best = (drawn[:, asked].mean(axis=1) for asked in want_share[name])
        many_shares = share_of(y_gc, y_best, gc_best, r_gaussian_draws)
        shares[name] = Share(
            *(
                estimate(one, many, INTERVALS.get(part, "plain"))
                for (part, one), (_, many) in zip(value.items(), many_shares.items(), strict=True)
            )
        )

    on_shuffles = {}
    for name, column in (shuffled or {}).items():
        seeds = np.asarray(column, float).reshape(len(used), -1)[used]
        there = np.isfinite(seeds).all(axis=1)
        on_shuffles[name] = spearman_estimate(y, seeds, codes, np.where(there, fold, -1), draws)

    # ---- models ----------------------------------------------------------------------------------------------------
    letters = tie_letters(scores, score_draws, blocks)
    gc_r2 = gc_variance(y, residual_columns[:, 0], fold)
    reference = names.index(gc_learner) if gc_learner is not None else None
    given_point, given_drawn = over_seeds(point[want_given]), over_seeds(drawn[:, want_given])
    gc_point, gc_drawn = over_seeds(point[want_gc]), over_seeds(drawn[:, want_gc])
    models = []
    for m, name in enumerate(names):
        score, given = scores[m], given_point[m]
        sampled, given_draws = score_draws[:, m], given_drawn[:, m]
        gain, gain_p = Estimate(NAN), NAN
        if reference is not None and m != reference:
            difference = sampled - score_draws[:, reference]
            gain = estimate(score - scores[reference], difference)
            gain_p = float(bootstrap_p(difference, gain.value, blocks))
        score_estimate = estimate(score, sampled)
        given_estimate = nothing_left(estimate(given, given_draws), score_estimate)
        beyond = estimate(variance_beyond(given, score, gc_r2), variance_beyond(given_draws, sampled, gc_r2))
        beyond = nothing_left(beyond, score_estimate)
        explained = estimate(score * abs(score) / r, sampled * np.abs(sampled) / r_draws, "square")
        models.append(
            ModelFigures(
                name=name,
                spearman=score_estimate,
                fold_scores=tuple(map(float, fold_scores[m])),
                of_ceiling=Estimate(*(float(signed_root(end)) for end in explained)),
                explained=explained,
                gain=gain,
                gain_p=gain_p,
                letter=letters[m],
                given_gc=given_estimate,
                with_gc=estimate(gc_point[m], gc_drawn[:, m]),
                beyond=beyond,
                verdict=word_of(score_estimate, given_estimate, beyond, on_shuffles.get(name)),
                shuffled=on_shuffles.get(name, Estimate(NAN)),
            )
        )
    beside = [
        estimate(one, many) for one, many in zip(point[want_confounder], drawn[:, want_confounder].T, strict=True)
    ]
    return Board(
        rows=len(y),
        loci=blocks,
        folds=len(fold_rows(fold, len(y))),
        effective_rows=effective_n(mid_ranks(y), locus),
        tied=tied_fraction(y),
        ceiling=ceiling,
        ceiling_best=estimate(best, np.sqrt(r_draws)),
        ceiling_gaussian=ceiling_gaussian,
        ceiling_given_dna=given_dna,
        gc_with_y=estimate(point[want_raw][0], drawn[:, want_raw][:, 0]),
        gc_learner=gc_learner,
        best_learner=best_learner,
        shares=shares,
        fev_gc=None if gc_learner is None else _fev(runs[gc_learner], replicates, fold),
        fev_best=None if best_learner is None else _fev(runs[best_learner], replicates, fold),
        models=tuple(models),
        confounders=tuple(Confounder(name, beside[2 * i], beside[2 * i + 1]) for i, name in enumerate(extra)),
        draws=draws.count,
    )


def _fev(seeds: Array, replicates: Array, fold: NDArray[Any]) -> float | None:
    """Product-form FEV, the mean over seeds (n, seeds); None without replicates."""
    found = [ceilings.fev_product(column, replicates, fold) for column in seeds.T]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def _mean(fold_scores: Array) -> Array:
    """Mean over folds, leaving undefined folds out; NaN where none is defined."""
    return mean_over_folds(fold_scores.T[None])[0]


def _reliability(point_folds: Array, drawn_folds: Array, pairs: slice, k: float) -> tuple[float, Array]:
    """ρk and its draws; NaN where the replicate correlation is not positive or there is none."""
    values = []
    for table in (point_folds[:, :, pairs], drawn_folds[:, :, pairs]):
        r = np.asarray(ceilings.fisher_mean(table.reshape(len(table), -1), axis=1), float)
        values.append(ceilings.spearman_brown(np.where(r > 0, r, NAN), k))
    return float(values[0][0]), values[1]
