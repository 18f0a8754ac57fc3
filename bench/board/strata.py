"""The figures of a board within each level of its strata, and warnings where they tell another story (Simpson)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.board.joint import Joint
from bench.board.load import Board, PairScores
from bench.board.schema import Estimate, StratumSummary, shown
from bench.stats.figures import TargetFigures, target_figures
from bench.stats.observations import Learners, Observations
from bench.stats.strata import Stratum, by_stratum

#: Name of GC content itself, as the board shows it.
GC = "GC content"


def strata_summary(
    board: Board, found: TargetFigures, pairs: dict[str, PairScores], joint: Joint
) -> tuple[dict[str, list[StratumSummary]], list[str]]:
    """Figures of every level of every stratum, all rows together first, and warnings as lines for people."""
    y = board.value[board.test_row]
    rows = board.rows.iloc[board.test_row]
    locus = joint.codes[board.test_row]
    columns = {GC: rows["gc"].to_numpy(np.float64)}
    # One seed stands for the learner: a stratum's table says where a figure comes from, not who is ahead by a hair.
    columns |= {name: pairs[name].test[0] for name in (found.gc_learner, found.best_learner) if name}
    tables, warnings = {}, []
    for column in (name for name in rows.columns if name.startswith("s:")):
        labels = rows[column].astype(str).to_numpy()
        strata = by_stratum(y, columns, labels, board.test_fold, locus, joint.draws)
        if len(strata.strata) < 2:
            continue
        everywhere = np.ones(len(y), np.bool_)
        pooled = _level(board, found, joint, columns, strata.pooled, everywhere, None)
        levels = [_level(board, found, joint, columns, s, labels == s.name, s.name) for s in strata.strata]
        tables[column[2:]] = [pooled, *levels]
        warnings += [f"{column[2:]}: {line}" for line in strata.warnings]
        warnings += [f"{column[2:]}: too few rows in {', '.join(strata.left_out)}."] * bool(strata.left_out)
    return tables, warnings


def _level(
    board: Board,
    found: TargetFigures,
    joint: Joint,
    columns: dict[str, NDArray[np.float64]],
    stratum: Stratum,
    chosen: NDArray[np.bool_],
    name: str | None,
) -> StratumSummary:
    """Figures of the chosen test rows; GC's share among them is computed from them alone."""
    place = board.test_row[chosen]
    inside = target_figures(
        Observations(
            board.value[place],
            board.test_fold[chosen],
            joint.codes[place],
            board.replicates[place],
            columns[GC][chosen],
        ),
        Learners(
            {name: column[chosen] for name, column in columns.items()},
            gc_only=[found.gc_learner] if found.gc_learner else [],
            baselines=[GC],
        ),
        draws=joint.draws,
    )
    best = inside.of(found.best_learner)

    def score(column: str | None) -> Estimate | None:
        return shown(stratum.scores[column]) if column else None

    return StratumSummary(
        level=name,
        n=stratum.rows,
        loci=stratum.loci,
        ceiling=None if inside.ceiling is None else inside.ceiling.best,
        rho_gc=score(GC),
        gc=score(found.gc_learner),
        best=score(found.best_learner),
        given_gc=None if best is None else shown(best.given_gc),
        share=shown(inside.share.of_explainable) if inside.share else None,
    )
