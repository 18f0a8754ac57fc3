"""The parts of a board's summary that say how much is GC: ceiling, combined target, shares, CpG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.board.figure import Estimate, number, shown
from bench.board.joint import Joint
from bench.board.load import Board
from bench.board.schema import (
    CeilingSummary,
    ChoiceSummary,
    CombineSummary,
    HalvesSummary,
    RangeSummary,
    RhoSummary,
    ShareSummary,
)
from bench.stats.ceilings import half_ceiling
from bench.stats.figures import TargetFigures
from bench.stats.gc_share import ShareFigures
from bench.stats.partial import spline_residuals
from bench.stats.pooled import row_weights
from bench.stats.ranks import places
from bench.stats.replicate_checks import any_copies, check_replicates
from bench.stats.replicates import replicate_pairs
from bench.stats.rows import Choice
from bench.stats.strata import share_refitted

if TYPE_CHECKING:
    import pandas as pd


def ceiling_summary(found: TargetFigures, board: Board, rows: pd.DataFrame) -> CeilingSummary:
    """The noise ceiling, or why there is none."""
    replicates, halves = board.replicates.shape[1], _halves(board, rows)
    if found.ceiling is None:
        return CeilingSummary(reason=found.no_ceiling, replicates=replicates, halves=halves)
    given = found.ceiling_given_dna
    return CeilingSummary(
        estimate=shown(found.ceiling_best),
        replicates=replicates,
        replicates_per_row=found.ceiling.replicates,
        replicate_rho=found.ceiling.r,
        reliability=found.ceiling.reliability,
        given_dna=None if given is None else given.best,
        halves=halves,
    )


def _halves(board: Board, rows: pd.DataFrame) -> HalvesSummary | None:
    """Correlation between the halves of each row's barcodes, and the ceiling it gives; None without barcodes."""
    names = [f"h:{board.files.target}:{half}" for half in (1, 2)]
    if not all(name in rows for name in names):
        return None
    first, second = (rows[name].to_numpy(np.float64) for name in names)
    if any_copies(np.column_stack([first, second])):  # a ceiling of 1 that says nothing
        return None
    found = half_ceiling(first, second, board.test_fold)
    return None if found is None else HalvesSummary(rho=found.r, value=found.best)


def combine_summary(board: Board) -> CombineSummary:
    """What became of the replicates, and what their numbers say."""
    target = board.target
    counted = target.kind == "binary" and target.label is None
    alone = len(target.replicate_names) == 1 or counted
    weights = zip(target.replicate_names, target.combined.weights, strict=True)
    return CombineSummary(
        how="mean" if alone else target.combine,
        weights={name: float(weight) for name, weight in weights},
        minimum=target.minimum_replicates,
        findings=(
            []
            if target.kind == "binary"
            else [
                finding.line for finding in check_replicates(target.replicates, target.replicate_names, target.combine)
            ]
        ),
    )


def choice_summary(choice: Choice) -> ChoiceSummary:
    """Who was chosen, fold by fold."""
    score = None if choice.figures is None else shown(choice.figures.spearman)
    return ChoiceSummary(name=choice.name, by_fold=list(choice.by_fold), score=score)


def share_summary(figures: ShareFigures | None, board: Board) -> ShareSummary | None:
    """GC's share by one GC-only prediction; None where there is none."""
    if figures is None:
        return None
    names = board.target.replicate_names
    product, given = figures.shown, figures.given
    parts = {} if figures.parts is None else {name: shown(figure) for name, figure in figures.parts.items()}
    known = np.isfinite(figures.range_low)
    interval = figures.range_interval
    return ShareSummary(
        gc=figures.gc.name,
        best=None if figures.best is None else figures.best.name,
        gc_by_fold=list(figures.gc.by_fold),
        best_by_fold=[] if figures.best is None else list(figures.best.by_fold),
        of_explainable=shown(figures.value),
        reason=figures.reason,
        at_least=list(figures.at_least),
        by_chromosome=None if product is None else _with_ends(product.by_chromosome),
        shown_by_chromosome=product is not None and product.wide,
        rho_gc=(
            []
            if product is None
            else [RhoSummary(first=n, rho=float(r)) for n, r in zip(names, product.rho_f, strict=True)]
        ),
        rho_replicates=(
            []
            if product is None
            else [
                RhoSummary(first=names[i], second=names[j], rho=float(r))
                for (i, j), r in zip(replicate_pairs(len(names)), product.rho_y, strict=True)
            ]
        ),
        replicate_rho=None if product is None else shown(product.replicate),
        mean_form=number(figures.mean_form),
        raw=None if figures.raw is None else shown(figures.raw.value),
        given_dna=None if given is None else shown(given.share.value),
        given_dna_reason=None if given is None else given.share.reason,
        given_dna_rows=None if given is None else given.rows,
        given_dna_shown=figures.given_shown,
        robustness=number(figures.robustness),
        normal_scores=number(figures.normal_scores),
        tails=figures.tails,
        smallest_detectable=number(figures.smallest),
        of_learned=parts.get("of_learned"),
        of_total=shown(figures.of_total),
        unique_gc=parts.get("unique_gc"),
        unique_best=parts.get("unique_best"),
        common=parts.get("common"),
        shapley=parts.get("shapley"),
        best_of_explainable=parts.get("r2_best"),
        attributable=(
            RangeSummary(
                low=figures.range_low,
                high=figures.range_high,
                interval_low=number(interval.low),
                interval_high=number(interval.high),
            )
            if known
            else None
        ),
    )


def _with_ends(figure: object) -> Estimate | None:
    """A figure that has an interval; None for one without."""
    from bench.stats.intervals import Estimate as Figure

    assert isinstance(figure, Figure)
    return shown(figure) if np.isfinite(figure.low) else None


def cpg_apart(board: Board, rows: pd.DataFrame, joint: Joint) -> Estimate | None:
    """Share of the explainable variance that a curve of CpG explains apart from GC; None where the rows have no column
    ``cpg`` or the target no two replicates.

    CpG content less its spline of GC; then a cross-fitted curve of that, as of GC within strata.
    """
    if "cpg" not in rows:
        return None
    place = board.test_row
    gc, cpg = rows["gc"].to_numpy(np.float64), rows["cpg"].to_numpy(np.float64)
    locus = joint.codes[place]
    if not np.isfinite(cpg).all() or np.ptp(cpg) == 0:
        return None
    weights = row_weights(locus)
    apart = spline_residuals(places(cpg, weights)[:, None], gc, locus, weights=weights)[:, 0]
    found = share_refitted(board.value[place], apart, board.replicates[place], locus, joint.draws)
    return None if found is None else shown(found.value)
