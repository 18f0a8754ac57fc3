"""Pairs of rows: the measured difference against the predicted one.

Everything is of differences, second row less first, of pairs whose rows are tested in one fold: both predictions are
then of one fit, and what two rows share (their locus, GC where it is equal) cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws, spearman_draws, spearman_estimate
from bench.stats.ceilings import Ceiling
from bench.stats.intervals import NOTHING, Estimate, estimate, t_interval
from bench.stats.library import lower_bound
from bench.stats.noise_ceiling import noise_ceiling
from bench.stats.pooled import pooled_correlations, row_weights
from bench.stats.ranks import Array, fold_scores, places_each
from bench.stats.replicate_checks import any_copies
from bench.stats.replicates import DEFAULT, Combine, combine, replicate_pairs

#: Fewest pairs, and loci of them, that figures are given of.
FEW_PAIRS = 20
#: A difference exceeds noise where it is so many standard errors from 0.
CLEAR = 1.96
#: Predicted differences below this part of the predictions' spread are rounding: the rows are the same to the learner.
SAME = 1e-5

NAN = float("nan")


@dataclass(frozen=True)
class PairRow:
    """One learner on the differences: Spearman (mean over folds), that over the noise ceiling of differences, and the
    fraction of clear differences whose sign it predicts (no difference counts half). NaN where n/a, for ``reason``."""

    name: str
    spearman: Estimate
    of_ceiling: Estimate
    sign: Estimate
    reason: str = ""


@dataclass(frozen=True)
class PairFigures:
    """Figures of some pairs.

    ceiling : of the differences; None for ``no_ceiling``; ``ceiling_best`` with its interval.
    clear : differences that exceed noise, None without two replicates; commoner : fraction of them with the commoner
    sign, what always saying that sign would score.
    with_gc : Spearman of the difference with that of GC content.
    reason : why there are no figures at all; empty where there are.
    """

    pairs: int
    loci: int
    ceiling: Ceiling | None
    no_ceiling: str | None
    ceiling_best: Estimate
    clear: int | None
    commoner: float
    with_gc: Estimate
    rows: tuple[PairRow, ...]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Differences:
    """Differences of p pairs, second row less first.

    Attributes
    ----------
    replicates : float64 (p, k), of each replicate, NaN where one of the two rows lacks it. gc : (p,), of GC content.
    locus : int (p,), codes of the draws. fold : int (p,).
    runs : name of a learner → predicted differences, float64 (p, seeds). spread : name → standard deviation of its
        predictions of rows. gc_only : names of learners that see GC content and nothing else.
    """

    replicates: Array
    gc: Array
    locus: NDArray[np.int64]
    fold: NDArray[np.int64]
    runs: Mapping[str, Array]
    spread: Mapping[str, float]
    gc_only: frozenset[str] = frozenset()

    def take(self, chosen: NDArray[np.bool_]) -> Differences:
        """Some of the pairs."""
        return Differences(
            self.replicates[chosen],
            self.gc[chosen],
            self.locus[chosen],
            self.fold[chosen],
            {name: run[chosen] for name, run in self.runs.items()},
            self.spread,
            self.gc_only,
        )


class Clear(NamedTuple):
    """Which differences exceed noise, bool (p,), and the sign of each, −1, 0 or 1, float64 (p,)."""

    clear: NDArray[np.bool_]
    sign: Array


def clear_differences(replicates: Array, *, raw: bool = False) -> Clear | None:
    """Differences whose mean over replicates exceeds ``CLEAR`` standard errors: s/√k with s² the variance between
    replicates of one pair, pooled over all pairs (two or three replicates of one pair say little of its own noise).

    Parameters
    ----------
    replicates : (p, k), NaN where unmeasured. raw : on scales of their own; else each is first divided by its root mean
        square, as replicates may come in other units.

    Returns
    -------
    None without two replicates of any pair.
    """
    y = np.asarray(replicates, float)
    measured = np.isfinite(y)
    count = measured.sum(axis=1)
    if not (count > 1).any():
        return None
    if not raw:
        shared = measured.all(axis=1) if measured.all(axis=1).sum() >= FEW_PAIRS else measured.any(axis=1)
        size = np.sqrt(np.nanmean(y[shared] ** 2, axis=0))
        y = y / np.where(size > 0, size, 1.0)
    total = np.where(measured, y, 0.0).sum(axis=1)
    mean = total / np.maximum(count, 1)
    apart = np.where(measured, y - mean[:, None], 0.0)
    variance = float((apart**2).sum() / np.maximum(count - 1, 0).sum())
    clear = (count > 0) & (np.abs(mean) > CLEAR * np.sqrt(variance / np.maximum(count, 1)))
    return Clear(clear, np.sign(mean))


def pair_figures(
    of: Differences,
    draws: Draws,
    best: Array | None = None,
    *,
    how: Combine = DEFAULT,
    neutral: bool = False,
) -> PairFigures:
    """Every figure of some pairs; all learners see the same draws of loci.

    Measured differences are the replicates' own, made one as replicates of a target are (``replicates.combine``), so
    that their noise ceiling is that of a target too.

    Parameters
    ----------
    best : predicted differences (p, seeds) of a good learner, which tell unlike replicates apart (as in ceilings).
    neutral : both rows of every pair have the same GC content, so that a GC-only learner has nothing to say.
    """
    loci = len(np.unique(of.locus))
    if len(of.gc) < FEW_PAIRS or loci < FEW_PAIRS:
        what = f"{len(of.gc)} pairs in {loci} loci: figures need {FEW_PAIRS} of each"
        return PairFigures(len(of.gc), loci, None, what, NOTHING, None, NAN, NOTHING, (), what)
    combined = combine(of.replicates, how, loci=loci)
    raw = how in ("mean", "centre")
    k = of.replicates.shape[1]
    weights = row_weights(of.locus)
    between: tuple[float, Array] = NAN, np.full(draws.count, NAN)
    if k > 1:
        ranked = places_each(of.replicates, weights)
        found = pooled_correlations(ranked, replicate_pairs(k), of.locus, of.fold, weights=weights, draws=draws)
        between = float(found.point.mean()), found.drawn.mean(axis=1)
    copied = k > 1 and any_copies(of.replicates)
    bound = lower_bound(of.replicates, None, loci) if k > 1 else []
    known = noise_ceiling(of.replicates, combined, of.fold, between, best, loci, copied=copied, at_least=bound, raw=raw)
    signs = clear_differences(of.replicates, raw=raw)
    share = NAN
    if signs is not None and signs.clear.any():
        up = float((signs.sign[signs.clear] > 0).mean())
        share = max(up, 1 - up)
    rows = []
    for name, run in of.runs.items():
        if neutral and name in of.gc_only:
            rows.append(PairRow(name, NOTHING, NOTHING, NOTHING, "GC content is the same in both rows"))
            continue
        moved = np.where(np.abs(run) <= SAME * of.spread[name], 0.0, run)
        if not moved.any():
            rows.append(PairRow(name, NOTHING, NOTHING, NOTHING, "it predicts no difference in any pair"))
            continue
        scores = [fold_scores(combined.value, seed, of.fold).mean for seed in moved.T]
        score = float(np.nansum(scores) / len(scores)) if np.isfinite(scores).any() else NAN
        drawn = spearman_draws(combined.value, moved, of.locus, draws, of.fold).mean(axis=1)
        rows.append(
            PairRow(
                name,
                t_interval(score, drawn, loci),
                t_interval(score / known.best.value, drawn / known.drawn, loci),
                _sign_agreement(moved, signs, of.locus, draws),
            )
        )
    with_gc = NOTHING if neutral else spearman_estimate(combined.value, of.gc[:, None], of.locus, of.fold, draws)
    return PairFigures(
        len(of.gc),
        loci,
        known.ceiling,
        known.reason,
        known.best,
        None if signs is None else int(signs.clear.sum()),
        share,
        with_gc,
        tuple(rows),
    )


def _sign_agreement(run: Array, signs: Clear | None, locus: NDArray[np.int64], draws: Draws) -> Estimate:
    """Fraction of the clear differences whose sign is predicted, the mean over seeds; pairs weigh equally."""
    if signs is None or signs.clear.sum() < FEW_PAIRS:
        return NOTHING
    used = signs.clear
    hit = (0.5 + 0.5 * np.sign(run[used]) * signs.sign[used, None]).mean(axis=1)
    code = locus[used]
    hits = np.bincount(code, hit, draws.blocks)
    number = np.bincount(code, minlength=draws.blocks).astype(float)
    drawn = np.empty(draws.count)
    for part, weights in draws.block_weights():
        many = weights.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn[part] = (many @ hits) / (many @ number)
    return estimate(float(hit.mean()), drawn, len(np.unique(code)), "fraction")
