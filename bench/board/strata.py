"""The figures of a board within each level of its strata, and warnings where they tell another story (Simpson)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.board.figure import Estimate, number, shown
from bench.board.joint import Joint
from bench.board.load import Board, PairScores
from bench.board.schema import HeterogeneitySummary, StratumSummary
from bench.stats import intervals
from bench.stats.ceilings import ceiling
from bench.stats.figures import TargetFigures
from bench.stats.levels import given_gc_by_level, groups_of, shares_by_level
from bench.stats.replicate_checks import any_copies
from bench.stats.share import ProductShare
from bench.stats.strata import STRATUM_ROWS, Strata, Stratum, by_stratum, scored, share_refitted
from bench.store.record import StratumRecord

if TYPE_CHECKING:
    import pandas as pd

#: Name of GC content itself, as the board shows it.
GC = "GC content"
#: A stratum that is a column of the table.
_COLUMN = StratumRecord(how="")


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
    strata = [name for name in rows.columns if name.startswith("s:")]
    if not strata:
        return tables, stories, warnings
    pooled = scored("pooled", y, columns, board.test_fold, locus, joint.draws)
    whole = _level(board, pooled.figures, None, labels, *_of_all(found))
    for name in (column[2:] for column in strata):
        levels = _labels(rows[f"s:{name}"])
        card = board.strata.get(name, _COLUMN)
        # GC in bins of GC, and what learners know of it: what is left of its range says nothing of Simpson's case.
        restricted = set(columns) if card.of == "gc" else set()
        by_level = by_stratum(
            y, columns, levels, board.test_fold, locus, joint.draws, pooled=pooled, restricted=restricted
        )
        warnings += [f"{name}: {line}" for line in by_level.warnings]
        if len(by_level.strata) < 2:
            warnings.append(f"{name}: {_undivided(by_level)}, so that there is nothing to set apart.")
            continue
        warnings += [f"{name}: too few rows in {', '.join(by_level.left_out)}."] * bool(by_level.left_out)
        group = groups_of(levels, [stratum.name for stratum in by_level.strata])
        shares = shares_by_level(y, gc, replicates, locus, joint.draws, group)
        given = [intervals.NOTHING] * len(by_level.strata)
        if named["best"] is not None:
            given = given_gc_by_level(y, named["best"], named["gc"], gc, locus, board.test_fold, joint.draws, group)
        tables[name] = [whole]
        for i, stratum in enumerate(by_level.strata):
            share, reason = (intervals.NOTHING, "one replicate") if shares is None else (
                shares[i].value, shares[i].reason)  # fmt: skip
            figures = _level(board, stratum, group == i, labels, share, reason, given[i])
            tables[name].append(figures.model_copy(update={"range": card.levels.get(stratum.name, "")}))
        within = None
        # with GC itself held fixed nothing of it is left to have a share, and a label's noise is not of one size
        if card.of != "gc" and board.target.kind != "binary":
            kept = group >= 0
            within = share_refitted(y[kept], gc[kept], replicates[kept], locus[kept], joint.draws, group[kept])
        stories[name] = _story(by_level, within)
    return tables, stories, warnings


def _story(strata: Strata, within: ProductShare | None) -> HeterogeneitySummary:
    """Whether the levels tell one story of GC. ``within`` : its share with the stratum held fixed."""
    story = strata.stories[GC]
    return HeterogeneitySummary(
        q=number(story.q),
        p=number(story.p),
        i2=number(story.i2),
        within=None if within is None else shown(within.value),
        opposite=list(story.opposite),
        pooled_only=story.pooled_only,
    )


def _undivided(strata: Strata) -> str:
    """Why a stratum has no table."""
    if strata.strata:
        return f"only {strata.strata[0].name} has {STRATUM_ROWS} test rows in a fold"
    return f"no level has {STRATUM_ROWS} test rows in a fold"


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


def _labels(column: pd.Series) -> NDArray[np.str_]:
    """The labels of rows, str (n,)."""
    if hasattr(column, "cat"):
        names = np.array([*column.cat.categories.astype(str), ""], np.str_)
        return names[column.cat.codes.to_numpy()]
    return column.astype(str).to_numpy(np.str_)


def _of_all(found: TargetFigures) -> tuple[intervals.Estimate, str | None, intervals.Estimate]:
    """GC's share among all rows, why there is none, and what the best learner scores given GC: the board's own."""
    own, best = found.share, found.choices.get("best")
    given = intervals.NOTHING if best is None or best.figures is None else best.figures.given_gc
    return (intervals.NOTHING, "no GC-only model", given) if own is None else (own.value, own.reason, given)


def _level(
    board: Board,
    stratum: Stratum,
    chosen: NDArray[np.bool_] | None,
    labels: dict[str, str],
    share: intervals.Estimate,
    reason: str | None,
    given: intervals.Estimate,
) -> StratumSummary:
    """The figures of some test rows; None for all of them. GC's ``share`` is of a curve of GC refitted in them."""
    place, fold = (board.test_row, board.test_fold) if chosen is None else (
        board.test_row[chosen], board.test_fold[chosen])  # fmt: skip
    replicates = board.replicates[place]
    inside = None if any_copies(replicates) else ceiling(replicates, fold)

    def score(column: str) -> Estimate | None:
        return shown(stratum.scores[column]) if column in stratum.scores else None

    return StratumSummary(
        level=None if chosen is None else stratum.name,
        n=stratum.rows,
        loci=stratum.loci,
        ceiling=None if inside is None else inside.best,
        rho_gc=score(GC),
        gc=score(labels["gc"]),
        best=score(labels["best"]),
        given_gc=shown(given),
        share=shown(share),
        reason=reason,
    )
