"""The figures of a binary target's board: AUROC, average precision, GC alone and what is beyond it, calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from bench.board.binary_schema import AttainableSummary, BinaryRowSummary, BinarySummary
from bench.board.figure import number, shown
from bench.board.joint import Joint
from bench.board.load import Board
from bench.board.schema import BoardSummary
from bench.stats.attainable import Attainable, attainable
from bench.stats.binary import (
    MATCHED_ROWS,
    BinaryDraws,
    Calibration,
    binary_draws,
    calibration,
    fraction_interval,
    given_gc,
    matched_bins,
)
from bench.stats.bootstrap import Draws
from bench.stats.figures import TargetFigures
from bench.stats.intervals import NOTHING, Estimate, t_interval
from bench.stats.ranks import Array, fold_rows


def as_binary(summary: BoardSummary, board: Board, found: TargetFigures, joint: Joint) -> BoardSummary:
    """The summary of a binary target's board: with its own figures, without those that are a regression's. A share of
    explainable variance takes noise of one size, which labels do not have."""
    plain = {"ceiling": None, "share": None, "reason": "a binary target"}
    strata = {name: [level.model_copy(update=plain) for level in levels] for name, levels in summary.strata.items()}
    none: dict[str, object] = {"share": None, "shares_apart": [], "cpg_apart": None, "held_fixed": [], "verdict": None}
    return summary.model_copy(update={**none, "strata": strata, "binary": binary_summary(board, found, joint)})


def binary_summary(board: Board, found: TargetFigures, joint: Joint) -> BinarySummary:
    """The figures of a binary target. ``found`` : who was chosen for GC alone and as the best."""
    place, fold = board.test_row, board.test_fold
    y, locus = board.value[place], joint.codes[place]
    runs = {pair.name: pair.test.T for pair in board.results}
    keys = {role: choice.key for role, choice in found.choices.items()}
    for choice in found.choices.values():
        if choice.key not in runs:  # put together of what was chosen in each fold
            runs[choice.key] = _put_together(runs, choice.by_fold, fold)
    owners = np.array([name for name, seeds in runs.items() for _ in range(seeds.shape[1])])
    matrix = np.column_stack(list(runs.values()))
    scores = binary_draws(y, matrix, locus, joint.draws, fold)
    gc = board.rows["gc"].to_numpy(np.float64)[place]
    bins = matched_bins(gc, fold)
    left = given_gc(matrix, gc, fold, bins)
    matched = binary_draws(y, left, locus, joint.draws, fold, bins)
    replicates = board.replicates[place]
    most = attainable(y, replicates, locus, joint.draws, found.loci, cut_at=board.target.label is not None)
    ceiling = float("nan") if most.auroc is None else most.auroc.value
    rows = {
        name: _row(
            owners == name,
            owners == keys.get("gc"),
            scores,
            matched,
            [calibration(y, run) for run in seeds.T],
            found.loci,
            ceiling,
        )
        for name, seeds in runs.items()
    }
    prevalence, by_draw = _prevalence(y, locus, joint.draws)
    return BinarySummary(
        positive=board.target.positive,
        cut=board.target.label is not None,
        undecided=int(((y > 0) & (y < 1)).sum()),
        folds=len(parts := fold_rows(fold, len(y))),
        one_class=sum(not 0 < y[part].mean() < 1 for part in parts),
        prevalence=shown(fraction_interval(prevalence, by_draw, found.loci)),
        ap_baseline=number(float(np.mean([y[r].mean() for r in parts if 0 < y[r].mean() < 1] or [prevalence]))),
        attainable=_attainable(most),
        matched_rows=MATCHED_ROWS,
        matched_pairs=_pairs(y, fold, bins),
        rows=rows,
        chosen={str(role): key for role, key in keys.items()},
    )


def _put_together(runs: Mapping[str, Array], by_fold: tuple[str, ...], fold: NDArray[np.int64]) -> Array:
    """The first seed of the learner of every fold, float64 (m, 1)."""
    column = np.full((len(fold), 1), np.nan)
    for label, name in zip(np.unique(fold), by_fold, strict=True):
        column[fold == label, 0] = runs[name][fold == label, 0]
    return column


def _row(
    mine: NDArray[np.bool_],
    of_gc: NDArray[np.bool_],
    scores: BinaryDraws,
    matched: BinaryDraws,
    calibrated: list[Calibration],
    loci: int,
    ceiling: float,
) -> BinaryRowSummary:
    """Figures of one learner, the mean over its seeds."""

    def score(values: Array, drawn: Array, *, biased: bool = False) -> Estimate:
        return fraction_interval(float(values[mine].mean()), drawn[:, mine].mean(axis=1), loci, biased=biased)

    auroc = score(scores.auroc, scores.auroc_drawn)
    gain = NOTHING
    if of_gc.any() and not (mine & of_gc).any():
        over = scores.auroc_drawn[:, mine].mean(axis=1) - scores.auroc_drawn[:, of_gc].mean(axis=1)
        gain = t_interval(auroc.value - float(scores.auroc[of_gc].mean()), over, loci)
    return BinaryRowSummary(
        auroc=shown(auroc),
        ap=shown(score(scores.ap, scores.ap_drawn, biased=True)),
        gain=shown(gain),
        gc_matched=shown(score(matched.auroc, matched.auroc_drawn)),
        of_attainable=number((auroc.value - 0.5) / (ceiling - 0.5)),
        brier=_mean(each.brier for each in calibrated),
        brier_null=_mean(each.brier_null for each in calibrated),
        calibration_error=_mean(each.error for each in calibrated),
        slope=_mean(each.slope for each in calibrated),
    )


def _mean(figures: Iterable[float]) -> float | None:
    """The mean over seeds."""
    return number(float(np.mean(list(figures))))


def _prevalence(y: Array, locus: NDArray[np.int64], draws: Draws) -> tuple[float, Array]:
    """The part of the test rows that is positive, and draws of it."""
    rows, ones = np.bincount(locus, minlength=draws.blocks), np.bincount(locus, y, draws.blocks)
    drawn = [
        (weights @ ones) / np.maximum(weights @ rows, 1)
        for weights in (w.astype(float) for _, w in draws.block_weights())
    ]
    return float(y.mean()), np.concatenate(drawn)


def _pairs(y: Array, fold: NDArray[np.int64], bins: NDArray[np.int64]) -> int:
    """Pairs of a positive and a negative of one bin of GC."""
    total = 0.0
    for rows in fold_rows(fold, len(y)):
        ones = np.bincount(bins[rows], y[rows])
        total += float((ones * (np.bincount(bins[rows]) - ones)).sum())
    return round(total)


def _attainable(most: Attainable) -> AttainableSummary:
    return AttainableSummary(
        reason=most.reason,
        auroc=None if most.auroc is None else shown(most.auroc),
        ap=None if most.ap is None else shown(most.ap),
        flips_auroc=number(most.flips_auroc),
        phi=None if most.phi is None else shown(most.phi),
        between=number(most.between),
    )
