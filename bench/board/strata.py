"""The figures of a board within each level of its strata, and warnings where they tell another story (Simpson)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.board.joint import Joint
from bench.board.load import Board, PairScores
from bench.board.schema import Estimate, HeterogeneitySummary, StratumSummary, number, shown
from bench.stats import intervals
from bench.stats.beyond import beyond_gc
from bench.stats.ceilings import ceiling
from bench.stats.figures import TargetFigures
from bench.stats.pooled import pooled_correlations, row_weights
from bench.stats.ranks import fold_rows, places
from bench.stats.replicate_checks import any_copies
from bench.stats.strata import Stratum, by_stratum, scored, share_refitted

#: Name of GC content itself, as the board shows it.
GC = "GC content"


def strata_summary(
    board: Board, found: TargetFigures, pairs: dict[str, PairScores], joint: Joint
) -> tuple[dict[str, list[StratumSummary]], dict[str, HeterogeneitySummary], list[str]]:
    """Figures of every level of every stratum, all rows together first; whether the levels tell one story of GC; and
    warnings as lines for people."""
    place = board.test_row
    y, rows, locus = board.value[place], board.rows.iloc[place], joint.codes[place]
    gc, replicates = rows["gc"].to_numpy(np.float64), board.replicates[place]
    # One seed stands for the learner: a stratum's table says where a figure comes from, not who is ahead by a hair.
    named = {role: _of_folds(found, role, pairs, board.test_fold) for role in ("gc", "best")}
    labels = {"gc": found.chosen("gc") or "", "best": found.chosen("best") or ""}
    columns = {GC: gc} | {labels[role]: column for role, column in named.items() if column is not None}
    tables: dict[str, list[StratumSummary]] = {}
    stories: dict[str, HeterogeneitySummary] = {}
    warnings: list[str] = []
    named_strata = [name for name in rows.columns if name.startswith("s:")]
    if not named_strata:
        return tables, stories, warnings
    pooled = scored("pooled", y, columns, board.test_fold, locus, joint.draws)
    for column in named_strata:
        levels = rows[column].astype(str).to_numpy()
        strata = by_stratum(y, columns, levels, board.test_fold, locus, joint.draws, pooled=pooled)
        warnings += [f"{column[2:]}: {line}" for line in strata.warnings]
        warnings += [f"{column[2:]}: too few rows in {', '.join(strata.left_out)}."] * bool(strata.left_out)
        if len(strata.strata) < 2:
            continue
        inside: list[tuple[Stratum, NDArray[np.bool_], str | None]] = [(strata.pooled, np.ones(len(y), np.bool_), None)]
        inside += [(stratum, levels == stratum.name, stratum.name) for stratum in strata.strata]
        tables[column[2:]] = [
            _level(board, joint, stratum, chosen, name, labels, named, found) for stratum, chosen, name in inside
        ]
        kept = np.isin(levels, [stratum.name for stratum in strata.strata])
        within = share_refitted(y[kept], gc[kept], replicates[kept], locus[kept], joint.draws, levels[kept])
        story = strata.stories[GC]
        stories[column[2:]] = HeterogeneitySummary(
            q=number(story.q),
            p=number(story.p),
            i2=number(story.i2),
            within=None if within is None else shown(within.value),
            opposite=list(story.opposite),
            pooled_only=story.pooled_only,
        )
    return tables, stories, warnings


def _of_folds(
    found: TargetFigures, role: str, pairs: dict[str, PairScores], fold: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """The first seed of what was chosen for a role in each fold, float64 (m,); None where nothing was."""
    choice = next((choice for name, choice in found.choices.items() if name == role), None)
    if choice is None:
        return None
    column = np.full(len(fold), np.nan)
    for label, name in zip(np.unique(fold), choice.by_fold, strict=True):
        column[fold == label] = pairs[name].test[0][fold == label]
    return column


def _level(
    board: Board,
    joint: Joint,
    stratum: Stratum,
    chosen: NDArray[np.bool_],
    name: str | None,
    labels: dict[str, str],
    named: dict[str, NDArray[np.float64] | None],
    found: TargetFigures,
) -> StratumSummary:
    """Figures of the chosen test rows; GC's share among them is of a curve of GC refitted in them."""
    place = board.test_row[chosen]
    gc, replicates = board.rows["gc"].to_numpy(np.float64)[place], board.replicates[place]
    inside = None if any_copies(replicates) else ceiling(replicates, board.test_fold[chosen])
    if name is None:  # all rows together: the board's own figures
        own, best = found.share, found.choices.get("best")
        value, reason = (intervals.NOTHING, "no GC-only model") if own is None else (own.value, own.reason)
        given = intervals.NOTHING if best is None or best.figures is None else best.figures.given_gc
    else:
        given = _given_gc(board, joint, chosen, named, stratum.loci)
        share = share_refitted(board.value[place], gc, replicates, joint.codes[place], joint.draws)
        value, reason = (intervals.NOTHING, "one replicate") if share is None else (share.value, share.reason)

    def score(column: str) -> Estimate | None:
        return shown(stratum.scores[column]) if column in stratum.scores else None

    return StratumSummary(
        level=name,
        n=stratum.rows,
        loci=stratum.loci,
        ceiling=None if inside is None else inside.best,
        rho_gc=score(GC),
        gc=score(labels["gc"]),
        best=score(labels["best"]),
        given_gc=shown(given),
        share=shown(value),
        reason=reason,
    )


def _given_gc(
    board: Board, joint: Joint, chosen: NDArray[np.bool_], named: dict[str, NDArray[np.float64] | None], loci: int
) -> intervals.Estimate:
    """Semi-partial Spearman given GC of the best learner among the chosen rows."""
    best, gc_only = named["best"], named["gc"]
    if best is None:
        return intervals.NOTHING
    place, fold = board.test_row[chosen], board.test_fold[chosen]
    locus = joint.codes[place]
    weights = row_weights(locus)
    columns = np.column_stack([column[chosen] for column in (best, gc_only) if column is not None])
    for rows in fold_rows(fold, len(fold)):
        columns[rows] = np.column_stack([places(column[rows]) for column in columns.T])
    of_gc = np.arange(columns.shape[1]) == 1
    left = beyond_gc(columns, board.rows["gc"].to_numpy(np.float64)[place], locus, fold, of_gc)[:, 0]
    table = np.column_stack([left, places(board.value[place], weights)])
    found = pooled_correlations(table, [(0, 1)], locus, fold, weights=weights, draws=joint.draws)
    return intervals.t_interval(float(found.point[0]), found.drawn[:, 0], loci)
