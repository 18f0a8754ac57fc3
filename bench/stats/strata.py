"""Figures within strata alongside the pooled one, and a warning where they disagree (Simpson)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.names import natural
from bench.stats.arrays import same_length
from bench.stats.bootstrap import Draws, block_codes, spearman_draws
from bench.stats.intervals import Estimate, student, t_interval
from bench.stats.partial import PARTS, spline_parts, spline_residuals
from bench.stats.pooled import pooled_by_level, prediction_places, row_weights
from bench.stats.ranks import Array, fold_rows, fold_scores, mid_ranks, places, places_each
from bench.stats.replicate_checks import any_copies
from bench.stats.share import ProductShare, share_of_columns

#: Strata with fewer rows in every fold are left out: their figures would be noise.
STRATUM_ROWS = 50
#: From so many rows on draws keep the ranks of the whole sample (``pooled.pooled_correlations`` says what that costs),
#: and all such levels take one pass: ranked again in each draw, 2.2 million rows took minutes.
MANY = 100_000


@dataclass(frozen=True)
class Stratum:
    """Spearman of each column with y in one stratum: rows, loci, name → Estimate."""

    name: str
    rows: int
    loci: int
    scores: Mapping[str, Estimate]


@dataclass(frozen=True)
class Strata:
    """The pooled figures, those of every stratum, strata left out for want of rows, warnings as lines for people, and
    whether each column tells one story: name → ``Heterogeneity``."""

    pooled: Stratum
    strata: tuple[Stratum, ...]
    left_out: tuple[str, ...]
    warnings: tuple[str, ...]
    stories: Mapping[str, Heterogeneity]


@dataclass(frozen=True)
class Heterogeneity:
    """Whether strata tell one story of a column's Spearman with y.

    q, p : Cochran's Q against the strata's standard errors, and its p (χ², a degree of freedom fewer than strata).
    i2 : part of their spread that is no noise, max(0, 1 − (strata − 1)/Q) (Higgins & Thompson 2002).
    opposite : names of the strata furthest below and above 0 where both are off 0, also where the pool is at 0.
    pooled_only : the pooled figure lies beyond the interval of every stratum. Simulated opposite slopes of ±.55 were
    found in 400 boards of 400, two equal strata called either in none.
    """

    q: float
    p: float
    i2: float
    opposite: tuple[str, ...]
    pooled_only: bool


@dataclass(frozen=True, eq=False)
class Scored:
    """A stratum's figures with the draws behind them, float64 (draws, columns)."""

    figures: Stratum
    drawn: Array


#: What is said of a column whose range the strata divide.
UNTOLD = Heterogeneity(float("nan"), float("nan"), float("nan"), (), False)


def scored(
    name: str,
    y: NDArray[Any],
    columns: Mapping[str, NDArray[Any]],
    fold: NDArray[Any],
    locus: NDArray[Any],
    draws: Draws,
) -> Scored:
    """Spearman of each column with y (mean over folds) on the rows with fold ≥ 0. locus : int (n,), codes of
    ``draws``."""
    rows = np.flatnonzero(fold >= 0)
    if len(rows) >= MANY:
        return _kept_ranks([name], y, columns, [fold], locus, draws)[0]
    y, fold, locus = np.asarray(y, float)[rows], fold[rows], locus[rows]
    matrix = np.column_stack([np.asarray(column, float)[rows] for column in columns.values()])
    loci = len(np.unique(locus))
    drawn = spearman_draws(y, matrix, locus, draws, fold)
    scores = {
        label: t_interval(fold_scores(y, column, fold).mean, drawn[:, j], loci)
        for j, (label, column) in enumerate(zip(columns, matrix.T, strict=True))
    }
    return Scored(Stratum(name, len(rows), loci, scores), drawn)


def by_stratum(
    y: NDArray[Any],
    columns: Mapping[str, NDArray[Any]],
    stratum: NDArray[Any],
    fold: NDArray[Any],
    locus: NDArray[Any],
    draws: Draws | None = None,
    seed: int = 0,
    pooled: Scored | None = None,
    restricted: Collection[str] = (),
) -> Strata:
    """Spearman (mean over folds of within-fold) of each column with y, in each stratum and pooled.

    Parameters
    ----------
    y : (n,). columns : name → (n,) predictions or covariates such as GC. All finite on rows with fold ≥ 0.
    stratum : (n,) labels; "" belongs to none but counts in the pooled figure. fold : int (n,). locus : (n,).
    draws : over the codes of ``locus`` where given; else 2,000 over the loci that occur.
    pooled : the same columns on all rows (``scored``), where they were drawn already.
    restricted : columns whose range the strata divide (GC, in bins of GC): they correlate less within by construction,
        so that their levels tell no story.

    Warnings: two strata with opposite signs, both intervals off 0; a sign that differs between a stratum and the pooled
    figure, likewise; a pooled figure further from 0 than the interval of any stratum; two columns whose order differs,
    both paired intervals off 0. Simpson 1951.
    """
    own = {f"column {name!r}": column for name, column in columns.items()}
    same_length({"y": y, "stratum": stratum, "fold": fold, "locus": locus, **own})
    y, fold, locus, stratum = np.asarray(y, float), np.asarray(fold), np.asarray(locus), np.asarray(stratum)
    if draws is None:
        locus, blocks = block_codes(locus)
        draws = Draws(blocks, seed=seed)
    names = list(columns)
    inside: dict[str, NDArray[Any]] = {}
    left_out = []
    for label in sorted(map(str, np.unique(stratum)), key=natural):
        of_label = np.where(stratum == label, fold, -1)
        if label == "":
            continue
        sizes = np.unique(of_label[of_label >= 0], return_counts=True)[1]
        if len(sizes) and sizes.max() >= STRATUM_ROWS:
            inside[label] = of_label
        else:
            left_out.append(label)
    large = [label for label, of_label in inside.items() if (of_label >= 0).sum() >= MANY]
    known = {
        part.figures.name: part
        for part in _kept_ranks(large, y, columns, [inside[label] for label in large], locus, draws)
    }
    parts = [pooled or scored("pooled", y, columns, fold, locus, draws)]
    parts += [known.get(label) or scored(label, y, columns, each, locus, draws) for label, each in inside.items()]
    found = [part.figures for part in parts]
    samples = [part.drawn for part in parts]
    stories = {name: UNTOLD if name in restricted else _story(name, found[0], found[1:]) for name in names}
    warnings = _warnings(names, found, samples, stories, restricted)
    return Strata(found[0], tuple(found[1:]), tuple(left_out), tuple(warnings), stories)


def _kept_ranks(
    names: Sequence[str],
    y: NDArray[Any],
    columns: Mapping[str, NDArray[Any]],
    folds: Sequence[NDArray[Any]],
    locus: NDArray[Any],
    draws: Draws,
) -> list[Scored]:
    """``scored`` of sets of rows that share none, by draws that keep the ranks of the whole sample. folds : of each
    set, int (n,), negative outside it."""
    if not names:
        return []
    labels = list(columns)
    ranks = np.full((len(y), 1 + len(labels)), np.nan)
    level, fold = np.full(len(y), -1, np.int64), np.full(len(y), -1, np.int64)
    for one, inside in enumerate(folds):
        level[inside >= 0] = one
        for number, rows in enumerate(fold_rows(inside, len(y))):
            if len(rows) < 3 or np.ptp(y[rows]) == 0:  # no fold to score anything in
                continue
            fold[rows] = number
            for j, column in enumerate((y, *columns.values())):
                ranks[rows, j] = mid_ranks(np.asarray(column, float)[rows])
    pairs = [(0, 1 + j) for j in range(len(labels))]
    found = []
    drawn = pooled_by_level(ranks, pairs, locus, fold, level, draws=draws, by_fold=True)
    for name, inside, figures in zip(names, folds, drawn, strict=True):
        loci = len(np.unique(locus[inside >= 0]))
        each = zip(labels, figures.point, figures.drawn.T, strict=True)
        scores = {label: t_interval(float(value), draw, loci) for label, value, draw in each}
        found.append(Scored(Stratum(name, int((inside >= 0).sum()), loci, scores), figures.drawn))
    return found


def _story(name: str, pooled: Stratum, strata: list[Stratum]) -> Heterogeneity:
    from scipy.special import chdtrc

    known = {part.name: figure for part in strata if np.isfinite((figure := part.scores[name]).low)}
    q = p = i2 = float("nan")
    if len(known) > 1:
        value = np.array([figure.value for figure in known.values()])
        loci = [part.loci for part in strata if part.name in known]
        error = [figure.width / 2 / student(0.975, n - 1) for figure, n in zip(known.values(), loci, strict=True)]
        weight = 1 / np.maximum(error, 1e-9) ** 2
        q = float((weight * (value - (weight * value).sum() / weight.sum()) ** 2).sum())
        p = float(chdtrc(len(known) - 1, q))
        i2 = max(0.0, 1 - (len(known) - 1) / q) if q > 0 else 0.0
    below = [part for part, figure in known.items() if figure.high < 0]
    above = [part for part, figure in known.items() if figure.low > 0]
    opposite: tuple[str, ...] = ()
    if below and above:
        opposite = (
            min(below, key=lambda part: known[part].value),
            max(above, key=lambda part: known[part].value),
        )
    whole = pooled.scores[name]
    sign = float(np.sign(whole.value))
    beyond = bool(known) and not whole.covers_zero and len(known) == len(strata)
    beyond = beyond and all(_outer(figure, sign) < abs(whole.value) for figure in known.values())
    return Heterogeneity(q, p, i2, opposite, beyond)


def share_refitted(
    y: NDArray[Any],
    gc: NDArray[Any],
    replicates: NDArray[Any],
    locus: NDArray[Any],
    draws: Draws,
    stratum: NDArray[Any] | None = None,
) -> ProductShare | None:
    """GC's share (product form) by a curve of GC that is fitted within the rows at hand; None with fewer than two
    replicates.

    The curve is a natural spline, cross-fitted over five parts of the loci (``partial.spline_residuals``); correlations
    are pooled within parts. A curve fitted on all strata says nothing of GC within one of them. With ``stratum`` one is
    fitted in each stratum, and correlations are pooled within strata too: the share with the stratum held fixed.

    y, gc : (n,). replicates : (n, k). locus : int (n,), codes of ``draws``. stratum : (n,) labels.
    """
    if replicates.shape[1] < 2:
        return None
    weights = row_weights(locus)
    ranked = places(y, weights)[:, None]
    level = np.zeros(len(y), np.int64) if stratum is None else np.unique(stratum, return_inverse=True)[1]
    curve, part = np.empty(len(y)), np.empty(len(y), np.int64)
    for value in np.unique(level):
        rows = np.flatnonzero(level == value)
        residual = spline_residuals(ranked[rows], np.asarray(gc, float)[rows], locus[rows], weights=weights[rows])
        curve[rows] = ranked[rows, 0] - residual[:, 0]
        part[rows] = spline_parts(locus[rows]) + PARTS * value
    columns = places_each(replicates, weights)
    prediction = prediction_places(curve, part, locus, weights)
    copied = any_copies(replicates)
    return share_of_columns(prediction, columns, locus, part, weights=weights, draws=draws, copied=copied)


def _outer(figure: Estimate, sign: float) -> float:
    """The end of an interval that lies in the direction of ``sign``, along it."""
    return sign * (figure.high if sign > 0 else figure.low)


def _warnings(
    names: list[str],
    found: list[Stratum],
    samples: list[Array],
    stories: Mapping[str, Heterogeneity],
    restricted: Collection[str],
) -> list[str]:
    pooled, strata = found[0], found[1:]
    lines = []
    told = [(j, name) for j, name in enumerate(names) if name not in restricted]
    for _, name in told:
        whole = pooled.scores[name]
        if stories[name].opposite:
            low, high = (next(part for part in strata if part.name == end) for end in stories[name].opposite)
            lines.append(
                f"{name}: opposite signs, {low.scores[name].value:+.2f} within {low.name} and"
                f" {high.scores[name].value:+.2f} within {high.name}; {whole.value:+.2f} pooled."
            )
        for part in strata:
            here = part.scores[name]
            opposite = not whole.covers_zero and not here.covers_zero and whole.value * here.value < 0
            if opposite and not stories[name].opposite:
                lines.append(f"{name}: {whole.value:+.2f} pooled but {here.value:+.2f} within {part.name}.")
        if stories[name].pooled_only:
            inside = ", ".join(f"{part.scores[name].value:+.2f} within {part.name}" for part in strata)
            lines.append(f"{name}: {whole.value:+.2f} pooled, more than any stratum shows ({inside}).")
    for (i, a), (j, b) in combinations(told, 2):
        gaps = [
            t_interval(part.scores[a].value - part.scores[b].value, sample[:, i] - sample[:, j], part.loci)
            for part, sample in zip(found, samples, strict=True)
        ]
        for part, gap in zip(strata, gaps[1:], strict=True):
            if not gaps[0].covers_zero and not gap.covers_zero and gaps[0].value * gap.value < 0:
                first, second = (a, b) if gaps[0].value > 0 else (b, a)
                lines.append(f"{first} is ahead of {second} pooled, but behind within {part.name}.")
    return lines
